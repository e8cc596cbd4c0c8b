//! How outgoing messages are described. Their types derive JSON Schema (2020-12) from what is serialised;
//! what is here stands for the value of a field: `#[schemars(with = "NodeId")]`.
use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::kernel::record::field::{MAX_SAFE_INTEGER, MAX_URL};
use crate::kernel::record::schema::{ANY_TEXT, NODE_ID, custom_value};

/// Makes schemas of what is sent, whose definitions are at this pointer.
pub fn generator(definitions: &'static str) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.with(|settings| settings.definitions_path = definitions.into()).into_generator()
}

/// Declares what stands for values in schemas, in whose place it is written.
macro_rules! values {
    ($($(#[$meta:meta])* $name:ident $(<const $most:ident: $kind:ty>)? = $schema:tt;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name $(<const $most: $kind>)?;

        impl $(<const $most: $kind>)? JsonSchema for $name $(<$most>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

values! {
    /// Number of a record.
    Number = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_SAFE_INTEGER};
    /// nodeID of a record.
    NodeId = {"type": "string", "minLength": 1, "maxLength": 400, "pattern": NODE_ID};
    /// Id of an account.
    AccountId = {"type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[a-z0-9-]+$"};
    /// A text of so many characters at most.
    Text<const MOST: u32> = {"type": "string", "maxLength": MOST, "pattern": ANY_TEXT};
    /// A UUID with dashes.
    Uuid = {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36};
    /// An address.
    Address = {"type": "string", "format": "uri", "maxLength": MAX_URL};
    /// A time, in seconds since the epoch.
    Seconds = {"type": "integer", "format": "int64", "minimum": 0, "maximum": MAX_SAFE_INTEGER};
}

/// Value that a customer has filled in; null says that it was removed.
#[derive(Debug)]
pub struct CustomValue;

impl JsonSchema for CustomValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CustomValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut value = custom_value();
        if let Some(choices) = value["oneOf"].as_array_mut() {
            choices.push(serde_json::json!({"type": "null"}));
        }
        value["title"] = "SecretValue".into();
        value.try_into().unwrap_or_default()
    }
}
