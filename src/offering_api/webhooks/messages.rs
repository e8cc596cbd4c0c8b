//! What a webhook is sent of its own accord: no event made it, so it goes out whether or not the webhook
//! is disabled or its address verified.
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::dto::VERIFY;
use super::entity::Model;
use crate::kernel::delivery::{LaneKey, NewDelivery};
use crate::kernel::message_schema::Address;
use crate::kernel::secret::{MASK, MasterKey, Purpose};

/// Kind of the lanes of webhooks.
pub const LANES: &str = "webhook";

/// Number of the record that tests are about (contract 3.6). There need not be one.
const SAMPLE: i64 = 12_345;

/// What verifies the address of a webhook.
#[derive(JsonSchema, Serialize)]
pub struct WebhookVerification<'a> {
    /// Address that is to be called, by GET or POST, within 24 hours. Whoever knows it can do so.
    #[schemars(
        with = "Address",
        example = &"https://acme.example.test/webhooks/77/verify?code=jZ3fXw5Lq0TnB8sVyR1cKd6M&expires_at=1770021900"
    )]
    callback: &'a str,
}

/// What only shows that messages arrive: nothing has happened.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields, extend("examples" = [{}]))]
pub struct WebhookTest {}

/// The lane of a webhook.
pub fn lane(webhook: i64) -> LaneKey {
    LaneKey { kind: LANES, target: webhook, name: String::new() }
}

/// The message by which an address is verified, after a pause in milliseconds: whoever reads it can call
/// `callback`, which is a secret.
pub fn verification(key: &MasterKey, webhook: &Model, callback: &str, pause: i64) -> NewDelivery {
    let mut message = message(webhook, VERIFY, format!("webhook:{}", webhook.id));
    // As the log shows it. A test of a webhook for this event has none of it, by which they are told apart.
    message.payload =
        json!({"payload": WebhookVerification { callback: MASK }, "has_secrets": true});
    let secrets = json!(WebhookVerification { callback }).to_string();
    let id = message.delivery_id.as_bytes();
    message.secrets = Some(key.seal(Purpose::Message, id, secrets.as_bytes()));
    message.pause = pause;
    message
}

/// A message that only shows that messages arrive.
pub fn test(webhook: &Model) -> NewDelivery {
    // Of `automation_rule` there is no more than that.
    let (record, _) = webhook.event.split_once('.').unwrap_or((&webhook.event, ""));
    message(webhook, &webhook.event, format!("{record}:{SAMPLE}"))
}

fn message(webhook: &Model, event: &str, object: String) -> NewDelivery {
    NewDelivery {
        lane: lane(webhook.id),
        account: webhook.account_id.clone(),
        delivery_id: uuid::Uuid::new_v4().to_string(),
        origin_id: None,
        event_id: None,
        event: event.to_owned(),
        object,
        payload: json!(WebhookTest {}),
        secrets: None,
        pause: 0,
    }
}
