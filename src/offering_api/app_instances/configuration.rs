//! The way of a customer's browser through the app's own configuration page (contract 4.6): from here to the
//! app, and from there back to a page that switches the app on.
//!
//! There is no session on the host of an account; codes take its place. Each is made for one instance, one
//! step, the administrator who asked for the way, a time, and a text of the instance that is replaced when
//! it is confirmed: so they serve one purpose, expire, and cannot be guessed or used again. The provider
//! reads the address of the last page; so that page also wants a cookie, which only the browser has that began.
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use url::Url;

use super::entity::{COLUMN, Entity, Model};
use super::messages::node_id_of;
use super::provisioning::place_account;
use super::rules::{self, Parties};
use crate::directory::state::AppState;
use crate::directory::{accounts, people};
use crate::kernel::error::{Error, Result};
use crate::kernel::secret::Purpose;
use crate::kernel::state::Site;
use crate::kernel::time_zone::{TimeZone, write_timestamp};
use crate::offering_api::access::Caller;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::resource;
use crate::offering_api::webhooks::dto::SECRETS_UPDATE;
use crate::offering_api::webhooks::entity as webhook_entity;
use crate::offering_api::webhooks::signer::{Keys, Signer};

/// How long the way is open, in seconds: a day.
const OPEN: i64 = 24 * 60 * 60;

/// A step of the way, each with a code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The page that leads to the app.
    Configure,
    /// The browser that began, known by its cookie.
    Browser,
    /// The page that switches the app on.
    Confirm,
}

impl Step {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Configure => b"configure",
            Self::Browser => b"browser",
            Self::Confirm => b"confirm",
        }
    }
}

/// Who goes the way, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Number of the administrator.
    pub person: i64,
    /// Seconds since the epoch.
    pub expires_at: i64,
}

impl Pass {
    /// The code of a step; `None` when there is nothing to confirm.
    pub fn code(self, site: &Site, instance: &Model, step: Step) -> Option<String> {
        let confirmation = instance.confirmation.as_ref()?;
        let (id, person, time) =
            (instance.id.to_be_bytes(), self.person.to_be_bytes(), self.expires_at.to_be_bytes());
        let parts: [&[u8]; 6] =
            [b"app_instance", step.name(), &id, confirmation.as_bytes(), &person, &time];
        Some(URL_SAFE_NO_PAD.encode(site.key.sign(Purpose::Code, &parts)))
    }

    /// Whether a code is that of a step; takes the same time for right and wrong.
    pub fn is_code(self, site: &Site, instance: &Model, step: Step, code: &str) -> bool {
        use subtle::ConstantTimeEq;
        let expected = self.code(site, instance, step);
        expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(code.as_bytes())))
    }

    /// Address of a page of the way.
    fn address(self, site: &Site, instance: &Model, step: Step, page: &str) -> Option<String> {
        let code = self.code(site, instance, step)?;
        let host = site.account_url(&instance.customer_account_id);
        let (node, Self { person, expires_at }) = (node_id_of(site, instance.id), self);
        Some(format!(
            "{host}/app_instances/{node}/{page}?code={code}&expires_at={expires_at}&person_id={person}"
        ))
    }
}

/// Answers where to send the browser.
///
/// # Errors
/// 404 for what the caller cannot see, 403 for the provider.
pub async fn show(state: &AppState, caller: &Caller, id: &str) -> Result<Response> {
    let id = resource::record_id(&super::dto::RECORD, id, caller)?;
    let account = &*caller.identity.account;
    let db = state.store.connection();
    let instance = Entity::of(account).filter(COLUMN.id.eq(id)).one(db).await?;
    let instance = instance.ok_or(Error::NotFound)?;
    if !Parties::of(account, &instance).customer {
        return Err(Error::Forbidden);
    }
    let offering = rules::offering(db, instance.app_offering_id).await?;
    let has_page = offering.is_some_and(|it| it.configuration_uri_template.is_some());
    let expires_at = state.clock.now() / 1000 + OPEN;
    let pass = Pass { person: caller.identity.person, expires_at };
    let uri = pass.address(&state.site, &instance, Step::Configure, "configure");
    Ok(resource::found(
        caller,
        &match uri.filter(|_| has_page) {
            Some(uri) => {
                let mut time = Vec::new();
                write_timestamp(&mut time, expires_at * 1000, caller.view.time_zone);
                json!({"configuration_uri": uri, "expires_at": String::from_utf8_lossy(&time)})
            }
            None => json!({"configuration_uri": null, "expires_at": null}),
        },
    ))
}

/// Whether the one who goes the way may still do so: an administrator of the customer.
///
/// # Errors
/// The database's.
pub async fn is_administrator(
    db: &impl ConnectionTrait,
    instance: &Model,
    pass: Pass,
) -> Result<bool> {
    let person = people::entity::Entity::find_by_id(pass.person).one(db).await?;
    Ok(person.is_some_and(|person| {
        person.account_id == instance.customer_account_id
            && person.administrator
            && !person.disabled
    }))
}

/// Address of the app's own page for an instance, with all that it is to be told.
///
/// # Errors
/// 404 when the app has no such page or there is nothing to confirm; the database's.
pub async fn address_of_app(
    state: &AppState,
    instance: &Model,
    offering: &Offering,
    pass: Pass,
) -> Result<String> {
    let (db, site) = (state.store.connection(), &state.site);
    let confirm = pass.address(site, instance, Step::Confirm, "confirm_configuration");
    let template = offering.configuration_uri_template.as_deref();
    let customer = &instance.customer_account_id;
    let uri = template.and_then(|template| place_account(template, customer));
    let url = uri.and_then(|uri| Url::parse(&uri).ok());
    let (Some(confirm), Some(mut url)) = (confirm, url) else { return Err(Error::NotFound) };
    let node_id = node_id_of(site, instance.id);
    // As the API shows it to the provider, who compares the texts.
    let provider =
        accounts::entity::Entity::find_by_id(instance.account_id.clone()).one(db).await?;
    let zone = provider.and_then(|account| TimeZone::parse(&account.time_zone));
    let mut created_at = Vec::new();
    write_timestamp(&mut created_at, instance.created_at, zone.unwrap_or(TimeZone::UTC).tz());
    let signature = sign(state, offering, &node_id).await?;
    let mut query = url.query_pairs_mut();
    query
        .append_pair("nodeID", &node_id)
        .append_pair("account_id", customer)
        .append_pair("confirmation_url", &confirm)
        .append_pair("created_at", &String::from_utf8_lossy(&created_at));
    if let Some(signature) = signature {
        query.append_pair("X-4me-Signature", &signature);
    }
    drop(query);
    Ok(url.into())
}

/// Signs a nodeID as the provider's webhook for secrets would sign a message; `None` without such a webhook,
/// or when its messages are not signed.
async fn sign(state: &AppState, offering: &Offering, node_id: &str) -> Result<Option<String>> {
    let db = state.store.connection();
    let webhooks = webhook_entity::Entity::of(&offering.account_id)
        .filter(webhook_entity::COLUMN.event.eq(SECRETS_UPDATE))
        .filter(webhook_entity::COLUMN.disabled.eq(false))
        .filter(webhook_entity::COLUMN.webhook_policy_id.is_not_null())
        .order_by_asc(webhook_entity::Column::Id)
        .all(db)
        .await?;
    let concerns = |webhook: &&webhook_entity::Model| {
        webhook.limits().is_none_or(|references| references.contains(&offering.reference))
    };
    let Some(webhook) = webhooks.iter().find(concerns) else { return Ok(None) };
    // Too seldom for keys to be remembered.
    let signer = Signer::of(db, &state.site, &Keys::default(), webhook).await?;
    signer.map(|signer| signer.sign(&node_id, state.clock.now() / 1000)).transpose()
}
