//! `responseFields` (contract 1.6): which members of an answer the caller wants.
//!
//! ```text
//! list    = field *( "," field )
//! field   = [ "-" ] name [ "(" list ")" ]  |  "*"
//! ```
use serde_json::Value;

use super::refusal;
use crate::kernel::error::{Error, Result};

/// Name of the query parameter.
const PARAMETER: &str = "responseFields";
/// Longest list, in bytes.
const LONGEST: usize = 4096;
/// Most lists inside one another, the outer one included.
const DEEPEST: usize = 10;

/// What of an answer is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection(Option<List>);

/// One level of a selection. Without `all` and inclusions, everything but the exclusions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct List {
    /// `*`
    all: bool,
    included: Vec<Field>,
    excluded: Vec<Field>,
}

/// A named member with the list in its parentheses; without one the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    list: Option<List>,
}

impl Selection {
    /// Reads the parameter; none or blanks select everything.
    ///
    /// # Errors
    /// 400 for unbalanced parentheses, an empty element, signs that no name has, and for what is too
    /// long or too deep.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.trim_ascii().is_empty()) else {
            return Ok(Self(None));
        };
        if text.len() > LONGEST {
            return Err(refused(&format!("must have at most {LONGEST} bytes.")));
        }
        let mut reader = Reader { rest: text };
        let list = reader.list(1)?;
        if !reader.rest.is_empty() {
            return Err(refused("has a closing parenthesis without its opening one."));
        }
        Ok(Self((list != List { all: true, ..List::default() }).then_some(list)))
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Removes what was not selected; what stays keeps its order. Arrays are transparent.
    pub fn prune(&self, value: &mut Value) {
        if let Some(list) = &self.0 {
            list.keep(value);
        }
    }
}

impl List {
    /// Adds an inclusion; what is named twice, as in `items(id),items(name)`, is selected in one.
    fn include(&mut self, field: Field) {
        let known =
            self.included.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&field.name));
        let Some(known) = known else { return self.included.push(field) };
        match (&mut known.list, field.list) {
            (Some(known), Some(more)) => {
                known.all |= more.all;
                more.included.into_iter().for_each(|field| known.include(field));
                known.excluded.extend(more.excluded);
            }
            (list, _) => *list = None,
        }
    }

    /// Leaves what this list selects.
    fn keep(&self, value: &mut Value) {
        match value {
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.keep(element)),
            Value::Object(members) => members.retain(|name, member| {
                let is_kept = match of_name(&self.included, name).next() {
                    Some(Field { list: Some(list), .. }) => {
                        list.keep(member);
                        true
                    }
                    Some(_) => true,
                    None => self.all || self.included.is_empty(),
                };
                is_kept && of_name(&self.excluded, name).all(|field| field.spares(member))
            }),
            _ => {}
        }
    }

    /// Removes what this list, the one of an exclusion, names.
    fn remove(&self, value: &mut Value) {
        match value {
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.remove(element)),
            Value::Object(members) => members.retain(|name, member| {
                !self.all && of_name(&self.included, name).all(|field| field.spares(member))
            }),
            _ => {}
        }
    }
}

impl Field {
    /// Excludes this from a member; whether something of the member stays.
    fn spares(&self, member: &mut Value) -> bool {
        if let Some(list) = &self.list {
            list.remove(member);
        }
        self.list.is_some()
    }
}

fn of_name<'a>(fields: &'a [Field], name: &'a str) -> impl Iterator<Item = &'a Field> {
    fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
}

/// Reads a list from its text.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn list(&mut self, depth: usize) -> Result<List> {
        if depth > DEEPEST {
            return Err(refused(&format!("must be at most {DEEPEST} levels deep.")));
        }
        let mut list = List::default();
        loop {
            if self.takes('*') {
                self.ends()?;
                list.all = true;
            } else if self.takes('-') {
                let field = self.field(depth)?;
                if field.list.as_ref().is_some_and(|list| !list.excluded.is_empty()) {
                    return Err(refused("must not exclude something from an exclusion."));
                }
                list.excluded.push(field);
            } else {
                list.include(self.field(depth)?);
            }
            if !self.takes(',') {
                return Ok(list);
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<Field> {
        self.blanks();
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let end = self.rest.find(|sign| !is_name(sign)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(refused("must be names separated by commas, as in appKey,items(id,name)."));
        }
        self.rest = rest;
        if !self.takes('(') {
            self.ends()?;
            return Ok(Field { name: name.to_owned(), list: None });
        }
        let list = self.list(depth + 1)?;
        if !self.takes(')') {
            return Err(refused("has an opening parenthesis without its closing one."));
        }
        self.ends()?;
        Ok(Field { name: name.to_owned(), list: Some(list) })
    }

    /// Refuses two names without a comma between.
    fn ends(&mut self) -> Result<()> {
        self.blanks();
        if self.rest.is_empty() || self.rest.starts_with([',', ')']) {
            return Ok(());
        }
        Err(refused("must be names separated by commas, as in appKey,items(id,name)."))
    }

    fn takes(&mut self, sign: char) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

fn refused(why: &str) -> Error {
    refusal::missing(PARAMETER, why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pruned(text: &str, mut value: Value) -> String {
        Selection::parse(Some(text)).unwrap().prune(&mut value);
        value.to_string()
    }

    fn package() -> Value {
        json!({
            "id": 1, "appKey": "k", "sharedSecret": null,
            "items": [
                {"id": 2, "name": "a", "version": {"majorVersion": 1, "minorVersion": 2}},
                {"id": 3, "name": "b", "version": null},
            ],
        })
    }

    #[test]
    fn lists_select_and_exclude() {
        let whole = package().to_string();
        let items = r#"[{"id":2,"name":"a","version":{"majorVersion":1,"minorVersion":2}},{"id":3,"name":"b","version":null}]"#;
        let table = [
            ("*", whole.clone()),
            ("appKey", r#"{"appKey":"k"}"#.to_owned()),
            // The order is that of the answer, the case does not matter, blanks neither.
            (" APPKEY , id ", r#"{"id":1,"appKey":"k"}"#.to_owned()),
            ("id,id", r#"{"id":1}"#.to_owned()),
            ("unknown", "{}".to_owned()),
            ("unknown,id", r#"{"id":1}"#.to_owned()),
            ("items", format!(r#"{{"items":{items}}}"#)),
            ("items(id)", r#"{"items":[{"id":2},{"id":3}]}"#.to_owned()),
            (
                "items ( id , name )",
                r#"{"items":[{"id":2,"name":"a"},{"id":3,"name":"b"}]}"#.to_owned(),
            ),
            (
                "items(version(majorVersion))",
                r#"{"items":[{"version":{"majorVersion":1}},{"version":null}]}"#.to_owned(),
            ),
            (
                "items(id),items(name)",
                r#"{"items":[{"id":2,"name":"a"},{"id":3,"name":"b"}]}"#.to_owned(),
            ),
            ("items(id),items", format!(r#"{{"items":{items}}}"#)),
            ("items(unknown)", r#"{"items":[{},{}]}"#.to_owned()),
            // A single value has nothing to select from.
            ("id(x),appKey", r#"{"id":1,"appKey":"k"}"#.to_owned()),
            ("-items", r#"{"id":1,"appKey":"k","sharedSecret":null}"#.to_owned()),
            ("-items,-sharedSecret", r#"{"id":1,"appKey":"k"}"#.to_owned()),
            ("- Items,id,items,appKey", r#"{"id":1,"appKey":"k"}"#.to_owned()),
            ("-unknown", whole.clone()),
            (
                "items(-version)",
                r#"{"items":[{"id":2,"name":"a"},{"id":3,"name":"b"}]}"#.to_owned(),
            ),
            ("items(-name,-version)", r#"{"items":[{"id":2},{"id":3}]}"#.to_owned()),
            ("items(id,name,-name)", r#"{"items":[{"id":2},{"id":3}]}"#.to_owned()),
            (
                "-items(version,name)",
                r#"{"id":1,"appKey":"k","sharedSecret":null,"items":[{"id":2},{"id":3}]}"#
                    .to_owned(),
            ),
            (
                "items,-items(version(minorVersion),name)",
                r#"{"items":[{"id":2,"version":{"majorVersion":1}},{"id":3,"version":null}]}"#
                    .to_owned(),
            ),
            ("items,-items(*)", r#"{"items":[{},{}]}"#.to_owned()),
            ("*,-items", r#"{"id":1,"appKey":"k","sharedSecret":null}"#.to_owned()),
            // What is named besides `*` is narrowed to what it names.
            (
                "*,items(id)",
                r#"{"id":1,"appKey":"k","sharedSecret":null,"items":[{"id":2},{"id":3}]}"#
                    .to_owned(),
            ),
            ("items(*)", format!(r#"{{"items":{items}}}"#)),
        ];
        for (text, expected) in table {
            assert_eq!(pruned(text, package()), expected, "{text}");
        }
    }

    #[test]
    fn a_bare_array_is_selected_from_element_by_element() {
        let rows = json!([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]);
        assert_eq!(pruned("id", rows.clone()), r#"[{"id":1},{"id":2}]"#);
        assert_eq!(pruned("-id", rows.clone()), r#"[{"name":"a"},{"name":"b"}]"#);
        assert_eq!(pruned("x", rows), "[{},{}]");
        assert_eq!(pruned("id", json!([])), "[]");
        assert_eq!(pruned("id", json!(null)), "null");
    }

    #[test]
    fn nothing_and_a_star_are_everything() {
        for text in [None, Some(""), Some("  "), Some("*"), Some(" * "), Some("*,*")] {
            let selection = Selection::parse(text).unwrap();
            assert!(selection.is_everything(), "{text:?}");
            assert_eq!(selection, Selection::default());
        }
        for text in ["id", "-id", "*,-id", "*,id"] {
            assert!(!Selection::parse(Some(text)).unwrap().is_everything(), "{text}");
        }
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_refused() {
        let names = "must be names separated by commas, as in appKey,items(id,name).";
        let table = [
            (",", names),
            ("id,", names),
            (",id", names),
            ("id,,name", names),
            ("items()", names),
            ("items(id,)", names),
            ("-", names),
            ("--id", names),
            ("-*", names),
            ("*id", names),
            ("*(id)", names),
            ("id name", names),
            ("items(id)name", names),
            ("a.b", names),
            ("é", names),
            ("a\u{a0}b", names),
            ("(id)", names),
            ("items(id", "has an opening parenthesis without its closing one."),
            ("items(a(b)", "has an opening parenthesis without its closing one."),
            ("id)", "has a closing parenthesis without its opening one."),
            ("items(id))", "has a closing parenthesis without its opening one."),
            ("-items(-id)", "must not exclude something from an exclusion."),
        ];
        for (text, why) in table {
            assert_refused(text, why);
        }
    }

    #[test]
    fn lists_are_bounded() {
        let nested =
            |levels: usize| format!("{}a{}", "a(".repeat(levels - 1), ")".repeat(levels - 1));
        assert!(Selection::parse(Some(&nested(10))).is_ok());
        assert_refused(&nested(11), "must be at most 10 levels deep.");
        assert!(Selection::parse(Some(&"a".repeat(4096))).is_ok());
        assert_refused(&"a".repeat(4097), "must have at most 4096 bytes.");
        assert_refused(
            &"(".repeat(4096),
            "must be names separated by commas, as in appKey,items(id,name).",
        );
    }

    fn assert_refused(text: &str, why: &str) {
        let refused = Selection::parse(Some(text)).unwrap_err();
        let Error::Coded(coded) = refused else { panic!("{refused:?} has no code") };
        assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"), "{text}");
        let data = [("ParameterName", PARAMETER), ("ErrorMessage", why)];
        assert_eq!(coded.data, data.map(|(name, value)| (name, value.to_owned())), "{text}");
    }
}
