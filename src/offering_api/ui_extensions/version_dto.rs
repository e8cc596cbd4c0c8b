//! The wire of the versions of UI extensions (contract 3.4).
use super::dto::{PHRASES, PHRASES_DOC, REFERENCE_SCHEMA, VERSION_NODE_TYPE};
use crate::kernel::db::Row;
use crate::kernel::record::field::{Choices, Derived, Field, Kind, MAX_SAFE_INTEGER};
use crate::kernel::record::render::{write_disablable_reference, write_text};
use crate::kernel::record::{Collection, Record, View, schema};
use crate::kernel::time_zone::write_timestamp;
use crate::{list_parameters, record_schemas};

/// The version that changes are written to.
pub const BEING_PREPARED: &str = "being_prepared";
/// The version that users see.
pub const ACTIVE: &str = "active";
/// A version that users saw.
pub const ARCHIVED: &str = "archived";
static STATUS: Choices = Choices {
    name: "",
    doc: "Where a version of a UI extension is in its life.",
    words: &[BEING_PREPARED, ACTIVE, ARCHIVED],
};

const EXTENSION: &[&str] = &["JOIN ui_extensions ue ON ue.id = t.ui_extension_id"];

/// The record, field by field. Nothing in it is written by name, and lists are not filtered.
pub static RECORD: Record = Record {
    name: "ui_extension_version",
    table: "ui_extension_versions",
    node_type: VERSION_NODE_TYPE,
    fields: &[
        Field { filterable: false, ..Field::id() },
        Field::node_id(r#""bG9jYWxob3N0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x""#),
        Field::text("name", 190)
            .read_from(EXTENSION, "ue.name")
            .listed()
            .doc("Name of the UI extension.")
            .example(r#""Echo settings""#),
        Field::new("version_nr", "version_nr", Kind::Integer { min: 1, max: MAX_SAFE_INTEGER })
            .listed()
            .sortable()
            .doc("Which version of the UI extension, from 1.")
            .example("1"),
        Field::choice("status", &STATUS)
            .listed()
            .sortable()
            .doc("At any time one version is being prepared, and at most one is active.")
            .example(r#""active""#),
        Field::long_text("html")
            .doc("HTML of the form.")
            .example(r#""<input id=\"url\" class=\"required\">""#),
        Field::long_text("css").doc("CSS of the form.").example(r#""label { display: block; }""#),
        Field::long_text("javascript")
            .doc("JavaScript of the form.")
            .example(r#""$('#url').focus();""#),
        Field::new("phrases", "phrases", PHRASES).doc(PHRASES_DOC).example("[]"),
        Field::long_text("form_definition")
            .doc("Definition by a form designer: what was written as `form_definition_json`.")
            .example(r#""{\"fields\":[]}""#),
        Field::long_text("form_definition_react")
            .read_from(&[], "NULL")
            .doc(
                "Definition for another renderer of the original service. Nothing here converts \
                 definitions and none can be written, so that it is always null.",
            ),
        Field::boolean("use_designer")
            .read_from(&[], "(t.form_definition IS NOT NULL)")
            .doc("Whether there is a definition by a form designer."),
        Field::boolean("dark_mode_safe")
            .doc("As the UI extension had it when this version was last prepared."),
        Field::boolean("hide_note")
            .doc("As the UI extension had it when this version was last prepared."),
        Field::new("activated_at", "activated_at", Kind::Timestamp)
            .nullable()
            .listed()
            .doc("When it became active.")
            .example(TIME_EXAMPLE),
        Field::new("archived_at", "archived_at", Kind::Timestamp)
            .nullable()
            .listed()
            .doc("When another version took its place.")
            .example("null"),
        Field::long_text("compiled_css")
            .read_from(&[], "t.css")
            .single_only()
            .doc(
                "The CSS. Nothing is compiled here: it is the `css` as it was written, SCSS too.",
            )
            .example(r#""label { display: block; }""#),
        Field::long_text("localized_html")
            .read_from(&[], "t.html")
            .single_only()
            .doc(
                "The HTML for the caller's language. Translations are not kept here: it is the `html`.",
            )
            .example(r#""<input id=\"url\" class=\"required\">""#),
        Field::derived("ui_extension", &UI_EXTENSION)
            .single_only()
            .doc("The UI extension.")
            .example(r#"{"id":1,"name":"Echo settings","nodeID":"bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"}"#),
        Field::derived("formatted_activated_at", &ACTIVATED)
            .nullable()
            .single_only()
            .doc("When it became active, to be read: in the time zone of the caller, to the minute.")
            .example(r#""2026-02-01 09:15""#),
        Field::derived("formatted_archived_at", &REPLACED)
            .nullable()
            .single_only()
            .doc("When another version took its place, to be read likewise.")
            .example("null"),
        Field::derived("view_audit_path", &AUDIT_PATH)
            .single_only()
            .doc("Path of its audit entries, below `/v1`.")
            .example(r#""/ui_extensions/1/versions/1/audit""#),
        Field::created_at().listed().sortable(),
        Field::updated_at().listed().sortable(),
    ],
};

const TIME_EXAMPLE: &str = r#""2026-02-01T09:15:00+01:00""#;

/// The versions of one UI extension.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["id"],
    counted: false,
    foreign: false,
    predefined: &[],
};

static UI_EXTENSION: Derived = Derived {
    joins: EXTENSION,
    // Its account is the version's, which is the caller's.
    columns: &["ue.id", "ue.name", "ue.source_id", "ue.account_id", "NULL", "ue.disabled"],
    write: |out, row, at, view| {
        write_disablable_reference(out, row, at, view, super::dto::NODE_TYPE);
    },
    schema: REFERENCE_SCHEMA,
};

static ACTIVATED: Derived = Derived {
    joins: &[],
    columns: &["t.activated_at"],
    write: write_readable_time,
    schema: ("", READABLE_TIME),
};

static REPLACED: Derived = Derived {
    joins: &[],
    columns: &["t.archived_at"],
    write: write_readable_time,
    schema: ("", READABLE_TIME),
};

const READABLE_TIME: &str = r#"{"type": "string", "maxLength": 16, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"}"#;

/// Writes `"2026-02-01 09:15"`, or `null`.
fn write_readable_time(out: &mut Vec<u8>, row: &dyn Row, at: usize, view: &View) {
    let text = row.int(at).map(|millis| {
        let mut text = Vec::new();
        write_timestamp(&mut text, millis, view.time_zone);
        // The date and time of `2026-02-01T09:15:00+01:00`, without its seconds and offset.
        String::from_utf8_lossy(&text).chars().take(16).collect::<String>().replace('T', " ")
    });
    write_text(out, text.as_deref());
}

static AUDIT_PATH: Derived = Derived {
    joins: &[],
    columns: &["t.ui_extension_id", "t.id"],
    write: |out, row, at, _| {
        let (extension, version) = (row.int(at), row.int(at + 1));
        let (extension, version) = (extension.unwrap_or_default(), version.unwrap_or_default());
        let path = format!("/ui_extensions/{extension}/versions/{version}/audit");
        write_text(out, Some(&path));
    },
    schema: (
        "",
        r#"{"type": "string", "maxLength": 80, "pattern": "^/ui_extensions/[0-9]+/versions/[0-9]+/audit$"}"#,
    ),
};

record_schemas!(RECORD =>
    UiExtensionVersion: |record| schema::output(record, "A version of a UI extension."),
    UiExtensionVersionItem: |record| schema::item(
        record, "A version of a UI extension in a list: the selected fields."),
);
list_parameters!(COLLECTION => UiExtensionVersionQuery);
