//! From a row to the JSON of contract 1.6 and 1.7, without anything in between.
use super::field::{Field, Kind, Record};
use super::view::View;
use crate::kernel::db::Row;
use crate::kernel::node_id;
use crate::kernel::time_zone::write_timestamp;

/// How many columns the field reads.
pub(super) fn width(field: &Field) -> usize {
    match field.kind {
        Kind::NodeId | Kind::Attachments => 0,
        Kind::Reference(reference) => reference.output.columns.len(),
        Kind::Derived(derived) => derived.columns.len(),
        _ => 1,
    }
}

/// Appends `"name":value`.
pub(super) fn write_field(
    out: &mut Vec<u8>,
    record: &Record,
    field: &Field,
    row: &dyn Row,
    at: usize,
    view: &View,
) {
    out.push(b'"');
    out.extend_from_slice(field.name.as_bytes());
    out.extend_from_slice(b"\":");
    match field.kind {
        Kind::Id | Kind::Integer { .. } | Kind::Duration { .. } => write_int(out, row.int(at)),
        Kind::NodeId => {
            out.push(b'"');
            node_id::write(
                out,
                &view.site.domain,
                record.node_type,
                row.int(0).unwrap_or_default(),
            );
            out.push(b'"');
        }
        Kind::Text { .. } | Kind::LongText { .. } | Kind::Choice(_) => {
            write_text(out, row.text(at).as_deref());
        }
        Kind::Picture => match row.text(at) {
            Some(path) if path.starts_with('/') => {
                write_text(out, Some(&format!("{}{path}", view.site.public_url)));
            }
            other => write_text(out, other.as_deref()),
        },
        Kind::Boolean => write_bool(out, row.bool(at).unwrap_or_default()),
        Kind::Timestamp => write_time(out, row.int(at), view),
        Kind::Texts { .. } | Kind::CustomFields => {
            out.extend_from_slice(row.text(at).as_deref().unwrap_or("[]").as_bytes())
        }
        Kind::Reference(reference) => (reference.output.write)(out, row, at, view),
        Kind::Derived(derived) => (derived.write)(out, row, at, view),
        Kind::Attachments => {}
    }
}

/// Appends a number or `null`.
pub fn write_int(out: &mut Vec<u8>, value: Option<i64>) {
    // Writing a number into memory cannot fail.
    drop(serde_json::to_writer(out, &value));
}

/// Appends a quoted text or `null`.
pub fn write_text(out: &mut Vec<u8>, value: Option<&str>) {
    // Writing a text into memory cannot fail.
    drop(serde_json::to_writer(out, &value));
}

/// Appends `true` or `false`.
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends a quoted timestamp in the viewer's time zone, or `null`.
pub fn write_time(out: &mut Vec<u8>, millis: Option<i64>, view: &View) {
    match millis {
        None => out.extend_from_slice(b"null"),
        Some(millis) => {
            out.push(b'"');
            write_timestamp(out, millis, view.time_zone);
            out.push(b'"');
        }
    }
}

/// Joins, columns and JSON of a reference to a record with a name: `{"id","name","nodeID"}` and,
/// where they apply, `sourceID` and `account` (contract 1.7). The columns are
/// `id, name, source_id, account_id, foreign account name`.
pub fn write_reference(
    out: &mut Vec<u8>,
    row: &dyn Row,
    at: usize,
    view: &View,
    node_type: &'static str,
) {
    let Some(id) = row.int(at) else {
        out.extend_from_slice(b"null");
        return;
    };
    out.extend_from_slice(b"{\"id\":");
    write_int(out, Some(id));
    out.extend_from_slice(b",\"name\":");
    write_text(out, row.text(at + 1).as_deref());
    view.write_node_id(out, node_type, id);
    if let Some(source_id) = row.text(at + 2) {
        out.extend_from_slice(b",\"sourceID\":");
        write_text(out, Some(&source_id));
    }
    if let (Some(account), Some(name)) = (row.text(at + 3), row.text(at + 4)) {
        write_account(out, &account, &name);
    }
    out.push(b'}');
}

/// [`write_reference`] of a record that can be disabled: a sixth column tells whether it is, and
/// `"disabled":true` is shown when it is.
pub fn write_disablable_reference(
    out: &mut Vec<u8>,
    row: &dyn Row,
    at: usize,
    view: &View,
    node_type: &'static str,
) {
    write_reference(out, row, at, view, node_type);
    if row.int(at).is_some() && row.bool(at + 5) == Some(true) {
        // Before the brace that closes the reference.
        out.pop();
        out.extend_from_slice(b",\"disabled\":true}");
    }
}

/// Appends `,"account":{"id":…,"name":…}`.
pub fn write_account(out: &mut Vec<u8>, account: &str, name: &str) {
    out.extend_from_slice(b",\"account\":{\"id\":");
    write_text(out, Some(account));
    out.extend_from_slice(b",\"name\":");
    write_text(out, Some(name));
    out.push(b'}');
}
