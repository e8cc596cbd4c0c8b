//! The wire of UI extensions (contract 3.4), and the references that other records show.
use crate::kernel::db::Row;
use crate::kernel::record::field::{Choices, Derived, Field, KB64, Kind, Reference};
use crate::kernel::record::render::{write_account, write_int, write_text};
use crate::kernel::record::{Collection, Record, View, schema};
use crate::offering_api::audit_lines::dto::PERSON_SCHEMA;
use crate::offering_api::resource::Write;
use crate::{list_parameters, record_schemas};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "UiExtension";
/// Type of versions in nodeIDs.
pub const VERSION_NODE_TYPE: &str = "UiExtensionVersion";

/// What a UI extension is for.
static CATEGORY: Choices = Choices {
    name: "",
    doc: "What a UI extension is for.",
    words: &[
        "request_template",
        "knowledge_article_template",
        "problem",
        "release",
        "workflow_template",
        "task_template",
        "project",
        "project_task_template",
        "service",
        "service_instance",
        "product",
        "product_category",
        "contract",
        "organization",
        "team",
        "person",
        "site",
        "risk",
        "custom_collection",
        "scim_user",
        APP_OFFERING,
        "shop_article",
    ],
};
/// Category of the forms by which customers configure an app.
pub const APP_OFFERING: &str = "app_offering";

const ACTIVE: &[&str] = &["LEFT JOIN ui_extension_versions av ON av.id = t.active_version_id"];

/// The record, field by field.
pub static RECORD: Record = Record {
    name: "ui_extension",
    table: "ui_extensions",
    node_type: NODE_TYPE,
    fields: &[
        Field::id(),
        Field::node_id(r#""bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE""#),
        Field::source(),
        Field::source_id(),
        Field::text("name", 190)
            .writable()
            .required()
            .listed()
            .filterable()
            .sortable()
            .doc("Name of the UI extension.")
            .example(r#""Echo settings""#),
        Field::choice("category", &CATEGORY)
            .writable()
            .required()
            .listed()
            .doc(
                "Type of the records that it extends; `app_offering` for the form by which customers \
                 configure an app. Fixed while an app offering uses one of its versions.",
            )
            .example(r#""app_offering""#),
        Field::text("title", 190)
            .writable()
            .nullable()
            .doc("Title above the form.")
            .example(r#""Settings""#),
        Field::text("localized_title", 190)
            .nullable()
            .read_from(&[], "t.title")
            .doc("The title for the caller's language. Translations are not kept here: it is the title.")
            .example(r#""Settings""#),
        Field::long_text("description")
            .writable()
            .doc("What it is for, as Markdown.")
            .example(r#""Asks for the endpoint of the echo.""#),
        Field::boolean("disabled")
            .writable()
            .listed()
            .filterable()
            .doc("Whether it is out of use. Offerings that have its form keep it."),
        Field::boolean("dark_mode_safe")
            .writable()
            .doc("Whether the form is legible on a dark background."),
        Field::boolean("hide_note").writable().doc("Whether the field for a note is hidden."),
        Field::boolean("show_on_complete")
            .writable()
            .doc("Whether the form is also shown when the record is completed."),
        Field::boolean("activate")
            .trigger()
            .doc(
                "True makes the prepared version the active one, after the rest of the body has been \
                 written to it. The formerly active version is archived, and a copy of the active one \
                 is prepared for further changes.",
            ),
        Field::new("active_version", "active_version_id", Kind::Derived(&ACTIVE_VERSION))
            .nullable()
            .listed()
            .doc("Version that is shown to users; null until one is activated.")
            .example(VERSION_EXAMPLE),
        Field::new("prepared_version", "prepared_version_id", Kind::Derived(&PREPARED_VERSION))
            .nullable()
            .listed()
            .doc("Version that changes are written to.")
            .example(VERSION_EXAMPLE),
        Field::long_text("html")
            .writable()
            .read_from(ACTIVE, "av.html")
            .doc(
                "HTML of the form: read from the active version, written to the prepared one. The id of \
                 an input is the id of a custom field; `data-secret` marks a secret, the class \
                 `required` a mandatory field.",
            )
            .example(r#""<input id=\"url\" class=\"required\">""#),
        Field::long_text("css")
            .writable()
            .read_from(ACTIVE, "av.css")
            .doc("CSS of the form: read from the active version, written to the prepared one.")
            .example(r#""label { display: block; }""#),
        Field::long_text("javascript")
            .writable()
            .read_from(ACTIVE, "av.javascript")
            .doc("JavaScript of the form: read from the active version, written to the prepared one.")
            .example(r#""$('#url').focus();""#),
        Field::long_text("form_definition_json")
            .writable()
            .read_from(ACTIVE, "av.form_definition")
            .doc(
                "Definition by a form designer, kept as it is: read from the active version, written to \
                 the prepared one.",
            )
            .example(r#""{\"fields\":[]}""#),
        Field::long_text("compiled_css")
            .read_from(ACTIVE, "av.css")
            .doc(
                "The active version's CSS. Nothing is compiled here: it is the `css` as it was written, SCSS \
                 too.",
            )
            .example(r#""label { display: block; }""#),
        Field::long_text("localized_html")
            .read_from(ACTIVE, "av.html")
            .doc(
                "The active version's HTML for the caller's language. Translations are not kept here: \
                 it is the `html`.",
            )
            .example(r#""<input id=\"url\" class=\"required\">""#),
        Field::new("phrases", "phrases", PHRASES)
            .read_from(ACTIVE, "av.phrases")
            .doc(PHRASES_DOC)
            .example("[]"),
        Field::derived("created_by", &CREATED_BY).doc("Who created it.").example(PERSON_EXAMPLE),
        Field::derived("updated_by", &UPDATED_BY)
            .doc("Who last changed it or its prepared version.")
            .example(PERSON_EXAMPLE),
        Field::created_at().listed().filterable().sortable(),
        Field::updated_at().listed().filterable().sortable(),
    ],
};

/// Type of `phrases`.
pub(super) const PHRASES: Kind = Kind::Texts { max_items: 10_000, max: KB64 };
/// What the manual says of `phrases`.
pub(super) const PHRASES_DOC: &str =
    "Texts of the form that translations are kept of. Empty as long as none are kept.";

const PERSON_EXAMPLE: &str = r#"{"id":1,"name":"Ann Lee","nodeID":"bG9jYWxob3N0L1BlcnNvbi8x"}"#;
const VERSION_EXAMPLE: &str = r#"{"id":1,"name":"Echo settings","version":1,
    "nodeID":"bG9jYWxob3N0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x",
    "ui_extension":{"id":1,"name":"Echo settings","category":"app_offering",
    "title":"Settings","localized_title":"Settings","nodeID":"bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"}}"#;

/// Lists of UI extensions.
pub static COLLECTION: Collection = Collection {
    record: &RECORD,
    default_sort: &["name"],
    counted: true,
    foreign: false,
    predefined: &[],
};

/// A person whose number is in a column of `t`.
macro_rules! person {
    ($alias:literal, $column:literal) => {
        Derived {
            joins: &[concat!("JOIN people ", $alias, " ON ", $alias, ".id = t.", $column)],
            columns: &[
                concat!($alias, ".id"),
                concat!($alias, ".name"),
                "NULL",
                concat!($alias, ".account_id"),
                concat!(
                    "CASE WHEN ",
                    $alias,
                    ".account_id <> {account} THEN (SELECT name FROM accounts WHERE id = ",
                    $alias,
                    ".account_id) END"
                ),
                concat!($alias, ".disabled"),
            ],
            write: |out, row, at, view| {
                crate::kernel::record::render::write_disablable_reference(
                    out, row, at, view, "Person",
                );
            },
            schema: ("PersonReference", PERSON_SCHEMA),
        }
    };
}

static CREATED_BY: Derived = person!("creator", "created_by_id");
static UPDATED_BY: Derived = person!("updater", "updated_by_id");

static ACTIVE_VERSION: Derived = Derived {
    joins: ACTIVE,
    columns: &[
        "av.id",
        "av.version_nr",
        "t.id",
        "t.name",
        "t.category",
        "t.title",
        "t.disabled",
        "t.account_id",
        "NULL",
    ],
    write: write_version,
    schema: ("UiExtensionVersionReference", VERSION_SCHEMA),
};

static PREPARED_VERSION: Derived = Derived {
    joins: &["LEFT JOIN ui_extension_versions pv ON pv.id = t.prepared_version_id"],
    columns: &[
        "pv.id",
        "pv.version_nr",
        "t.id",
        "t.name",
        "t.category",
        "t.title",
        "t.disabled",
        "t.account_id",
        "NULL",
    ],
    write: write_version,
    schema: ("UiExtensionVersionReference", VERSION_SCHEMA),
};

/// How other records show and name a version of a UI extension (contract 1.7).
pub static VERSION_REFERENCE: Reference = Reference {
    output: Derived {
        joins: &[
            "LEFT JOIN ui_extension_versions uv ON uv.id = t.ui_extension_version_id",
            "LEFT JOIN ui_extensions ue ON ue.id = uv.ui_extension_id",
        ],
        columns: &[
            "uv.id",
            "uv.version_nr",
            "ue.id",
            "ue.name",
            "ue.category",
            "ue.title",
            "ue.disabled",
            "ue.account_id",
            "CASE WHEN ue.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = ue.account_id) END",
        ],
        write: write_version,
        schema: ("UiExtensionVersionReference", VERSION_SCHEMA),
    },
    node_type: VERSION_NODE_TYPE,
};

/// Writes a reference to a version from `id, version_nr` of the version, `id, name, category, title,
/// disabled, account_id` of the UI extension, and the name of its account when that is a foreign one.
fn write_version(out: &mut Vec<u8>, row: &dyn Row, at: usize, view: &View) {
    let (Some(id), Some(extension)) = (row.int(at), row.int(at + 2)) else {
        out.extend_from_slice(b"null");
        return;
    };
    let write_foreign = |out: &mut Vec<u8>| {
        if let (Some(account), Some(name)) = (row.text(at + 7), row.text(at + 8)) {
            write_account(out, &account, &name);
        }
    };
    out.extend_from_slice(b"{\"id\":");
    write_int(out, Some(id));
    out.extend_from_slice(b",\"name\":");
    write_text(out, row.text(at + 3).as_deref());
    out.extend_from_slice(b",\"version\":");
    write_int(out, row.int(at + 1));
    view.write_node_id(out, VERSION_NODE_TYPE, id);
    write_foreign(out);
    out.extend_from_slice(b",\"ui_extension\":{\"id\":");
    write_int(out, Some(extension));
    for (name, at) in [
        (&b",\"name\":"[..], at + 3),
        (b",\"category\":", at + 4),
        (b",\"title\":", at + 5),
        (b",\"localized_title\":", at + 5),
    ] {
        out.extend_from_slice(name);
        write_text(out, row.text(at).as_deref());
    }
    view.write_node_id(out, NODE_TYPE, extension);
    write_foreign(out);
    if row.bool(at + 6) == Some(true) {
        out.extend_from_slice(b",\"disabled\":true");
    }
    out.extend_from_slice(b"}}");
}

const VERSION_SCHEMA: &str = r##"{
    "type": "object", "description": "A version of a UI extension.",
    "required": ["id", "name", "version", "nodeID", "ui_extension"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the version record.", "examples": [1]},
        "name": {"type": "string", "maxLength": 190, "pattern": "^[^\\x00]*$",
                 "description": "Name of the UI extension.", "examples": ["Note dispatcher settings"]},
        "version": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                    "description": "Which version of the UI extension, from 1.", "examples": [1]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the version.",
                   "examples": ["bG9jYWxob3N0L1VpRXh0ZW5zaW9uVmVyc2lvbi8x"]},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when it belongs to another account than the caller's."},
        "ui_extension": {
            "title": "UiExtensionOfVersion", "type": "object", "description": "The UI extension itself.",
            "required": ["id", "name", "category", "title", "localized_title", "nodeID"],
            "properties": {
                "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                       "description": "Number of the UI extension.", "examples": [1]},
                "name": {"type": "string", "maxLength": 190, "pattern": "^[^\\x00]*$",
                         "description": "Its name.", "examples": ["Note dispatcher settings"]},
                "category": {"type": "string", "maxLength": 40, "pattern": "^[a-z_]+$",
                             "description": "What it is for.", "examples": ["app_offering"]},
                "title": {"type": ["string", "null"], "maxLength": 190, "pattern": "^[^\\x00]*$",
                          "description": "Title above the form.", "examples": ["Settings"]},
                "localized_title": {"type": ["string", "null"], "maxLength": 190,
                                    "pattern": "^[^\\x00]*$",
                                    "description": "The title in the caller's language.",
                                    "examples": ["Settings"]},
                "nodeID": {"type": "string", "minLength": 1, "maxLength": 400,
                           "pattern": "^[A-Za-z0-9_-]+$",
                           "description": "nodeID of the UI extension.",
                           "examples": ["bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"]},
                "account": {"$ref": "#/components/schemas/AccountReference",
                            "description": "Only when it belongs to another account than the caller's."},
                "disabled": {"type": "boolean",
                             "description": "Only when it is true: the UI extension is disabled.",
                             "examples": [true]}
            }
        }
    }
}"##;

/// Name and text of the schema of a reference to a UI extension.
pub const REFERENCE_SCHEMA: (&str, &str) = (
    "UiExtensionReference",
    r##"{
    "type": "object", "description": "A UI extension.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the UI extension.", "examples": [1]},
        "name": {"type": "string", "maxLength": 190, "pattern": "^[^\\x00]*$",
                 "description": "Name of the UI extension.", "examples": ["Echo settings"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the UI extension.",
                   "examples": ["bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"]},
        "sourceID": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                     "description": "Only when it is set: id in the system it came from.",
                     "examples": ["ERP-4711"]},
        "disabled": {"type": "boolean",
                     "description": "Only when it is true: the UI extension is disabled.",
                     "examples": [true]}
    }
}"##,
);

record_schemas!(RECORD =>
    UiExtension: |record| schema::output(record, "A UI extension."),
    UiExtensionItem: |record| schema::item(record, "A UI extension in a list: the selected fields."),
    CreateUiExtension: |record| schema::input(record, "A new UI extension.", true),
    UpdateUiExtension: |record| Write::with_source_checked(schema::input(
        record, "Changes to a UI extension. Properties left out keep their value.", false)),
);
list_parameters!(COLLECTION => UiExtensionQuery);
