//! Addresses of this family (contract 1.1): with and without `/api`, literals in any case, a slash more
//! at the end. They are turned into the one form that is routed, by the document's own templates, so
//! that there is no second list of them.
use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Marks a path parameter that takes more than one segment, in the document.
const MULTI_SEGMENT: &str = "x-multi-segment";

/// The templates of a document.
#[derive(Debug, Default)]
pub struct Paths(Node);

/// What may follow a number of segments.
#[derive(Debug, Default)]
struct Node {
    /// By their lower-case spelling: the documented one, and what follows it.
    literals: BTreeMap<String, (String, Node)>,
    parameter: Option<Box<Node>>,
    /// What follows a parameter that stands for numbers, where another one stands for texts.
    number: Option<Box<Node>>,
    /// Whether a parameter may stand for all that follows.
    takes_rest: bool,
    /// Whether a template ends here.
    is_end: bool,
}

impl Paths {
    /// Reads the templates of a document. A parameter of several segments is written `{*name}`, or
    /// marked with `x-multi-segment` where it is declared.
    pub fn of(document: &Value) -> Self {
        let mut root = Node::default();
        let paths = document.get("paths").and_then(Value::as_object);
        for (template, item) in paths.into_iter().flatten() {
            root.add(template.trim_start_matches('/'), item);
        }
        root.settle();
        Self(root)
    }

    /// The address as the router knows it: without `/api`, literals as documented, no slash at the end,
    /// parameters byte for byte. `None` when no template fits.
    pub fn canonical(&self, path: &str) -> Option<String> {
        let path = path.strip_prefix('/')?.trim_end_matches('/');
        let path = match path.split_once('/') {
            Some((first, rest)) if first.eq_ignore_ascii_case("api") => rest,
            _ => path,
        };
        let mut found = Vec::new();
        self.0.walk(path, &mut found).then(|| found.concat())
    }
}

impl Node {
    fn add(&mut self, template: &str, item: &Value) {
        let (segment, rest) = template.split_once('/').unwrap_or((template, ""));
        let next: &mut Self =
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if name.starts_with('*') || is_multi_segment(item, name) => {
                    self.takes_rest = true;
                    return;
                }
                Some(name) if is_number(item, name) => self.number.get_or_insert_default(),
                Some(_) => self.parameter.get_or_insert_default(),
                None => {
                    let entry = self.literals.entry(segment.to_ascii_lowercase());
                    &mut entry.or_insert_with(|| (segment.to_owned(), Self::default())).1
                }
            };
        if rest.is_empty() {
            next.is_end = true;
        } else {
            next.add(rest, item);
        }
    }

    /// A parameter for numbers takes anything where no other one is: what is no number is refused by its
    /// name then.
    fn settle(&mut self) {
        if self.parameter.is_none() {
            self.parameter = self.number.take();
        }
        let literals = self.literals.values_mut().map(|(_, next)| next);
        let parameters = self.parameter.iter_mut().chain(&mut self.number).map(AsMut::as_mut);
        literals.chain(parameters).for_each(Self::settle);
    }

    /// Finds a template for `path`, which has no slash in front. What is a literal somewhere is never a
    /// parameter there (contract 1.1): no key is called `create`.
    fn walk<'a>(&'a self, path: &'a str, found: &mut Vec<&'a str>) -> bool {
        let (segment, rest) = match path.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        let literal = self.literals.get(&*lower(segment));
        let literal = literal.map(|(spelling, next)| (spelling.as_str(), next));
        let number = self.number.as_deref().filter(|_| is_integer(segment));
        let parameters = number.into_iter().chain(self.parameter.as_deref());
        let parameters = parameters.filter(|_| !segment.is_empty() && literal.is_none());
        let parameters = parameters.map(|next| (segment, next));
        for (text, next) in literal.into_iter().chain(parameters) {
            found.extend(["/", text]);
            if rest.map_or(next.is_end, |rest| next.walk(rest, found)) {
                return true;
            }
            found.truncate(found.len() - 2);
        }
        if self.takes_rest && !path.is_empty() {
            found.extend(["/", path]);
            return true;
        }
        false
    }
}

/// In lower case; nearly all are.
fn lower(segment: &str) -> Cow<'_, str> {
    if segment.bytes().any(|byte| byte.is_ascii_uppercase()) {
        segment.to_ascii_lowercase().into()
    } else {
        segment.into()
    }
}

/// Whether the document marks the parameter.
fn is_multi_segment(item: &Value, name: &str) -> bool {
    parameters(item, name).any(|parameter| parameter.get(MULTI_SEGMENT) == Some(&Value::Bool(true)))
}

/// Whether the parameter stands for integers.
fn is_number(item: &Value, name: &str) -> bool {
    let integer = Value::from("integer");
    parameters(item, name).any(|it| it.pointer("/schema/type") == Some(&integer))
}

/// What the document says of a path parameter, at the path or at one of its operations.
fn parameters<'a>(item: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    let operations = item.as_object().into_iter().flat_map(|item| item.values());
    let lists = operations.chain([item]).filter_map(|place| place.get("parameters"));
    let parameters = lists.filter_map(Value::as_array).flatten();
    parameters.filter(move |it| it.get("name").and_then(Value::as_str) == Some(name))
}

/// Whether a segment is an integer, whatever its size.
fn is_integer(segment: &str) -> bool {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    let digits = text.trim();
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    !digits.is_empty() && digits.bytes().all(|sign| sign.is_ascii_digit())
}

/// Whether an address is this family's, so that its refusals are too. Slashes too many in front do not
/// make it another's.
pub fn is_ours(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or_default().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    ["api", "platform", "event", ".well-known"].iter().any(|ours| first.eq_ignore_ascii_case(ours))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths() -> Paths {
        let file = json!({"name": "filepath", "in": "path", "x-multi-segment": true});
        let key = json!({"name": "applicationKey", "in": "path"});
        let number = |name: &str| {
            let schema = json!({"type": "integer"});
            json!({"get": {"parameters": [{"name": name, "in": "path", "schema": schema}]}})
        };
        Paths::of(&json!({"paths": {
            "/.well-known/jwks.json": {},
            "/platform/applications/authtickets": {},
            "/platform/applications/authtickets/refresh-ticket": {},
            "/platform/applications/authtickets/{refreshToken}": {},
            "/platform/applications/{appId}": {},
            "/platform/appdev/apppackages": {},
            "/platform/appdev/apppackages/create": {},
            "/platform/appdev/apppackages/apps/{appId}": {},
            "/platform/appdev/apppackages/{applicationKey}": {},
            "/platform/appdev/apppackages/{packageId}/behaviors": number("packageId"),
            "/platform/appdev/appinstall/tenant/{tenantId}/entitlements": number("tenantId"),
            "/platform/appdev/apppackages/{applicationKey}/clone/{packageName}": {},
            "/platform/appdev/apppackages/applications/{applicationKey}/packages": {},
            "/platform/developer/packages/{applicationKey}/files/{filepath}":
                {"post": {"parameters": [key, file]}, "delete": {"parameters": [file]}},
            "/platform/developer/packages/{applicationKey}/filemetadata/{*filepath}": {"get": {}},
            "/platform/developer/packages/{applicationKey}/files_rename": {},
        }}))
    }

    #[test]
    fn addresses_become_what_is_routed() {
        let table = [
            ("/platform/appdev/apppackages/create", "/platform/appdev/apppackages/create"),
            ("/api/platform/appdev/apppackages/create", "/platform/appdev/apppackages/create"),
            ("/API/Platform/AppDev/AppPackages/Create/", "/platform/appdev/apppackages/create"),
            ("/platform/appdev/apppackages/create//", "/platform/appdev/apppackages/create"),
            ("/Platform/AppDev/AppPackages", "/platform/appdev/apppackages"),
            // Parameters keep their case and their escapes.
            (
                "/api/platform/appdev/apppackages/Acme01.Loyalty.1.0.0.Release/",
                "/platform/appdev/apppackages/Acme01.Loyalty.1.0.0.Release",
            ),
            (
                "/platform/appdev/apppackages/%20K%20/CLONE/My%2DWork",
                "/platform/appdev/apppackages/%20K%20/clone/My%2DWork",
            ),
            (
                "/platform/appdev/apppackages/7/Behaviors",
                "/platform/appdev/apppackages/7/behaviors",
            ),
            (
                "/platform/appdev/apppackages/-%30123456789012/behaviors",
                "/platform/appdev/apppackages/-%30123456789012/behaviors",
            ),
            // What is no number is refused where nothing else can be meant.
            (
                "/platform/appdev/appinstall/tenant/X/Entitlements",
                "/platform/appdev/appinstall/tenant/X/entitlements",
            ),
            ("/platform/appdev/apppackages/7", "/platform/appdev/apppackages/7"),
            ("/platform/appdev/apppackages/7/clone/b", "/platform/appdev/apppackages/7/clone/b"),
            // Literals win.
            ("/platform/appdev/apppackages/Apps/X", "/platform/appdev/apppackages/apps/X"),
            (
                "/platform/appdev/apppackages/Applications/K/Packages",
                "/platform/appdev/apppackages/applications/K/packages",
            ),
            (
                "/platform/applications/AuthTickets/Refresh-Ticket",
                "/platform/applications/authtickets/refresh-ticket",
            ),
            (
                "/platform/applications/authtickets/Refresh-Ticket2",
                "/platform/applications/authtickets/Refresh-Ticket2",
            ),
            ("/platform/applications/K", "/platform/applications/K"),
            // Only one prefix is one.
            ("/api/.Well-Known/JWKS.json", "/.well-known/jwks.json"),
        ];
        let paths = paths();
        for (given, routed) in table {
            assert_eq!(paths.canonical(given).as_deref(), Some(routed), "{given}");
            assert_eq!(paths.canonical(routed).as_deref(), Some(routed), "{routed}");
        }
    }

    #[test]
    fn reserved_words_are_no_parameters() {
        let paths = paths();
        for path in [
            "/platform/appdev/apppackages/Apps",
            "/platform/appdev/apppackages/Create/clone/b",
            "/platform/appdev/apppackages/create/behaviors",
            "/platform/applications/AuthTickets/refresh-ticket/x",
        ] {
            assert_eq!(paths.canonical(path), None, "{path}");
        }
    }

    #[test]
    fn paths_of_files_stay_as_they_are() {
        let paths = paths();
        for folder in ["files", "filemetadata"] {
            let table = [
                ("a.js", "a.js"),
                ("Assets/Functions.json", "Assets/Functions.json"),
                ("Assets%2FFunctions.json", "Assets%2FFunctions.json"),
                ("assets|src|A.js", "assets|src|A.js"),
                ("assets\\A.js", "assets\\A.js"),
                ("./assets//a.js", "./assets//a.js"),
                ("/assets/a.js", "/assets/a.js"),
                ("../x", "../x"),
                ("Clone/Files", "Clone/Files"),
                ("%2F", "%2F"),
                ("assets/", "assets"),
            ];
            for (given, routed) in table {
                let base = "platform/developer/packages/K";
                let given =
                    format!("/API/{}/{}/{given}", base.replace('k', "K"), folder.to_uppercase());
                let routed = format!("/{base}/{folder}/{routed}");
                assert_eq!(paths.canonical(&given), Some(routed), "{given}");
            }
        }
        assert_eq!(
            paths.canonical("/platform/developer/packages/K/Files_Rename").as_deref(),
            Some("/platform/developer/packages/K/files_rename")
        );
    }

    #[test]
    fn what_no_template_fits_is_not_routed() {
        let wrong = [
            "",
            "/",
            "/api",
            "/api/",
            "platform/appdev/apppackages",
            "/v1/app_offerings",
            "/api/api/platform/appdev/apppackages",
            "/platform/appdev",
            "/platform//appdev/apppackages",
            "/platform/appdev/apppackages//behaviors",
            "/platform/appdev/apppackages/K/behaviors",
            "/platform/appdev/apppackages/7.0/behaviors",
            "/platform/appdev/apppackages/+/behaviors",
            "/platform/appdev/apppackages/%C3%A9/behaviors",
            // No key is called as a literal.
            "/platform/appdev/apppackages/Apps",
            "/platform/appdev/apppackages/Create/clone/b",
            "//platform/appdev/apppackages",
            "/platform/appdev/apppackages/K/clone",
            "/platform/appdev/apppackages/K/clone/b/c",
            "/platform/developer/packages/K/files",
            "/platform/developer/packages/K/files/",
            "/platform/developer/packages//files/a",
            "/%70latform/appdev/apppackages",
        ];
        let paths = paths();
        for path in wrong {
            assert_eq!(paths.canonical(path), None, "{path}");
        }
        assert_eq!(Paths::of(&json!({})).canonical("/platform"), None);
    }

    #[test]
    fn addresses_tell_whose_they_are() {
        for path in [
            "/api",
            "/API/x",
            "/platform/",
            "/Platform/x/y",
            "/event/pull",
            "/.well-known/jwks.json",
            "//api/platform/x",
            "///Platform",
            "/api//platform/x",
        ] {
            assert!(is_ours(path), "{path}");
        }
        for path in [
            "",
            "/",
            "//",
            "/v1/platform",
            "//v1/api",
            "/apis",
            "/events",
            "api",
            "/openapi/app-packages.json",
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
