//! The wire of UI extensions: the reference to a version that other records show.
use crate::kernel::record::Record;
use crate::kernel::record::field::{Derived, Field, Reference};
use crate::kernel::record::render::{write_int, write_text};

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "UiExtension";
/// Type of versions in nodeIDs.
pub const VERSION_NODE_TYPE: &str = "UiExtensionVersion";

/// The record, field by field.
pub static RECORD: Record = Record {
    name: "ui_extension",
    table: "ui_extensions",
    node_type: NODE_TYPE,
    fields: &[Field::id(), Field::text("name", 80).writable().required().listed()],
};

/// How other records show and name a version of a UI extension (contract 1.7).
pub static VERSION_REFERENCE: Reference = Reference {
    output: Derived {
        joins: &[
            "LEFT JOIN ui_extension_versions uv ON uv.id = t.ui_extension_version_id",
            "LEFT JOIN ui_extensions ue ON ue.id = uv.ui_extension_id",
        ],
        columns: &["uv.id", "uv.version_nr", "ue.id", "ue.name", "ue.category", "ue.title"],
        write: |out, row, at, view| {
            let (Some(id), Some(extension)) = (row.int(at), row.int(at + 2)) else {
                out.extend_from_slice(b"null");
                return;
            };
            out.extend_from_slice(b"{\"id\":");
            write_int(out, Some(id));
            out.extend_from_slice(b",\"name\":");
            write_text(out, row.text(at + 3).as_deref());
            out.extend_from_slice(b",\"version\":");
            write_int(out, row.int(at + 1));
            view.write_node_id(out, VERSION_NODE_TYPE, id);
            out.extend_from_slice(b",\"ui_extension\":{\"id\":");
            write_int(out, Some(extension));
            for (name, at) in [("name", at + 3), ("category", at + 4), ("title", at + 5)] {
                out.extend_from_slice(format!(",\"{name}\":").as_bytes());
                write_text(out, row.text(at).as_deref());
            }
            out.extend_from_slice(b",\"localized_title\":");
            write_text(out, row.text(at + 5).as_deref());
            view.write_node_id(out, NODE_TYPE, extension);
            out.extend_from_slice(b"}}");
        },
        schema: ("UiExtensionVersionReference", VERSION_SCHEMA),
    },
    node_type: VERSION_NODE_TYPE,
};

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
        "ui_extension": {
            "type": "object", "description": "The UI extension itself.",
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
                           "examples": ["bG9jYWxob3N0L1VpRXh0ZW5zaW9uLzE"]}
            }
        }
    }
}"##;
