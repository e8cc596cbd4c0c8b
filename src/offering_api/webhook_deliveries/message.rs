//! Messages as receivers get them (contract 4.3, 4.4): made of what a delivery keeps, anew for each
//! attempt.
use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kernel::delivery::entity::Model as Delivery;
use crate::kernel::message_schema::{AccountId, Address, NodeId, Number, Text};
use crate::kernel::node_id;
use crate::kernel::record::field::KB64;
use crate::kernel::secret::{MASK, MasterKey, Purpose};
use crate::kernel::signature::Header;
use crate::kernel::state::Site;
use crate::offering_api::meta::dto::PERSON_NODE_TYPE;
use crate::offering_api::webhooks::dto::{EVENT, NODE_TYPE};
use crate::offering_api::webhooks::entity::Model as Webhook;
use crate::offering_api::webhooks::signer::Claims;

/// What a delivery keeps of its message. What only shows that messages arrive keeps nothing: `{}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Content {
    /// Who did it; `None` for what the service does by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// The payload, with masked secrets.
    pub payload: Map<String, Value>,
    /// Whether parts of the payload are secrets: sealed, until they are delivered.
    pub has_secrets: bool,
}

/// A person who did something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Person {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub name: String,
}

/// What a webhook is told. The order of its members is that of the wire. What its payload is depends on the
/// event; here it is composed of its parts, in the documents it is the type of which the event's was made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "{P}Message", description = "What a webhook is told.")]
pub struct Message<P = Map<String, Value>> {
    /// Number of the webhook.
    #[schemars(with = "Number", example = 77)]
    webhook_id: i64,
    /// nodeID of the webhook.
    #[serde(rename = "webhook_nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L1dlYmhvb2svNzc")]
    webhook_node_id: String,
    /// Account that owns the webhook.
    #[schemars(with = "AccountId", example = &"acme")]
    account_id: String,
    /// Address of that account's pages.
    #[schemars(with = "Address", example = &"https://acme.example.test")]
    account: String,
    /// Name of the webhook.
    #[schemars(with = "Text<128>", example = &"Ticket Echo")]
    name: String,
    /// What happened.
    #[schemars(with = "EventName", example = &"app_instance.create")]
    event: String,
    /// Number of the record that it happened to.
    #[schemars(with = "Number", example = 31)]
    object_id: i64,
    /// nodeID of that record.
    #[serde(rename = "object_nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L0FwcEluc3RhbmNlLzMx")]
    object_node_id: String,
    /// Number of who did it; null for what the service does by itself.
    #[schemars(with = "Option<Number>", example = 501)]
    person_id: Option<i64>,
    /// nodeID of that person.
    #[serde(rename = "person_nodeID")]
    #[schemars(with = "Option<NodeId>", example = &"bG9jYWxob3N0L1BlcnNvbi81MDE")]
    person_node_id: Option<String>,
    /// Name of that person.
    #[schemars(with = "Option<Text<128>>", example = &"Ann Lee")]
    person_name: Option<String>,
    /// What the event tells beside that.
    payload: P,
}

/// Stands in schemas for the name of an event.
struct EventName;

impl JsonSchema for EventName {
    fn schema_name() -> Cow<'static, str> {
        "EventName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        EVENT.schema().try_into().unwrap_or_default()
    }
}

/// A payload of an event that an entry of the audit trail tells too.
#[derive(JsonSchema, Serialize)]
#[schemars(
    rename = "{P}",
    description = "What is told of a change that the audit trail tells too."
)]
pub struct WithEntry<P> {
    /// Number of the entry of the audit trail.
    #[schemars(with = "Number", example = 901)]
    pub audit_line_id: i64,
    /// nodeID of the entry.
    #[serde(rename = "audit_line_nodeID")]
    #[schemars(with = "NodeId", example = &"bG9jYWxob3N0L0F1ZGl0TGluZS85MDE")]
    pub audit_line_node_id: String,
    /// What else is told.
    #[serde(flatten)]
    pub more: P,
}

impl Message {
    /// The message of a delivery to a webhook; `secrets` are parts of the payload.
    pub fn new(
        site: &Site,
        webhook: &Webhook,
        delivery: &Delivery,
        content: Content,
        secrets: Map<String, Value>,
    ) -> Self {
        let (record, id) = object(&delivery.object);
        let node_id = |node_type: &str, id| node_id::encode(&site.domain, node_type, id);
        let person = content.person.as_ref();
        let mut payload = content.payload;
        payload.extend(secrets);
        Self {
            webhook_id: webhook.id,
            webhook_node_id: node_id(NODE_TYPE, webhook.id),
            account_id: webhook.account_id.clone(),
            account: site.account_url(&webhook.account_id),
            name: webhook.name.clone(),
            event: delivery.event.clone(),
            object_id: id,
            object_node_id: node_id(&node_type(record), id),
            person_id: person.map(|person| person.id),
            person_node_id: person.map(|person| node_id(PERSON_NODE_TYPE, person.id)),
            person_name: content.person.map(|person| person.name),
            payload,
        }
    }
}

/// What is told of a change of a record beside its entry. What the record does not have, or has not set, is
/// left out.
#[derive(JsonSchema, Serialize)]
pub struct RecordChange {
    /// Where the record came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Text<30>", example = &"curl/8.5.0")]
    source: Option<String>,
    /// Id of the record in the system it came from.
    #[serde(rename = "sourceID", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Text<128>", example = &"ERP-4711")]
    source_id: Option<String>,
    /// Status of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Text<40>", example = &"discontinued")]
    status: Option<String>,
    /// Only when the status has changed: what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Text<40>", example = &"in_production")]
    previous_status: Option<String>,
}

/// The body of a signed message.
#[derive(JsonSchema, Serialize)]
#[schemars(
    rename = "SignedMessage",
    description = "A message, signed as the policy of the webhook says."
)]
pub struct Signed<M = Message> {
    jwt: Jwt<M>,
}

impl Signed {
    /// The body of this token, whose claims are [`Claims`].
    pub fn new(jwt: String) -> Self {
        Self { jwt: Jwt(jwt, PhantomData) }
    }
}

/// Longest signed message, in characters. What customers type into secret inputs are [`KB64`] bytes of JSON at
/// most; the inputs' ids stand in a form of as many bytes, of which JSON escapes may make six each; and all else
/// are names, addresses and a key, which are shorter than that together. Base64 makes four characters of three
/// bytes.
const LONGEST: u32 = (KB64 + 6 * KB64 + KB64).div_ceil(3) * 4;

/// A signed token whose claims tell a message.
#[derive(Serialize)]
#[serde(transparent)]
struct Jwt<M>(String, #[serde(skip)] PhantomData<M>);

impl<M: JsonSchema> JsonSchema for Jwt<M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Jwt".into()
    }

    /// What is in a token is told as JSON Schema does it (Validation 2020-12, 8.6): header and claims.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let header = generator.subschema_for::<Header>();
        let claims = generator.subschema_for::<Claims<M>>();
        json_schema!({
            "type": "string", "maxLength": LONGEST,
            "pattern": r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
            "description": "Signed token (JWS in compact form): `contentSchema` describes its header and its claims.",
            "examples": ["eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJkYXRhIjp7fX0.c2lnbmF0dXJl"],
            "contentMediaType": "application/jwt",
            "contentSchema": {
                "type": "array", "prefixItems": [header, claims], "items": {"type": "object"},
                "minItems": 2, "maxItems": 2,
            },
        })
    }
}

/// Value of the header `Link`: where the record is shown, and where it is read.
pub fn links(site: &Site, account: &str, object: &str) -> String {
    let (record, id) = self::object(object);
    let path = format!("{}/{id}", table(record));
    let (account, public) = (site.account_url(account), &site.public_url);
    format!("<{account}/{path}>; rel=\"canonical\", <{public}/v1/{path}>; rel=\"resource\"")
}

/// What is sealed of a delivery; `None` when another master key has sealed it.
pub fn open(key: &MasterKey, id: &str, sealed: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&key.open(Purpose::Message, id.as_bytes(), sealed)?).ok()
}

/// The same with every secret replaced; what is null says that a part was removed, and stays.
pub fn masked(secrets: &Map<String, Value>) -> Map<String, Value> {
    fn mask(value: &Value) -> Value {
        match value {
            Value::Null => Value::Null,
            Value::Object(parts) => Value::Object(masked(parts)),
            _ => MASK.into(),
        }
    }
    secrets.iter().map(|(name, value)| (name.clone(), mask(value))).collect()
}

/// `app_instance:31` as the type of a record and its number.
fn object(text: &str) -> (&str, i64) {
    let (record, id) = text.split_once(':').unwrap_or((text, ""));
    (record, id.parse().unwrap_or_default())
}

/// Type in nodeIDs: `app_instance` is an `AppInstance`.
fn node_type(record: &str) -> String {
    let mut name = String::with_capacity(record.len());
    for word in record.split('_') {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

/// Segment of paths: `app_instances`.
fn table(record: &str) -> String {
    if record == "person" {
        "people".to_owned()
    } else if let Some(stem) = record.strip_suffix('y') {
        format!("{stem}ies")
    } else {
        format!("{record}s")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::offering_api::webhooks::dto::{EVENT, VERIFY};

    fn site() -> Site {
        Site {
            public_url: "https://api.example.test".to_owned(),
            domain: "example.test".to_owned(),
            account_url: "https://{account}.example.test".to_owned(),
            key: MasterKey::generate(),
        }
    }

    fn webhook() -> Webhook {
        Webhook {
            id: 77,
            account_id: "acme".to_owned(),
            name: "Secrets".to_owned(),
            event: "app_instance.update".to_owned(),
            uri: "https://********@echo.example.org/".to_owned(),
            credentials: None,
            description: None,
            disabled: false,
            last_error: None,
            mail_exceptions_to: None,
            app_offering_references: "[]".to_owned(),
            openid_connect_discovery: false,
            webhook_policy_id: None,
            standard_webhooks: false,
            standard_key: None,
            verified_at: Some(1),
            code_hash: None,
            code_expires_at: None,
            failures: 0,
            failing_since: None,
            source: String::new(),
            source_id: None,
            created_at: 1,
            updated_at: 1,
        }
    }

    fn delivery(event: &str, object: &str) -> Delivery {
        Delivery {
            id: 1,
            lane_id: 1,
            account_id: "acme".to_owned(),
            delivery_id: "d".to_owned(),
            origin_id: None,
            event_id: None,
            event: event.to_owned(),
            object: object.to_owned(),
            payload: "{}".to_owned(),
            secrets: None,
            state: "waiting".to_owned(),
            attempts: 0,
            next_attempt_at: None,
            finished_at: None,
            created_at: 1,
        }
    }

    fn text(event: &str, object: &str, content: Content, secrets: Map<String, Value>) -> String {
        let delivery = delivery(event, object);
        let message = Message::new(&site(), &webhook(), &delivery, content, secrets);
        serde_json::to_string(&message).unwrap()
    }

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn members_are_in_the_order_of_the_contract() {
        let content = Content {
            person: Some(Person { id: 501, name: "Ann Lee".to_owned() }),
            payload: map(json!({"audit_line_id": 901, "audit_line_nodeID": "a"})),
            has_secrets: false,
        };
        let id = |node_type, id| node_id::encode("example.test", node_type, id);
        let expected = format!(
            "{{\"webhook_id\":77,\"webhook_nodeID\":\"{}\",\"account_id\":\"acme\",\
             \"account\":\"https://acme.example.test\",\"name\":\"Secrets\",\
             \"event\":\"app_instance.update\",\"object_id\":31,\"object_nodeID\":\"{}\",\
             \"person_id\":501,\"person_nodeID\":\"{}\",\"person_name\":\"Ann Lee\",\
             \"payload\":{{\"audit_line_id\":901,\"audit_line_nodeID\":\"a\"}}}}",
            id("Webhook", 77),
            id("AppInstance", 31),
            id("Person", 501)
        );
        let message = text("app_instance.update", "app_instance:31", content, Map::new());
        assert_eq!(message, expected);
    }

    #[test]
    fn nobody_did_what_the_service_does_by_itself() {
        let message = text(VERIFY, "webhook:77", Content::default(), Map::new());
        let end = r#""person_id":null,"person_nodeID":null,"person_name":null,"payload":{}}"#;
        assert!(message.ends_with(end), "{message}");
    }

    #[test]
    fn secrets_take_the_places_of_their_masks() {
        let secrets = map(json!({"secrets": {"api_key": "typed"}, "policy": null}));
        let mut payload = map(json!({"app_offering": {"id": 14}}));
        payload.extend(masked(&secrets));
        assert_eq!(
            Value::Object(payload.clone()),
            json!({"app_offering": {"id": 14}, "secrets": {"api_key": MASK}, "policy": null})
        );
        let content = Content { person: None, payload, has_secrets: true };
        let message = text("app_instance.secrets-update", "app_instance:31", content, secrets);
        let end =
            r#""payload":{"app_offering":{"id":14},"secrets":{"api_key":"typed"},"policy":null}}"#;
        assert!(message.ends_with(end), "{message}");
    }

    #[test]
    fn what_is_kept_of_nothing_is_nothing() {
        assert_eq!(serde_json::from_str::<Content>("{}").unwrap(), Content::default());
    }

    #[test]
    fn secrets_open_for_their_own_delivery_only() {
        let key = MasterKey::generate();
        let sealed = key.seal(Purpose::Message, b"one", br#"{"a":"b"}"#);
        assert_eq!(open(&key, "one", &sealed), Some(map(json!({"a": "b"}))));
        assert_eq!(open(&key, "two", &sealed), None);
    }

    #[test]
    fn links_lead_to_the_page_and_to_the_resource() {
        let links = |object| links(&site(), "acme", object);
        assert_eq!(
            links("app_instance:31"),
            "<https://acme.example.test/app_instances/31>; rel=\"canonical\", \
             <https://api.example.test/v1/app_instances/31>; rel=\"resource\""
        );
        for (object, path) in [
            ("person:1", "people/1"),
            ("time_entry:12345", "time_entries/12345"),
            ("automation_rule:2", "automation_rules/2"),
        ] {
            assert!(links(object).contains(&format!("/v1/{path}>")), "{object}");
        }
    }

    #[test]
    fn every_event_has_a_type_of_record() {
        for event in EVENT.words {
            let record = event.split('.').next().unwrap();
            let name = node_type(record);
            assert!(name.starts_with(|it: char| it.is_ascii_uppercase()), "{event}: {name}");
            assert!(!name.contains('_'), "{event}: {name}");
        }
        assert_eq!(node_type("out_of_office_period"), "OutOfOfficePeriod");
    }
}
