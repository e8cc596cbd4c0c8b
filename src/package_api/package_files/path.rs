//! Paths of files within a package (contract 3.7). They name rows, never files of this machine.
use crate::kernel::error::Result;
use crate::package_api::convention::refusal;

/// Most bytes of a path.
const LONGEST: usize = 1024;
/// Most bytes of a name between two separators.
const LONGEST_NAME: usize = 255;

/// A path from the package's root, `assets/functions.json`, or that of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath {
    /// As it is shown: names as they were spelt, joined by `/`.
    pub text: String,
    /// As it is compared and looked up: two paths that differ only by case name the same file.
    pub key: String,
}

impl FilePath {
    /// Reads a path that is decoded already. Separators are `/`, `\` and `|`, whichever the client's
    /// tools use; those at the ends and doubled ones do not count, nor do `.` names.
    ///
    /// # Errors
    /// 400 with the name of the parameter that it was given in: nothing is left of it, or a part is
    /// `..`, a drive, too long or contains a control character.
    pub fn parse(text: &str, parameter: &str) -> Result<Self> {
        Self::read(text).map_err(|why| refusal::missing(parameter, why))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let names: Vec<&str> =
            text.split(['/', '\\', '|']).filter(|name| !name.is_empty() && *name != ".").collect();
        let Some(first) = names.first() else { return Err("must name a file.") };
        if names.contains(&"..") {
            return Err("must not contain `..`.");
        }
        if matches!(first.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic()) {
            return Err("must not begin with a drive.");
        }
        if text.contains(char::is_control) {
            return Err("must not contain control characters.");
        }
        if names.iter().any(|name| name.len() > LONGEST_NAME) {
            return Err("must have at most 255 bytes between two separators.");
        }
        let text = names.join("/");
        if text.len() > LONGEST {
            return Err("must have at most 1024 bytes.");
        }
        let key = text.to_lowercase();
        Ok(Self { text, key })
    }

    /// Its last name, `functions.json`.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The media type that its extension stands for, `application/octet-stream` for an unknown one.
    pub fn media_type(&self) -> String {
        let extension = self.key.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            // The table knows these as films only.
            "ts" | "tsx" => return "application/typescript".to_owned(),
            // A module is a script like any other (RFC 9239).
            "mjs" => return "text/javascript".to_owned(),
            _ => {}
        }
        mime_guess::from_path(self.name()).first_or_octet_stream().essence_str().to_owned()
    }

    /// Keys of the folders that it lies in, outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.key.match_indices('/').map(|(at, _)| &self.key[..at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::error::Error;

    #[test]
    fn paths_are_read_with_any_separator() {
        let table = [
            ("assets/functions.json", "assets/functions.json"),
            (r"assets\functions.json", "assets/functions.json"),
            ("assets|functions.json", "assets/functions.json"),
            (r"/\|assets//functions.json|/\", "assets/functions.json"),
            ("./assets/./functions.json/.", "assets/functions.json"),
            ("Assets/Über.JSON", "Assets/Über.JSON"),
            ("a b/c d", "a b/c d"),
            (" a", " a"),
            ("...", "..."),
            ("..a/a..", "..a/a.."),
            (".hidden/.a", ".hidden/.a"),
            // Only decoded once: these are names.
            ("%2e%2e/a", "%2e%2e/a"),
            ("%252e", "%252e"),
            ("a%2Fb", "a%2Fb"),
            ("a%00", "a%00"),
            // A drive is one only in front.
            ("a/C:/b", "a/C:/b"),
            ("CC:/b", "CC:/b"),
            ("1:/b", "1:/b"),
            ("~/a", "~/a"),
            ("<a>?*\"'", "<a>?*\"'"),
        ];
        for (given, text) in table {
            let path = FilePath::parse(given, "filepath").unwrap();
            assert_eq!(
                path,
                FilePath { text: text.to_owned(), key: text.to_lowercase() },
                "{given}"
            );
            assert_eq!(FilePath::parse(&path.text, "filepath").unwrap(), path, "{given}");
        }
        let long = format!("{}/{}", "ä".repeat(127), "a".repeat(255));
        assert_eq!(FilePath::parse(&long, "filepath").unwrap().text, long);
        let longest = ["a".repeat(255), "b".repeat(255), "c".repeat(255), "d".repeat(256 - 1)];
        let mut longest = longest.join("/");
        longest.push('/');
        assert_eq!(FilePath::parse(&longest, "filepath").unwrap().text.len(), 1023);
    }

    #[test]
    fn what_is_no_path_is_refused_by_the_name_of_its_parameter() {
        let segment = "ä".repeat(128);
        let long = vec!["a".repeat(204); 5].join("/") + "/b";
        let table = [
            ("", "must name a file."),
            ("/", "must name a file."),
            (r"\|/", "must name a file."),
            ("./.", "must name a file."),
            ("..", "must not contain `..`."),
            ("../etc/passwd", "must not contain `..`."),
            ("a/../../b", "must not contain `..`."),
            (r"a\..\b", "must not contain `..`."),
            ("a|..|b", "must not contain `..`."),
            ("a/..", "must not contain `..`."),
            (r"C:\Windows\win.ini", "must not begin with a drive."),
            ("c:/a", "must not begin with a drive."),
            (r"\\?\C:\a/../b", "must not contain `..`."),
            ("/./C:", "must not begin with a drive."),
            ("a\0b", "must not contain control characters."),
            ("a\n", "must not contain control characters."),
            ("a/\u{7f}", "must not contain control characters."),
            ("a/\u{85}", "must not contain control characters."),
            (segment.as_str(), "must have at most 255 bytes between two separators."),
            (long.as_str(), "must have at most 1024 bytes."),
        ];
        for (given, why) in table {
            for parameter in ["filepath", "newFullPath"] {
                let Err(Error::Coded(coded)) = FilePath::parse(given, parameter) else {
                    panic!("{given:?}")
                };
                assert_eq!((coded.status, coded.code), (400, "MISSING_OR_INVALID_PARAMETER"));
                let data =
                    [("ParameterName", parameter.to_owned()), ("ErrorMessage", why.to_owned())];
                assert_eq!(coded.data, data, "{given:?}");
            }
        }
    }

    #[test]
    fn a_path_tells_its_name_its_type_and_its_folders() {
        let table: [(&str, &str, &str, &[&str]); 10] = [
            ("assets/Functions.JSON", "Functions.JSON", "application/json", &["assets"]),
            ("A/B/c.js", "c.js", "text/javascript", &["a", "a/b"]),
            ("main.MJS", "main.MJS", "text/javascript", &[]),
            ("theme.less", "theme.less", "text/less", &[]),
            ("theme.Scss", "theme.Scss", "text/x-scss", &[]),
            ("index.html", "index.html", "text/html", &[]),
            ("a/logo.png", "logo.png", "image/png", &["a"]),
            ("LICENSE", "LICENSE", "application/octet-stream", &[]),
            ("a.unknown-type", "a.unknown-type", "application/octet-stream", &[]),
            (".json", ".json", "application/octet-stream", &[]),
        ];
        for (given, name, kind, folders) in table {
            let path = FilePath::parse(given, "filepath").unwrap();
            let found: Vec<&str> = path.folders().collect();
            assert_eq!(
                (path.name(), path.media_type().as_str(), found.as_slice()),
                (name, kind, folders)
            );
        }
    }
}
