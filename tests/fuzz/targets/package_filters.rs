//! `filter` of the app packages: conditions that are repeated, or always hold, change no list.
#![no_main]
use appmarket::kernel::error::Error;
use appmarket::package_api::convention::filter::Filter;
use appmarket::package_api::convention::member::{Kind, Member};
use libfuzzer_sys::fuzz_target;

struct Row {
    id: i64,
    name: Option<&'static str>,
    is_locked: bool,
    date: Option<i64>,
}

static MEMBERS: [Member<Row>; 4] = [
    Member { name: "id", kind: Kind::Int, read: |row| row.id.into() },
    Member { name: "name", kind: Kind::Text, read: |row| row.name.into() },
    Member { name: "isLocked", kind: Kind::Bool, read: |row| row.is_locked.into() },
    Member { name: "updateDate", kind: Kind::Date, read: |row| row.date.into() },
];

static ROWS: [Row; 5] = [
    Row { id: 1, name: Some("Loyalty"), is_locked: true, date: Some(0) },
    Row { id: 2, name: Some("black and white"), is_locked: false, date: Some(1_000) },
    Row { id: 3, name: Some("O'Neill \"x\""), is_locked: false, date: Some(-1) },
    Row { id: 4, name: None, is_locked: true, date: None },
    Row { id: i64::MAX, name: Some("ÄRGER, [x]"), is_locked: false, date: Some(i64::MAX) },
];

fuzz_target!(|text: &str| {
    let Some(shown) = rows(text) else { return };
    if text.trim_ascii().is_empty() {
        assert_eq!(shown.len(), ROWS.len());
        return;
    }
    // Twice the text may be too long, which is the one reason to refuse it.
    if text.len() < 1000 {
        assert_eq!(rows(&format!("{text} and {text}")).as_ref(), Some(&shown), "twice {text:?}");
        assert_eq!(rows(&format!("id gt 0 and {text} AND ID ne null")).as_ref(), Some(&shown));
        assert_eq!(rows(&format!("{text} and id lt 0")), Some(Vec::new()), "none of {text:?}");
    }
});

/// Numbers of the rows that are shown; `None` for what is refused.
fn rows(text: &str) -> Option<Vec<i64>> {
    match Filter::parse(Some(text), &MEMBERS) {
        Ok(filter) => Some(ROWS.iter().filter(|row| filter.holds(row)).map(|row| row.id).collect()),
        Err(Error::Coded(coded)) if coded.status == 400 => None,
        Err(error) => panic!("{error:?}"),
    }
}
