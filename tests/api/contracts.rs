//! Broken documents, and what changes between two of them: each is told with its place.
use appmarket::api::{changes, openapi_3_0, soundness};
use serde_json::{Value, json};

use crate::support::contract::documents;

/// A document with one of everything.
fn document() -> Value {
    let text = |more: Value| {
        let mut schema =
            json!({"type": "string", "enum": ["a", "b"], "maxLength": 5, "examples": ["a"]});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    let object = |name: &str| {
        json!({
            "type": "object", "required": ["kind"], "description": name,
            "properties": {
                "kind": text(json!({})),
                "size": {"type": ["integer", "null"], "minimum": 1, "default": 3, "examples": [3]},
            },
        })
    };
    let content = |name: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1.0.0"},
        "servers": [{"url": "/"}],
        "paths": {"/things": {"post": {
            "operationId": "create_thing", "tags": ["things"], "x-pagination": {"next": "after"}, "x-required-role": "admin", "x-note": "n",
            "security": [{"token": ["thing:Create"]}],
            "parameters": [
                {"$ref": "#/components/parameters/Key"},
                {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}},
            ],
            "requestBody": {"required": false, "content": content("NewThing")},
            "responses": {
                "201": {"description": "Made.", "headers": {"ETag": {"required": true, "schema": {"type": "string"}}},
                        "content": content("Thing"),
                        "links": {"read": {"operationId": "read_thing", "description": "Reads it."}}},
                "404": {"description": "No."},
            },
        }}},
        "webhooks": {"thing.create": {"post": {
            "operationId": "receive_thing",
            "requestBody": {"content": content("Thing")}, "responses": {"200": {"description": "Ok."}},
        }}},
        "components": {
            "schemas": {"NewThing": object("In."), "Thing": object("Out.")},
            "parameters": {"Key": {"name": "Key", "in": "header", "required": false,
                                   "schema": {"type": "string", "examples": ["k"]}}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

/// The document with another value at a place, or without it.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut document = document();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}")) {
        Value::Array(items) => {
            let place: usize = name.parse().unwrap();
            if place < items.len() {
                items.remove(place);
            }
            value.into_iter().for_each(|it| items.insert(place, it));
        }
        Value::Object(object) => {
            object.shift_remove(&name);
            value.into_iter().for_each(|it| drop(object.insert(name.clone(), it)));
        }
        other => panic!("{pointer}: {other}"),
    }
    document
}

const CREATE: &str = "/paths/~1things/post";
const NEW: &str = "/components/schemas/NewThing";
const THING: &str = "/components/schemas/Thing";

#[test]
fn broken_documents_are_refused_with_the_place() {
    assert_eq!(soundness::check(&document()), Ok(()));
    let media = format!("{CREATE}/requestBody/content/application~1json");
    let broken = [
        (
            format!("{media}/schema/$ref"),
            json!("#/components/schemas/None"),
            format!("#{media}/schema/$ref: #/components/schemas/None leads nowhere"),
        ),
        (
            "/webhooks/thing.create/post/operationId".to_owned(),
            json!("create_thing"),
            format!(
                "#/webhooks/thing.create/post: the operationId create_thing is that of #{CREATE}"
            ),
        ),
        (
            format!("{CREATE}/operationId"),
            Value::Null,
            format!("#{CREATE}: there is no operationId"),
        ),
        (
            format!("{NEW}/properties/size/examples"),
            Value::Null,
            format!("#{media}: there is no example"),
        ),
        (
            format!("{THING}/properties/size/type"),
            json!("boolean"),
            format!(
                "#{THING}/properties/size/examples: 3 is not of the type boolean\n\
                 #{THING}/properties/size/default: 3 is not of the type boolean"
            ),
        ),
        (
            format!("{NEW}/properties/kind/enum"),
            json!(["b"]),
            format!("#{NEW}/properties/kind/examples: \"a\" is not one of the values in enum"),
        ),
    ];
    let referring = (
        format!("{NEW}/properties/other"),
        json!({"$ref": format!("#{NEW}/properties/kind"), "default": "c", "examples": [1]}),
        format!(
            "#{NEW}/properties/other/examples: 1 is not of the type string\n\
             #{NEW}/properties/other/examples: 1 is not one of the values in enum\n\
             #{NEW}/properties/other/default: \"c\" is not one of the values in enum"
        ),
    );
    let nullable = (
        format!("{NEW}/properties/other"),
        json!({"anyOf": [{"$ref": format!("#{NEW}/properties/kind")}, {"type": "null"}], "examples": ["c", null]}),
        format!("#{NEW}/properties/other/examples: \"c\" is not one of the values in enum"),
    );
    for (pointer, value, expected) in broken.into_iter().chain([referring, nullable]) {
        let document = with(&pointer, Some(value).filter(|it| !it.is_null()));
        let refused = openapi_3_0::derive(&document).unwrap_err();
        assert!(refused.to_string().starts_with(&expected), "{pointer}: {refused}");
    }
}

#[test]
fn the_documents_of_today_have_not_changed_since_today() {
    for document in documents() {
        assert_eq!(soundness::check(&document.value), Ok(()));
        assert!(changes::between(&document.value, &document.value).is_empty());
    }
}

/// Generated clients call a type otherwise once it has a name; what is said beside a reference counts.
#[test]
fn a_schema_that_got_a_name_is_another_type_with_the_same_values() {
    let kind = format!("{NEW}/properties/kind");
    let mut named = document();
    let own = named.pointer_mut(&kind).unwrap().take();
    named["components"]["schemas"]["Kind"] = own;
    let referring = |more: Value| {
        let mut document = named.clone();
        let mut place = json!({"$ref": "#/components/schemas/Kind"});
        place.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        *document.pointer_mut(&kind).unwrap() = place;
        document
    };
    let told = |old: &Value, new: &Value| -> Vec<(String, String, bool)> {
        let found = changes::between(old, new);
        found.into_iter().map(|it| (it.place, it.what, it.breaks)).collect()
    };
    let got = (
        format!("#{kind}"),
        "refers to #/components/schemas/Kind instead of saying it here".to_owned(),
        true,
    );
    let lost = (
        format!("#{kind}"),
        "says here what it referred to #/components/schemas/Kind for".to_owned(),
        true,
    );
    assert_eq!(told(&document(), &referring(json!({}))), std::slice::from_ref(&got));
    assert_eq!(told(&referring(json!({})), &document()), [lost]);
    let defaults =
        [with(&format!("{kind}/default"), Some(json!("a"))), referring(json!({"default": "a"}))];
    assert_eq!(told(&defaults[0], &defaults[1]), std::slice::from_ref(&got));
    let what = "is \"b\" instead of \"a\"".to_owned();
    let other = (format!("#{kind}/default"), what, true);
    let new = referring(json!({"default": "b"}));
    assert_eq!(told(&defaults[0], &new), [got, other.clone()]);
    assert_eq!(told(&defaults[1], &new), [other]);
}

/// What differs, with its place, and whether it breaks; nothing for what only people read.
#[test]
fn changes_are_told_with_their_place_and_judged() {
    let has = Some;
    let gone = None;
    let ok = format!("{CREATE}/responses/201");
    let place = |it: &str| it.to_owned();
    #[rustfmt::skip]
    let table: Vec<(String, Option<Value>, bool, String, &str)> = vec![
        // Requests: less accepted breaks, more does not.
        (format!("{NEW}/properties/kind/enum/1"), gone.clone(), true, format!("{NEW}/properties/kind/enum"), "the value \"b\" is gone"),
        (format!("{NEW}/properties/kind/enum/2"), has(json!("c")), false, format!("{NEW}/properties/kind/enum"), "the value \"c\" is new"),
        (format!("{NEW}/properties/kind/type"), has(json!("integer")), true, format!("{NEW}/properties/kind/type"), "the type is integer instead of string"),
        (format!("{NEW}/properties/kind/type"), has(json!(["string", "null"])), false, format!("{NEW}/properties/kind/type"), "the type is string or null instead of string"),
        (format!("{NEW}/properties/kind/maxLength"), has(json!(4)), true, format!("{NEW}/properties/kind/maxLength"), "is 4 instead of 5"),
        (format!("{NEW}/properties/kind/maxLength"), gone.clone(), false, format!("{NEW}/properties/kind/maxLength"), "is none instead of 5"),
        (format!("{NEW}/properties/kind/pattern"), has(json!("^a$")), true, format!("{NEW}/properties/kind/pattern"), "is \"^a$\" now"),
        (format!("{NEW}/properties/size/minimum"), has(json!(0)), false, format!("{NEW}/properties/size/minimum"), "is 0 instead of 1"),
        (format!("{NEW}/properties/size/default"), has(json!(4)), true, format!("{NEW}/properties/size/default"), "is 4 instead of 3"),
        (format!("{NEW}/properties/size"), gone.clone(), true, format!("{NEW}/properties/size"), "the member is gone"),
        (format!("{NEW}/properties/more"), has(json!({"type": "string"})), false, format!("{NEW}/properties/more"), "the member is new"),
        (format!("{NEW}/required/1"), has(json!("size")), true, format!("{NEW}/required"), "size must be there"),
        (format!("{NEW}/required"), gone.clone(), false, format!("{NEW}/required"), "kind may be missing"),
        (format!("{NEW}/additionalProperties"), has(json!(false)), true, format!("{NEW}/additionalProperties"), "there may be no other members"),
        // Answers and messages: more sent breaks, less does not.
        (format!("{THING}/properties/kind/enum/1"), gone.clone(), false, format!("{THING}/properties/kind/enum"), "the value \"b\" is gone"),
        (format!("{THING}/properties/kind/enum/2"), has(json!("c")), true, format!("{THING}/properties/kind/enum"), "the value \"c\" is new"),
        (format!("{THING}/properties/size/type"), has(json!("integer")), false, format!("{THING}/properties/size/type"), "the type is integer instead of integer or null"),
        (format!("{THING}/properties/size/type"), has(json!("string")), true, format!("{THING}/properties/size/type"), "the type is string instead of integer or null"),
        (format!("{THING}/properties/kind/maxLength"), has(json!(6)), true, format!("{THING}/properties/kind/maxLength"), "is 6 instead of 5"),
        (format!("{THING}/properties/size"), gone.clone(), true, format!("{THING}/properties/size"), "the member is gone"),
        (format!("{THING}/properties/more"), has(json!({"type": "string"})), false, format!("{THING}/properties/more"), "the member is new"),
        (format!("{THING}/required"), gone.clone(), true, format!("{THING}/required"), "kind may be missing"),
        (format!("{THING}/required/1"), has(json!("size")), false, format!("{THING}/required"), "size must be there"),
        // Operations.
        (format!("{CREATE}/operationId"), has(json!("make")), true, format!("{CREATE}/operationId"), "is \"make\" instead of \"create_thing\""),
        (format!("{CREATE}/tags/0"), has(json!("others")), true, format!("{CREATE}/tags"), "is [\"others\"] instead of [\"things\"]"),
        (format!("{CREATE}/deprecated"), has(json!(true)), false, place(CREATE), "is deprecated"),
        (format!("{CREATE}/x-more"), has(json!({})), false, format!("{CREATE}/x-more"), "the extension is new"),
        (format!("{CREATE}/x-note"), has(json!("m")), false, format!("{CREATE}/x-note"), "the extension says something else"),
        (format!("{CREATE}/x-note"), gone.clone(), false, format!("{CREATE}/x-note"), "the extension is gone"),
        (format!("{CREATE}/x-required-role"), has(json!("owner")), true, format!("{CREATE}/x-required-role"), "the extension says something else"),
        (format!("{CREATE}/x-required-role"), gone.clone(), false, format!("{CREATE}/x-required-role"), "the extension is gone"),
        (format!("{CREATE}/x-own-package"), has(json!(true)), false, format!("{CREATE}/x-own-package"), "the extension is new"),
        (format!("{CREATE}/x-pagination/next"), has(json!("page")), true, format!("{CREATE}/x-pagination"), "the extension says something else"),
        (format!("{CREATE}/x-pagination"), gone.clone(), true, format!("{CREATE}/x-pagination"), "the extension is gone"),
        (format!("{CREATE}/parameters/1"), gone.clone(), true, format!("{CREATE}/parameters/page (query)"), "the parameter is gone"),
        (format!("{CREATE}/parameters/2"), has(json!({"name": "q", "in": "query"})), false, format!("{CREATE}/parameters/q (query)"), "the parameter is new"),
        (format!("{CREATE}/parameters/2"), has(json!({"name": "q", "in": "query", "required": true})), true, format!("{CREATE}/parameters/q (query)"), "the parameter, which is required, is new"),
        ("/components/parameters/Key/required".to_owned(), has(json!(true)), true, format!("{CREATE}/parameters/Key (header)"), "is required now"),
        (format!("{CREATE}/requestBody/required"), has(json!(true)), true, format!("{CREATE}/requestBody"), "is required now"),
        (format!("{CREATE}/requestBody"), gone.clone(), true, format!("{CREATE}/requestBody"), "the body is gone"),
        (format!("{CREATE}/requestBody/content/text~1csv"), has(json!({})), false, format!("{CREATE}/requestBody/content/text~1csv"), "the media type is new"),
        (format!("{ok}/content/application~1json"), gone.clone(), true, format!("{ok}/content/application~1json"), "the media type is gone"),
        (format!("{CREATE}/requestBody/content/application~1json/encoding"), has(json!({"kind": {"style": "form"}})), true, format!("{CREATE}/requestBody/content/application~1json/encoding"), "parts are written in another way"),
        (format!("{ok}/headers/ETag"), gone.clone(), true, format!("{ok}/headers/ETag"), "the header is gone"),
        (format!("{ok}/headers/ETag/required"), gone.clone(), true, format!("{ok}/headers/ETag"), "may be left out"),
        (format!("{ok}/headers/More"), has(json!({"required": true})), false, format!("{ok}/headers/More"), "the header is new"),
        (format!("{ok}/links/read/operationId"), has(json!("read")), true, format!("{ok}/links/read"), "the link leads elsewhere"),
        (format!("{ok}/links/read"), gone.clone(), true, format!("{ok}/links/read"), "the link is gone"),
        (format!("{ok}/links/more"), has(json!({})), false, format!("{ok}/links/more"), "the link is new"),
        (ok.clone(), gone.clone(), true, ok.clone(), "the status is gone"),
        (format!("{CREATE}/responses/202"), has(json!({})), true, format!("{CREATE}/responses/202"), "the status is new"),
        (format!("{CREATE}/responses/409"), has(json!({})), false, format!("{CREATE}/responses/409"), "the status is new"),
        (format!("{CREATE}/security/0"), has(json!({"token": ["thing:Create", "thing:Read"]})), true, format!("{CREATE}/security"), "{\"token\":[\"thing:Create\"]} serves no more"),
        (format!("{CREATE}/security/1"), has(json!({"key": []})), false, format!("{CREATE}/security"), "{\"key\":[]} serves too"),
        (place(CREATE), gone.clone(), true, place(CREATE), "the operation is gone"),
        ("/paths/~1things/get".to_owned(), has(json!({})), false, "/paths/~1things/get".to_owned(), "the operation is new"),
        ("/webhooks/thing.create".to_owned(), gone.clone(), true, "/webhooks/thing.create/post".to_owned(), "the message is gone"),
        // The rest.
        ("/servers/0/url".to_owned(), has(json!("/v2")), true, "/servers".to_owned(), "the addresses are others"),
        ("/components/securitySchemes/token/scheme".to_owned(), has(json!("basic")), true, "/components/securitySchemes/token/scheme".to_owned(), "is \"basic\" instead of \"bearer\""),
        ("/components/securitySchemes/more".to_owned(), has(json!({})), false, "/components/securitySchemes/more".to_owned(), "the way to authenticate is new"),
    ];
    for (pointer, value, breaks, place, what) in table {
        let found = changes::between(&document(), &with(&pointer, value));
        let place = format!("#{place}");
        let told = found.iter().any(|it| {
            (it.place.as_str(), it.what.as_str(), it.breaks) == (place.as_str(), what, breaks)
        });
        assert!(told, "{pointer}: {what}: {found:?}");
        // Nothing else is said of it, but that scopes that are wider serve instead.
        assert!(found.len() == 1 || what.ends_with("no more"), "{pointer}: {found:?}");
    }
    for (pointer, value) in [
        (format!("{CREATE}/summary"), json!("Makes a thing.")),
        (format!("{NEW}/description"), json!("Others.")),
        (format!("{NEW}/properties/kind/examples"), json!(["b"])),
        (format!("{ok}/links/read/description"), json!("Reads.")),
        ("/info/version".to_owned(), json!("2.0.0")),
    ] {
        let found = changes::between(&document(), &with(&pointer, Some(value)));
        assert!(found.is_empty(), "{pointer}: {found:?}");
    }
}

#[test]
fn one_of_several_schemas_is_compared_with_its_like() {
    let choice = |all: Value| {
        let mut document = document();
        document["components"]["schemas"]["Thing"]["properties"]["kind"] = json!({"oneOf": all});
        document["components"]["schemas"]["NewThing"]["properties"]["kind"] = json!({"oneOf": all});
        document
    };
    let (none, text, number) =
        (json!({"type": "null"}), json!({"type": "string"}), json!({"type": "number"}));
    let told = |old: Value, new: Value| -> Vec<(String, String, bool)> {
        let found = changes::between(&choice(old), &choice(new));
        let short = |place: &str| place.rsplit("schemas/").next().unwrap().to_owned();
        found.into_iter().map(|it| (short(&it.place), it.what, it.breaks)).collect()
    };
    let at = |name: &str| format!("{name}/properties/kind/oneOf");
    assert!(told(json!([none, text]), json!([text, none])).is_empty());
    let expected = vec![
        (at("NewThing"), r#"{"type":"null"} is gone"#.to_owned(), true),
        (at("Thing"), r#"{"type":"null"} is gone"#.to_owned(), false),
    ];
    assert_eq!(told(json!([none, text]), json!([text])), expected);
    let expected = vec![
        (at("NewThing"), r#"{"type":"number"} is new"#.to_owned(), false),
        (at("Thing"), r#"{"type":"number"} is new"#.to_owned(), true),
    ];
    assert_eq!(told(json!([none, text]), json!([none, text, number])), expected);
    let what = "the type is number instead of string".to_owned();
    let expected = vec![
        (format!("{}/type", at("NewThing")), what.clone(), true),
        (format!("{}/type", at("Thing")), what, true),
    ];
    assert_eq!(told(json!([none, text]), json!([none, number])), expected);
}
