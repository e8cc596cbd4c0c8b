//! From a JSON body to checked values (contract 1.8): lenient in form, strict in substance, and all
//! problems at once.
use std::borrow::Cow;
use std::str::FromStr;

use sea_orm::{ActiveModelTrait, EntityTrait};
use serde_json::{Map, Value, json};

use super::field::{
    Field, KB64, Kind, MAX_CUSTOM_FIELD_ID, MAX_CUSTOM_FIELDS, MAX_DATA_URL, MAX_DURATION, MAX_URL,
    Record,
};
use super::filter::is_true;
use super::view::View;
use crate::kernel::error::{Error, Problem, Result};
use crate::kernel::language::violation::Violation;
use crate::kernel::node_id;

/// The body of a write: a JSON object, whatever its Content-Type.
#[derive(Clone, Debug, Default)]
pub struct Body(Map<String, Value>);

/// A record inside another one's body.
impl From<Map<String, Value>> for Body {
    fn from(object: Map<String, Value>) -> Self {
        Self(object)
    }
}

impl Body {
    /// Reads a body; anything but a JSON object is refused.
    ///
    /// # Errors
    /// 400 `Invalid JSON string posted`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let refused = || Error::BadRequest("Invalid JSON string posted".to_owned());
        serde_json::from_slice(bytes).map(Self).map_err(|_| refused())
    }

    /// The value of a property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Refuses properties that neither the record nor `more` know: `Prefer: handling=strict`.
    ///
    /// # Errors
    /// 400 with the list of names.
    pub fn refuse_unknown(&self, record: &Record, more: &[&str]) -> Result<()> {
        let is_field = |name: &str| {
            record.fields.iter().any(|field| field.name == name || field.input_name() == name)
        };
        self.refuse(|name| !more.contains(&name) && !is_field(name))
    }

    /// The same where no record is written: refuses all but the properties that are `known`.
    ///
    /// # Errors
    /// As [`Body::refuse_unknown`].
    pub fn refuse_others(&self, known: &[&str]) -> Result<()> {
        self.refuse(|name| !known.contains(&name))
    }

    fn refuse(&self, is_unknown: impl Fn(&str) -> bool) -> Result<()> {
        let unknown: Vec<&str> =
            self.0.keys().map(String::as_str).filter(|name| is_unknown(name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Error::BadRequest(format!("Unknown properties: {}", unknown.join(", "))))
    }
}

/// Whether a record is made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Required fields must be there.
    Create,
    /// Fields left out keep their value.
    Update,
}

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Cleared.
    Null,
    /// Text, or a JSON array of texts as text.
    Text(String),
    /// Number, id or minutes.
    Int(i64),
    /// Flag.
    Bool(bool),
    /// Files to add or remove.
    Files(Vec<FileChange>),
    /// Custom fields to set, or to remove where the value is null.
    CustomFields(Vec<(String, Value)>),
}

/// One element of a `…_attachments` array (contract 3.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Key of the stored file.
    pub key: String,
    /// Whether it is shown inside the text.
    pub inline: bool,
    /// Whether it is removed.
    pub destroy: bool,
}

/// What a body sets, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Changes {
    record: &'static Record,
    values: Vec<(&'static Field, Input)>,
    problems: Vec<Problem>,
}

impl Changes {
    /// Reads and checks the writable fields of a body.
    pub fn read(record: &'static Record, body: &Body, mode: Mode, view: &View) -> Self {
        let mut changes = Self { record, values: Vec::new(), problems: Vec::new() };
        for field in record.fields.iter().filter(|field| field.is_writable()) {
            let value = body.get(&field.input_name()).or_else(|| body.get(field.name));
            match value {
                None if mode == Mode::Create && field.required => {
                    changes.refuse(field.name, Violation::Blank);
                }
                None => {}
                Some(value) => changes.take(field, value, mode, view),
            }
        }
        changes
    }

    fn take(&mut self, field: &'static Field, value: &Value, mode: Mode, view: &View) {
        let blank = match value {
            Value::Null => true,
            Value::String(text) if field.required => text.trim().is_empty(),
            // A cleared value of any type arrives as "" from some clients.
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        if blank {
            match field.kind {
                _ if field.required => self.refuse(field.name, Violation::Blank),
                Kind::Boolean => self.values.push((field, Input::Bool(false))),
                Kind::CustomFields => self.values.push((field, Input::Null)),
                _ if field.nullable => self.values.push((field, Input::Null)),
                Kind::Choice(_) | Kind::Integer { .. } if mode == Mode::Update => {
                    self.refuse(field.name, Violation::Blank);
                }
                // A new record gets the default; texts that cannot be empty keep what they have.
                _ => {}
            }
            return;
        }
        match convert(field, value, view) {
            Ok(value) => self.values.push((field, value)),
            Err(violation) => self.refuse(field.name, violation),
        }
    }

    /// Notes that a field is refused.
    pub fn refuse(&mut self, field: &'static str, violation: Violation) {
        self.problems.push(Problem { field, violation });
    }

    /// Notes those of some fields that are refused for one reason: of each its name, and whether it is.
    pub fn refuse_where<const N: usize>(
        &mut self,
        fields: [(&'static str, bool); N],
        violation: &Violation,
    ) {
        for (field, _) in fields.into_iter().filter(|(_, is_refused)| *is_refused) {
            self.refuse(field, violation.clone());
        }
    }

    /// Refuses a field in better words than the table of fields has for it.
    pub fn refuse_instead(&mut self, field: &'static str, violation: Violation) {
        self.problems.retain(|problem| problem.field != field);
        self.refuse(field, violation);
    }

    /// Whether a field was refused so far.
    pub fn refuses(&self, field: &str) -> bool {
        self.problems.iter().any(|problem| problem.field == field)
    }

    /// Whether anything was refused so far.
    pub fn is_refused(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Ends the checks: refuses the whole body when anything in it was refused.
    ///
    /// # Errors
    /// 422 with every problem, in the order of the record's fields.
    pub fn check(&self) -> Result<()> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let mut problems = self.problems.clone();
        let place = |problem: &Problem| {
            let place = self.record.fields.iter().position(|field| field.name == problem.field);
            // What the record's table does not know comes last.
            place.unwrap_or(usize::MAX)
        };
        problems.sort_by_key(place);
        Err(Error::Invalid(problems))
    }

    /// The value of a field, if the body sets or clears it.
    pub fn get(&self, name: &str) -> Option<&Input> {
        self.values.iter().find(|(field, _)| field.name == name).map(|(_, value)| value)
    }

    /// The text of a field, if the body sets it.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Input::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a field, if the body sets it.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Input::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The flag of a field, if the body sets it.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Input::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// File changes by the name of their `…_attachments` field.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &[FileChange])> {
        self.values.iter().filter_map(|(field, value)| match value {
            Input::Files(files) => Some((field.name, files.as_slice())),
            _ => None,
        })
    }

    /// Sets a field that the body did not, or replaces what it set.
    pub fn set(&mut self, name: &str, value: Input) {
        let Some(field) = self.record.fields.iter().find(|field| field.name == name) else {
            return;
        };
        self.values.retain(|(known, _)| known.name != name);
        self.values.push((field, value));
    }

    /// Writes the values into a row; columns that keep their value stay untouched.
    ///
    /// # Errors
    /// 422 when custom fields grow beyond their limits; 500 when a table of fields and its entity
    /// disagree about a type (a test compares them).
    pub fn apply<A: ActiveModelTrait>(&self, row: &mut A) -> Result<()> {
        for (field, value) in &self.values {
            if field.column.is_empty() || matches!(value, Input::Files(_)) {
                continue;
            }
            let column = column::<A::Entity>(field)?;
            let value = match value {
                Input::Text(text) => text.clone().into(),
                Input::Int(number) => (*number).into(),
                Input::Bool(flag) => (*flag).into(),
                Input::CustomFields(set) => merge(row.get(column).into_value(), set)
                    .map_err(|violation| Error::invalid(field.name, violation))?,
                Input::Null | Input::Files(_) => null(field),
            };
            if row.get(column).into_value().as_ref() != Some(&value) {
                row.try_set(column, value)?;
            }
        }
        Ok(())
    }
}

/// The entity's column of a field.
pub fn column<E: EntityTrait>(field: &Field) -> Result<E::Column> {
    E::Column::from_str(field.column).map_err(|_| {
        Error::internal(format!("no column {} in {}", field.column, E::default().unquoted()))
    })
}

fn null(field: &Field) -> sea_orm::Value {
    match field.kind {
        Kind::Text { .. }
        | Kind::LongText { .. }
        | Kind::Choice(_)
        | Kind::Texts { .. }
        | Kind::CustomFields
        | Kind::Picture => sea_orm::Value::String(None),
        _ => sea_orm::Value::BigInt(None),
    }
}

/// Reads one value by the type of its field.
fn convert(field: &Field, value: &Value, view: &View) -> Result<Input, Violation> {
    match field.kind {
        Kind::Text { max, .. } => {
            let text = scalar(value).ok_or(Violation::Invalid)?;
            check_text(&text)?;
            if text.chars().count() > max as usize {
                return Err(Violation::TooLong { max });
            }
            Ok(Input::Text(text.into_owned()))
        }
        Kind::Picture => {
            let text = scalar(value).ok_or(Violation::Invalid)?;
            check_text(&text)?;
            let max = if text.starts_with("data:") { MAX_DATA_URL } else { MAX_URL };
            if text.len() > max as usize {
                return Err(Violation::TooLong { max });
            }
            Ok(Input::Text(text.into_owned()))
        }
        Kind::LongText { max_bytes } => {
            let text = scalar(value).ok_or(Violation::Invalid)?;
            check_text(&text)?;
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            if text.len() > max_bytes as usize {
                return Err(Violation::TooManyBytes { max: max_bytes });
            }
            Ok(Input::Text(text))
        }
        Kind::Choice(choices) => match value.as_str() {
            Some(text) if choices.words.contains(&text) => Ok(Input::Text(text.to_owned())),
            _ => Err(Violation::NotIncluded),
        },
        Kind::Boolean => match value {
            Value::Bool(flag) => Ok(Input::Bool(*flag)),
            // Anything that is not true is false (contract 1.8).
            other => Ok(Input::Bool(scalar(other).is_some_and(|text| is_true(&text)))),
        },
        Kind::Integer { min, max } => {
            let number = whole(value).ok_or(Violation::NotANumber)?;
            if number < min {
                return Err(Violation::TooSmall { min });
            }
            if number > max {
                return Err(Violation::TooLarge { max });
            }
            Ok(Input::Int(number))
        }
        Kind::Duration { min } => {
            let minutes = duration(value).ok_or(Violation::Invalid)?;
            if minutes < min {
                return Err(Violation::TooSmall { min });
            }
            if minutes > MAX_DURATION {
                return Err(Violation::TooLarge { max: MAX_DURATION });
            }
            Ok(Input::Int(minutes))
        }
        Kind::Reference(reference) => {
            let inner =
                value.as_object().and_then(|object| object.get("id").or(object.get("nodeID")));
            let value = inner.unwrap_or(value);
            let by_name =
                || node_id::decode(&view.site.domain, reference.node_type, value.as_str()?);
            whole(value).or_else(by_name).map(Input::Int).ok_or(Violation::MustExist)
        }
        Kind::Texts { max_items, max } => texts(value, max_items, max),
        Kind::CustomFields => custom_fields(value).map(Input::CustomFields),
        Kind::Attachments => files(value).map(Input::Files),
        // Read-only kinds are never asked.
        Kind::Id | Kind::NodeId | Kind::Timestamp | Kind::Derived(_) => Err(Violation::Invalid),
    }
}

/// Text of a scalar; every scalar may arrive as text or not (contract 7.11).
fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

fn check_text(text: &str) -> Result<(), Violation> {
    // PostgreSQL cannot store it and no client can mean it.
    if text.contains('\0') { Err(Violation::Invalid) } else { Ok(()) }
}

/// A whole number, also as text or as `5.0`.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Beyond 2^53 a float names no particular whole number.
            (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Minutes: a number, its text, or `hhh:mm`.
fn duration(value: &Value) -> Option<i64> {
    if let Some(minutes) = whole(value) {
        return Some(minutes);
    }
    let (hours, minutes) = value.as_str()?.trim().split_once(':')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) || minutes.len() != 2 {
        return None;
    }
    let minutes: i64 = minutes.parse().ok().filter(|minutes| *minutes < 60)?;
    hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes)
}

fn texts(value: &Value, max_items: u32, max: u32) -> Result<Input, Violation> {
    let items = value.as_array().ok_or(Violation::Invalid)?;
    if items.len() > max_items as usize {
        return Err(Violation::TooManyItems { max: max_items });
    }
    for item in items {
        let text = item.as_str().ok_or(Violation::Invalid)?;
        check_text(text)?;
        // No name and no action is blank: it would be for nothing.
        if text.trim().is_empty() {
            return Err(Violation::Invalid);
        }
        if text.chars().count() > max as usize {
            return Err(Violation::TooLong { max });
        }
    }
    Ok(Input::Text(value.to_string()))
}

fn custom_fields(value: &Value) -> Result<Vec<(String, Value)>, Violation> {
    let items = value.as_array().ok_or(Violation::Invalid)?;
    if items.len() > MAX_CUSTOM_FIELDS as usize {
        return Err(Violation::TooManyItems { max: MAX_CUSTOM_FIELDS });
    }
    items
        .iter()
        .map(|item| {
            let id = item.get("id").and_then(Value::as_str).ok_or(Violation::Invalid)?;
            let length = id.chars().count();
            let value = item.get("value").cloned().unwrap_or_default();
            if length == 0 || length > MAX_CUSTOM_FIELD_ID as usize {
                return Err(Violation::Invalid);
            }
            check_text(id)?;
            check_custom_value(&value, false)?;
            Ok((id.to_owned(), value))
        })
        .collect()
}

/// A scalar, or a list of scalars.
fn check_custom_value(value: &Value, listed: bool) -> Result<(), Violation> {
    match value {
        Value::String(text) => check_text(text),
        Value::Array(items) if !listed => {
            items.iter().try_for_each(|item| check_custom_value(item, true))
        }
        Value::Null if !listed => Ok(()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Violation::Invalid),
        Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// The custom fields of a row after these are set; in the order in which they first appeared.
fn merge(
    before: Option<sea_orm::Value>,
    set: &[(String, Value)],
) -> Result<sea_orm::Value, Violation> {
    let mut fields: Map<String, Value> = Map::new();
    if let Some(sea_orm::Value::String(Some(text))) = before {
        let known: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
        for mut field in known {
            if let Some(id) = field.get("id").and_then(Value::as_str).map(str::to_owned) {
                fields.insert(id, field["value"].take());
            }
        }
    }
    for (id, value) in set {
        if value.is_null() {
            fields.shift_remove(id);
        } else {
            fields.insert(id.clone(), value.clone());
        }
    }
    if fields.len() > MAX_CUSTOM_FIELDS as usize {
        return Err(Violation::TooManyItems { max: MAX_CUSTOM_FIELDS });
    }
    let list: Vec<Value> =
        fields.into_iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
    let text = (!list.is_empty()).then(|| Value::Array(list).to_string());
    if text.as_ref().is_some_and(|text| text.len() > KB64 as usize) {
        return Err(Violation::TooManyBytes { max: KB64 });
    }
    Ok(sea_orm::Value::String(text))
}

/// Whether this is an absolute http or https address, as it must be to be stored.
pub fn is_http_url(text: &str) -> bool {
    // The parser mends missing slashes, turned ones, blanks and control characters; a stored address
    // must not need that.
    let rest = text.split_once("://").and_then(|(scheme, rest)| {
        let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        known.then_some(rest)
    });
    rest.is_some_and(|rest| !rest.starts_with(['/', '\\']))
        && !text.contains(|character: char| character.is_whitespace() || character.is_control())
        && url::Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Most files that one write may add or remove in one field.
const MAX_FILES: u32 = 100;

fn files(value: &Value) -> Result<Vec<FileChange>, Violation> {
    let items = value.as_array().ok_or(Violation::Invalid)?;
    if items.len() > MAX_FILES as usize {
        return Err(Violation::TooManyItems { max: MAX_FILES });
    }
    let flag = |item: &Value, name: &str| {
        item.get(name).is_some_and(|value| scalar(value).is_some_and(|text| is_true(&text)))
    };
    items
        .iter()
        .map(|item| {
            let key = item.get("key").and_then(Value::as_str).ok_or(Violation::Invalid)?;
            check_text(key)?;
            Ok(FileChange {
                key: key.to_owned(),
                inline: flag(item, "inline"),
                destroy: flag(item, "_destroy"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_fields_that_are_not_mentioned_remain() {
        let set = |before: Option<&str>, change: Value| {
            let before = sea_orm::Value::String(before.map(str::to_owned));
            let after = merge(Some(before), &custom_fields(&change).unwrap()).unwrap();
            let sea_orm::Value::String(text) = after else { panic!("{after:?}") };
            text
        };
        let first = set(None, json!([{"id": "url", "value": "x"}, {"id": "n", "value": 1}]));
        assert_eq!(first.as_deref(), Some(r#"[{"id":"url","value":"x"},{"id":"n","value":1}]"#));
        let second = set(first.as_deref(), json!([{"id": "n", "value": [true]}]));
        assert_eq!(
            second.as_deref(),
            Some(r#"[{"id":"url","value":"x"},{"id":"n","value":[true]}]"#)
        );
        let third = set(second.as_deref(), json!([{"id": "url", "value": null}]));
        assert_eq!(third.as_deref(), Some(r#"[{"id":"n","value":[true]}]"#));
        assert_eq!(set(third.as_deref(), json!([{"id": "n"}])), None);
    }

    #[test]
    fn addresses_are_absolute_as_they_are_written() {
        for good in ["http://a", "HTTPS://example.org/x?y=1#z", "https://user@[::1]:8080/"] {
            assert!(is_http_url(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "//a",
            "http:a",
            "https:/example.org",
            "http:///x",
            "http:\\\\x",
            "https://\\x",
            "http://",
            "ftp://a",
            "xhttp://a",
            " http://a",
            "http://a b",
            "http://a\n",
        ] {
            assert!(!is_http_url(bad), "{bad}");
        }
    }

    #[test]
    fn custom_fields_have_an_id_and_a_plain_value() {
        for bad in [
            json!({}),
            json!([1]),
            json!([{"value": 1}]),
            json!([{"id": "", "value": 1}]),
            json!([{"id": "a", "value": {}}]),
            json!([{"id": "a", "value": [[]]}]),
            json!([{"id": "a", "value": [null]}]),
            json!([{"id": "a", "value": "\0"}]),
        ] {
            assert_eq!(custom_fields(&bad), Err(Violation::Invalid), "{bad}");
        }
    }
}
