//! Application keys (contract 2.2): `<namespace>.<appId>.<major>.<minor>.<revision>.<packageName>`.
use super::refusal;
use crate::kernel::error::Result;

/// Name of the package that every version has.
pub const RELEASE: &str = "Release";
/// Most characters of a namespace, an application id or a package name.
pub const LONGEST: usize = 50;
/// Most characters of a key, with leading zeros and what is not read of it.
pub const LONGEST_KEY: usize = 200;

/// Key of a package. Parts are spelt as they were given; they compare without regard to case, by
/// [`AppKey::lower`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppKey {
    /// Namespace of the developer account.
    pub namespace: String,
    /// Name of the application in its namespace.
    pub app_id: String,
    /// First part of the version.
    pub major: i64,
    /// Second part of the version.
    pub minor: i64,
    /// Third part of the version.
    pub revision: i64,
    /// Name of the package in its version; [`RELEASE`] in this spelling.
    pub package: String,
}

impl AppKey {
    /// Reads a key; one without package means the release package. Blanks around it and leading zeros do
    /// not count.
    ///
    /// # Errors
    /// 400 with the name of the parameter that it was given in.
    pub fn parse(text: &str, parameter: &'static str) -> Result<Self> {
        bounded(text).and_then(Self::read).ok_or_else(|| {
            refusal::missing(
                parameter,
                "must be <namespace>.<appId>.<major>.<minor>.<revision>.<packageName>, as in \
                 acme01.loyalty.1.0.0.Release.",
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut name = || parts.next().filter(|part| is_name(part)).map(str::to_owned);
        let (namespace, app_id) = (name()?, name()?);
        let mut number = || parts.next().and_then(number);
        let (major, minor, revision) = (number()?, number()?, number()?);
        let package = match parts.next() {
            None => RELEASE.to_owned(),
            Some(part) if part.eq_ignore_ascii_case(RELEASE) => RELEASE.to_owned(),
            Some(part) => is_name(part).then(|| part.to_owned())?,
        };
        let key = Self { namespace, app_id, major, minor, revision, package };
        parts.next().is_none().then_some(key)
    }

    /// The key as it is compared and looked up.
    pub fn lower(&self) -> Self {
        Self {
            namespace: self.namespace.to_ascii_lowercase(),
            app_id: self.app_id.to_ascii_lowercase(),
            package: self.package.to_ascii_lowercase(),
            ..*self
        }
    }

    /// Whether this is the release package of its version.
    pub fn is_release(&self) -> bool {
        self.package == RELEASE
    }

    /// `1.0.0`
    pub fn version(&self) -> String {
        format!("{}.{}.{}", self.major, self.minor, self.revision)
    }
}

/// The canonical key, of six parts.
impl std::fmt::Display for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { namespace, app_id, major, minor, revision, package } = self;
        write!(f, "{namespace}.{app_id}.{major}.{minor}.{revision}.{package}")
    }
}

/// Name of an application with its namespace, `acme01.loyalty`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationName {
    /// Namespace of the developer account.
    pub namespace: String,
    /// Name of the application in its namespace.
    pub app_id: String,
}

impl ApplicationName {
    /// Reads a name, or the first two parts of a longer key (contract 3.7).
    ///
    /// # Errors
    /// 400 with the name of the parameter that it was given in.
    pub fn parse(text: &str, parameter: &'static str) -> Result<Self> {
        let mut parts = bounded(text).unwrap_or_default().split('.');
        let mut name = || parts.next().filter(|part| is_name(part)).map(str::to_owned);
        match (name(), name()) {
            (Some(namespace), Some(app_id)) => Ok(Self { namespace, app_id }),
            _ => Err(refusal::missing(
                parameter,
                "must be <namespace>.<appId>, as in acme01.loyalty.",
            )),
        }
    }

    /// The name as it is compared and looked up.
    pub fn lower(&self) -> Self {
        Self {
            namespace: self.namespace.to_ascii_lowercase(),
            app_id: self.app_id.to_ascii_lowercase(),
        }
    }
}

impl std::fmt::Display for ApplicationName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.namespace, self.app_id)
    }
}

/// A text that is read as a key, without the blanks around it; `None` for one that is too long.
fn bounded(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| text.chars().nth(LONGEST_KEY).is_none())
}

/// Whether a text can be a namespace, an application id or the name of a package.
pub fn is_name(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_sign)
}

/// A part of a version: digits of an int32.
fn number(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse::<i32>().ok().map(i64::from) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::error::Error;

    fn key(namespace: &str, app_id: &str, version: (i64, i64, i64), package: &str) -> AppKey {
        let (major, minor, revision) = version;
        let text = str::to_owned;
        let (namespace, app_id, package) = (text(namespace), text(app_id), text(package));
        AppKey { namespace, app_id, major, minor, revision, package }
    }

    /// A key of this many characters, most of them zeros that do not count.
    fn padded(length: usize) -> String {
        format!("a.b.{:0>1$}.0.0", 1, length - "a.b..0.0".len())
    }

    #[test]
    fn keys_are_read_in_every_form_and_shown_in_one() {
        let long = "a".repeat(50);
        let longest = format!("{long}.{long}.2147483647.0.0.{long}");
        let padded = padded(200);
        let table = [
            ("acme01.loyalty.1.2.3.Release", key("acme01", "loyalty", (1, 2, 3), "Release")),
            ("acme01.loyalty.1.2.3", key("acme01", "loyalty", (1, 2, 3), "Release")),
            (
                "  Acme01.Loyalty.01.002.0003.rELEASE ",
                key("Acme01", "Loyalty", (1, 2, 3), "Release"),
            ),
            ("1.2.3.4.5.6", key("1", "2", (3, 4, 5), "6")),
            ("a-b.c_d.0.0.0.My-Work_1", key("a-b", "c_d", (0, 0, 0), "My-Work_1")),
            (longest.as_str(), key(&long, &long, (2_147_483_647, 0, 0), &long)),
            (padded.as_str(), key("a", "b", (1, 0, 0), "Release")),
            ("a.b.1.0.0.Released", key("a", "b", (1, 0, 0), "Released")),
        ];
        for (text, expected) in table {
            let read = AppKey::parse(text, "appKey").unwrap();
            assert_eq!(read, expected, "{text}");
            assert_eq!(AppKey::parse(&read.to_string(), "appKey").unwrap(), read);
        }
        let shown = AppKey::parse("Acme01.Loyalty.01.2.3", "appKey").unwrap();
        assert_eq!(shown.to_string(), "Acme01.Loyalty.1.2.3.Release");
        assert_eq!(shown.lower(), key("acme01", "loyalty", (1, 2, 3), "release"));
        assert_eq!(shown.version(), "1.2.3");
        assert!(shown.is_release());
        assert!(!key("a", "b", (1, 0, 0), "Released").is_release());
    }

    #[test]
    fn what_is_no_key_is_refused_by_the_name_of_its_parameter() {
        let long = format!("{}.b.1.0.0.Release", "a".repeat(51));
        let wrong = [
            "",
            " ",
            "acme01",
            "acme01.loyalty",
            "acme01.loyalty.1.0",
            "acme01.loyalty.1.0.0.Release.x",
            "acme01.loyalty.1.0.0.",
            ".loyalty.1.0.0.Release",
            "acme01..1.0.0.Release",
            "acme01.loyalty.x.0.0.Release",
            "acme01.loyalty.-1.0.0.Release",
            "acme01.loyalty.+1.0.0.Release",
            "acme01.loyalty.1. 0.0.Release",
            "acme01.loyalty.1..0.Release",
            "acme01.loyalty.2147483648.0.0.Release",
            "acme01.loyalty.1.0.0.My Work",
            "acme01.loyalty.1.0.0.a/b",
            "acme01.loyalty.1.0.0.a%2Fb",
            "acmé.loyalty.1.0.0.Release",
            "acme01.loyalty.١.0.0.Release",
            "acme01.loyalty\0.1.0.0.Release",
            "..... ",
            long.as_str(),
            &padded(201),
        ];
        for text in wrong {
            for parameter in ["appKey", "parentThemeAppKey"] {
                assert_missing(AppKey::parse(text, parameter).unwrap_err(), parameter);
            }
        }
    }

    #[test]
    fn names_of_applications_may_be_the_beginning_of_a_key() {
        let name = |namespace: &str, app_id: &str| ApplicationName {
            namespace: namespace.to_owned(),
            app_id: app_id.to_owned(),
        };
        let table = [
            ("acme01.loyalty", name("acme01", "loyalty")),
            (" Acme01.Loyalty ", name("Acme01", "Loyalty")),
            ("acme01.loyalty.1.0.0.Release", name("acme01", "loyalty")),
            ("acme01.loyalty.what ever", name("acme01", "loyalty")),
        ];
        for (text, expected) in table {
            assert_eq!(ApplicationName::parse(text, "nsAndAppId").unwrap(), expected, "{text}");
        }
        let read = ApplicationName::parse("Acme01.Loyalty", "nsAndAppId").unwrap();
        assert_eq!(
            (read.to_string().as_str(), read.lower()),
            ("Acme01.Loyalty", name("acme01", "loyalty"))
        );
        let long = format!("acme01.loyalty.{}", "x".repeat(186));
        assert!(ApplicationName::parse(&long[..200], "nsAndAppId").is_ok());
        for text in ["", "acme01", "acme01.", ".loyalty", "a b.c", "acme01 .loyalty", &long] {
            assert_missing(ApplicationName::parse(text, "nsAndAppId").unwrap_err(), "nsAndAppId");
        }
    }

    fn assert_missing(error: Error, parameter: &str) {
        let Error::Coded(coded) = error else { panic!("{error:?} has no code") };
        assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
        assert_eq!(coded.data[0], ("ParameterName", parameter.to_owned()));
    }
}
