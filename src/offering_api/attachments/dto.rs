//! The wire of attachments: the aggregated list that a record shows.
use serde_json::{Value, json};

use crate::kernel::db::Row;
use crate::kernel::node_id;
use crate::kernel::record::View;
use crate::kernel::secret::Purpose;

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "Attachment";

/// The output `attachments` of a record type, gathered in the query that reads the record.
#[macro_export]
macro_rules! attachments_output {
    ($record_type:literal) => {
        $crate::kernel::record::Derived {
            joins: &[],
            columns: &[concat!(
                "(SELECT CAST({json_agg}({json_row}(a.id, a.file_key, a.name, a.size, a.inline, \
                 a.created_at) ORDER BY a.id) AS TEXT) FROM attachments a WHERE a.record_type = '",
                $record_type,
                "' AND a.record_id = t.id)"
            )],
            write: $crate::offering_api::attachments::dto::write,
            schema: ("", $crate::offering_api::attachments::dto::SCHEMA),
        }
    };
}

/// Writes what the column of [`attachments_output!`] holds.
pub fn write(out: &mut Vec<u8>, row: &dyn Row, at: usize, view: &View) {
    let rows: Vec<Value> =
        row.text(at).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let list: Vec<Value> = rows.iter().filter_map(|row| attachment(row, view)).collect();
    // Writing into memory cannot fail.
    drop(serde_json::to_writer(out, &list));
}

fn attachment(row: &Value, view: &View) -> Option<Value> {
    let id = row.get(0)?.as_i64()?;
    let key = row.get(1)?.as_str()?;
    let mut created_at = Vec::new();
    crate::kernel::time_zone::write_timestamp(
        &mut created_at,
        row.get(5)?.as_i64()?,
        view.time_zone,
    );
    Some(json!({
        "id": id,
        "key": key,
        "name": row.get(2)?,
        "size": row.get(3)?,
        // SQLite has no booleans.
        "inline": row.get(4)? == true || row.get(4)? == 1,
        "uri": file_uri(view, id, key),
        "created_at": String::from_utf8(created_at).ok()?,
        "nodeID": node_id::encode(&view.site.domain, NODE_TYPE, id),
    }))
}

/// Milliseconds of the steps in which file addresses expire: within a step they stay the same, and
/// with them the record's entity tag.
const STEP: i64 = 60 * 60 * 1000;

/// An address that opens a file without credentials for one to two hours.
pub fn file_uri(view: &View, id: i64, key: &str) -> String {
    let expires = (view.now / STEP + 2) * STEP / 1000;
    let signature = file_signature(view, id, key, expires);
    let base = &view.site.public_url;
    format!("{base}/v1/attachments/files/{id}?expires={expires}&signature={signature}")
}

/// What proves that an address was made here.
pub fn file_signature(view: &View, id: i64, key: &str, expires: i64) -> String {
    let (id, expires) = (id.to_string(), expires.to_string());
    let parts = ["file".as_bytes(), id.as_bytes(), key.as_bytes(), expires.as_bytes()];
    hex::encode(view.site.key.sign(Purpose::Storage, &parts))
}

/// Schema of the aggregated list.
pub const SCHEMA: &str = r##"{
    "type": "array", "maxItems": 10000,
    "items": {
        "type": "object", "description": "A file that the record's texts use.",
        "required": ["id", "key", "name", "size", "inline", "uri", "created_at", "nodeID"],
        "properties": {
            "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                   "description": "Number of the attachment.", "examples": [9]},
            "key": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\x00]+$",
                    "description": "Key of the stored file.",
                    "examples": ["attachments/wdc/2026/02/01/501/1769935000-3f9a1c/logo.png"]},
            "name": {"type": "string", "maxLength": 255, "pattern": "^[^\\x00]*$",
                     "description": "Name of the file.", "examples": ["logo.png"]},
            "size": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 9007199254740991,
                     "description": "Size in bytes.", "examples": [1234]},
            "inline": {"type": "boolean", "description": "Whether the text shows it.",
                       "examples": [false]},
            "uri": {"type": "string", "format": "uri", "maxLength": 2048,
                    "description": "Opens the file without credentials, for at least an hour.",
                    "examples": ["https://api.example.test/v1/attachments/files/9?expires=1769940000&signature=00"]},
            "created_at": {"type": "string", "format": "date-time", "maxLength": 25,
                           "description": "When it was attached.",
                           "examples": ["2026-02-01T09:15:00+01:00"]},
            "nodeID": {"type": "string", "minLength": 1, "maxLength": 400,
                       "pattern": "^[A-Za-z0-9_-]+$", "description": "nodeID of the attachment.",
                       "examples": ["bG9jYWxob3N0L0F0dGFjaG1lbnQvOQ"]}
        }
    }
}"##;
