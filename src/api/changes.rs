//! What differs between two states of a document, each with its place, and whether it breaks those who use it:
//! callers, receivers of messages, and programs whose clients were generated from it.
//!
//! Our own, because what there is does not judge such documents: the crate `drift` knows neither headers nor
//! credentials nor messages, gives up on most differences of schemas and panics over a new media type; the npm
//! package `api-smart-diff` takes the lists of types of OpenAPI 3.1 for unrelated texts and a member that left an
//! answer for harmless. What cannot be judged breaks: a gate that errs should err so.
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::document::pagination;
use super::soundness::{below, target};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// JSON pointer into the document in which it is to be seen: the old one of what is gone.
    pub place: String,
    /// What is different there.
    pub what: String,
    /// Whether somebody who relied on the old state has to do something.
    pub breaks: bool,
}

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    /// Others write it: less may be refused than before, not more.
    In,
    /// Others read it: less may be sent than before, not more.
    Out,
}

/// Everything that differs, wording and examples aside. Both documents are sound.
pub fn between(old: &Value, new: &Value) -> Vec<Change> {
    let mut comparison = Comparison { old, new, seen: HashSet::new(), changes: BTreeSet::new() };
    comparison.documents();
    comparison.changes.into_iter().collect()
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    /// References that were followed already.
    seen: HashSet<(String, String, Direction)>,
    changes: BTreeSet<Change>,
}

/// Member that holds several values of a body or an answer, and what one of them is called.
const CONTENT: (&str, &str) = ("content", "the media type");
const HEADERS: (&str, &str) = ("headers", "the header");

/// Members that say something to people only.
const WORDS: [&str; 8] = [
    "title",
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "$comment",
    "contact",
];

/// Two values, one of which may be missing, and what they have.
fn pairs<'a>(
    old: &'a Value,
    new: &'a Value,
) -> impl Iterator<Item = (&'a str, Option<&'a Value>, Option<&'a Value>)> {
    let members = |value: &'a Value| value.as_object().into_iter().flatten();
    let known = members(old).map(|(name, value)| (name.as_str(), Some(value), new.get(name)));
    let added = members(new).filter(|(name, _)| old.get(name.as_str()).is_none());
    known.chain(added.map(|(name, value)| (name.as_str(), None, Some(value))))
}

/// A value without what only people read.
fn without_words(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_words).collect(),
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| !WORDS.contains(&name.as_str()));
            Value::Object(kept.map(|(name, it)| (name.clone(), without_words(it))).collect())
        }
        other => other.clone(),
    }
}

impl<'a> Comparison<'a> {
    fn note(&mut self, breaks: bool, place: &str, what: impl Into<String>) {
        self.changes.insert(Change { place: place.to_owned(), what: what.into(), breaks });
    }

    /// What was added or is gone, one of which callers have to live with.
    fn came_or_went(&mut self, place: &str, what: &str, is_new: bool, breaks: [bool; 2]) {
        let (breaks, how) = if is_new { (breaks[0], "is new") } else { (breaks[1], "is gone") };
        self.note(breaks, place, format!("{what} {how}"));
    }

    fn documents(&mut self) {
        let (old, new) = (self.old, self.new);
        let addresses = |document: &Value| {
            let servers = document["servers"].as_array().into_iter().flatten();
            servers.map(|it| it["url"].clone()).collect::<Vec<_>>()
        };
        if addresses(old) != addresses(new) {
            self.note(true, "#/servers", "the addresses are others");
        }
        self.operations("paths", "the operation", [false, true]);
        self.operations("webhooks", "the message", [false, true]);
        let schemes = |document: &'a Value| &document["components"]["securitySchemes"];
        for (name, old, new) in pairs(schemes(old), schemes(new)) {
            let place = below("#/components/securitySchemes", name);
            match (old, new) {
                (Some(old), Some(new)) => {
                    self.parts(&place, &without_words(old), &without_words(new))
                }
                (old, _) => self.came_or_went(
                    &place,
                    "the way to authenticate",
                    old.is_none(),
                    [false, true],
                ),
            }
        }
    }

    /// Values that are no schemas: more of them does no harm, less or other ones does.
    fn parts(&mut self, place: &str, old: &Value, new: &Value) {
        if !old.is_object() || !new.is_object() {
            if old != new {
                self.note(true, place, format!("is {new} instead of {old}"));
            }
            return;
        }
        for (name, old, new) in pairs(old, new) {
            let place = below(place, name);
            match (old, new) {
                (Some(old), Some(new)) => self.parts(&place, old, new),
                (old, _) => self.came_or_went(&place, name, old.is_none(), [false, true]),
            }
        }
    }

    fn operations(&mut self, kind: &str, what: &str, breaks: [bool; 2]) {
        let (old, new) = (&self.old[kind], &self.new[kind]);
        let nothing = Value::Null;
        for (path, old, new) in pairs(old, new) {
            let place = below(&format!("#/{kind}"), path);
            for (method, old, new) in pairs(old.unwrap_or(&nothing), new.unwrap_or(&nothing)) {
                let place = below(&place, method);
                match (old, new) {
                    (Some(old), Some(new)) => self.operation(&place, old, new, kind == "webhooks"),
                    (old, _) => self.came_or_went(&place, what, old.is_none(), breaks),
                }
            }
        }
    }

    /// A message is an operation that others offer: what is its request goes out.
    fn operation(&mut self, place: &str, old: &Value, new: &Value, is_message: bool) {
        let (request, response) = match is_message {
            true => (Direction::Out, Direction::In),
            false => (Direction::In, Direction::Out),
        };
        // Generated clients are called by these.
        for name in ["operationId", "tags"] {
            if old[name] != new[name] {
                let what = format!("is {} instead of {}", new[name], old[name]);
                self.note(true, &below(place, name), what);
            }
        }
        if old["deprecated"] != new["deprecated"] {
            let what =
                if new["deprecated"] == true { "is deprecated" } else { "is deprecated no more" };
            self.note(false, place, what);
        }
        for (name, old, new) in pairs(old, new).filter(|(name, ..)| name.starts_with("x-")) {
            let place = below(place, name);
            // Whether it breaks that one is new, and that one is gone.
            let breaks = match name {
                // Generated clients turn pages by it.
                pagination::EXTENSION => [false, true],
                // Who may not call any more.
                "x-required-role" => [true, false],
                "x-own-package" => [false, true],
                // The others are for people.
                _ => [false, false],
            };
            match (old, new) {
                (Some(old), Some(new)) if old != new => {
                    let breaks = breaks.contains(&true);
                    self.note(breaks, &place, "the extension says something else")
                }
                (Some(_), Some(_)) => {}
                (old, _) => self.came_or_went(&place, "the extension", old.is_none(), breaks),
            }
        }
        self.parameters(place, old, new, request);
        self.request_body(
            &below(place, "requestBody"),
            &old["requestBody"],
            &new["requestBody"],
            request,
        );
        self.responses(&below(place, "responses"), &old["responses"], &new["responses"], response);
        self.security(&below(place, "security"), &old["security"], &new["security"]);
    }

    /// What a reference leads to, in the old or the new document.
    fn resolved<'b>(document: &'b Value, value: &'b Value) -> &'b Value {
        let mut value = value;
        while let Some(next) = value["$ref"].as_str().and_then(|it| target(document, it)) {
            value = next;
        }
        value
    }

    fn parameters(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        let named = |document: &Value, operation: &Value| -> Value {
            let all = operation["parameters"].as_array().into_iter().flatten();
            let all = all.map(|parameter| {
                let parameter = Comparison::resolved(document, parameter);
                let (name, kind) = (parameter["name"].as_str(), parameter["in"].as_str());
                let name = format!("{} ({})", name.unwrap_or_default(), kind.unwrap_or_default());
                (name, parameter.clone())
            });
            Value::Object(all.collect::<Map<_, _>>())
        };
        let (old, new) = (named(self.old, old), named(self.new, new));
        let place = below(place, "parameters");
        for (name, old, new) in pairs(&old, &new) {
            let place = below(&place, name);
            let is_required = |parameter: &Value| parameter["required"] == true;
            match (old, new) {
                (Some(old), Some(new)) => {
                    self.need(&place, old, new, direction);
                    for member in ["style", "explode", "allowReserved", "content"] {
                        if old[member] != new[member] {
                            self.note(true, &below(&place, member), "is written in another way");
                        }
                    }
                    self.schemas(
                        &below(&place, "schema"),
                        &old["schema"],
                        &new["schema"],
                        direction,
                    );
                }
                (None, new) => {
                    let must = new.is_some_and(is_required) && direction == Direction::In;
                    let what =
                        if must { "the parameter, which is required," } else { "the parameter" };
                    self.came_or_went(&place, what, true, [must, false]);
                }
                (Some(_), None) => self.came_or_went(&place, "the parameter", false, [false, true]),
            }
        }
    }

    fn request_body(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        let (old, new) = (Self::resolved(self.old, old), Self::resolved(self.new, new));
        match (old.is_null(), new.is_null()) {
            (true, true) => {}
            (true, false) => self.note(new["required"] == true, place, "the body is new"),
            (false, true) => self.note(true, place, "the body is gone"),
            (false, false) => {
                self.need(place, old, new, direction);
                self.variants(place, CONTENT, (old, new), direction);
            }
        }
    }

    /// The values that a body or an answer has several of, by name: its media types, or its headers.
    fn variants(
        &mut self,
        place: &str,
        (member, what): (&str, &str),
        (old, new): (&Value, &Value),
        direction: Direction,
    ) {
        for (name, old, new) in pairs(&old[member], &new[member]) {
            let place = below(&below(place, member), name);
            let (Some(old), Some(new)) = (old, new) else {
                self.came_or_went(&place, what, old.is_none(), [false, true]);
                continue;
            };
            let (old, new) = (Self::resolved(self.old, old), Self::resolved(self.new, new));
            self.need(&place, old, new, direction);
            if without_words(&old["encoding"]) != without_words(&new["encoding"]) {
                self.note(true, &below(&place, "encoding"), "parts are written in another way");
            }
            self.schemas(&below(&place, "schema"), &old["schema"], &new["schema"], direction);
        }
    }

    /// Whether something that has a name or a place must be there.
    fn need(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        let is_required = |value: &Value| value["required"] == true;
        if is_required(old) != is_required(new) {
            let what = if is_required(new) { "is required now" } else { "may be left out" };
            self.note(is_required(new) == (direction == Direction::In), place, what);
        }
    }

    fn responses(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        for (status, old, new) in pairs(old, new) {
            let place = below(place, status);
            let (Some(old), Some(new)) = (old, new) else {
                // Another refusal is still a refusal; another success is something that nobody reads yet.
                let is_success = !status.starts_with(['4', '5']);
                self.came_or_went(&place, "the status", old.is_none(), [is_success, is_success]);
                continue;
            };
            let (old, new) = (Self::resolved(self.old, old), Self::resolved(self.new, new));
            self.variants(&place, HEADERS, (old, new), direction);
            self.variants(&place, CONTENT, (old, new), direction);
            self.links(&below(&place, "links"), &old["links"], &new["links"]);
        }
    }

    /// Where an answer leads.
    fn links(&mut self, place: &str, old: &Value, new: &Value) {
        for (name, old, new) in pairs(old, new) {
            let place = below(place, name);
            match (old, new) {
                (Some(old), Some(new)) if without_words(old) != without_words(new) => {
                    self.note(true, &place, "the link leads elsewhere")
                }
                (Some(_), Some(_)) => {}
                (old, _) => self.came_or_went(&place, "the link", old.is_none(), [false, true]),
            }
        }
    }

    /// Whoever could call may still call, and needs no more for it.
    fn security(&mut self, place: &str, old: &Value, new: &Value) {
        let scopes = |value: &Value| -> BTreeSet<String> {
            serde_json::from_value(value.clone()).unwrap_or_default()
        };
        // One serves where another did: it asks for nothing that the other one does not.
        let serves = |one: &Value, other: &Value| {
            one.as_object().into_iter().flatten().all(|(scheme, needed)| {
                other.get(scheme).is_some_and(|had| scopes(needed).is_subset(&scopes(had)))
            })
        };
        let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (old, new) = (all(old), all(new));
        for had in old.iter().filter(|had| !new.iter().any(|one| serves(one, had))) {
            self.note(true, place, format!("{had} serves no more"));
        }
        for one in new.iter().filter(|one| !old.iter().any(|had| serves(had, one))) {
            self.note(false, place, format!("{one} serves too"));
        }
    }

    /// Schemas at a place. What both refer to by name is looked at once for each direction, at its own place.
    fn schemas(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        if let (Some(had), Some(has)) = (old["$ref"].as_str(), new["$ref"].as_str()) {
            if had != has {
                self.note(true, place, format!("refers to {has} instead of {had}"));
            }
            if self.seen.insert((had.to_owned(), has.to_owned(), direction)) {
                let (old, new) = (Self::resolved(self.old, old), Self::resolved(self.new, new));
                self.schema(has, old, new, direction);
            }
            self.schema(place, &beside_reference(old), &beside_reference(new), direction);
            return;
        }
        let name = |schema: &Value| schema["$ref"].as_str().map(str::to_owned);
        let names = [name(old), name(new)];
        let (old, new) = (Self::whole(self.old, old), Self::whole(self.new, new));
        // Of these generated clients make types, which are called otherwise now.
        let is_type = |it: &Value| {
            ["enum", "properties", "anyOf", "oneOf"].iter().any(|member| it.get(member).is_some())
        };
        match names {
            [None, Some(name)] if is_type(&new) => {
                self.note(true, place, format!("refers to {name} instead of saying it here"));
            }
            [Some(name), None] if is_type(&old) => {
                self.note(true, place, format!("says here what it referred to {name} for"));
            }
            _ => {}
        }
        self.schema(place, &old, &new, direction);
    }

    /// What a schema refers to, with what it says beside that.
    fn whole<'b>(document: &'b Value, schema: &'b Value) -> Cow<'b, Value> {
        let mut whole = Cow::Borrowed(Self::resolved(document, schema));
        if schema.get("$ref").is_some()
            && let Value::Object(more) = beside_reference(schema)
            && let Some(whole) = whole.to_mut().as_object_mut()
        {
            whole.extend(more);
        }
        whole
    }

    fn schema(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        // Whether fewer values than before are valid, or more of them.
        let narrower = direction == Direction::In;
        let wider = direction == Direction::Out;
        self.types(&below(place, "type"), &old["type"], &new["type"], direction);
        self.values(&below(place, "enum"), values(old), values(new), direction);
        self.members(place, old, new, direction);
        for (name, old, new) in pairs(old, new) {
            let place = below(place, name);
            let null = Value::Null;
            let (had, has) = (old.unwrap_or(&null), new.unwrap_or(&null));
            match name {
                "type" | "enum" | "const" | "properties" | "required" => {}
                _ if WORDS.contains(&name) => {}
                "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => {
                    let most = |it: &Value| it.as_f64().unwrap_or(f64::INFINITY);
                    self.bound(&place, had, has, most(has) < most(had), direction);
                }
                "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => {
                    let least = |it: &Value| it.as_f64().unwrap_or(f64::NEG_INFINITY);
                    self.bound(&place, had, has, least(has) > least(had), direction);
                }
                "items" | "propertyNames" if old.is_some() && new.is_some() => {
                    self.schemas(&place, had, has, direction);
                }
                "additionalProperties" | "unevaluatedProperties" => {
                    self.others(&place, had, has, direction);
                }
                "anyOf" | "oneOf" => {
                    self.alternatives(&place, had, has, [narrower, wider], direction)
                }
                "allOf" => self.alternatives(&place, had, has, [wider, narrower], direction),
                // What counts when it is left out; answers leave nothing to a default.
                "default" => {
                    if old.is_some() && had != has && direction == Direction::In {
                        self.note(true, &place, format!("is {has} instead of {had}"));
                    }
                }
                _ if name == "deprecated" || name.starts_with("x-") => {
                    if had != has {
                        self.note(false, &place, format!("is {has} instead of {had}"));
                    }
                }
                _ => match (old, new) {
                    (None, Some(_)) => self.note(narrower, &place, format!("is {has} now")),
                    (Some(_), None) => self.note(wider, &place, format!("is no longer {had}")),
                    _ if without_words(had) != without_words(has) => {
                        self.note(true, &place, format!("is {has} instead of {had}"));
                    }
                    _ => {}
                },
            }
        }
    }

    fn types(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        let named = |value: &Value| -> Vec<String> {
            match value {
                Value::String(one) => vec![one.clone()],
                Value::Array(all) => {
                    all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            }
        };
        let (had, has) = (named(old), named(new));
        // None named: all allowed. Each integer is a number.
        let covers = |all: &[String], one: &String| {
            all.is_empty()
                || all.contains(one)
                || one == "integer" && all.iter().any(|it| it == "number")
        };
        let narrower = had.iter().any(|it| !covers(&has, it)) || had.is_empty() && !has.is_empty();
        let wider = has.iter().any(|it| !covers(&had, it)) || has.is_empty() && !had.is_empty();
        if narrower || wider {
            let breaks = if direction == Direction::In { narrower } else { wider };
            let text =
                |all: &[String]| if all.is_empty() { "any".to_owned() } else { all.join(" or ") };
            let what = format!("the type is {} instead of {}", text(&has), text(&had));
            self.note(breaks, place, what);
        }
    }

    fn values(
        &mut self,
        place: &str,
        old: Option<Vec<&Value>>,
        new: Option<Vec<&Value>>,
        direction: Direction,
    ) {
        let (narrower, wider) = (direction == Direction::In, direction == Direction::Out);
        match (old, new) {
            (Some(old), Some(new)) => {
                for value in old.iter().filter(|value| !new.contains(value)) {
                    self.note(narrower, place, format!("the value {value} is gone"));
                }
                for value in new.iter().filter(|value| !old.contains(value)) {
                    self.note(wider, place, format!("the value {value} is new"));
                }
            }
            (Some(_), None) => self.note(wider, place, "any value is possible"),
            (None, Some(_)) => self.note(narrower, place, "the values are listed"),
            (None, None) => {}
        }
    }

    /// Members of objects, and which of them must be there.
    fn members(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        for (name, old, new) in pairs(&old["properties"], &new["properties"]) {
            let place = below(&below(place, "properties"), name);
            match (old, new) {
                (Some(old), Some(new)) => self.schemas(&place, old, new, direction),
                // What others still send is no longer read.
                (old, _) => self.came_or_went(&place, "the member", old.is_none(), [false, true]),
            }
        }
        let names = |schema: &Value| -> BTreeSet<String> {
            serde_json::from_value(schema["required"].clone()).unwrap_or_default()
        };
        let (old, new) = (names(old), names(new));
        let place = below(place, "required");
        for name in new.difference(&old) {
            self.note(direction == Direction::In, &place, format!("{name} must be there"));
        }
        for name in old.difference(&new) {
            self.note(direction == Direction::Out, &place, format!("{name} may be missing"));
        }
    }

    fn bound(
        &mut self,
        place: &str,
        old: &Value,
        new: &Value,
        is_narrower: bool,
        direction: Direction,
    ) {
        if old != new {
            let breaks = is_narrower == (direction == Direction::In);
            let text =
                |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
            self.note(breaks, place, format!("is {} instead of {}", text(new), text(old)));
        }
    }

    /// Members without a name: anything unless they are described or forbidden.
    fn others(&mut self, place: &str, old: &Value, new: &Value, direction: Direction) {
        let rank = |value: &Value| match value {
            Value::Bool(false) => 0,
            Value::Object(_) => 1,
            _ => 2,
        };
        if rank(old) == 1 && rank(new) == 1 {
            self.schemas(place, old, new, direction);
        } else if rank(old) != rank(new) {
            let breaks = (rank(new) < rank(old)) == (direction == Direction::In);
            let what = ["no other members", "other members as described", "any other members"];
            self.note(breaks, place, format!("there may be {}", what[rank(new)]));
        }
    }

    /// Schemas side by side; `breaks` when one is gone, and when one is new.
    fn alternatives(
        &mut self,
        place: &str,
        old: &Value,
        new: &Value,
        breaks: [bool; 2],
        direction: Direction,
    ) {
        let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (mut gone, mut added) = (all(old), all(new));
        let mut same = Vec::new();
        gone.retain(|one| {
            let is_same = |it: &Value| match one.get("$ref") {
                Some(name) => it.get("$ref") == Some(name),
                None => without_words(it) == without_words(one),
            };
            let found = added.iter().position(is_same).map(|place| added.remove(place));
            let is_gone = found.is_none();
            same.extend(found.map(|found| (one.clone(), found)));
            is_gone
        });
        // So many others as before: the same ones, changed.
        if gone.len() == added.len() {
            same.extend(gone.drain(..).zip(added.drain(..)));
        }
        for (old, new) in same {
            self.schemas(place, &old, &new, direction);
        }
        for one in gone {
            self.note(breaks[0], place, format!("{} is gone", without_words(&one)));
        }
        for one in added {
            self.note(breaks[1], place, format!("{} is new", without_words(&one)));
        }
    }
}

/// What a schema says beside a reference: 3.1 knows such, as `readOnly` or `default` of one property.
fn beside_reference(schema: &Value) -> Value {
    let members = schema.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| *name != "$ref")
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect()
}

/// The values that a schema lists.
fn values(schema: &Value) -> Option<Vec<&Value>> {
    match (schema.get("enum").and_then(Value::as_array), schema.get("const")) {
        (Some(all), _) => Some(all.iter().collect()),
        (None, Some(only)) => Some(vec![only]),
        (None, None) => None,
    }
}
