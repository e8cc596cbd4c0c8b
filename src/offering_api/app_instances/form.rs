//! The form by which a customer fills in the custom fields of an app: a version of a UI extension
//! (contract 3.4). The `id` of an input is that of its custom field, the class `required` makes it mandatory,
//! and what stands in an input with `data-secret` is told to the provider and never kept.
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use serde_json::{Map, Value, json};

use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::field::{KB64, MAX_CUSTOM_FIELD_ID};
use crate::kernel::record::input::Input;

/// Name of the record's field.
const CUSTOM_FIELDS: &str = "custom_fields";
/// Most ids that a refusal names.
const NAMED: usize = 5;
/// Inputs that hold no value.
const BUTTONS: [&[u8]; 4] = [b"button", b"image", b"reset", b"submit"];

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField {
    /// Id of the custom field.
    pub id: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether its value is a secret.
    pub secret: bool,
}

impl FormField {
    /// As answers show it.
    pub fn tell(&self) -> Value {
        json!({"id": self.id, "required": self.required, "secret": self.secret})
    }
}

/// The inputs of a form, in their order. An app without a form has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(pub Vec<FormField>);

impl Form {
    /// Reads the inputs from HTML. Any text is HTML of some kind: what is broken is read as browsers do.
    pub fn read(html: &str) -> Self {
        let mut emitter = DefaultEmitter::default();
        // What looks like a tag inside a script or a text area is none.
        emitter.naively_switch_states(true);
        let mut form = Self::default();
        for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
            let Token::StartTag(tag) = token else { continue };
            let Some(field) = field(&tag) else { continue };
            // The first of two inputs with one id is the one that `getElementById` finds.
            if form.field(&field.id).is_none() {
                form.0.push(field);
            }
        }
        form
    }

    /// As answers show it.
    pub fn tell(&self) -> Value {
        self.0.iter().map(FormField::tell).collect()
    }

    /// The input of this id.
    pub fn field(&self, id: &str) -> Option<&FormField> {
        self.0.iter().find(|field| field.id == id)
    }

    /// Whether something must be filled in that the former form did not demand.
    pub fn demands_more_than(&self, former: &Self) -> bool {
        let was_demanded = |id: &str| former.field(id).is_some_and(|field| field.required);
        self.0.iter().any(|field| field.required && !was_demanded(&field.id))
    }

    /// Holds what a body sets against the form, along with what is kept (a JSON array) from before;
    /// `former` is the form that was filled in then. Secrets are taken out of the changes, and returned
    /// by id; so are values that the form calls a secret now. What it does not ask for any more is
    /// forgotten.
    pub fn fill(
        &self,
        former: Option<&Self>,
        kept: Option<&str>,
        changes: &mut Changes,
    ) -> Map<String, Value> {
        if changes.refuses(CUSTOM_FIELDS) {
            // Nobody knows what was meant.
            return Map::new();
        }
        let given = match changes.get(CUSTOM_FIELDS) {
            Some(Input::CustomFields(given)) => given.clone(),
            // Null instead of the list clears all that there is.
            Some(_) => self.0.iter().map(|field| (field.id.clone(), Value::Null)).collect(),
            None => Vec::new(),
        };
        let unknown = given.iter().map(|(id, _)| id).filter(|id| self.field(id).is_none());
        if let Some(ids) = listed(unknown) {
            changes.refuse(CUSTOM_FIELDS, Violation::UnknownFields { ids });
        }
        let mut values = read_kept(kept);
        let mut set: Vec<(String, Value)> = Vec::new();
        let mut secrets = Map::new();
        for id in values.keys().cloned().collect::<Vec<_>>() {
            let is_secret = match self.field(&id) {
                Some(field) if !field.secret => continue,
                field => field.is_some(),
            };
            set.push((id.clone(), Value::Null));
            if let Some(value) = values.shift_remove(&id).filter(|_| is_secret) {
                secrets.insert(id, value);
            }
        }
        for (id, value) in given {
            if self.field(&id).is_some_and(|field| field.secret) {
                secrets.insert(id, value);
            } else {
                values.insert(id.clone(), value.clone());
                set.push((id, value));
            }
        }
        let was_filled = |id: &str| {
            let field = former.and_then(|form| form.field(id));
            field.is_some_and(|field| field.required && field.secret)
        };
        let is_missing = |field: &&FormField| {
            let value = if field.secret { secrets.get(&field.id) } else { values.get(&field.id) };
            field.required
                && match value {
                    Some(value) => is_blank(value),
                    // A secret is not kept: that it was required says that it was given.
                    None => !(field.secret && was_filled(&field.id)),
                }
        };
        let missing = self.0.iter().filter(is_missing).map(|field| &field.id);
        if let Some(ids) = listed(missing) {
            changes.refuse(CUSTOM_FIELDS, Violation::MissingFields { ids });
        }
        // As much as may be kept of what is no secret.
        if secrets.values().map(|value| value.to_string().len()).sum::<usize>() > KB64 as usize {
            changes.refuse(CUSTOM_FIELDS, Violation::TooManyBytes { max: KB64 });
        }
        if changes.get(CUSTOM_FIELDS).is_some() || !set.is_empty() {
            changes.set(CUSTOM_FIELDS, Input::CustomFields(set));
        }
        secrets
    }
}

/// The custom field of a tag, if it is an input with an id that one can have.
fn field(tag: &StartTag<()>) -> Option<FormField> {
    let text = |name: &[u8]| tag.attributes.get(name).map(|value| value.value.0.as_slice());
    let holds_value = match tag.name.0.as_slice() {
        b"input" => {
            let kind = text(b"type").unwrap_or_default().to_ascii_lowercase();
            !BUTTONS.contains(&kind.as_slice())
        }
        name => [&b"select"[..], b"textarea"].contains(&name),
    };
    let id = String::from_utf8(text(b"id").filter(|_| holds_value)?.to_vec()).ok()?;
    if !(1..=MAX_CUSTOM_FIELD_ID as usize).contains(&id.chars().count()) {
        return None;
    }
    let mut classes = text(b"class").unwrap_or_default().split(u8::is_ascii_whitespace);
    let required = classes.any(|class| class == b"required") || text(b"required").is_some();
    Some(FormField { id, required, secret: text(b"data-secret").is_some() })
}

/// The values that are kept, by id.
fn read_kept(kept: Option<&str>) -> Map<String, Value> {
    let list: Vec<Value> = kept.and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let pair = |mut item: Value| Some((item["id"].as_str()?.to_owned(), item["value"].take()));
    list.into_iter().filter_map(pair).collect()
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The first of some ids for a refusal, each once; `None` for none at all.
fn listed<'a>(ids: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut named: Vec<&str> = Vec::new();
    for id in ids {
        if named.len() == NAMED {
            named.push("…");
            break;
        }
        if !named.contains(&id.as_str()) {
            named.push(id);
        }
    }
    (!named.is_empty()).then(|| named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(html: &str) -> Vec<(String, bool, bool)> {
        Form::read(html).0.into_iter().map(|it| (it.id, it.required, it.secret)).collect()
    }

    #[test]
    fn inputs_are_read_as_browsers_read_them() {
        let html = r#"<!-- <input id="comment"> --><script>"<input id='script'>"</script>
            <INPUT ID=url CLASS="wide required" type="url"><label id="label">
            <textarea id="notes" class="not-required"><input id="inside"></textarea>
            <select id='size' required><option id="o"></select><input id="key" data-secret>
            <input id="flag" data-secret="false" class="required"/><input type="text"><input id="">
            <input type="SUBMIT" id="go"><input type=hidden id="h&amp;m"><input id="url" data-secret>
            <input id="broken"#;
        let found = fields(html);
        let expected = [
            ("url", true, false),
            ("notes", false, false),
            ("size", true, false),
            ("key", false, true),
            ("flag", true, true),
            ("h&m", false, false),
        ];
        assert_eq!(found, expected.map(|(id, required, secret)| (id.to_owned(), required, secret)));
        assert_eq!(fields(""), []);
        assert_eq!(fields(&format!("<input id={}>", "x".repeat(129))), []);
    }

    #[test]
    fn a_refusal_names_few_ids_and_each_once() {
        let ids: Vec<String> = "a b a c d e f".split(' ').map(str::to_owned).collect();
        assert_eq!(listed(ids.iter()).as_deref(), Some("a, b, c, d, e, …"));
        assert_eq!(listed(ids[..1].iter()).as_deref(), Some("a"));
        assert_eq!(listed(ids[..0].iter()), None);
    }
}
