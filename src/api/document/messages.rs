//! Messages that go out: the `webhooks` of the documents, and `events.json`, with which receivers validate.
//!
//! Schemas are derived from the types that are serialised, and entries from the lists of events.
use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{number, parameter, text};
use crate::kernel::message_schema;
use crate::offering_api::app_instances::messages::{AppInstanceChange, AppInstanceSecrets};
use crate::offering_api::service_instances::dto::RECORD as SERVICE_INSTANCE;
use crate::offering_api::webhook_deliveries::message::{Message, RecordChange, Signed, WithEntry};
use crate::offering_api::webhooks::dto::{EVENT, OF_INSTANCES, SECRETS_UPDATE, VERIFY};
use crate::offering_api::webhooks::messages::{WebhookTest, WebhookVerification};
use crate::package_api::appinstall::topic::Topic;
use crate::package_api::notifications::Body as Notification;

/// The tag of messages. Those who make a client of the document want them apart from what they can call.
pub const TAG: &str = "messages";
/// Where documents have their schemas.
const SCHEMAS: &str = "/components/schemas";
/// Where `events.json` has them.
const DEFINITIONS: &str = "/$defs";

type InstanceChange = Message<Sent<WithEntry<AppInstanceChange>>>;
type InstanceSecrets = Message<Sent<WithEntry<AppInstanceSecrets>>>;
type Verification = Message<Sent<WebhookVerification<'static>>>;
type OfRecord = Message<Sent<WithEntry<RecordChange>>>;
type Test = Message<WebhookTest>;

/// A payload as webhooks get it: that of the event, or that of a test, which each of them can be sent.
#[derive(JsonSchema)]
#[schemars(inline, untagged, rename = "{P}")]
#[expect(dead_code, reason = "only its schema is of use")]
enum Sent<P> {
    Event(P),
    Test(WebhookTest),
}

/// A payload of any event, as the delivery log shows it.
struct Logged;

impl JsonSchema for Logged {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Logged".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"$ref": "#/components/schemas/EventPayload"})
    }
}

/// What a signed message may tell.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "only its schema is of use")]
enum AnyMessage {
    InstanceChange(InstanceChange),
    InstanceSecrets(InstanceSecrets),
    Verification(Verification),
    OfRecord(OfRecord),
    Test(Test),
}

/// The schema of the messages of an event, and what they are for.
fn message(event: &str, schemas: &mut SchemaGenerator) -> (Schema, &'static str) {
    let (record, _) = event.split_once('.').unwrap_or((event, ""));
    match event {
        SECRETS_UPDATE => (
            schemas.subschema_for::<InstanceSecrets>(),
            "Hands over what was generated for an installed app or typed in for it, each of it once. It \
             goes to the provider of the app.",
        ),
        VERIFY => (
            schemas.subschema_for::<Verification>(),
            "Verifies the address of a webhook: nothing else goes there until `callback` is called. It goes \
             to each webhook that is made or gets another address, whatever its event.",
        ),
        _ if event.starts_with(OF_INSTANCES) => (
            schemas.subschema_for::<InstanceChange>(),
            "Tells the provider and the customer of an app what has become of its install.",
        ),
        _ if record == SERVICE_INSTANCE.name => (
            schemas.subschema_for::<OfRecord>(),
            "Tells that a record was made or changed; the entry of the audit trail tells how.",
        ),
        _ => (
            schemas.subschema_for::<Test>(),
            "Records of this kind are not kept here, so the event never happens: it is sent by \
             `POST /v1/webhooks/{id}/test` alone.",
        ),
    }
}

/// A generator that knows the messages to webhooks. The example of `event` is the first event that is told in this
/// way.
fn generator(place: &'static str) -> SchemaGenerator {
    let mut schemas = message_schema::generator(place);
    for event in EVENT.words.iter().rev() {
        let (schema, _) = message(event, &mut schemas);
        let reference = schema.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let name = reference.rsplit('/').next().unwrap_or_default();
        schemas.definitions_mut()[name]["properties"]["event"]["examples"] = json!([event]);
    }
    schemas
}

/// Adds the messages to webhooks to the document of the offerings.
pub(super) fn add_offerings(document: &mut Value) {
    let mut schemas = generator(SCHEMAS);
    // The delivery log refers to it.
    schemas.subschema_for::<Message<Logged>>();
    let signed = schemas.subschema_for::<Signed<AnyMessage>>();
    let mut entries = Map::new();
    for event in EVENT.words {
        let (schema, what) = message(event, &mut schemas);
        let description = format!(
            "{what}\n\nWith a webhook policy the message is the claim `data` of a signed token, signed anew \
             for each attempt."
        );
        let headers = [
            "MessageDelivery",
            "MessageFourMeDelivery",
            "MessageOrigin",
            "MessageLink",
            "MessageUserAgent",
            "MessageAuthorization",
            "StandardWebhookId",
            "StandardWebhookTimestamp",
            "StandardWebhookSignature",
        ];
        let schema = json!({"anyOf": [schema, signed]});
        entries.insert(
            (*event).to_owned(),
            entry(event, &description, &headers, schema, &["2XX", "410", "default"]),
        );
    }
    let responses = json!({
        "Message2XX": {"description": "The message has arrived; a body is not looked at."},
        "Message410": {"description": "The address is gone: the webhook is disabled."},
        "MessageDefault": {
            "description": "It has not arrived, as when nothing is answered within 10 seconds. It is tried \
                            again after 1, 5 and 30 minutes, 2, 6 and 24 hours, or when `Retry-After` \
                            says so. Redirects are not followed.",
        },
    });
    add(document, schemas, entries, webhook_headers(), responses);
}

/// What every notification is.
const NOTIFICATION: &str = "\
Tells an application what has become of its package in a tenant, when the package has subscribed to it. \
Messages of one topic and tenant arrive in order.

Each attempt has a new `Date` and with it a new `x-vol-hmac-sha256`, over the same body. Receivers should \
refuse a `Date` that is more than 180 seconds old, and know by `eventId` what they have got already.

What happened to a whole tenant is told once, without `x-vol-site` and `x-vol-site-domain`, however many \
sites the tenant has.";
/// What is more of the topic that tells of a replacement.
const REPLACED: &str = "

The subscriptions of the version that was replaced are told too, unless the new one listens at the same \
address: these messages are signed with the secret of the replaced version.";

/// Adds the notifications of subscriptions to the document of the packages.
pub(super) fn add_packages(document: &mut Value) {
    let mut schemas = message_schema::generator(SCHEMAS);
    let mut entries = Map::new();
    for topic in Topic::ALL {
        let schema = schemas.subschema_for::<Notification>();
        let mut description = NOTIFICATION.to_owned();
        if topic == Topic::Upgraded {
            description.push_str(REPLACED);
        }
        let headers = [
            "NotificationDate",
            "NotificationSignature",
            "NotificationTenant",
            "NotificationSite",
            "NotificationTenantDomain",
            "NotificationSiteDomain",
            "NotificationCorrelation",
        ];
        let event = topic.as_str();
        let schema = schema.to_value();
        entries.insert(
            event.to_owned(),
            entry(event, &description, &headers, schema, &["200", "default"]),
        );
    }
    let responses = json!({
        "Message200": {"description": "The message has arrived; a body is not looked at."},
        "MessageDefault": {
            "description": "It has not arrived, as when nothing is answered within 45 seconds. It is tried \
                            again about once a minute, for 14 days. Redirects are not followed.",
        },
    });
    add(document, schemas, entries, notification_headers(), responses);
}

/// The messages of both families as one JSON Schema: a definition for each event, under its name.
pub fn events() -> Value {
    let mut schemas = generator(DEFINITIONS);
    let mut of_events = Map::new();
    let named = |schema: Schema, member: &str, name: &str| {
        let mut schema = schema.to_value();
        schema["properties"] = json!({member: {"const": name}});
        schema
    };
    for event in EVENT.words {
        let (schema, _) = message(event, &mut schemas);
        of_events.insert((*event).to_owned(), named(schema, "event", event));
    }
    for topic in Topic::ALL.map(Topic::as_str) {
        let schema = schemas.subschema_for::<Notification>();
        of_events.insert(topic.to_owned(), named(schema, "topic", topic));
    }
    // Of the signed form nothing outside says which event it tells of.
    let signed = schemas.subschema_for::<Signed<AnyMessage>>();
    let mut any: Vec<Value> =
        of_events.keys().map(|name| json!({"$ref": format!("#{DEFINITIONS}/{name}")})).collect();
    any.push(signed.to_value());
    of_events.extend(schemas.take_definitions(true));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Messages of Appmarket",
        "description": "What goes to webhooks and to subscriptions of packages. `$defs` has the message of \
                        each event under the event's name; of a signed message it is the claim `data`.",
        "oneOf": any,
        "$defs": of_events,
    })
}

/// How an event is told: the request that a receiver gets.
fn entry(
    event: &str,
    description: &str,
    headers: &[&str],
    schema: Value,
    responses: &[&str],
) -> Value {
    let parameters: Value = headers
        .iter()
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect();
    let responses: Map<String, Value> = responses
        .iter()
        .map(|status| {
            let name = if *status == "default" { "Default" } else { status };
            let reference = json!({"$ref": format!("#/components/responses/Message{name}")});
            ((*status).to_owned(), reference)
        })
        .collect();
    json!({"post": {
        "operationId": format!("receive_{}", event.replace(['.', '-'], "_")),
        "tags": [TAG],
        "summary": format!("Receive {event}"),
        "description": description,
        "security": [{}],
        "parameters": parameters,
        "requestBody": {
            "description": "The message.",
            "required": true,
            "content": {"application/json": {"schema": schema}},
        },
        "responses": responses,
    }})
}

/// Adds entries and what they refer to.
fn add(
    document: &mut Value,
    mut schemas: SchemaGenerator,
    entries: Map<String, Value>,
    parameters: Value,
    responses: Value,
) {
    document["webhooks"] = entries.into();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": TAG, "description": "What goes out: receivers answer these."}));
    }
    let schemas = Value::Object(schemas.take_definitions(true));
    for (kind, more) in [("schemas", schemas), ("parameters", parameters), ("responses", responses)]
    {
        let known = &mut document["components"][kind];
        for (name, component) in more.as_object().into_iter().flatten() {
            let is_same = known.get(name).is_none_or(|known| known == component);
            assert!(is_same, "{name} of {kind} means something else already");
            known[name] = component.clone();
        }
    }
}

/// Header of each message, of which there is one.
fn always(name: &str, description: &str, schema: Value) -> Value {
    let mut header = parameter(name, description, schema);
    header["required"] = true.into();
    header
}

fn uuid() -> Value {
    json!({"type": "string", "format": "uuid", "maxLength": 36,
           "examples": ["0b6b1f0e-6a3e-4a1c-9f43-2f7c3a0a9b11"]})
}

fn webhook_headers() -> Value {
    json!({
        "MessageDelivery": always(
            "X-Xurrent-Delivery",
            "Id of the delivery, the same at each attempt: receivers know by it what they have got already.",
            uuid(),
        ),
        "MessageFourMeDelivery": always("X-4me-Delivery", "The same as `X-Xurrent-Delivery`.", uuid()),
        "MessageOrigin": parameter(
            "X-Xurrent-Delivery-Origin",
            "Only of what is delivered once more on demand: id of the first delivery.",
            uuid(),
        ),
        "MessageLink": always(
            "Link",
            "Where the record is shown (`rel=\"canonical\"`), and where it is read (`rel=\"resource\"`).",
            text(4096, r"^<[^\x00]*$",
                 "<https://acme.example.test/app_instances/31>; rel=\"canonical\", \
                  <https://api.example.test/v1/app_instances/31>; rel=\"resource\""),
        ),
        "MessageUserAgent": always(
            "User-Agent",
            "What the operator has set as `webhook_user_agent`.",
            text(1000, r"^[^\x00]*$", "4me/1.0 (https://developer.4me.com/v1/webhooks)"),
        ),
        "MessageAuthorization": parameter(
            "Authorization",
            "Only when the `uri` of the webhook has a name and a password: these, as HTTP Basic.",
            text(4096, r"^Basic [A-Za-z0-9+/]+=*$", "Basic YW5uOmh1bnRlcjI="),
        ),
        "StandardWebhookId": parameter(
            "webhook-id",
            "Only of webhooks with `standard_webhooks`: the same as `X-Xurrent-Delivery`.",
            uuid(),
        ),
        "StandardWebhookTimestamp": parameter(
            "webhook-timestamp",
            "Only of webhooks with `standard_webhooks`: when it was signed, in seconds since the epoch.",
            number(1_769_937_300),
        ),
        "StandardWebhookSignature": parameter(
            "webhook-signature",
            "Only of webhooks with `standard_webhooks`: the signature of id, time and body.",
            text(100, r"^v1,[A-Za-z0-9+/]+=*$", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
        ),
    })
}

fn notification_headers() -> Value {
    let domain = |example| text(255, r"^[^\x00]*$", example);
    json!({
        "NotificationDate": always(
            "Date",
            "When this attempt was made; signed with the body. Receivers should refuse what is more than 180 \
             seconds old.",
            text(29, "^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$",
                 "Wed, 04 Mar 2026 09:15:00 GMT"),
        ),
        "NotificationSignature": always(
            "x-vol-hmac-sha256",
            "Signature of date and body with the shared secret of the application version: \
             `base64(sha256(key + date + body))`, where the key is `base64(sha256(secret + secret))`.",
            text(44, "^[A-Za-z0-9+/]{43}=$", "926iaXZdsN9rW9rT+a/mnLsNqciIp+35tXjBE8DoLbs="),
        ),
        "NotificationTenant": always("x-vol-tenant", "Tenant that it happened in.", number(1)),
        "NotificationSite": parameter(
            "x-vol-site", "Only when it happened in a site: its number.", number(1),
        ),
        "NotificationTenantDomain": always(
            "x-vol-tenant-domain", "Host of the tenant.", domain("apps.acme.example"),
        ),
        "NotificationSiteDomain": parameter(
            "x-vol-site-domain", "Only when it happened in a site: its host.", domain("shop.acme.example"),
        ),
        "NotificationCorrelation": always(
            "x-vol-correlation",
            "Correlation id of the request that caused it.",
            text(200, r"^[^\x00]*$", "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f"),
        ),
    })
}
