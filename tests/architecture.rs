//! The direction of the arrows: what each part of the crate may import.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use std::path::{Path, PathBuf};

/// Layers from the bottom up; each may import itself and those before it, except that the two families
/// would not import each other.
const LAYERS: &[(&str, &[&str])] = &[
    ("kernel", &["kernel"]),
    ("migrations", &["migrations"]),
    ("directory", &["kernel", "directory"]),
    ("offering_api", &["kernel", "directory", "offering_api"]),
    ("api", &["kernel", "directory", "offering_api", "migrations", "api"]),
    ("seed", &["kernel", "directory", "offering_api", "seed"]),
    ("app.rs", &["kernel", "directory", "offering_api", "api", "app"]),
    (
        "commands",
        &["kernel", "directory", "offering_api", "api", "app", "migrations", "seed", "commands"],
    ),
];

/// Macros stand at the root of the crate, wherever they are written.
const MACROS: &[&str] =
    &["attachments_output", "audit_of", "list_parameters", "literal_schema", "record_schemas"];

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

/// The parts of the crate that a text names as `crate::<part>`, also inside braces.
fn imports(text: &str) -> Vec<&str> {
    text.match_indices("crate::")
        .filter(|(at, _)| !text[..*at].ends_with('$') && !text[..*at].ends_with("(in "))
        .flat_map(|(at, found)| {
            let rest = &text[at + found.len()..];
            let list = rest.strip_prefix('{').map(|rest| rest.split('}').next().unwrap());
            list.unwrap_or_else(|| rest.split(';').next().unwrap())
                .split(',')
                .take(if list.is_some() { usize::MAX } else { 1 })
        })
        .map(|name| {
            name.trim()
                .split(|character: char| !character.is_alphanumeric() && character != '_')
                .next()
                .unwrap()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn imports_point_one_way() {
    for (name, text) in files() {
        let layer = LAYERS
            .iter()
            .find(|(layer, _)| name == *layer || name.starts_with(&format!("{layer}/")));
        let Some((_, allowed)) = layer else {
            assert!(["lib.rs", "main.rs"].contains(&name.as_str()), "{name} belongs to no layer");
            continue;
        };
        for target in imports(&text) {
            assert!(
                allowed.contains(&target) || MACROS.contains(&target),
                "{name} imports crate::{target}; allowed: {allowed:?}"
            );
        }
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
fn the_index_of_imports_is_read_right() {
    let text = "use crate::kernel::db;\nuse crate::{api, app::x};\npub(in crate::kernel) fn f() { crate::seed::fill() }";
    assert_eq!(imports(text), ["kernel", "api", "app", "seed"]);
}
