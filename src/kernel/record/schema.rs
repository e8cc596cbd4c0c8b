//! From a table of fields to the OpenAPI document: schemas of what is shown and accepted, and the
//! parameters of lists.
use serde_json::{Map, Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use super::field::{
    Access, Choices, Collection, Derived, Field, KB64, Kind, MAX_CUSTOM_FIELD_ID,
    MAX_CUSTOM_FIELDS, MAX_DATA_URL, MAX_DURATION, MAX_SAFE_INTEGER, MAX_URL, Record, Reference,
};
use super::filter;
use super::query::{DEFAULT_PER_PAGE, MAX_PER_PAGE};

/// Every text: no NUL. The tools want each string to have a pattern, a format or an enumeration.
pub const ANY_TEXT: &str = r"^[^\x00]*$";
/// Identifiers that are base64url or the like.
pub const NODE_ID: &str = "^[A-Za-z0-9_-]+$";
/// Longest text that anything shows.
const LONGEST: u32 = 16_777_216;

/// The record as the single read shows it: every property is there.
pub fn output(record: &Record, description: &str) -> RefOr<Schema> {
    let fields = record.fields.iter().filter(|field| field.is_readable());
    let required: Vec<&str> = fields.clone().map(|field| field.name).collect();
    let mut properties: Map<String, Value> =
        fields.map(|field| (field.name.to_owned(), output_property(field))).collect();
    properties.insert("account".to_owned(), foreign_account());
    object(description, properties, &required)
}

/// The record as lists show it: the properties that `fields` selects.
pub fn item(record: &Record, description: &str) -> RefOr<Schema> {
    let fields = record.fields.iter().filter(|field| field.is_readable() && !field.single_only);
    let mut properties: Map<String, Value> =
        fields.map(|field| (field.name.to_owned(), output_property(field))).collect();
    properties.insert("account".to_owned(), foreign_account());
    object(description, properties, &["id"])
}

/// What a create (`required` applies) or an update accepts.
pub fn input(record: &Record, description: &str, create: bool) -> RefOr<Schema> {
    let fields = record.fields.iter().filter(|field| field.is_writable());
    let required: Vec<String> = fields
        .clone()
        .filter(|field| create && field.required)
        .map(|field| field.input_name().into_owned())
        .collect();
    let properties = fields
        .map(|field| (field.input_name().into_owned(), input_property(field, create)))
        .collect();
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    object(description, properties, &required)
}

/// The named schemas that a record's properties refer to.
pub fn references(record: &Record, schemas: &mut Vec<(String, RefOr<Schema>)>) {
    let mut add = |name: &str, schema: Value| {
        if !schemas.iter().any(|(known, _)| known == name) {
            schemas.push((name.to_owned(), from_json(schema)));
        }
    };
    add("AccountReference", parse(ACCOUNT_REFERENCE));
    for field in record.fields {
        match field.kind {
            Kind::Reference(Reference { output, .. }) | Kind::Derived(output) => {
                let (name, schema) = output.schema;
                if !name.is_empty() {
                    add(name, parse(schema));
                }
            }
            Kind::Choice(choices) if !choices.name.is_empty() => {
                add(choices.name, choices.schema());
            }
            Kind::Attachments => add("FileChange", parse(FILE_CHANGE)),
            _ => {}
        }
    }
}

/// The query parameters of a list: page, sort, fields, named subset, and every filter.
pub fn list_parameters(collection: &Collection) -> Vec<Parameter> {
    let record = collection.record;
    let names = |wanted: fn(&Field) -> bool| -> Vec<&str> {
        record.fields.iter().filter(|field| wanted(field)).map(|field| field.name).collect()
    };
    let selectable = names(|field| field.is_readable() && !field.single_only);
    let listed = names(|field| field.listed);
    let sortable = names(|field| field.sortable);
    let sorts_references = record
        .fields
        .iter()
        .any(|field| field.sortable && matches!(field.kind, Kind::Reference(_)));
    let text =
        |max: u32, pattern: &str| json!({"type": "string", "maxLength": max, "pattern": pattern});
    let mut always = "`id` and `nodeID` are always shown".to_owned();
    if record.field("disabled").is_some() {
        always.push_str(", `disabled` on records that are");
    }
    if collection.foreign {
        always.push_str(", `account` on records of other accounts");
    }
    let mut parameters = vec![
        parameter(
            "fields",
            &format!(
                "Properties to show, separated by commas; `*` for all. {always}. Known: {}. Default: {}.",
                code(&selectable),
                code(&listed)
            ),
            text(1000, r"^([A-Za-z_*]+(,[A-Za-z_*]+)*)?$"),
            json!(listed.iter().take(3).copied().collect::<Vec<_>>().join(",")),
        ),
        parameter(
            "sort",
            &format!(
                "Order, as names separated by commas; a leading `-` turns one round. Ties are resolved \
                 by `id`.{} Known: {}. Default: `{}`.",
                if sorts_references { " References are ordered by their numbers." } else { "" },
                code(&sortable),
                if collection.default_sort.is_empty() {
                    "id".to_owned()
                } else {
                    collection.default_sort.join(",")
                }
            ),
            text(200, r"^(-?[A-Za-z_]+(,-?[A-Za-z_]+)*)?$"),
            json!(sortable.last().copied().unwrap_or("id")),
        ),
        parameter(
            "per_page",
            "Items on a page. More than 100 is cut down to 100.",
            json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": MAX_PER_PAGE, "default": DEFAULT_PER_PAGE}),
            json!(DEFAULT_PER_PAGE),
        ),
        parameter(
            "page",
            "Page by number, from 1. Not together with a cursor.",
            json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": 1_000_000_000}),
            json!(1),
        ),
        parameter(
            "search_after",
            "Cursor from `X-Pagination-End-Cursor` or from the `next` link: shows what follows it.",
            text(2000, "^[A-Za-z0-9_=-]+$"),
            Value::Null,
        ),
        parameter(
            "search_before",
            "Cursor from `X-Pagination-Start-Cursor` or from the `prev` link: shows what precedes it.",
            text(2000, "^[A-Za-z0-9_=-]+$"),
            Value::Null,
        ),
    ];
    if !collection.predefined.is_empty() {
        let names: Vec<&str> = collection.predefined.iter().map(|known| known.name).collect();
        parameters.push(parameter(
            "state",
            "A named subset; the same as its name in the path.",
            json!({"type": "string", "enum": names}),
            json!(names[0]),
        ));
    }
    for field in record.fields.iter().filter(|field| field.filterable) {
        parameters.push(filter_parameter(field));
    }
    parameters
}

fn filter_parameter(field: &Field) -> Parameter {
    let mut doc = format!("Only records whose `{}` is this: `value`", field.name);
    if field.kind.is_among() {
        doc.push_str(", or one of these: `a,b`");
    }
    doc.push_str("; `!` in front negates");
    if field.nullable {
        doc.push_str("; nothing finds the records without a value, `!` alone those with one");
    }
    if field.kind.is_within() {
        doc.push_str("; compared with `<`, `<=`, `>`, `>=`, also as a range `>=a<b`");
    }
    match field.kind {
        Kind::Id => doc.push_str(". Numbers; where nothing is compared, nodeIDs too"),
        Kind::Reference(_) => doc.push_str(". Ids of the other records, or their nodeIDs"),
        Kind::Choice(choices) => {
            doc.push_str(&format!(". Values: {}", code(choices.words)));
        }
        Kind::Boolean => {
            doc.push_str(". True are `1`, `t`, `y`, `true`, `yes` and `on`; anything else is false")
        }
        Kind::Timestamp => {
            doc.push_str(". ISO 8601; without an offset in the time zone of the caller");
        }
        _ if field.ignore_case => doc.push_str(". Case is ignored"),
        Kind::Text { .. } | Kind::LongText { .. } => doc.push_str(". Case matters"),
        _ => {}
    }
    doc.push('.');
    let example = match parse(field.example) {
        Value::String(text) if matches!(field.kind, Kind::Timestamp) => json!(format!(">={text}")),
        Value::String(text) => json!(text),
        // A reference's example is an object; the filter takes its number, or the id of an account.
        Value::Object(object) => match object.get("id") {
            Some(Value::String(id)) => json!(id),
            id => json!(id.map(ToString::to_string).unwrap_or_default()),
        },
        Value::Null => json!("!"),
        other => json!(other.to_string()),
    };
    let schema = json!({
        "type": "string",
        "maxLength": 1000,
        "pattern": filter::pattern(field),
    });
    parameter(field.name, &doc, schema, example)
}

fn parameter(name: &str, description: &str, schema: Value, example: Value) -> Parameter {
    let mut schema = schema;
    if !example.is_null() {
        // In the schema, where the Swagger UI shows it without sending it.
        schema["examples"] = json!([example]);
    }
    let value = json!({
        "name": name, "in": "query", "required": false,
        "description": description, "schema": schema,
    });
    serde_json::from_value(value).unwrap_or_else(|error| panic!("parameter {name}: {error}"))
}

fn code(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn object(description: &str, properties: Map<String, Value>, required: &[&str]) -> RefOr<Schema> {
    let mut schema =
        json!({"type": "object", "description": description, "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    from_json(schema)
}

/// Under this key a schema travels through the document's types as it is: those would drop what they
/// have no room for. [`unwrap`] puts it in its place.
const WHOLE: &str = "x-schema";

/// Beside a `title`: what the schema means in this place, where its own description is for all of them.
pub const HERE: &str = "x-here";

/// A schema from JSON, kept word by word.
pub fn from_json(value: Value) -> RefOr<Schema> {
    let carried = ExtensionsBuilder::new().add(WHOLE, value).build();
    ObjectBuilder::new().extensions(Some(carried)).build().into()
}

/// A schema as JSON.
pub fn to_json(schema: &RefOr<Schema>) -> Value {
    // Schemas always have a JSON form.
    let mut value = serde_json::to_value(schema).unwrap_or_default();
    unwrap(&mut value);
    value
}

/// Puts the schemas of [`from_json`] in their places in a document.
pub fn unwrap(value: &mut Value) {
    if let Some(whole) = value.get_mut(WHOLE) {
        *value = whole.take();
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(unwrap),
        Value::Object(object) => object.values_mut().for_each(unwrap),
        _ => {}
    }
}

/// JSON that stands in the source.
pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON: {error}\n{text}"))
}

fn output_property(field: &Field) -> Value {
    let mut schema = match field.kind {
        Kind::Reference(reference) => named(&reference.output),
        Kind::Derived(derived) => named(derived),
        _ => plain(field, false),
    };
    if field.nullable {
        schema = nullable(schema);
    }
    let described = schema.as_object_mut();
    if let Some(schema) = described {
        schema.insert("description".to_owned(), field.doc.into());
        if field.access == Access::ReadOnly {
            schema.insert("readOnly".to_owned(), true.into());
        }
        let is_choice = matches!(field.kind, Kind::Choice(_));
        let shows_itself = schema.contains_key("$ref") && !is_choice;
        // 3.0.3 tools take a null example for a mistake.
        if !shows_itself && field.example != "null" {
            schema.insert("examples".to_owned(), json!([parse(field.example)]));
        }
    }
    schema
}

fn input_property(field: &Field, create: bool) -> Value {
    let mut doc = field.doc.to_owned();
    if let Some(limit) = limit_in_words(field.kind) {
        doc.push(' ');
        doc.push_str(&limit);
    }
    let mut schema = match field.kind {
        Kind::Reference(_) => {
            doc.push_str(" The number of the record; its nodeID is accepted too.");
            json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_SAFE_INTEGER,
                   "examples": [1]})
        }
        Kind::Attachments => json!({
            "type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/FileChange"},
            "writeOnly": true, "examples": [parse(field.example)]
        }),
        _ => {
            let mut schema = plain(field, true);
            schema["examples"] = json!([parse(field.example)]);
            schema
        }
    };
    // Null instead of the list clears it, though it is never shown as null.
    let is_clearable = matches!(field.kind, Kind::CustomFields);
    if (field.nullable && !field.required) || is_clearable {
        schema = nullable(schema);
    }
    schema["description"] = doc.into();
    // What a change leaves out keeps its value: a client that filled in defaults would reset it.
    if let Some(default) = field.default.filter(|_| create) {
        schema["default"] = parse(default);
    }
    schema
}

/// What no keyword says of how long a value may be: `maxLength` counts characters.
fn limit_in_words(kind: Kind) -> Option<String> {
    let limit = match kind {
        Kind::LongText { max_bytes } => {
            format!("At most {} bytes in UTF-8.", thousands(max_bytes))
        }
        Kind::CustomFields => format!(
            "The custom fields together, also those that the record has already, take at most {} bytes as \
             JSON in UTF-8.",
            thousands(KB64)
        ),
        Kind::Picture => format!(
            "An http or https address of at most {} bytes in UTF-8, or a `data:` URL with the Base64 of a PNG, \
             JPEG, GIF or WebP of at most 512 KB, which is known by its content.",
            thousands(MAX_URL)
        ),
        _ => return None,
    };
    Some(limit)
}

/// A number to be read: `65,535`.
fn thousands(number: u32) -> String {
    match number.checked_div(1000) {
        Some(thousands @ 1..) => format!("{thousands},{:03}", number % 1000),
        _ => number.to_string(),
    }
}

/// Schema of a field without its words.
fn plain(field: &Field, is_input: bool) -> Value {
    match field.kind {
        Kind::Id => {
            json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_SAFE_INTEGER})
        }
        Kind::NodeId => {
            json!({"type": "string", "minLength": 1, "maxLength": 400, "pattern": NODE_ID})
        }
        Kind::Text { max, format } => {
            let mut schema = json!({"type": "string", "maxLength": max});
            if is_input && field.required {
                schema["minLength"] = 1.into();
            }
            match format {
                Some(pattern) if pattern.starts_with('^') => schema["pattern"] = pattern.into(),
                Some(format) => schema["format"] = format.into(),
                None => schema["pattern"] = ANY_TEXT.into(),
            }
            schema
        }
        Kind::LongText { max_bytes } => {
            json!({"type": "string", "maxLength": max_bytes, "pattern": ANY_TEXT})
        }
        Kind::Picture if is_input => {
            json!({"type": "string", "maxLength": MAX_DATA_URL, "pattern": "^(([Hh][Tt][Tt][Pp][Ss]?://|data:image/[^,]*;base64,).*)?$"})
        }
        // No format: what callers stored opens in browsers, but need not be a URI of RFC 3986 (`{x}`).
        Kind::Picture => json!({"type": "string", "maxLength": MAX_URL, "pattern": ANY_TEXT}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer { min, max } => {
            json!({"type": "integer", "format": "int64", "minimum": min, "maximum": max})
        }
        // What is kept may be from before there was a least value.
        Kind::Duration { min } => json!({
            "type": "integer", "format": "int64", "minimum": if is_input { min } else { 0 },
            "maximum": MAX_DURATION
        }),
        Kind::Timestamp => json!({"type": "string", "format": "date-time", "maxLength": 25}),
        Kind::Choice(choices) => choices.reference(),
        Kind::Texts { max_items, max } => {
            let mut items =
                json!({"type": "string", "maxLength": max.min(LONGEST), "pattern": ANY_TEXT});
            if is_input {
                items["minLength"] = 1.into();
            }
            json!({"type": "array", "maxItems": max_items, "items": items})
        }
        Kind::CustomFields => {
            let (title, description, value) = if is_input {
                let value = custom_value_or_null("CustomFieldInputValue");
                ("CustomFieldInput", "A custom field and its value; null removes it.", value)
            } else {
                ("CustomField", "A custom field and its value.", custom_value())
            };
            json!({
                "type": "array", "maxItems": MAX_CUSTOM_FIELDS,
                "items": {
                    "title": title, "type": "object", "description": description,
                    "required": ["id", "value"],
                    "properties": {
                        "id": {"type": "string", "minLength": 1, "maxLength": MAX_CUSTOM_FIELD_ID,
                               "pattern": ANY_TEXT, "description": "Id of the custom field.",
                               "examples": ["url"]},
                        "value": value,
                    }
                }
            })
        }
        Kind::Reference(_) | Kind::Derived(_) | Kind::Attachments => json!({}),
    }
}

/// Value of a custom field: a text, number, boolean, or a list of them.
pub fn custom_value() -> Value {
    let plain = [
        json!({"type": "string", "maxLength": KB64, "pattern": ANY_TEXT}),
        json!({"type": "number"}),
        json!({"type": "boolean"}),
    ];
    // A type of its own for them, openapi-generator's TypeScript cannot compile.
    let element = json!({"description": "A text, number or boolean."});
    // Named, since openapi-generator's Rust would name the choice by the type of its parts, `ArrayVecserde_json::Value`.
    let list = json!({"title": "CustomFieldList", "type": "array", "maxItems": KB64, "items": element,
                      "description": "Several values of a custom field."});
    let mut any = plain.to_vec();
    any.push(list);
    json!({"title": "CustomFieldValue", "oneOf": any,
           "description": "Its value: a text, number, boolean, or a list of them."})
}

/// The same, or null, under a name of its own: 3.0.3 has no null beside a choice that is named elsewhere.
pub fn custom_value_or_null(title: &str) -> Value {
    let mut value = custom_value();
    if let Some(choices) = value["oneOf"].as_array_mut() {
        choices.push(json!({"type": "null"}));
    }
    value["title"] = title.into();
    value
}

impl Choices {
    /// What the document says of them under their name.
    pub fn schema(&self) -> Value {
        json!({"type": "string", "description": self.doc, "enum": self.words,
               "examples": [self.words[0]]})
    }

    /// One of them: by the name of their type, if it has one.
    pub fn reference(&self) -> Value {
        match self.name {
            "" => json!({"type": "string", "enum": self.words}),
            name => reference(name),
        }
    }
}

/// Adds a sentence to what is said of some properties: what holds for one resource or one kind of change.
pub fn with_sentence(schema: RefOr<Schema>, properties: &[&str], sentence: &str) -> RefOr<Schema> {
    let mut schema = to_json(&schema);
    for name in properties {
        let property = &mut schema["properties"][*name];
        let text = property["description"].as_str().unwrap_or_default();
        property["description"] = format!("{text} {sentence}").trim_start().into();
    }
    from_json(schema)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn named(derived: &Derived) -> Value {
    match derived.schema {
        ("", schema) => parse(schema),
        (name, _) => reference(name),
    }
}

/// The same, or null.
pub fn nullable(mut schema: Value) -> Value {
    if let Some(members) = schema.as_object_mut()
        && let Some(reference) = members.shift_remove("$ref")
    {
        // What else is said, as an example, is of this place and stays beside the choice.
        members.shift_insert(0, "anyOf".to_owned(), json!([{"$ref": reference}, {"type": "null"}]));
        return schema;
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind, "null"]);
    }
    schema
}

fn foreign_account() -> Value {
    json!({
        "$ref": "#/components/schemas/AccountReference",
        "description": "Only on records of another account: the account they belong to."
    })
}

/// A reference to an account.
pub const ACCOUNT_REFERENCE: &str = r#"{
    "type": "object", "description": "An account.",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 32, "pattern": "^[a-z0-9-]+$",
               "description": "Id of the account.", "examples": ["globex"]},
        "name": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                 "description": "Name of the account.", "examples": ["Globex"]}
    }
}"#;

const FILE_CHANGE: &str = r#"{
    "type": "object", "description": "A stored file to attach, or an attached one to remove.",
    "required": ["key"],
    "properties": {
        "key": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\x00]+$",
                "description": "Key that the upload answered.",
                "examples": ["attachments/1/2026/02/01/501/1769935000-3f9a1c/logo.png"]},
        "filesize": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 9007199254740991,
                     "description": "Size in bytes; the server knows it anyway.", "examples": [1234]},
        "inline": {"type": "boolean", "default": false,
                   "description": "Whether the text shows the file, as `![](<key>)`.", "examples": [false]},
        "_destroy": {"type": "boolean", "default": false,
                     "description": "Removes the file from the record.", "examples": [false]}
    }
}"#;

/// Declares the document's types of a record: as shown, in lists, for create and for update.
#[macro_export]
macro_rules! record_schemas {
    ($record:expr => $($name:ident: $build:expr),+ $(,)?) => {$(
        /// Schema of the document, made from the record's table of fields.
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let build: fn(&$crate::kernel::record::Record) -> _ = $build;
                build(&$record)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(
                schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
            ) {
                $crate::kernel::record::schema::references(&$record, schemas);
            }
        }
    )+};
}

/// Declares a type of the document whose schema is written down rather than made from a record, with
/// the schemas (JSON text) that it refers to.
#[macro_export]
macro_rules! literal_schema {
    ($name:ident: $schema:expr $(, $reference:literal => $json:expr)* $(,)?) => {
        /// Schema of the document.
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $schema
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(
                schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
            ) {
                let _ = &schemas;
                $(
                    let schema = $crate::kernel::record::schema::parse($json);
                    let schema = $crate::kernel::record::schema::from_json(schema);
                    schemas.push(($reference.to_owned(), schema));
                )*
            }
        }
    };
}

/// Declares the query parameters of a list.
#[macro_export]
macro_rules! list_parameters {
    ($collection:expr => $name:ident) => {
        /// Query parameters of the list, made from the record's table of fields.
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl utoipa::IntoParams for $name {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                $crate::kernel::record::schema::list_parameters(&$collection)
            }
        }
    };
}
