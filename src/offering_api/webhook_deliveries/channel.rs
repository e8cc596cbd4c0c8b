//! The way to webhooks: who is told of an event, by which request, and what follows from its answer
//! (contract 4.3 to 4.5).
use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set,
};
use serde_json::{Map, Value, json};

use super::message::{self, Content, Message, Person, Signed, WithEntry};
use super::schedule::{self, TOO_LONG, TOO_MANY};
use crate::directory::people;
use crate::kernel::audit;
use crate::kernel::delivery::entity::{Model as Delivery, lane::Model as Lane};
use crate::kernel::delivery::{self, Channel, Composed, NewDelivery, Outcome, Settled, Verdict};
use crate::kernel::error::{Error, Result};
use crate::kernel::events::entity::Model as Event;
use crate::kernel::node_id;
use crate::kernel::outgoing;
use crate::kernel::secret::Purpose;
use crate::kernel::signature::Secret;
use crate::kernel::state::Kernel;
use crate::offering_api::audit_lines::dto::NODE_TYPE as AUDIT_LINE;
use crate::offering_api::webhooks::dto::{OF_INSTANCES, SECRETS_UPDATE};
use crate::offering_api::webhooks::entity::{self, ActiveModel, COLUMN, Model as Webhook};
use crate::offering_api::webhooks::signer::{Keys, Signer};
use crate::offering_api::webhooks::{address, messages, service};

/// Longest that an attempt may take, in milliseconds (contract 4.5).
const TIMEOUT: i64 = 10_000;

/// Lanes of webhooks.
pub struct Webhooks {
    kernel: Kernel,
    keys: Keys,
}

impl Webhooks {
    /// The lanes of this service.
    pub fn new(kernel: Kernel) -> Self {
        Self { kernel, keys: Keys::default() }
    }

    /// The message of a delivery; `None` when its secrets cannot be opened.
    fn message(&self, webhook: &Webhook, delivery: &Delivery) -> Option<Message> {
        let site = &self.kernel.site;
        let content = serde_json::from_str(&delivery.payload).unwrap_or_default();
        let secrets = match &delivery.secrets {
            Some(sealed) => message::open(&site.key, &delivery.delivery_id, sealed)?,
            None => Map::new(),
        };
        Some(Message::new(site, webhook, delivery, content, secrets))
    }
}

/// What all requests to a webhook have in common.
struct Frame {
    uri: Uri,
    headers: HeaderMap,
    signer: Option<Signer>,
    standard: Option<Secret>,
    /// Seconds since the epoch.
    now: i64,
}

impl Frame {
    fn request(
        &self,
        delivery: &Delivery,
        link: &str,
        message: &Message,
    ) -> Result<Request<Bytes>> {
        let body = match &self.signer {
            Some(signer) => serde_json::to_vec(&Signed::new(signer.sign(message, self.now)?)),
            None => serde_json::to_vec(message),
        };
        let body = body.map_err(Error::internal)?;
        let mut headers = self.headers.clone();
        let mut set = |name: &'static str, text: &str| {
            let value = HeaderValue::try_from(text).map_err(Error::internal)?;
            headers.insert(HeaderName::from_static(name), value);
            Ok::<_, Error>(())
        };
        set("x-4me-delivery", &delivery.delivery_id)?;
        set("x-xurrent-delivery", &delivery.delivery_id)?;
        if let Some(origin) = &delivery.origin_id {
            set("x-xurrent-delivery-origin", origin)?;
        }
        if let Some(secret) = &self.standard {
            set("webhook-id", &delivery.delivery_id)?;
            set("webhook-timestamp", &self.now.to_string())?;
            set("webhook-signature", &secret.sign(&delivery.delivery_id, self.now, &body))?;
        }
        set("link", link)?;
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl Channel for Webhooks {
    fn kind(&self) -> &'static str {
        messages::LANES
    }

    fn recipients<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        events: &'t [Event],
    ) -> BoxFuture<'t, Result<Vec<NewDelivery>>> {
        async {
            service::allow_verification(transaction, events, self.kernel.clock.now_millis())
                .await?;
            recipients(&self.kernel, transaction, events).await
        }
        .boxed()
    }

    fn compose<'t>(
        &'t self,
        lane: &'t Lane,
        due: Vec<Delivery>,
        now: i64,
    ) -> BoxFuture<'t, Result<Composed>> {
        self.compose_all(lane, due, now).boxed()
    }

    fn timeout(&self) -> i64 {
        TIMEOUT
    }

    fn judge(&self, delivery: &Delivery, attempt: i64, outcome: &Outcome) -> Verdict {
        schedule::judge(delivery, attempt, outcome)
    }

    fn settle<'t>(
        &'t self,
        transaction: &'t DatabaseTransaction,
        lane: &'t Lane,
        settled: &'t [Settled],
        now: i64,
    ) -> BoxFuture<'t, Result<()>> {
        settle(transaction, lane, settled, now).boxed()
    }
}

impl Webhooks {
    /// The webhook of a lane, and who signs for it.
    async fn signed(&self, lane: &Lane) -> Result<Option<(Webhook, Option<Signer>)>> {
        let (db, site) = (self.kernel.store.connection(), &self.kernel.site);
        let mut is_second_look = false;
        loop {
            let webhook = entity::Entity::of(&lane.account_id).filter(COLUMN.id.eq(lane.target_id));
            let Some(webhook) = webhook.one(db).await? else { return Ok(None) };
            match Signer::of(db, site, &self.keys, &webhook).await {
                // Its policy has just been removed: with it, or after it was linked to another one.
                Err(Error::NotFound) if !is_second_look => is_second_look = true,
                signer => return Ok(Some((webhook, signer?))),
            }
        }
    }

    async fn compose_all(&self, lane: &Lane, due: Vec<Delivery>, now: i64) -> Result<Composed> {
        let (kernel, site) = (&self.kernel, &self.kernel.site);
        let Some((webhook, signer)) = self.signed(lane).await? else {
            // It is just being removed, and its lane with it.
            return Ok(Composed::Hold);
        };
        let is_open = !webhook.disabled && webhook.verified_at.is_some();
        // What no event made goes out all the same.
        let leaves = |delivery: &Delivery| is_open || delivery.event_id.is_none();
        let mut leaving = Vec::with_capacity(due.len());
        for delivery in due.into_iter().filter(leaves) {
            match self.message(&webhook, &delivery) {
                Some(message) => leaving.push((delivery, message)),
                // It waits for the webhook to be switched off and on, and does not hold up others.
                None => tracing::error!(
                    delivery = delivery.delivery_id,
                    "the secrets of a message cannot be opened: is the master key another one?"
                ),
            }
        }
        if leaving.is_empty() {
            return Ok(Composed::Hold);
        }
        let whole = address::whole(&site.key, &webhook)?;
        let mut url = url::Url::parse(&whole).map_err(Error::internal)?;
        let authorization = outgoing::basic(&mut url);
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(CONTENT_TYPE, json);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let agent = HeaderValue::try_from(&kernel.config.webhook_user_agent);
        headers.insert(USER_AGENT, agent.map_err(Error::internal)?);
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        let frame = Frame {
            uri: url.as_str().parse().map_err(Error::internal)?,
            headers,
            signer,
            standard: service::standard_key(&site.key, &webhook)?,
            now: now / 1000,
        };
        let site = site.clone();
        let compose = move || {
            let request = |(delivery, message): (Delivery, Message)| {
                let link = message::links(&site, &webhook.account_id, &delivery.object);
                let request = frame.request(&delivery, &link, &message)?;
                Ok(delivery::Message { delivery, request })
            };
            leaving.into_iter().map(request).collect::<Result<Vec<_>>>()
        };
        // An RSA signature takes milliseconds, in which others want to be answered.
        let composed = tokio::task::spawn_blocking(compose).await.map_err(Error::internal)??;
        Ok(Composed::Send(composed))
    }
}

/// The webhooks of these accounts and events that something can be delivered to.
async fn listeners(transaction: &DatabaseTransaction, events: &[Event]) -> Result<Vec<Webhook>> {
    let accounts: HashSet<&str> = events.iter().map(|event| event.account_id.as_str()).collect();
    let names: HashSet<&str> = events.iter().map(|event| event.name.as_str()).collect();
    let found = entity::Entity::find()
        .filter(COLUMN.account_id.is_in(accounts))
        .filter(COLUMN.event.is_in(names))
        // Until an address is verified nothing is delivered there (contract 4.5): what happens waits, so that a
        // new address costs no message. What happens to who is disabled is not told, but for secrets, which are
        // told once.
        .filter(COLUMN.event.eq(SECRETS_UPDATE).or(COLUMN.disabled.eq(false)));
    Ok(found.all(transaction).await?)
}

async fn names(
    transaction: &DatabaseTransaction,
    people: HashSet<i64>,
) -> Result<HashMap<i64, String>> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    use people::entity::{COLUMN, Entity};
    let found = Entity::find().filter(COLUMN.id.is_in(people)).all(transaction).await?;
    Ok(found.into_iter().map(|person| (person.id, person.name)).collect())
}

async fn recipients(
    kernel: &Kernel,
    transaction: &DatabaseTransaction,
    events: &[Event],
) -> Result<Vec<NewDelivery>> {
    let webhooks = listeners(transaction, events).await?;
    if webhooks.is_empty() {
        return Ok(Vec::new());
    }
    let limits: HashMap<i64, HashSet<String>> =
        webhooks.iter().filter_map(|webhook| Some((webhook.id, webhook.limits()?))).collect();
    let mut by_event: HashMap<(&str, &str), Vec<&Webhook>> = HashMap::new();
    for webhook in &webhooks {
        by_event.entry((&webhook.account_id, &webhook.event)).or_default().push(webhook);
    }
    let told = |event: &&Event| by_event.contains_key(&(&*event.account_id, &*event.name));
    let people = events.iter().filter(told).filter_map(|event| event.person_id).collect();
    let names = names(transaction, people).await?;
    let key = &kernel.site.key;
    let mut deliveries = Vec::new();
    for event in events.iter().filter(told) {
        let secrets = match &event.secrets {
            Some(sealed) => match message::open(key, &event.event_id, sealed) {
                Some(secrets) => Some(secrets),
                // Nobody can ever open them: all later events would wait for nothing.
                None => {
                    tracing::error!(
                        event = event.event_id,
                        "the secrets of an event cannot be opened: nobody is told of it"
                    );
                    continue;
                }
            },
            None => None,
        };
        let content = content(kernel, event, &names, secrets.as_ref())?;
        let of_instance = event.name.starts_with(OF_INSTANCES);
        let reference = content.payload.get("app_offering").and_then(|it| it["reference"].as_str());
        let is_meant = |webhook: &&&Webhook| match limits.get(&webhook.id) {
            Some(limits) if of_instance => reference.is_some_and(|it| limits.contains(it)),
            _ => true,
        };
        let payload = serde_json::to_value(&content).map_err(Error::internal)?;
        let listeners = by_event.get(&(&*event.account_id, &*event.name)).into_iter().flatten();
        for webhook in listeners.filter(is_meant) {
            let delivery_id = uuid::Uuid::new_v4().to_string();
            let seal = |secrets: &Map<String, Value>| {
                let text = Value::Object(secrets.clone()).to_string();
                key.seal(Purpose::Message, delivery_id.as_bytes(), text.as_bytes())
            };
            deliveries.push(NewDelivery {
                lane: messages::lane(webhook.id),
                account: webhook.account_id.clone(),
                secrets: secrets.as_ref().map(seal),
                delivery_id,
                origin_id: None,
                event_id: Some(event.id),
                event: event.name.clone(),
                object: format!("{}:{}", event.record_type, event.record_id),
                payload: payload.clone(),
                pause: 0,
            });
        }
    }
    Ok(deliveries)
}

/// What deliveries of an event keep of it.
fn content(
    kernel: &Kernel,
    event: &Event,
    names: &HashMap<i64, String>,
    secrets: Option<&Map<String, Value>>,
) -> Result<Content> {
    let more: Map<String, Value> = serde_json::from_str(&event.payload).map_err(Error::internal)?;
    let mut payload = match event.audit_line_id {
        Some(id) => {
            let audit_line_node_id = node_id::encode(&kernel.site.domain, AUDIT_LINE, id);
            let told = WithEntry { audit_line_id: id, audit_line_node_id, more };
            let told = serde_json::to_value(told).map_err(Error::internal)?;
            serde_json::from_value(told).map_err(Error::internal)?
        }
        None => more,
    };
    payload.extend(secrets.map(message::masked).unwrap_or_default());
    let name = |id: i64| Person { id, name: names.get(&id).cloned().unwrap_or_default() };
    Ok(Content { person: event.person_id.map(name), payload, has_secrets: secrets.is_some() })
}

/// Counts failures in a row, and disables a webhook that has failed for too long or is gone.
async fn settle(
    transaction: &DatabaseTransaction,
    lane: &Lane,
    settled: &[Settled],
    now: i64,
) -> Result<()> {
    let failures = settled.iter().any(|it| it.verdict != Verdict::Delivered);
    if !failures {
        // The usual case, in one statement that mostly changes nothing.
        entity::Entity::update_many()
            .set(ActiveModel { failures: Set(0), failing_since: Set(None), ..Default::default() })
            .filter(COLUMN.id.eq(lane.target_id))
            .filter(COLUMN.failures.ne(0))
            .exec(transaction)
            .await?;
        return Ok(());
    }
    let webhook =
        entity::Entity::of(&lane.account_id).filter(COLUMN.id.eq(lane.target_id)).lock_exclusive();
    let Some(webhook) = webhook.one(transaction).await? else { return Ok(()) };
    let (mut count, mut since) = (webhook.failures, webhook.failing_since);
    let mut last_error = None;
    let mut in_order: Vec<&Settled> = settled.iter().collect();
    in_order.sort_by_key(|Settled { outcome, .. }| outcome.started_at + outcome.duration);
    for Settled { outcome, verdict, .. } in in_order {
        let Some(failure) = schedule::failure(outcome) else {
            (count, since) = (0, None);
            continue;
        };
        count += 1;
        let first = *since.get_or_insert(outcome.started_at);
        let is_gone = *verdict == Verdict::Gone;
        if is_gone || (count >= TOO_MANY && outcome.started_at - first > TOO_LONG) {
            last_error = Some(failure);
        }
    }
    let mut row: ActiveModel = webhook.clone().into();
    row.failures = Set(count);
    row.failing_since = Set(since);
    let Some(error) = last_error.filter(|_| !webhook.disabled) else {
        row.update(transaction).await?;
        return Ok(());
    };
    // To the second, as all changes.
    let now = now - now.rem_euclid(1000);
    row.disabled = Set(true);
    row.updated_at = Set(now);
    row.last_error = Set(Some(error.clone()));
    let after = row.update(transaction).await?;
    let told = json!({"disabled": true, "last_error": error});
    let entry = audit::updated(&webhook, &after)?.payload(told).by_itself();
    let service = people::service(transaction, &lane.account_id, now).await?;
    entry.write(transaction, service, now).await
}
