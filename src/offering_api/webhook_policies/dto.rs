//! The wire of webhook policies (contract 3.7), and the reference that webhooks and installed apps show.
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::record::field::{Choices, Derived, Field, Kind, Reference};
use crate::kernel::record::render::write_disablable_reference;
use crate::kernel::record::{Collection, Predefined, Record, schema};
use crate::{list_parameters, literal_schema, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "WebhookPolicy";

/// What messages can be signed with.
pub static ALGORITHM: Choices = Choices {
    name: "JwtAlgorithm",
    doc: "An algorithm that signs messages.",
    words: &["rs256", "rs384", "rs512", "es256", "es384", "es512"],
};
/// What the vendor also knows, and is refused here.
pub const REFUSED_ALGORITHMS: &[&str] = &["none", "hs256", "hs384", "hs512"];

/// The record, field by field.
pub static RECORD: Record = Record {
    name: "webhook_policy",
    table: "webhook_policies",
    node_type: NODE_TYPE,
    fields: &[
        // The one list that cannot be sorted by it.
        Field { sortable: false, ..Field::id() },
        Field::node_id(r#""bG9jYWxob3N0L1dlYmhvb2tQb2xpY3kvMQ""#),
        Field::new("name", "name", Kind::Text { max: 64, format: Some("^[0-9a-f]{56}$") })
            .listed()
            .filterable()
            .ignore_case()
            .doc("Name that is made with the policy: 56 hexadecimal digits.")
            .example(r#""5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203""#),
        Field::choice("jwt_alg", &ALGORITHM)
            .writable()
            .required()
            .doc(
                "Algorithm of the signatures: RSA keys have 3072 bits, `es256`, `es384` and `es512` use \
                 the curves P-256, P-384 and P-521. Another one means a new key; receivers find the \
                 former key for two more hours. Not offered are `none` (leave the webhook without a \
                 policy instead) and `hs256`, `hs384`, `hs512`, whose secret would have to be shared \
                 (`standard_webhooks` of the webhook does that).",
            )
            .example(r#""es256""#),
        Field::new("jwt_audience", "jwt_audience", Kind::LongText { max_bytes: 2048 })
            .writable()
            .nullable()
            .doc("`aud` claim of the signed messages.")
            .example(r#""ticket-echo""#),
        Field::new("jwt_claim_expires_in", "jwt_claim_expires_in", Kind::Duration { min: 1 })
            .writable()
            .nullable()
            .doc(
                "Minutes after which a signed message expires (`exp` claim), at least 1; also as `\"hhh:mm\"`. \
                 Null for never.",
            )
            .example("10"),
        Field::boolean("disabled")
            .writable()
            .filterable()
            .doc(
                "Whether it can no longer be linked to webhooks. Those that use it go on signing with it.",
            ),
        Field::created_at().listed().filterable().sortable(),
        Field::updated_at().listed().filterable().sortable(),
    ],
};

/// Lists of policies.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["created_at"],
    counted: true,
    foreign: false,
    predefined: &[
        Predefined {
            name: "enabled",
            condition: "t.account_id = {account} AND NOT t.disabled",
            foreign: false,
        },
        Predefined {
            name: "disabled",
            condition: "t.account_id = {account} AND t.disabled",
            foreign: false,
        },
    ],
};

/// How other records show and name a policy.
pub static REFERENCE: Reference = Reference {
    output: Derived {
        joins: &["LEFT JOIN webhook_policies wp ON wp.id = t.webhook_policy_id"],
        columns: &[
            "wp.id",
            "wp.name",
            "NULL",
            "wp.account_id",
            "CASE WHEN wp.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = wp.account_id) END",
            "wp.disabled",
        ],
        write: |out, row, at, view| write_disablable_reference(out, row, at, view, NODE_TYPE),
        schema: ("WebhookPolicyReference", REFERENCE_SCHEMA),
    },
    node_type: NODE_TYPE,
};

const REFERENCE_SCHEMA: &str = r##"{
    "type": "object", "description": "A webhook policy.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the policy.", "examples": [1]},
        "name": {"type": "string", "maxLength": 64, "pattern": "^[0-9a-f]{56}$",
                 "description": "Name of the policy.",
                 "examples": ["5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the policy.",
                   "examples": ["bG9jYWxob3N0L1dlYmhvb2tQb2xpY3kvMQ"]},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when it belongs to another account than the caller's."},
        "disabled": {"type": "boolean", "description": "Only when it is true: the policy is disabled.",
                     "examples": [true]}
    }
}"##;

/// The policy with its new public key.
fn with_key(record: &Record) -> RefOr<Schema> {
    let schema = schema::output(record, "A webhook policy whose key is new.");
    let mut schema = schema::to_json(&schema);
    schema["properties"]["public_key_pem"] = json!({
        "type": "string", "maxLength": 2048, "pattern": schema::ANY_TEXT,
        "description": "The public key (SubjectPublicKeyInfo, PEM). Only this answer shows it; later it \
                        is found by OpenID Connect discovery.",
        "examples": ["-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…\n-----END PUBLIC KEY-----\n"],
    });
    if let Some(required) = schema["required"].as_array_mut() {
        required.push(json!("public_key_pem"));
    }
    schema::from_json(schema)
}

record_schemas!(RECORD =>
    WebhookPolicy: |record| schema::output(record, "A webhook policy."),
    WebhookPolicyWithKey: with_key,
    WebhookPolicyItem: |record| schema::item(record, "A webhook policy in a list: the selected fields."),
    CreateWebhookPolicy: |record| schema::input(record, "A new webhook policy.", true),
    UpdateWebhookPolicy: |record| schema::input(
        record, "Changes to a webhook policy. Properties left out keep their value.", false),
);
list_parameters!(COLLECTION => WebhookPolicyQuery);

literal_schema!(OpenIdConfiguration: schema::from_json(json!({
    "type": "object",
    "description": "Who signs, and where the keys are (OpenID Connect Discovery 1.0).",
    "required": ["issuer", "jwks_uri"],
    "properties": {
        "issuer": {"type": "string", "format": "uri", "maxLength": 2048,
            "description": "`iss` claim of the signed messages.",
            "examples": ["https://acme.example.test/webhook_policies/5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203"]},
        "jwks_uri": {"type": "string", "format": "uri", "maxLength": 2048,
            "description": "Where the keys are.",
            "examples": ["https://acme.example.test/webhook_policies/5f2b7c1a9e3d4f60817263545a6b7c8d9e0f1a2b3c4d5e6f70819203/.well-known/jwks.json"]},
    },
})));

literal_schema!(PolicyKeys: schema::from_json(json!({
    "type": "object",
    "description": "A JSON Web Key Set (RFC 7517): the key that signs, then those that it has taken the place of.",
    "required": ["keys"],
    "properties": {"keys": {
        "type": "array", "minItems": 1, "maxItems": 1000,
        "description": "The keys. `kid` of a message names the one that has signed it.",
        "items": {
            "title": "PolicyKey", "type": "object",
            "description": "A public key: `n` and `e` for RSA, `crv`, `x` and `y` for elliptic curves.",
            "required": ["kty", "kid", "use", "alg"],
            "properties": {
                "kty": {"type": "string", "enum": ["RSA", "EC"], "description": "Family of the key.",
                    "examples": ["EC"]},
                "kid": {"type": "string", "format": "uuid", "maxLength": 36,
                    "description": "Id of the key.", "examples": ["9b2f6f0e-6a3e-4a1c-9f43-2f7c3a0a9b11"]},
                "use": {"type": "string", "enum": ["sig"], "description": "It signs.", "examples": ["sig"]},
                "alg": {"type": "string", "enum": ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
                    "description": "Algorithm of its signatures.", "examples": ["ES256"]},
                "crv": {"type": "string", "enum": ["P-256", "P-384", "P-521"], "description": "The curve.",
                    "examples": ["P-256"]},
                "x": base64url("First coordinate of the point."),
                "y": base64url("Second coordinate of the point."),
                "n": base64url("Modulus."),
                "e": base64url("Exponent."),
            },
        },
    }},
})));

fn base64url(description: &str) -> serde_json::Value {
    json!({"type": "string", "maxLength": 1000, "pattern": "^[A-Za-z0-9_-]+$",
        "description": description, "examples": ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"]})
}
