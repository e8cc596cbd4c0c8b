//! The direction of the arrows: what each part of the crate may import, and that imports never lead
//! back to where they came from.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// Layers from the bottom up; each may import itself and those before it, except that the two families
/// do not import each other.
const LAYERS: &[(&str, &[&str])] = &[
    ("kernel", &["kernel"]),
    ("migrations", &["migrations"]),
    ("directory", &["kernel", "directory"]),
    ("offering_api", &["kernel", "directory", "offering_api"]),
    ("package_api", &["kernel", "directory", "package_api"]),
    ("api", &["kernel", "directory", "offering_api", "package_api", "migrations", "api"]),
    ("seed", &["kernel", "directory", "offering_api", "package_api", "seed"]),
    ("app", &["kernel", "directory", "offering_api", "package_api", "api", "app"]),
    (
        "commands",
        &[
            "kernel",
            "directory",
            "offering_api",
            "package_api",
            "api",
            "app",
            "migrations",
            "seed",
            "commands",
        ],
    ),
];

/// From one place to all those that it imports.
type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn imports_point_one_way() {
    let layer = |file: &str| file.split(['/', '.']).next().unwrap().to_owned();
    for (file, targets) in arrows(&files()) {
        let from = layer(&file);
        if ["lib", "main"].contains(&from.as_str()) {
            continue;
        }
        let found = LAYERS.iter().find(|(name, _)| *name == from);
        let (_, allowed) = found.unwrap_or_else(|| panic!("{file} belongs to no layer"));
        for target in targets {
            assert!(
                allowed.contains(&layer(&target).as_str()),
                "{file} imports {target}; allowed: {allowed:?}"
            );
        }
    }
}

#[test]
fn resources_never_import_in_circles() {
    for family in ["offering_api", "package_api"] {
        let folder = |file: &str| {
            let (folder, _) = file.strip_prefix(family)?.strip_prefix('/')?.split_once('/')?;
            Some(folder.to_owned())
        };
        let mut folders = Arrows::new();
        for (file, targets) in arrows(&files()) {
            let Some(from) = folder(&file) else { continue };
            let others = targets.iter().filter_map(|target| folder(target));
            folders.entry(from.clone()).or_default().extend(others.filter(|other| *other != from));
        }
        assert!(folders.len() >= 8);
        if let Some(circle) = circle(&folders) {
            panic!("resources of {family} import in a circle: {}", circle.join(" → "));
        }
    }
}

#[test]
fn files_never_import_in_circles() {
    if let Some(circle) = circle(&arrows(&files())) {
        panic!("files import in a circle: {}", circle.join(" → "));
    }
}

#[test]
fn routes_and_wire_tables_know_no_database() {
    for (name, text) in files() {
        if name.ends_with("/http.rs") || name.ends_with("/dto.rs") {
            assert!(!text.contains("sea_orm"), "{name} uses SeaORM: that belongs into service.rs");
        }
    }
}

#[test]
fn arrows_are_read_right() {
    let crates = [
        ("lib.rs", "pub mod a; mod b; // use crate::b::x::comment;"),
        ("a/mod.rs", "mod one; pub mod two; pub use one::One; pub fn all() { two::go() }"),
        ("a/one.rs", "use std::fmt; pub struct One; #[cfg(test)] mod tests { use super::*; }"),
        (
            "a/two.rs",
            "use super::one::{self as first, One}; pub fn go<'a>(r#use: u8) { \"crate::b::text()\"; '\"'; \
             first::One; crate::say!() }",
        ),
        ("b.rs", "pub mod x; #[macro_export] macro_rules! say { () => { $crate::b::x::say() } }"),
        (
            "b/x.rs",
            "use crate::{a, a::two::{go, Deep}}; pub(in crate::b) fn say() { a::all(); a::one::f() }",
        ),
    ];
    let crates = crates.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let found = arrows(&crates);
    let of = |name: &str| found[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("lib.rs"), [""; 0]);
    assert_eq!(of("a/mod.rs"), ["a/one.rs", "a/two.rs"]);
    assert_eq!(of("a/one.rs"), [""; 0]);
    assert_eq!(of("a/two.rs"), ["a/one.rs", "b.rs"]);
    assert_eq!(of("b.rs"), ["b/x.rs"]);
    assert_eq!(of("b/x.rs"), ["a/mod.rs", "a/one.rs", "a/two.rs"]);
    let circle = circle(&found).unwrap();
    assert_eq!(circle, ["a/two.rs", "b.rs", "b/x.rs", "a/two.rs"]);
}

/// The shortest way along arrows from a place back to itself.
fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    let circles = arrows.keys().filter_map(|start| {
        let mut ways = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            for next in way.last().and_then(|last| arrows.get(*last)).into_iter().flatten() {
                let way: Vec<&String> = way.iter().copied().chain([next]).collect();
                if next == start {
                    return Some(way);
                }
                if seen.insert(next) {
                    ways.push_back(way);
                }
            }
        }
        None
    });
    Some(circles.min_by_key(Vec::len)?.into_iter().cloned().collect())
}

/// Every source file: its path below `src`, and its text.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 40);
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Which file names something of which other, by `use` or by a path. To declare a module is no import,
/// nor is to name a folder: what counts is the file that is reached through it.
fn arrows(files: &[(String, String)]) -> Arrows {
    let texts: Vec<(&str, Vec<&str>, Vec<&str>)> =
        files.iter().map(|(name, text)| (name.as_str(), module(name), tokens(text))).collect();
    let mut known = Modules::default();
    for (name, module, tokens) in &texts {
        known.files.insert(module.clone(), name);
        let macros = tokens.windows(3).filter(|it| it[..2] == ["macro_rules", "!"]);
        known.macros.extend(macros.map(|it| (it[2], *name)));
    }
    let read = |(name, module, tokens): &(&str, Vec<&str>, Vec<&str>)| {
        let paths = Reader { tokens, at: 0, here: module.clone(), names: Vec::new() }.read(&known);
        let targets = paths.iter().filter_map(|path| known.file(path));
        let others = targets.filter(|target| target != name).map(str::to_owned);
        ((*name).to_owned(), others.collect())
    };
    texts.iter().map(read).collect()
}

/// The module that a file is: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module(file: &str) -> Vec<&str> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').collect() }
}

/// Where modules and macros are.
#[derive(Default)]
struct Modules<'a> {
    files: BTreeMap<Vec<&'a str>, &'a str>,
    macros: BTreeMap<&'a str, &'a str>,
}

impl<'a> Modules<'a> {
    /// The file where a path from the crate's root ends; none for a folder.
    fn file(&self, path: &[&str]) -> Option<&'a str> {
        // Exported macros stand at the root of the crate, wherever they are written.
        if let [name] = path
            && let Some(file) = self.macros.get(name)
        {
            return Some(file);
        }
        let depth =
            (0..=path.len()).rev().find(|depth| self.files.contains_key(&path[..*depth]))?;
        let module = &path[..depth];
        let is_inside = |other: &Vec<&str>| other.len() > depth && other.starts_with(module);
        if depth == path.len() && self.files.keys().any(is_inside) {
            return None;
        }
        self.files.get(module).copied()
    }
}

/// Reads the paths in a file.
struct Reader<'t, 'a> {
    tokens: &'t [&'a str],
    at: usize,
    /// The module around the current token.
    here: Vec<&'a str>,
    /// What `use` has brought in, with its path.
    names: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Reader<'_, 'a> {
    /// Every path from the root of the crate.
    fn read(mut self, known: &Modules<'a>) -> Vec<Vec<&'a str>> {
        let mut paths = Vec::new();
        // For each open brace, whether it is the one of a module.
        let mut braces = Vec::new();
        while let Some(token) = self.tokens.get(self.at).copied() {
            match token {
                "mod" if self.tokens.get(self.at + 2) == Some(&"{") => {
                    self.here.push(self.tokens[self.at + 1]);
                    braces.push(true);
                    self.at += 3;
                }
                "{" => {
                    braces.push(false);
                    self.at += 1;
                }
                "}" => {
                    if braces.pop() == Some(true) {
                        self.here.pop();
                    }
                    self.at += 1;
                }
                "use" => {
                    self.at += 1;
                    let before = self.names.len();
                    self.tree(&[], known);
                    paths.extend(self.names[before..].iter().map(|(_, path)| path.clone()));
                }
                _ if is_word(token) => {
                    // `pub(in crate::a)` imports nothing.
                    let is_scope = self.at > 1 && self.tokens[self.at - 2..self.at] == ["(", "in"];
                    let path = self.path();
                    if path.len() > 1 && !is_scope {
                        paths.extend(self.resolve(&path, known));
                    }
                }
                _ => self.at += 1,
            }
        }
        paths
    }

    /// A path as it is written: words between `::`.
    fn path(&mut self) -> Vec<&'a str> {
        let mut path = vec![self.tokens[self.at]];
        self.at += 1;
        while let [":", ":", next, ..] = &self.tokens[self.at..]
            && is_word(next)
        {
            path.push(next);
            self.at += 3;
        }
        path
    }

    /// What follows `use`, or a part of it behind `prefix`, which is a path as it is written.
    fn tree(&mut self, prefix: &[&'a str], known: &Modules<'a>) {
        let mut path = prefix.to_vec();
        while self.tokens[self.at] == ":" {
            self.at += 1;
        }
        if is_word(self.tokens[self.at]) {
            path.extend(self.path());
            while self.tokens[self.at] == ":" {
                self.at += 1;
            }
        }
        match self.tokens[self.at] {
            "{" => {
                self.at += 1;
                while self.tokens[self.at] != "}" {
                    self.tree(&path, known);
                    if self.tokens[self.at] == "," {
                        self.at += 1;
                    }
                }
                self.at += 1;
                return;
            }
            "*" => {
                path.push("*");
                self.at += 1;
            }
            _ => {}
        }
        if path.len() > 1 && path.last() == Some(&"self") {
            path.pop();
        }
        let mut name = *path.last().unwrap();
        if self.tokens[self.at] == "as" {
            name = self.tokens[self.at + 1];
            self.at += 2;
        }
        let found = self.resolve(&path, known);
        self.names.extend(found.into_iter().map(|path| (name, path)));
    }

    /// The path from the root of the crate. A name that was brought in twice, in two functions for
    /// instance, stands for either.
    fn resolve(&self, path: &[&'a str], known: &Modules<'a>) -> Vec<Vec<&'a str>> {
        let supers = path.iter().take_while(|word| **word == "super").count();
        let behind = |start: &[&'a str], skip: usize| [start, &path[skip..]].concat();
        match path[0] {
            "crate" => vec![behind(&[], 1)],
            "self" => vec![behind(&self.here, 1)],
            "super" => vec![behind(&self.here[..self.here.len() - supers], supers)],
            first => {
                let child = [self.here.as_slice(), &[first]].concat();
                if known.files.contains_key(&child) {
                    return vec![behind(&child, 1)];
                }
                let names = self.names.iter().filter(|(name, _)| *name == first);
                names.map(|(_, start)| behind(start, 1)).collect()
            }
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words and single signs of a source text, without comments, texts and lifetimes.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // `r#use` is a name, not a keyword.
        let mark = if rest.starts_with("r#") && is_word(&rest[2..]) { 2 } else { 0 };
        let end = rest[mark..].find(|it: char| !it.is_alphanumeric() && it != '_');
        let word = end.map_or(rest.len(), |end| mark + end);
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").unwrap() + 2
        } else if first == '"' {
            let mut escaped = false;
            let is_end = |it: char| {
                let is_end = it == '"' && !escaped;
                escaped = it == '\\' && !escaped;
                is_end
            };
            1 + rest[1..].find(is_end).unwrap() + 1
        } else if let Some(hashes) = raw(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = rest.find('"').unwrap() + 1;
            start + rest[start..].find(&end).unwrap() + end.len()
        } else if let Some(quoted) = rest.strip_prefix('\'') {
            let mut signs = quoted.char_indices();
            match signs.next().unwrap() {
                (_, '\\') => 3 + quoted[2..].find('\'').unwrap() + 1,
                (_, sign) if quoted[sign.len_utf8()..].starts_with('\'') => 2 + sign.len_utf8(),
                // A lifetime, without its name.
                _ => 1 + quoted.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap(),
            }
        } else {
            let length = if word > 0 { word } else { first.len_utf8() };
            if !first.is_whitespace() {
                tokens.push(&rest[..length]);
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

/// The number of `#` when a text begins with a raw string.
fn raw(text: &str) -> Option<usize> {
    let text = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let hashes = text.bytes().take_while(|byte| *byte == b'#').count();
    text[hashes..].starts_with('"').then_some(hashes)
}
