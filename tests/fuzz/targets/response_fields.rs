//! `responseFields`: a selection takes away and adds nothing, and once it was applied it has nothing to do.
#![no_main]
use std::sync::LazyLock;

use appmarket::kernel::error::Error;
use appmarket::package_api::convention::fields::Selection;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static PACKAGE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "id": 1, "appKey": "k", "sharedSecret": null,
        "items": [
            {"id": 2, "name": "a", "version": {"majorVersion": 1, "minorVersion": 2, "id": [[{"id": 1}]]}},
            {"id": 3, "name": "b", "version": null, "items": [{"id": 4, "items": []}]},
            [],
        ],
    })
});

fuzz_target!(|text: &str| {
    let selection = match Selection::parse(Some(text)) {
        Ok(selection) => selection,
        Err(Error::Coded(coded)) if coded.status == 400 => return,
        Err(error) => panic!("{error:?}"),
    };
    let mut once = PACKAGE.clone();
    selection.prune(&mut once);
    assert!(is_part(&once, &PACKAGE), "{text:?}: {once}");
    if selection.is_everything() {
        assert_eq!(once, *PACKAGE, "{text:?}");
    }
    let mut twice = once.clone();
    selection.prune(&mut twice);
    assert_eq!(twice, once, "{text:?}");
    // Blanks and the case of letters do not matter.
    let mut same = PACKAGE.clone();
    let spaced = text.replace(',', " , ").replace('(', " (\t").to_ascii_uppercase();
    if spaced.len() <= 4096 {
        Selection::parse(Some(&spaced)).expect("the same was read before").prune(&mut same);
        assert_eq!(same, once, "{text:?} and {spaced:?}");
    }
});

/// Whether a value is another one with members left out.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|it| is_part(value, it)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len()
                && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
        }
        _ => part == whole,
    }
}
