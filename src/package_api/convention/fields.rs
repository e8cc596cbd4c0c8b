//! `responseFields` (contract 1.6): which members of an answer the caller wants.
//!
//! ```text
//! list    = field *( "," field )
//! field   = [ "-" ] name [ "(" list ")" ]  |  "*"
//! ```
use std::collections::BTreeMap;

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
pub struct Selection(Part);

/// How much of a value is selected. Arrays are transparent, and a value without members that has a list is
/// taken whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Part {
    /// All of it.
    #[default]
    Whole,
    /// Not even itself.
    Nothing,
    /// It, with some of its members.
    Members(Members),
}

/// Which members of a value are selected.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Members {
    /// By their names.
    named: Vec<(String, Part)>,
    /// Whether those without a name here are.
    others: bool,
}

impl Selection {
    /// Reads the parameter; none or blanks select everything.
    ///
    /// # Errors
    /// 400 for unbalanced parentheses, an empty element, signs that no name has, and for what is too
    /// long or too deep.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.trim_ascii().is_empty()) else {
            return Ok(Self::default());
        };
        if text.len() > LONGEST {
            return Err(refused(&format!("must have at most {LONGEST} bytes.")));
        }
        let mut reader = Reader { rest: text };
        let list = reader.list(1)?;
        if !reader.rest.is_empty() {
            return Err(refused("has a closing parenthesis without its opening one."));
        }
        let is_everything = list.others && list.named.is_empty();
        Ok(Self(if is_everything { Part::Whole } else { Part::Members(list) }))
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.0 == Part::Whole
    }

    /// Removes what was not selected; what stays keeps its order.
    pub fn prune(&self, value: &mut Value) {
        self.0.keep(value);
    }
}

impl Part {
    /// Leaves of a value what is selected; whether anything is.
    fn keep(&self, value: &mut Value) -> bool {
        match (self, value) {
            (Self::Nothing, _) => return false,
            (Self::Members(_), Value::Array(elements)) => {
                elements.iter_mut().for_each(|element| {
                    self.keep(element);
                });
            }
            (Self::Members(list), Value::Object(members)) => {
                members.retain(|name, member| list.of(name).keep(member));
            }
            _ => {}
        }
        true
    }

    /// What this and another part select.
    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Nothing, part) | (part, Self::Nothing) => part.clone(),
            (Self::Whole, _) | (_, Self::Whole) => Self::Whole,
            (Self::Members(one), Self::Members(two)) => {
                Self::Members(one.merge(two, Self::and, |one, two| one || two))
            }
        }
    }

    /// What this part selects and the other does not.
    fn without(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Whole) => Self::Nothing,
            (part, Self::Nothing) => part.clone(),
            (Self::Whole, Self::Members(two)) => Self::Members(Members::all().without(two)),
            (Self::Members(one), Self::Members(two)) => Self::Members(one.without(two)),
        }
    }
}

impl Members {
    /// All members.
    fn all() -> Self {
        Self { named: Vec::new(), others: true }
    }

    /// What is selected of a member.
    fn of(&self, name: &str) -> &Part {
        let found = self.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match found {
            Some((_, part)) => part,
            None if self.others => &Part::Whole,
            None => &Part::Nothing,
        }
    }

    fn without(&self, other: &Self) -> Self {
        self.merge(other, Part::without, |one, two| one && !two)
    }

    /// Two lists in one, member by member.
    fn merge(
        &self,
        other: &Self,
        part: fn(&Part, &Part) -> Part,
        others: fn(bool, bool) -> bool,
    ) -> Self {
        let is_new = |(name, _): &&(String, Part)| {
            !self.named.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let names = self.named.iter().chain(other.named.iter().filter(is_new));
        Self {
            named: names
                .map(|(name, _)| (name.clone(), part(self.of(name), other.of(name))))
                .collect(),
            others: others(self.others, other.others),
        }
    }
}

/// Reads a list from its text.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// The members that a list selects: those that it includes, or all when it includes none, less those
    /// that it excludes.
    fn list(&mut self, depth: usize) -> Result<Members> {
        if depth > DEEPEST {
            return Err(refused(&format!("must be at most {DEEPEST} levels deep.")));
        }
        let (mut all, mut included, mut excluded) = (false, BTreeMap::new(), BTreeMap::new());
        loop {
            if self.takes('*') {
                self.ends()?;
                all = true;
            } else {
                let list = if self.takes('-') { &mut excluded } else { &mut included };
                let (name, part) = self.field(depth)?;
                // What is named twice, as in `items(id),items(name)`, is one.
                let known: &mut Part = list.entry(name).or_insert(Part::Nothing);
                *known = known.and(&part);
            }
            if !self.takes(',') {
                break;
            }
        }
        let others = all || included.is_empty();
        let included = Members { named: included.into_iter().collect(), others };
        let excluded = Members { named: excluded.into_iter().collect(), others: false };
        Ok(included.without(&excluded))
    }

    /// A name, in lower case, with the part that its parentheses select.
    fn field(&mut self, depth: usize) -> Result<(String, Part)> {
        self.blanks();
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let end = self.rest.find(|sign| !is_name(sign)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(refused("must be names separated by commas, as in appKey,items(id,name)."));
        }
        let name = name.to_ascii_lowercase();
        self.rest = rest;
        if !self.takes('(') {
            self.ends()?;
            return Ok((name, Part::Whole));
        }
        let list = self.list(depth + 1)?;
        if !self.takes(')') {
            return Err(refused("has an opening parenthesis without its closing one."));
        }
        self.ends()?;
        Ok((name, Part::Members(list)))
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
            // What an exclusion excludes stays.
            (
                "-items(-name)",
                r#"{"id":1,"appKey":"k","sharedSecret":null,"items":[{"name":"a"},{"name":"b"}]}"#
                    .to_owned(),
            ),
            (
                "items,-items(*,-version(minorVersion))",
                r#"{"items":[{"version":{"minorVersion":2}},{"version":null}]}"#.to_owned(),
            ),
            (
                "items(version),-items(version(-majorVersion),name)",
                r#"{"items":[{"version":{"majorVersion":1}},{"version":null}]}"#.to_owned(),
            ),
            (
                "items,-items(-id(-x),version(-minorVersion))",
                r#"{"items":[{"id":2,"name":"a","version":{"minorVersion":2}},{"id":3,"name":"b","version":null}]}"#
                    .to_owned(),
            ),
            ("items,-items,-items(-id)", "{}".to_owned()),
            ("id,items,-items(id),-items(-id)", r#"{"id":1,"items":[{},{}]}"#.to_owned()),
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
