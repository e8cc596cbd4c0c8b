//! What is told of an install (contract 4.3): to the provider and to the customer alike, but secrets to
//! the provider only, once.
use std::collections::BTreeMap;

use schemars::JsonSchema;
use sea_orm::{DatabaseTransaction, EntityTrait};
use serde::Serialize;
use serde_json::{Map, Value};

use super::dto::NODE_TYPE;
use super::entity::Model;
use crate::directory::oauth_clients::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS};
use crate::directory::{accounts, people};
use crate::kernel::audit::Entry;
use crate::kernel::error::{Error, Result};
use crate::kernel::events::Secrets;
use crate::kernel::message_schema::{AccountId, Address, CustomValue, NodeId, Number, Text};
use crate::kernel::node_id;
use crate::kernel::record::field::MAX_CUSTOM_FIELDS;
use crate::kernel::secret::Purpose;
use crate::kernel::signature::JoseName;
use crate::kernel::state::Site;
use crate::offering_api::app_offerings;
use crate::offering_api::app_offerings::dto::REFERENCE_MAX;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::webhooks::dto::SECRETS_UPDATE;

/// What has become of an installed app.
#[derive(JsonSchema, Serialize)]
pub struct AppInstanceChange {
    /// The installed version.
    app_offering: Version,
    /// Account that it is installed in.
    #[schemars(with = "AccountId", example = &"globex")]
    customer_account_id: String,
    /// Whether the provider has switched it off.
    #[schemars(example = false)]
    disabled: bool,
    /// Whether the customer has switched it on.
    #[schemars(example = true)]
    enabled_by_customer: bool,
    /// Whether either of them has suspended it.
    #[schemars(example = false)]
    suspended: bool,
    /// Whom the provider may ask at the customer's; null when nobody is named.
    customer_representative: Option<Representative>,
}

/// Secrets of an installed app, each of which is sent once. Only the parts that are new are there, and those
/// that were removed as null.
#[derive(JsonSchema, Serialize)]
pub struct AppInstanceSecrets {
    /// The installed version.
    app_offering: Version,
    /// Account that it is installed in.
    #[schemars(with = "AccountId", example = &"globex")]
    customer_account_id: String,
    #[serde(flatten)]
    parts: Parts,
}

/// The parts that are secret, or told with what is.
#[derive(Default, PartialEq, JsonSchema, Serialize)]
pub struct Parts {
    /// What verifies the messages of the app's webhook at the customer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Option<PolicyPart>>,
    /// By which the app gets tokens for itself (client credentials).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Option<ApplicationPart>>,
    /// By which the app gets tokens for people (authorization code).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_application: Option<Option<ApplicationPart>>,
    /// What the customer has typed into secret inputs of the form, by their ids; null removes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "BTreeMap<String, CustomValue>",
        extend("maxProperties" = MAX_CUSTOM_FIELDS),
        example = BTreeMap::from([("api_key", "k3y-0f-gl0b3x")])
    )]
    pub secrets: Option<Map<String, Value>>,
}

impl Parts {
    /// The part of the OAuth application of a grant type; apps have none of other grant types.
    pub fn application(
        &mut self,
        grant_type: &str,
    ) -> Option<&mut Option<Option<ApplicationPart>>> {
        match grant_type {
            CLIENT_CREDENTIALS => Some(&mut self.application),
            AUTHORIZATION_CODE => Some(&mut self.authorization_application),
            _ => None,
        }
    }
}

/// What verifies signed messages.
#[derive(PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "WebhookPolicySecret")]
pub struct PolicyPart {
    /// nodeID of the policy.
    #[serde(rename = "nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L1dlYmhvb2tQb2xpY3kvMQ")]
    pub node_id: String,
    /// The `aud` claim, if there is one.
    #[schemars(with = "Option<Text<2048>>", example = &"ticket-echo")]
    pub audience: Option<String>,
    /// Algorithm of the signatures.
    #[schemars(with = "JoseName", example = &"ES256")]
    pub algorithm: &'static str,
    /// The public key as PEM.
    #[schemars(
        with = "Text<2048>",
        example = &"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…\n-----END PUBLIC KEY-----\n"
    )]
    pub public_key: String,
    /// The `iss` claim.
    #[schemars(with = "Address", example = &"https://globex.example.test")]
    pub issuer: String,
}

/// An OAuth application that was generated for an installed app.
#[derive(PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "ApplicationSecret")]
pub struct ApplicationPart {
    /// nodeID of the application.
    #[serde(rename = "nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L09hdXRoQXBwbGljYXRpb24vMQ")]
    pub node_id: String,
    /// Its id.
    #[schemars(with = "Text<100>", example = &"Jt0c1dQmW0vVbXn5lTq3yZr8sKpL2aHgE7uFiOxCwBdNeRkM")]
    pub client_id: String,
    /// Its secret.
    #[schemars(
        with = "Text<100>",
        example = &"q8ZrS3kT0vWxYb1nCmD5eLfH7jGpK9aQuR2tIoE4sMhNcVdXyBzAwUgJiOlPfTqW"
    )]
    pub client_secret: String,
}

/// A version of an offering.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AppOfferingVersion")]
struct Version {
    /// Reference of the offering, which all its versions share.
    #[schemars(with = "Text<REFERENCE_MAX>", example = &"acme_ticket_echo")]
    reference: String,
    /// Number of the version.
    #[schemars(with = "Number", example = 14)]
    id: i64,
    /// nodeID of the version.
    #[serde(rename = "nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L0FwcE9mZmVyaW5nLzE0")]
    node_id: String,
    /// Whether it has just taken the place of another; not told with secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool", example = false)]
    updated: Option<bool>,
}

/// Whom the provider of an app may ask at the customer's.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CustomerRepresentative")]
struct Representative {
    /// Number of the person.
    #[schemars(with = "Number", example = 502)]
    id: i64,
    /// nodeID of the person.
    #[serde(rename = "nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L1BlcnNvbi81MDI")]
    node_id: String,
    /// Name of the person.
    #[schemars(with = "Text<128>", example = &"Bob Ray")]
    name: String,
    /// Only when it is true: the person is disabled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(example = true)]
    disabled: bool,
    /// Account of the person.
    account: Account,
}

/// Account of a person.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CustomerAccount")]
struct Account {
    /// Id of the account.
    #[schemars(with = "AccountId", example = &"globex")]
    id: String,
    /// Name of the account.
    #[schemars(with = "Option<Text<128>>", example = &"Globex")]
    name: Option<String>,
}

/// Writes the entry of what happened to an install, and tells both parties: `updated` says whether it is
/// another version from now on, `person` who did it. Secrets that came up with it, if there are any, are
/// handed over to the provider: sealed until the message goes out, and then forgotten.
///
/// # Errors
/// The database's.
pub async fn tell(
    transaction: &DatabaseTransaction,
    site: &Site,
    mut entry: Entry,
    updated: bool,
    secrets: Parts,
    (instance, offering): (&Model, &Offering),
    (person, now): (i64, i64),
) -> Result<()> {
    let payload = AppInstanceChange {
        app_offering: Version { updated: Some(updated), ..version(site, offering) },
        customer_account_id: instance.customer_account_id.clone(),
        disabled: instance.disabled,
        enabled_by_customer: instance.enabled_by_customer,
        suspended: instance.suspended,
        customer_representative: representative(transaction, site, instance).await?,
    };
    let payload = serde_json::to_value(payload).map_err(Error::internal)?;
    entry = entry.labelled(&offering.reference).payload(payload);
    if secrets != Parts::default() {
        let event_id = uuid::Uuid::new_v4().to_string();
        let plain = serde_json::to_vec(&secrets).map_err(Error::internal)?;
        let sealed = site.key.seal(Purpose::Message, event_id.as_bytes(), &plain);
        // The secret parts join when the message is composed.
        let payload = AppInstanceSecrets {
            app_offering: version(site, offering),
            customer_account_id: instance.customer_account_id.clone(),
            parts: Parts::default(),
        };
        let payload = serde_json::to_value(payload).map_err(Error::internal)?;
        entry = entry.handing_over(SECRETS_UPDATE, payload, Secrets { event_id, sealed });
    }
    entry.also_in(&instance.customer_account_id).write(transaction, person, now).await
}

/// nodeID of an instance.
pub fn node_id_of(site: &Site, instance: i64) -> String {
    node_id::encode(&site.domain, NODE_TYPE, instance)
}

fn version(site: &Site, offering: &Offering) -> Version {
    Version {
        reference: offering.reference.clone(),
        id: offering.id,
        node_id: node_id::encode(&site.domain, app_offerings::dto::NODE_TYPE, offering.id),
        updated: None,
    }
}

async fn representative(
    transaction: &DatabaseTransaction,
    site: &Site,
    instance: &Model,
) -> Result<Option<Representative>> {
    let Some(id) = instance.customer_representative_id else { return Ok(None) };
    let person = people::entity::Entity::find_by_id(id).one(transaction).await?;
    let Some(person) = person else { return Ok(None) };
    let account = accounts::entity::Entity::find_by_id(person.account_id.clone());
    let account = account.one(transaction).await?;
    Ok(Some(Representative {
        id: person.id,
        node_id: node_id::encode(&site.domain, "Person", person.id),
        name: person.name,
        disabled: person.disabled,
        account: Account { id: person.account_id, name: account.map(|account| account.name) },
    }))
}
