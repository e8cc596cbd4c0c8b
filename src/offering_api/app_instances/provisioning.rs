//! What an app needs in the account of a customer (contract 4.2): generated when it is installed, changed
//! when another version is, switched off and on with it, and removed with it.
use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter,
    QueryOrder, Set,
};

use super::automation_rules::entity as automation_rules;
use super::entity::Model;
use super::messages::{ApplicationPart, Parts, PolicyPart};
use crate::directory::oauth_clients::{self, AUTHORIZATION_CODE, Application, CLIENT_CREDENTIALS};
use crate::directory::people;
use crate::directory::permission::Scopes;
use crate::directory::state::AppState;
use crate::kernel::audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::node_id;
use crate::kernel::secret::random_text;
use crate::kernel::signature::Algorithm;
use crate::offering_api::app_offering_automation_rules::entity as offering_rules;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::app_offerings::scopes::entity as scopes;
use crate::offering_api::webhook_policies::keys::{self, NewKey};
use crate::offering_api::webhook_policies::{self, entity as policy_entity, key_entity};
use crate::offering_api::webhooks::address::Address;
use crate::offering_api::webhooks::{self, entity as webhook_entity, generated};

/// Stands in the actions of rules for the generated webhook.
const WEBHOOK: &str = "{app_offering_webhook}";
/// Event of the generated webhook.
const EVENT: &str = "automation_rule";

/// Where things are generated, by whom and when.
#[derive(Clone, Copy)]
pub struct Provisioning<'a> {
    /// The transaction of the change.
    pub transaction: &'a DatabaseTransaction,
    /// The service.
    pub state: &'a AppState,
    /// The customer account.
    pub customer: &'a str,
    /// Who installs or changes.
    pub person: i64,
    /// Milliseconds since the epoch.
    pub now: i64,
}

/// The generated webhook and its policy.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// None for an app without an address.
    pub webhook: Option<webhook_entity::Model>,
    /// None for an app whose messages are not signed.
    pub policy: Option<policy_entity::Model>,
}

impl Connection {
    /// Number of the webhook.
    pub fn webhook_id(&self) -> Option<i64> {
        self.webhook.as_ref().map(|webhook| webhook.id)
    }

    /// Number of the policy.
    pub fn policy_id(&self) -> Option<i64> {
        self.policy.as_ref().map(|policy| policy.id)
    }
}

/// Makes the key of the policy that a version needs, unless `signing` says that the customer has one of that
/// algorithm. RSA keys take a second: so this comes before the transaction, which others wait for.
///
/// # Errors
/// When the machine has no randomness to give.
pub async fn new_key(offering: &Offering, signing: Option<&str>) -> Result<Option<NewKey>> {
    match algorithm(offering)? {
        Some(algorithm) if signing != Some(algorithm.name()) => {
            Ok(Some(NewKey::generate(algorithm).await?))
        }
        _ => Ok(None),
    }
}

/// What signs the messages of a version; `None` when there are none, or when they are not signed.
fn algorithm(offering: &Offering) -> Result<Option<Algorithm>> {
    let name = offering.policy_jwt_alg.as_deref();
    let Some(name) = name.filter(|_| offering.webhook_uri_template.is_some()) else {
        return Ok(None);
    };
    // The field holds no other names.
    let known = Algorithm::parse(name);
    known.map(Some).ok_or_else(|| Error::internal(format!("no algorithm {name}")))
}

/// A URL of an app for one customer. The account id is a host label, so that wherever the template has it
/// there, neither scheme nor host can become another than the template says; any other text is refused.
pub fn place_account(template: &str, account: &str) -> Option<String> {
    let is_label = !account.is_empty()
        && account.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    // Clients that normalise URLs encode the braces.
    let place = |text: &str| {
        ["{account}", "%7Baccount%7D", "%7baccount%7d"]
            .iter()
            .fold(template.to_owned(), |url, name| url.replace(name, text))
    };
    is_label.then(|| place(account))
}

impl Provisioning<'_> {
    /// The address of the app's webhook for this customer.
    ///
    /// # Errors
    /// 422 on the offering when nothing may be sent there.
    pub fn address(&self, offering: &Offering) -> Result<Option<Address>> {
        let Some(template) = &offering.webhook_uri_template else { return Ok(None) };
        let uri = place_account(template, self.customer)
            .ok_or_else(|| Error::internal(format!("account {:?} is no label", self.customer)))?;
        let address = Address::read(self.state.outgoing.guard(), &uri);
        address.map(Some).map_err(|refused| {
            use crate::kernel::language::violation::Violation;
            let text = format!("has a webhook address that cannot be used: {refused}");
            Error::invalid("app_offering", Violation::Because(text.into()))
        })
    }

    /// Generates webhook and policy of a new install; the policy's public key is one of the secrets.
    ///
    /// # Errors
    /// 422 for an address that may not be called; the database's.
    pub async fn connect(
        &self,
        offering: &Offering,
        key: Option<&NewKey>,
        disabled: bool,
        secrets: &mut Parts,
    ) -> Result<Connection> {
        let Some(address) = self.address(offering)? else { return Ok(Connection::default()) };
        let policy = self.add_policy(offering, key, secrets).await?;
        let webhook = self.add_webhook(offering, &address, policy.as_ref(), disabled).await?;
        Ok(Connection { webhook: Some(webhook), policy })
    }

    async fn add_policy(
        &self,
        offering: &Offering,
        key: Option<&NewKey>,
        secrets: &mut Parts,
    ) -> Result<Option<policy_entity::Model>> {
        let Some(algorithm) = algorithm(offering)? else { return Ok(None) };
        let late = self.late_key(algorithm, key).await?;
        let Some(key) = late.as_ref().or(key) else { return Ok(None) };
        let row = policy_entity::ActiveModel {
            account_id: Set(self.customer.to_owned()),
            jwt_audience: Set(offering.policy_jwt_audience.clone()),
            jwt_claim_expires_in: Set(offering.policy_jwt_claim_expires_in),
            disabled: Set(false),
            ..Default::default()
        };
        let (site, person, now) = (&self.state.site, self.person, self.now);
        let policy =
            webhook_policies::service::add(self.transaction, site, row, key, person, now).await?;
        let public_key = key.public_key_pem().to_owned();
        secrets.policy = Some(Some(self.policy_secret(&policy, offering, algorithm, public_key)));
        Ok(Some(policy))
    }

    /// A key of this algorithm, when the one that was made beforehand is none: somebody has changed the
    /// version since.
    async fn late_key(&self, algorithm: Algorithm, key: Option<&NewKey>) -> Result<Option<NewKey>> {
        if key.is_some_and(|key| key.algorithm() == algorithm) {
            return Ok(None);
        }
        Ok(Some(NewKey::generate(algorithm).await?))
    }

    fn policy_secret(
        &self,
        policy: &policy_entity::Model,
        offering: &Offering,
        algorithm: Algorithm,
        public_key: String,
    ) -> PolicyPart {
        let site = &self.state.site;
        let issuer = if offering.openid_connect_discovery {
            webhook_policies::service::issuer(site, policy)
        } else {
            site.account_url(self.customer)
        };
        PolicyPart {
            node_id: node_id::encode(&site.domain, webhook_policies::dto::NODE_TYPE, policy.id),
            audience: policy.jwt_audience.clone(),
            algorithm: algorithm.jose_name(),
            public_key,
            issuer,
        }
    }

    async fn add_webhook(
        &self,
        offering: &Offering,
        address: &Address,
        policy: Option<&policy_entity::Model>,
        disabled: bool,
    ) -> Result<webhook_entity::Model> {
        let mut row = webhooks::service::blank(self.customer, self.now);
        row.name = Set(offering.name.clone());
        row.event = Set(EVENT.to_owned());
        row.disabled = Set(disabled);
        row.openid_connect_discovery = Set(offering.openid_connect_discovery);
        row.webhook_policy_id = Set(policy.map(|policy| policy.id));
        row.source = Set(self.state.config.default_source.clone());
        let (site, person, now) = (&self.state.site, self.person, self.now);
        webhooks::service::add(self.transaction, site, row, address, person, now).await
    }

    /// Webhook and policy of an install.
    ///
    /// # Errors
    /// The database's.
    pub async fn connection(&self, instance: &Model) -> Result<Connection> {
        let mut connection = Connection::default();
        if let Some(id) = instance.webhook_id {
            connection.webhook =
                webhook_entity::Entity::find_by_id(id).one(self.transaction).await?;
        }
        if let Some(id) = instance.webhook_policy_id {
            connection.policy = policy_entity::Entity::find_by_id(id).one(self.transaction).await?;
        }
        Ok(connection)
    }

    /// Fits webhook and policy to another version. What it needs no more is still there: see
    /// [`Provisioning::discard`].
    ///
    /// # Errors
    /// 422 for an address that may not be called; the database's.
    pub async fn reconnect(
        &self,
        former: &Connection,
        offering: &Offering,
        key: Option<&NewKey>,
        disabled: bool,
        secrets: &mut Parts,
    ) -> Result<Connection> {
        let address = self.address(offering)?;
        let policy = match (&former.policy, algorithm(offering)?) {
            (Some(policy), Some(algorithm)) => {
                let policy = self.change_policy(policy, offering, (algorithm, key)).await?;
                secrets.policy =
                    self.policy_news(former, &policy, offering, algorithm).await?.map(Some);
                Some(policy)
            }
            (None, Some(_)) => self.add_policy(offering, key, secrets).await?,
            (Some(_), None) => {
                // A part that is null was removed.
                secrets.policy = Some(None);
                None
            }
            (None, None) => None,
        };
        let webhook = match (&former.webhook, &address) {
            (Some(webhook), Some(address)) => {
                let mut after = webhook.clone();
                after.name.clone_from(&offering.name);
                after.openid_connect_discovery = offering.openid_connect_discovery;
                after.webhook_policy_id = policy.as_ref().map(|policy| policy.id);
                let (site, person, now) = (&self.state.site, self.person, self.now);
                let change = (webhook, after.clone());
                generated::redirect(self.transaction, site, change, address, person, now).await?;
                Some(after)
            }
            (None, Some(address)) => {
                Some(self.add_webhook(offering, address, policy.as_ref(), disabled).await?)
            }
            (_, None) => None,
        };
        Ok(Connection { webhook, policy })
    }

    async fn change_policy(
        &self,
        before: &policy_entity::Model,
        offering: &Offering,
        (algorithm, key): (Algorithm, Option<&NewKey>),
    ) -> Result<policy_entity::Model> {
        let mut row = before.clone().into_active_model();
        if before.jwt_alg != algorithm.name() {
            row.jwt_alg = Set(algorithm.name().to_owned());
        }
        if before.jwt_audience != offering.policy_jwt_audience {
            row.jwt_audience = Set(offering.policy_jwt_audience.clone());
        }
        if before.jwt_claim_expires_in != offering.policy_jwt_claim_expires_in {
            row.jwt_claim_expires_in = Set(offering.policy_jwt_claim_expires_in);
        }
        if !row.is_changed() {
            return Ok(before.clone());
        }
        row.updated_at = Set(self.now);
        let after = row.update(self.transaction).await?;
        if after.jwt_alg != before.jwt_alg {
            let late = self.late_key(algorithm, key).await?;
            if let Some(key) = late.as_ref().or(key) {
                key.sign_for(self.transaction, &self.state.site.key, after.id, self.now).await?;
            }
        }
        let entry = audit::updated(before, &after)?;
        entry.write(self.transaction, self.person, self.now).await?;
        Ok(after)
    }

    /// What verifies messages from now on, when that is something else than the provider was told.
    async fn policy_news(
        &self,
        former: &Connection,
        policy: &policy_entity::Model,
        offering: &Offering,
        algorithm: Algorithm,
    ) -> Result<Option<PolicyPart>> {
        let is_same = former.policy.as_ref().is_some_and(|former| {
            former.jwt_alg == policy.jwt_alg && former.jwt_audience == policy.jwt_audience
        });
        // It decides on the issuer.
        let discovered = former.webhook.as_ref().map(|webhook| webhook.openid_connect_discovery);
        if is_same && discovered == Some(offering.openid_connect_discovery) {
            return Ok(None);
        }
        let key = key_entity::Entity::signing(policy.id).one(self.transaction).await?;
        let key = key.ok_or_else(|| Error::internal(format!("policy {} has no key", policy.id)))?;
        let public_key = keys::open(&self.state.site.key, &key)?.public_key_pem()?;
        Ok(Some(self.policy_secret(policy, offering, algorithm, public_key)))
    }

    /// Removes what of the former connection is no part of the present one. A policy that the customer uses
    /// for other webhooks stays.
    ///
    /// # Errors
    /// The database's.
    pub async fn discard(&self, former: Connection, present: &Connection) -> Result<()> {
        let (transaction, person, now) = (self.transaction, self.person, self.now);
        if let Some(webhook) = former.webhook.filter(|it| present.webhook_id() != Some(it.id)) {
            webhooks::service::remove(transaction, webhook, person, now).await?;
        }
        if let Some(policy) = former.policy.filter(|it| present.policy_id() != Some(it.id)) {
            webhook_policies::service::remove_unused(transaction, policy, person, now).await?;
        }
        Ok(())
    }

    /// Copies the automation rules of a version. Where their actions call `{app_offering_webhook}`, the
    /// copies call the generated webhook by its nodeID: unlike a name it is one webhook's only, and has no
    /// quotes.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_rules(&self, instance: &Model, offering: &Offering) -> Result<()> {
        let webhook = instance
            .webhook_id
            .map(|id| node_id::encode(&self.state.site.domain, webhooks::dto::NODE_TYPE, id));
        let rules = offering_rules::Entity::of(&offering.account_id)
            .filter(offering_rules::COLUMN.app_offering_id.eq(offering.id))
            .order_by_asc(offering_rules::Column::Position)
            .order_by_asc(offering_rules::Column::Id);
        for rule in rules.all(self.transaction).await? {
            let actions = match (rule.actions, &webhook) {
                (Some(actions), Some(webhook)) => Some(actions.replace(WEBHOOK, webhook)),
                (actions, _) => actions,
            };
            let row = automation_rules::ActiveModel {
                account_id: Set(self.customer.to_owned()),
                app_instance_id: Set(instance.id),
                name: Set(rule.name),
                rulable_type: Set(rule.rulable_type),
                trigger_on: Set(rule.trigger_on),
                position: Set(rule.position),
                description: Set(rule.description),
                expressions: Set(rule.expressions),
                condition: Set(rule.condition),
                actions: Set(actions),
                disabled: Set(!instance.is_effective()),
                created_at: Set(self.now),
                updated_at: Set(self.now),
                ..Default::default()
            };
            let row = row.insert(self.transaction).await?;
            audit::created(&row)?.write(self.transaction, self.person, self.now).await?;
        }
        Ok(())
    }

    /// Removes the automation rules of an install.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_rules(&self, instance: i64) -> Result<()> {
        for rule in automation_rules::Entity::of(instance).all(self.transaction).await? {
            audit::destroyed(&rule)?.write(self.transaction, self.person, self.now).await?;
            rule.delete(self.transaction).await?;
        }
        Ok(())
    }

    /// Makes an OAuth application for each grant type among the scopes of a version, gives those that there
    /// are its scopes, and removes those whose grant type it does not have. Ids and secrets of new ones
    /// are among the secrets, and `null` for removed ones.
    ///
    /// # Errors
    /// The database's.
    pub async fn authorize(
        &self,
        instance: &Model,
        offering: &Offering,
        secrets: &mut Parts,
    ) -> Result<()> {
        let mut granted = self.granted(offering).await?;
        let clients = oauth_clients::of_instance(self.transaction, instance.id).await?;
        let mut person = clients.first().map(|client| client.person_id);
        for client in clients {
            match granted.remove(client.grant_type.as_str()) {
                Some(scopes) => oauth_clients::rescope(self.transaction, client, &scopes).await?,
                None => {
                    if let Some(part) = secrets.application(&client.grant_type) {
                        *part = Some(None);
                    }
                    oauth_clients::remove(self.transaction, client).await?;
                }
            }
        }
        for grant_type in [CLIENT_CREDENTIALS, AUTHORIZATION_CODE] {
            let Some(scopes) = granted.remove(grant_type) else { continue };
            let acts_as = match person {
                Some(person) => person,
                None => self.add_person(instance, offering).await?,
            };
            person = Some(acts_as);
            let application = Application {
                instance: instance.id,
                grant_type,
                disabled: !instance.is_effective(),
            };
            let made = oauth_clients::create_application(
                self.transaction,
                &self.state.site.key,
                (self.customer, acts_as),
                &scopes,
                application,
                self.now,
            )
            .await?;
            let node_type = oauth_clients::NODE_TYPE;
            if let Some(part) = secrets.application(grant_type) {
                *part = Some(Some(ApplicationPart {
                    node_id: node_id::encode(&self.state.site.domain, node_type, made.id),
                    client_id: made.client_id,
                    client_secret: made.client_secret,
                }));
            }
        }
        Ok(())
    }

    /// What a version may do, by grant type.
    async fn granted(&self, offering: &Offering) -> Result<BTreeMap<String, Scopes>> {
        let scopes = scopes::Entity::of(&offering.account_id)
            .filter(scopes::COLUMN.app_offering_id.eq(offering.id))
            .order_by_asc(scopes::Column::Id)
            .all(self.transaction)
            .await?;
        let mut actions: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
        for scope in scopes {
            let (allowed, denied) = actions.entry(scope.grant_type).or_default();
            let list = if scope.effect == "deny" { denied } else { allowed };
            let named: Vec<String> =
                serde_json::from_str(&scope.actions).map_err(Error::internal)?;
            list.extend(named);
        }
        let granted = actions.into_iter();
        Ok(granted
            .map(|(kind, (allowed, denied))| (kind, Scopes::of_app(allowed, denied)))
            .collect())
    }

    /// On whose behalf the app acts: a person of the customer, without any role.
    async fn add_person(&self, instance: &Model, offering: &Offering) -> Result<i64> {
        let domain = &self.state.site.domain;
        let mark = random_text(8).to_lowercase();
        let email = format!("app-instance-{}-{mark}@{domain}", instance.id);
        let (transaction, customer) = (self.transaction, self.customer);
        let made =
            people::create(transaction, customer, &offering.name, &email, false, self.now).await;
        Ok(made.map_err(Error::internal)?.id)
    }

    /// Removes the OAuth applications of an install with their tokens. The person stays, disabled: entries
    /// of the audit trail name it.
    ///
    /// # Errors
    /// The database's.
    pub async fn unauthorize(&self, instance: i64) -> Result<()> {
        for client in oauth_clients::of_instance(self.transaction, instance).await? {
            people::disable(self.transaction, client.person_id, self.now).await?;
            oauth_clients::remove(self.transaction, client).await?;
        }
        Ok(())
    }

    /// Switches all that was generated off or on.
    ///
    /// # Errors
    /// The database's.
    pub async fn switch(&self, instance: &Model) -> Result<()> {
        let (transaction, disabled) = (self.transaction, !instance.is_effective());
        automation_rules::Entity::update_many()
            .col_expr(automation_rules::Column::Disabled, disabled.into())
            .col_expr(automation_rules::Column::UpdatedAt, self.now.into())
            .filter(automation_rules::COLUMN.app_instance_id.eq(instance.id))
            .exec(transaction)
            .await?;
        oauth_clients::switch(transaction, instance.id, disabled).await?;
        if let Some(webhook) = self.connection(instance).await?.webhook {
            let (person, now) = (self.person, self.now);
            generated::switch(transaction, webhook, disabled, person, now).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_changes_neither_scheme_nor_host() {
        let template = "https://echo.example.org/{account}/hook?a=%7Baccount%7D&b=%7baccount%7d";
        assert_eq!(
            place_account(template, "globex-2").unwrap(),
            "https://echo.example.org/globex-2/hook?a=globex-2&b=globex-2"
        );
        let host = "https://{account}.example.org:8443/";
        assert_eq!(place_account(host, "globex").unwrap(), "https://globex.example.org:8443/");
        for hostile in [
            "",
            "evil.org/",
            "evil.org",
            "evil.org#",
            "evil.org?",
            "a@evil.org",
            "a:b@",
            ":80",
            "a/b",
            "..",
            "%2f",
            "a\\b",
            "a b",
            "a\nb",
            "a\tb",
            "A",
            "ä",
            "x\u{3002}y",
            "[::1]",
            "{account}",
            "//evil",
        ] {
            for template in [template, host, "https://a.org/{account}", "https://{account}/"] {
                assert_eq!(place_account(template, hostile), None, "{hostile:?}");
            }
        }
    }
}
