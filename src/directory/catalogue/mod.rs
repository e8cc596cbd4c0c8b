//! Reference data of the platform (contract 5): behaviors, events and capability types. They are data,
//! not code, so that a deployment can put the vendor's real ones in place of ours.
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub mod behaviors;
pub mod capability_types;
mod check;
pub mod events;

use behaviors::BehaviorCatalogue;
use capability_types::CapabilityCatalogue;
use events::EventCatalogue;

/// Files that a folder may hold in place of the built-in ones.
const BEHAVIORS: &str = "behaviors.json";
const EVENTS: &str = "events.json";
const CAPABILITY_TYPES: &str = "capability_types.json";

/// What applications may ask for, hear of and offer.
#[derive(Debug)]
pub struct Catalogue {
    /// What an application may do.
    pub behaviors: BehaviorCatalogue,
    /// What it may be told.
    pub events: EventCatalogue,
    /// What it may do in place of the platform.
    pub capability_types: CapabilityCatalogue,
}

/// A file of the catalogue that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", .file.display())]
pub struct Unusable {
    file: PathBuf,
    why: String,
}

impl Catalogue {
    /// The built-in catalogue.
    pub fn built_in() -> Self {
        Self::load(None).expect("a test reads the built-in files")
    }

    /// The catalogue of a folder; what it has no file for is built in.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn load(folder: Option<&Path>) -> Result<Self, Unusable> {
        Ok(Self {
            behaviors: read(folder, BEHAVIORS, behaviors::BUILT_IN, BehaviorCatalogue::new)?,
            events: read(folder, EVENTS, events::BUILT_IN, EventCatalogue::new)?,
            capability_types: read(
                folder,
                CAPABILITY_TYPES,
                capability_types::BUILT_IN,
                CapabilityCatalogue::new,
            )?,
        })
    }
}

/// Reads one file and makes its part of the catalogue, which checks it.
fn read<F: DeserializeOwned, C>(
    folder: Option<&Path>,
    name: &str,
    built_in: &str,
    make: fn(F) -> Result<C, String>,
) -> Result<C, Unusable> {
    let file = folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
    let made = match folder.map(|_| std::fs::read_to_string(&file)) {
        None => parse(built_in),
        Some(Ok(text)) => parse(&text),
        Some(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => parse(built_in),
        Some(Err(error)) => Err(error.to_string()),
    };
    made.and_then(make).map_err(|why| Unusable { file, why })
}

fn parse<F: DeserializeOwned>(text: &str) -> Result<F, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_can_be_read() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.behaviors.categories().len(), 24);
        assert_eq!(catalogue.events.all().len(), 121);
        assert_eq!(catalogue.capability_types.all().len(), 7);
    }

    #[test]
    fn a_folder_replaces_what_it_has_a_file_for() {
        let folder = tempfile::tempdir().unwrap();
        let events =
            r#"{"events": [{"id": 9, "name": "a.b", "category": "A", "apiVersion": "2"}]}"#;
        std::fs::write(folder.path().join(EVENTS), events).unwrap();
        let catalogue = Catalogue::load(Some(folder.path())).unwrap();
        assert_eq!(catalogue.events.all().len(), 1);
        assert_eq!(catalogue.behaviors.categories().len(), 24);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let refused = Catalogue::load(Some(folder.path())).unwrap_err().to_string();
            std::fs::remove_file(&file).unwrap();
            refused.strip_prefix(&format!("{}: ", file.display())).unwrap().to_owned()
        };
        let category = |behaviors: &str| {
            format!(r#"{{"categories":[{{"id":1,"name":"A","behaviors":[{behaviors}]}}]}}"#)
        };
        let event = |id: i64, name: &str| {
            format!(r#"{{"id":{id},"name":"{name}","category":"A","apiVersion":"1"}}"#)
        };
        let events = |events: &[String]| format!(r#"{{"events":[{}]}}"#, events.join(","));
        let table = [
            (
                BEHAVIORS,
                category(r#"{"id":0,"name":"x"}"#),
                "behavior 0: ids are from 1 to 2147483647",
            ),
            (BEHAVIORS, category(r#"{"id":1,"name":" "}"#), "behavior 1: has no name"),
            (
                BEHAVIORS,
                category(r#"{"id":1,"name":"x"},{"id":1,"name":"y"}"#),
                "behavior 1: is there twice",
            ),
            (
                BEHAVIORS,
                category(r#"{"id":1,"name":"x"},{"id":2,"name":"X"}"#),
                "behavior 2: the name \"X\" is there twice",
            ),
            (EVENTS, events(&[event(1, "a"), event(1, "b")]), "event 1: is there twice"),
            (
                EVENTS,
                events(&[event(1, "a.b"), event(2, "A.B")]),
                "event 2: the name \"A.B\" is there twice",
            ),
            (
                CAPABILITY_TYPES,
                r#"{"capabilityTypes":[{"id":2147483648,"name":"x","apiVersion":"1"}]}"#.to_owned(),
                "capability type 2147483648: ids are from 1 to 2147483647",
            ),
        ];
        for (name, text, why) in table {
            assert_eq!(refused(name, &text), why, "{text}");
        }
        assert!(refused(EVENTS, "{").starts_with("EOF while parsing"));
        assert!(refused(EVENTS, r#"{"events":[],"x":1}"#).starts_with("unknown field `x`"));
    }
}
