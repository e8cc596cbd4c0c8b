//! What is told of an install (contract 4.3): to the provider and to the customer alike, but secrets to
//! the provider only, once.
use sea_orm::{DatabaseTransaction, EntityTrait};
use serde_json::{Map, Value, json};

use super::dto::{NODE_TYPE, RECORD};
use super::entity::Model;
use crate::directory::{accounts, people};
use crate::kernel::audit::Entry;
use crate::kernel::error::Result;
use crate::kernel::events::{self, NewEvent, Secrets};
use crate::kernel::node_id;
use crate::kernel::secret::Purpose;
use crate::kernel::state::Site;
use crate::offering_api::app_offerings;
use crate::offering_api::app_offerings::entity::Model as Offering;

/// Name of the event that hands over secrets.
const SECRETS_UPDATE: &str = "app_instance.secrets-update";

/// Writes the entry of what happened to an install, and tells both parties: `updated` says whether it is
/// another version from now on, `person` who did it.
///
/// # Errors
/// The database's.
pub async fn tell(
    transaction: &DatabaseTransaction,
    site: &Site,
    entry: Entry,
    updated: bool,
    (instance, offering): (&Model, &Offering),
    (person, now): (i64, i64),
) -> Result<()> {
    let mut app_offering = reference(site, offering);
    app_offering["updated"] = updated.into();
    let payload = json!({
        "app_offering": app_offering,
        "customer_account_id": instance.customer_account_id,
        "disabled": instance.disabled,
        "enabled_by_customer": instance.enabled_by_customer,
        "suspended": instance.suspended,
        "customer_representative": representative(transaction, site, instance).await?,
    });
    let entry = entry.labelled(&offering.reference).payload(payload);
    entry.also_in(&instance.customer_account_id).write(transaction, person, now).await
}

/// Hands secrets over to the provider, if there are any. They are sealed until the message goes out, and
/// then forgotten.
///
/// # Errors
/// The database's.
pub async fn hand_over(
    transaction: &DatabaseTransaction,
    site: &Site,
    parts: Map<String, Value>,
    (instance, offering): (&Model, &Offering),
    (person, now): (i64, i64),
) -> Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let event_id = uuid::Uuid::new_v4().to_string();
    let plain = Value::Object(parts).to_string();
    let sealed = site.key.seal(Purpose::Message, event_id.as_bytes(), plain.as_bytes());
    let event = NewEvent {
        account: &instance.account_id,
        name: SECRETS_UPDATE,
        record_type: RECORD.name,
        record_id: instance.id,
        person: Some(person),
        audit_line: None,
        payload: json!({
            "app_offering": reference(site, offering),
            "customer_account_id": instance.customer_account_id,
        }),
        secrets: Some(Secrets { event_id, sealed }),
        now,
    };
    events::record(transaction, event).await
}

/// nodeID of an instance.
pub fn node_id_of(site: &Site, instance: i64) -> String {
    node_id::encode(&site.domain, NODE_TYPE, instance)
}

fn reference(site: &Site, offering: &Offering) -> Value {
    json!({
        "reference": offering.reference,
        "id": offering.id,
        "nodeID": node_id::encode(&site.domain, app_offerings::dto::NODE_TYPE, offering.id),
    })
}

async fn representative(
    transaction: &DatabaseTransaction,
    site: &Site,
    instance: &Model,
) -> Result<Value> {
    let Some(id) = instance.customer_representative_id else { return Ok(Value::Null) };
    let person = people::entity::Entity::find_by_id(id).one(transaction).await?;
    let Some(person) = person else { return Ok(Value::Null) };
    let account = accounts::entity::Entity::find_by_id(person.account_id.clone());
    let account = account.one(transaction).await?;
    let mut told = json!({
        "id": person.id,
        "nodeID": node_id::encode(&site.domain, "Person", person.id),
        "name": person.name,
    });
    if person.disabled {
        told["disabled"] = true.into();
    }
    told["account"] = json!({"id": person.account_id, "name": account.map(|account| account.name)});
    Ok(told)
}
