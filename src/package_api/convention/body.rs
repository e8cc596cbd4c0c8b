//! JSON bodies (contract 1.2): members in any case, unknown ones ignored, and the difference between a
//! member that is absent and one that is `null`.
//!
//! An [`Object`] is emptied by reading it. What is left when all was taken is unknown.
use serde_json::Value;

use super::query::{DATE, TEXT, pairs};
use super::refusal;
use super::time::Time;
use crate::kernel::error::{Error, Result};

/// Most elements of a body that is an array, as the document says.
const MOST_ELEMENTS: usize = 10_000;

/// A JSON object of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    members: Vec<Member>,
    /// Where it stands in the body, in front of its members' names: `""` or `attributes[0].`.
    path: String,
    /// Whether `_` is no part of names.
    is_loose: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Member {
    name: String,
    /// The name as it is compared.
    key: String,
    value: Value,
}

/// What a request says about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent<T> {
    /// Nothing.
    Absent,
    /// `null`.
    Null,
    /// A value.
    Set(T),
}

impl<T> Sent<T> {
    /// The value; `None` when there is none, whether absent or `null`.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Reads the value further.
    ///
    /// # Errors
    /// Those of `read`.
    fn and_then<U>(self, read: impl FnOnce(T) -> Result<U>) -> Result<Sent<U>> {
        Ok(match self {
            Self::Absent => Sent::Absent,
            Self::Null => Sent::Null,
            Self::Set(value) => Sent::Set(read(value)?),
        })
    }
}

impl Object {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 with the name of the parameter that the body is, unless it is a JSON object.
    pub fn parse(bytes: &[u8], parameter: &'static str) -> Result<Self> {
        match json(bytes, parameter)? {
            Value::Object(members) => Ok(Self::new(members, String::new(), false)),
            _ => Err(refusal::missing(parameter, "must be a JSON object.")),
        }
    }

    /// Reads a body in which `clientId` is as good as `client_id` (OAuth, contract 1.2).
    ///
    /// # Errors
    /// As [`Object::parse`].
    pub fn loose(bytes: &[u8], parameter: &'static str) -> Result<Self> {
        match json(bytes, parameter)? {
            Value::Object(members) => Ok(Self::new(members, String::new(), true)),
            _ => Err(refusal::missing(parameter, "must be a JSON object.")),
        }
    }

    /// Reads a form, `application/x-www-form-urlencoded`, as an object of texts, otherwise as
    /// [`Object::loose`].
    ///
    /// # Errors
    /// 400 with the name of a member that is no text.
    pub fn form(bytes: &[u8]) -> Result<Self> {
        let texts = pairs(bytes).map(|(name, text)| match text {
            Some(text) => Ok((name, Value::String(text))),
            None => Err(refusal::missing(&name, TEXT)),
        });
        Ok(Self::new(texts.collect::<Result<Vec<_>>>()?, String::new(), true))
    }

    fn new(
        members: impl IntoIterator<Item = (String, Value)>,
        path: String,
        is_loose: bool,
    ) -> Self {
        let members = members.into_iter().map(|(name, value)| {
            let key = key(&name, is_loose);
            Member { name, key, value }
        });
        Self { members: members.collect(), path, is_loose }
    }

    /// A text of at most `max` characters.
    ///
    /// # Errors
    /// 400 for a longer text, one with NUL, or another type.
    pub fn text(&mut self, name: &str, max: usize) -> Result<Sent<String>> {
        self.take(name).and_then(|value| match value {
            Value::String(text) if text.contains('\0') => {
                Err(self.refused(name, "must not contain NUL."))
            }
            Value::String(text) if text.chars().nth(max).is_none() => Ok(text),
            Value::String(_) => {
                Err(self.refused(name, &format!("must have at most {max} characters.")))
            }
            _ => Err(self.refused(name, "must be a text.")),
        })
    }

    /// An int32.
    ///
    /// # Errors
    /// 400 for another type or a number outside the range.
    pub fn int(&mut self, name: &str) -> Result<Sent<i64>> {
        self.take(name).and_then(|value| {
            let int = value.as_i64().or_else(|| whole(value.as_f64()?));
            int.filter(|int| i32::try_from(*int).is_ok())
                .ok_or_else(|| self.refused(name, "must be a 32-bit integer."))
        })
    }

    /// A number.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn number(&mut self, name: &str) -> Result<Sent<f64>> {
        self.take(name)
            .and_then(|value| value.as_f64().ok_or_else(|| self.refused(name, "must be a number.")))
    }

    /// A boolean.
    ///
    /// # Errors
    /// 400 for another type.
    pub fn flag(&mut self, name: &str) -> Result<Sent<bool>> {
        self.take(name).and_then(|value| {
            value.as_bool().ok_or_else(|| self.refused(name, "must be true or false."))
        })
    }

    /// A date.
    ///
    /// # Errors
    /// 400 for another type and for what cannot be read.
    pub fn date(&mut self, name: &str) -> Result<Sent<Time>> {
        self.take(name).and_then(|value| {
            value.as_str().and_then(Time::parse).ok_or_else(|| self.refused(name, DATE))
        })
    }

    /// An array of at most `most` objects.
    ///
    /// # Errors
    /// 400 for another type, for elements that are no objects, and for too many of them.
    pub fn objects(&mut self, name: &str, most: usize) -> Result<Sent<Vec<Self>>> {
        let path = format!("{}{name}", self.path);
        self.take(name).and_then(|value| elements(value, &path, self.is_loose, most))
    }

    /// Takes members that are known and of no consequence, such as those only the server sets.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.take(name);
        }
    }

    /// The members that were not taken, with their paths, as they were spelt: those that
    /// `Prefer: handling=strict` refuses.
    pub fn unknown(&self) -> Vec<String> {
        self.members.iter().map(|member| format!("{}{}", self.path, member.name)).collect()
    }

    /// A refusal that names a member of this object by its path, for rules beyond its type.
    pub fn refused(&self, name: &str, why: &str) -> Error {
        refusal::missing(&format!("{}{name}", self.path), why)
    }

    /// Takes every member of this name; the last one counts.
    fn take(&mut self, name: &str) -> Sent<Value> {
        let wanted = key(name, self.is_loose);
        let mut found = Sent::Absent;
        self.members.retain_mut(|member| {
            let is_wanted = member.key == wanted;
            if is_wanted {
                found = match member.value.take() {
                    Value::Null => Sent::Null,
                    value => Sent::Set(value),
                };
            }
            !is_wanted
        });
        found
    }
}

/// Reads a body that is an array of objects.
///
/// # Errors
/// 400 with the name of the parameter that the body is, unless it is a JSON array, or with that of an
/// element that is no object.
pub fn list(bytes: &[u8], parameter: &'static str) -> Result<Vec<Object>> {
    elements(json(bytes, parameter)?, parameter, false, MOST_ELEMENTS)
}

fn elements(value: Value, path: &str, is_loose: bool, most: usize) -> Result<Vec<Object>> {
    let Value::Array(elements) = value else {
        return Err(refusal::missing(path, "must be an array."));
    };
    if elements.len() > most {
        let why = format!("must have at most {most} elements.");
        return Err(refusal::missing(path, &why));
    }
    let object = |(place, element)| match element {
        Value::Object(members) => Ok(Object::new(members, format!("{path}[{place}]."), is_loose)),
        _ => Err(refusal::missing(&format!("{path}[{place}]"), "must be an object.")),
    };
    elements.into_iter().enumerate().map(object).collect()
}

/// Any JSON value. Some .NET clients put a byte order mark in front.
fn json(bytes: &[u8], parameter: &'static str) -> Result<Value> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(refusal::missing(parameter, "is the body of this request, which is empty."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // The reader tells by nothing but its words that it has stopped at what may be JSON.
        let is_deep = error.to_string().starts_with("recursion limit exceeded");
        let what = if is_deep { "nested too deeply" } else { "no JSON" };
        refusal::missing(parameter, &format!("is the body of this request, which is {what}."))
    })
}

/// A name as it is compared.
fn key(name: &str, is_loose: bool) -> String {
    let mut key = name.to_ascii_lowercase();
    if is_loose {
        key.retain(|sign| sign != '_');
    }
    key
}

/// `7.0` is an integer for JSON Schema, and for some clients' serializers.
fn whole(number: f64) -> Option<i64> {
    let is_int = number.fract() == 0.0 && number.abs() <= f64::from(u32::MAX);
    is_int.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Object::parse(text.as_bytes(), "body").unwrap()
    }

    /// Parameter and reason of a refusal.
    fn refused<T: std::fmt::Debug>(result: Result<T>) -> (String, String) {
        let Err(Error::Coded(coded)) = result else { panic!("{result:?} is no refusal") };
        assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
        let [(_, parameter), (_, why)] = coded.data.try_into().unwrap();
        (parameter, why)
    }

    fn because(parameter: &str, why: &str) -> (String, String) {
        (parameter.to_owned(), why.to_owned())
    }

    fn text(value: &str) -> Sent<String> {
        Sent::Set(value.to_owned())
    }

    #[test]
    fn members_match_in_any_case_and_the_last_of_equals_counts() {
        let mut body = object(r#"{"AppKey":"a","appkey":null,"APPKEY":"b","other":1}"#);
        assert_eq!(body.text("appKey", 10).unwrap(), text("b"));
        assert_eq!(body.text("appKey", 10).unwrap(), Sent::Absent);
        assert_eq!(body.text("app_key", 10).unwrap(), Sent::Absent);
        assert_eq!(body.unknown(), ["other"]);
        let mut body = object(r#"{"appKey":"a","appKey":null}"#);
        assert_eq!(body.text("appKey", 10).unwrap(), Sent::Null);
    }

    #[test]
    fn absent_null_and_set_are_three_things() {
        let mut body = object(r#"{"a":null,"b":"","c":0,"d":false,"e":[]}"#);
        assert_eq!(body.text("x", 10).unwrap(), Sent::Absent);
        assert_eq!(body.text("a", 10).unwrap(), Sent::Null);
        assert_eq!(body.text("b", 10).unwrap(), text(""));
        assert_eq!(body.int("c").unwrap(), Sent::Set(0));
        assert_eq!(body.flag("d").unwrap(), Sent::Set(false));
        assert_eq!(body.objects("e", 9).unwrap(), Sent::Set(Vec::new()));
        assert_eq!(body.unknown(), [""; 0]);
        assert_eq!(text("a").value(), Some("a".to_owned()));
        assert_eq!(Sent::<i64>::Null.value(), None);
        assert_eq!(Sent::<i64>::Absent.value(), None);
    }

    #[test]
    fn oauth_bodies_are_read_with_and_without_underscores() {
        let bodies = [
            r#"{"client_id":"k","grant_type":"client"}"#,
            r#"{"clientId":"k","grantType":"client"}"#,
            r#"{"ClientId":"k","GRANT_TYPE":"client"}"#,
        ];
        for body in bodies {
            let mut body = Object::loose(body.as_bytes(), "body").unwrap();
            assert_eq!(body.text("client_id", 10).unwrap(), text("k"));
            assert_eq!(body.text("grant_type", 10).unwrap(), text("client"));
            assert_eq!(body.text("refresh_token", 10).unwrap(), Sent::Absent);
        }
        let mut form = Object::form(b"clientId=a+b&client_secret=%C3%A9&grant_type=&x").unwrap();
        assert_eq!(form.text("client_id", 10).unwrap(), text("a b"));
        assert_eq!(form.text("client_secret", 10).unwrap(), text("é"));
        assert_eq!(form.text("grant_type", 10).unwrap(), text(""));
        assert_eq!(form.unknown(), ["x"]);
        let why = because("client_id", "must be UTF-8 text without NUL.");
        assert_eq!(refused(Object::form(b"client_id=%FF")), why);
    }

    #[test]
    fn what_is_no_object_is_refused_by_the_name_of_the_body() {
        let table = [
            ("", "is the body of this request, which is empty."),
            (" \r\n", "is the body of this request, which is empty."),
            ("\u{feff}", "is the body of this request, which is empty."),
            ("{", "is the body of this request, which is no JSON."),
            ("{} {}", "is the body of this request, which is no JSON."),
            ("{'a':1}", "is the body of this request, which is no JSON."),
            ("{\"a\":1,}", "is the body of this request, which is no JSON."),
            ("NaN", "is the body of this request, which is no JSON."),
            ("null", "must be a JSON object."),
            ("[]", "must be a JSON object."),
            ("\"{}\"", "must be a JSON object."),
            ("1", "must be a JSON object."),
        ];
        for (body, why) in table {
            let parsed = Object::parse(body.as_bytes(), "packageRequest");
            assert_eq!(refused(parsed), because("packageRequest", why), "{body}");
            let parsed = Object::loose(body.as_bytes(), "packageRequest");
            assert_eq!(refused(parsed), because("packageRequest", why), "{body}");
        }
        let no_json = because("body", "is the body of this request, which is no JSON.");
        assert_eq!(refused(Object::parse(b"{\"a\":\"\xFF\"}", "body")), no_json);
        let too_deep = because("body", "is the body of this request, which is nested too deeply.");
        for body in
            ["[".repeat(100_000), format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200))]
        {
            assert_eq!(refused(Object::parse(body.as_bytes(), "body")), too_deep);
        }
        assert_eq!(object("\u{feff}{}"), object("{}"));
    }

    #[test]
    fn values_of_a_wrong_type_are_refused_by_the_path_of_their_member() {
        let values = ["1", "1.5", "\"x\"", "true", "[]", "[1]", "{}"];
        let fits = |name: &str, value: &str| match name {
            "text" | "date" => value.starts_with('"'),
            "int" => value == "1",
            "number" => value.starts_with('1'),
            "flag" => value == "true",
            _ => value == "[]",
        };
        let table = [
            ("text", "must be a text."),
            ("date", DATE),
            ("int", "must be a 32-bit integer."),
            ("number", "must be a number."),
            ("flag", "must be true or false."),
        ];
        for (name, why) in table {
            for value in values.into_iter().filter(|value| !fits(name, value)) {
                let mut body = object(&format!(r#"{{"{name}":{value}}}"#));
                let refused = match name {
                    "text" => refused(body.text(name, 10)),
                    "date" => refused(body.date(name)),
                    "int" => refused(body.int(name)),
                    "number" => refused(body.number(name)),
                    _ => refused(body.flag(name)),
                };
                assert_eq!(refused, because(name, why), "{name} {value}");
            }
        }
        let objects =
            |value: &str| object(&format!(r#"{{"Objects":{value}}}"#)).objects("objects", 2);
        for value in ["1", "\"x\"", "true", "{}"] {
            assert_eq!(refused(objects(value)), because("objects", "must be an array."), "{value}");
        }
        let why = because("objects", "must have at most 2 elements.");
        assert_eq!(refused(objects("[{},{},{}]")), why);
        for value in ["[{},1]", "[{},null]", "[{},[]]"] {
            let why = because("objects[1]", "must be an object.");
            assert_eq!(refused(objects(value)), why, "{value}");
        }
    }

    #[test]
    fn texts_are_counted_in_characters() {
        let text_of = |value: &str| object(&format!(r#"{{"a":"{value}"}}"#)).text("a", 3);
        assert_eq!(text_of("äöü").unwrap(), text("äöü"));
        assert_eq!(text_of("\\u0001").unwrap(), text("\u{1}"));
        assert_eq!(refused(text_of("aäöü")), because("a", "must have at most 3 characters."));
        assert_eq!(refused(text_of("a\\u0000")), because("a", "must not contain NUL."));
    }

    #[test]
    fn integers_have_32_bits() {
        let int = |value: &str| object(&format!(r#"{{"a":{value}}}"#)).int("a");
        let table = [
            ("0", 0),
            ("-1", -1),
            ("7.0", 7),
            ("1e3", 1000),
            ("2147483647", 2_147_483_647),
            ("-2147483648", -2_147_483_648),
        ];
        for (value, expected) in table {
            assert_eq!(int(value).unwrap(), Sent::Set(expected), "{value}");
        }
        for value in ["2147483648", "-2147483649", "0.5", "1e300", "99999999999999999999", "\"1\""]
        {
            assert_eq!(refused(int(value)), because("a", "must be a 32-bit integer."), "{value}");
        }
    }

    #[test]
    fn numbers_and_dates_are_read() {
        let mut body = object(r#"{"a":1,"b":-2.5,"c":"1970-01-01T00:00:01.5Z","d":null}"#);
        assert_eq!(body.number("a").unwrap(), Sent::Set(1.0));
        assert_eq!(body.number("b").unwrap(), Sent::Set(-2.5));
        assert_eq!(body.date("c").unwrap(), Sent::Set(Time(1500)));
        assert_eq!(body.date("d").unwrap(), Sent::Null);
    }

    #[test]
    fn members_of_nested_objects_are_named_by_their_path() {
        let mut body = object(
            r#"{"Types":[{"id":1,"domains":[{"x":1},{"name":2}]},{"Extra":1}],"more":null}"#,
        );
        let Sent::Set(mut types) = body.objects("types", 9).unwrap() else { panic!("no types") };
        assert_eq!(types[0].int("id").unwrap(), Sent::Set(1));
        let Sent::Set(mut domains) = types[0].objects("domains", 9).unwrap() else {
            panic!("none")
        };
        assert_eq!(refused(domains[1].text("name", 9)).0, "types[0].domains[1].name");
        let error: Result<()> = Err(domains[1].refused("name", "must not be blank."));
        let why = because("types[0].domains[1].name", "must not be blank.");
        assert_eq!(refused(error), why);
        assert_eq!(domains[0].unknown(), ["types[0].domains[0].x"]);
        assert_eq!(types[1].unknown(), ["types[1].Extra"]);
        assert_eq!(body.unknown(), ["more"]);
        body.ignore(&["MORE", "absent"]);
        assert_eq!(body.unknown(), [""; 0]);
    }

    #[test]
    fn a_body_may_be_an_array() {
        let read = |body: &str| list(body.as_bytes(), "applicationBehaviors");
        assert_eq!(read("[]").unwrap(), Vec::<Object>::new());
        let mut behaviors = read(r#"[{"BehaviorId":102},{"behaviorId":"x"}]"#).unwrap();
        assert_eq!(behaviors[0].int("behaviorId").unwrap(), Sent::Set(102));
        assert_eq!(refused(behaviors[1].int("behaviorId")).0, "applicationBehaviors[1].behaviorId");
        let table = [
            ("", "applicationBehaviors", "is the body of this request, which is empty."),
            ("null", "applicationBehaviors", "must be an array."),
            ("{}", "applicationBehaviors", "must be an array."),
            ("[{},null]", "applicationBehaviors[1]", "must be an object."),
        ];
        for (body, parameter, why) in table {
            assert_eq!(refused(read(body)), because(parameter, why), "{body}");
        }
        let many = format!("[{}{{}}]", "{},".repeat(9_999));
        assert_eq!(read(&many).unwrap().len(), 10_000);
        let more = format!("[{}{{}}]", "{},".repeat(10_000));
        let why = because("applicationBehaviors", "must have at most 10000 elements.");
        assert_eq!(refused(read(&more)), why);
    }
}
