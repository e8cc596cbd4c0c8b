//! The wire of attachments: uploads, downloads, and the aggregated list that a record shows.
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::kernel::db::Row;
use crate::kernel::node_id;
use crate::kernel::record::{View, schema};
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
        "title": "Attachment", "type": "object", "description": "A file that the record's texts use.",
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

/// Declares types of the document by their schemas.
macro_rules! schemas {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                schema::from_json(schema::parse($schema))
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

schemas! {
    /// What `GET /v1/attachments/storage` answers.
    StorageDescription = r##"{
        "type": "object", "description": "How to upload a file.",
        "required": ["size_limit", "allowed_extensions", "provider", "upload_uri"],
        "properties": {
            "size_limit": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
                           "description": "Largest file, in bytes.", "examples": [20971520]},
            "allowed_extensions": {"type": "array", "maxItems": 1000,
                "description": "Extensions that names of files may have; none: any.", "examples": [[]],
                "items": {"type": "string", "maxLength": 16, "pattern": "^[a-z0-9]+$"}},
            "provider": {"type": "string", "enum": ["local", "s3"],
                         "description": "Which parameters the upload takes, and the form of its answer.",
                         "examples": ["local"]},
            "upload_uri": {"type": "string", "format": "uri", "maxLength": 2048,
                           "description": "Where the file is posted to.",
                           "examples": ["https://api.example.test/v1/attachments"]},
            "local": {
                "title": "LocalUpload", "type": "object", "description": "Parameters of the provider `local`.",
                "required": ["key", "x-4me-expiration", "x-4me-signature"],
                "properties": {
                    "key": {"type": "string", "maxLength": 500, "pattern": "^attachments/[^\\x00]+$",
                            "description": "Key of the file; `${filename}` stands for its name.",
                            "examples": ["attachments/wdc/2026/02/01/501/1769935000-3f9a1c0e3f9a1c0e/${filename}"]},
                    "x-4me-expiration": {"type": "string", "format": "date-time", "maxLength": 25,
                                         "description": "Until when the upload must begin.",
                                         "examples": ["2026-02-01T09:15:00Z"]},
                    "x-4me-signature": {"type": "string", "minLength": 64, "maxLength": 64,
                                        "pattern": "^[0-9a-f]{64}$",
                                        "description": "Proves the account and the person.",
                                        "examples": ["4ad3fbb8c0e1a0a83a2e6f6de4b7ad7ba1c5d1e50f6f9a0b7c8d9e0f1a2b3c4d"]}
                }
            },
            "s3": {
                "title": "S3Upload", "type": "object",
                "description": "Parameters of the provider `s3`, as Amazon S3 takes them.",
                "required": ["acl", "key", "policy", "success_action_status", "x-amz-algorithm",
                             "x-amz-credential", "x-amz-date", "x-amz-server-side-encryption",
                             "x-amz-signature"],
                "properties": {
                    "acl": {"type": "string", "enum": ["private"], "description": "Who may read the file.",
                            "examples": ["private"]},
                    "key": {"type": "string", "maxLength": 500, "pattern": "^attachments/[^\\x00]+$",
                            "description": "Key of the file; `${filename}` stands for its name.",
                            "examples": ["attachments/wdc/2026/02/01/501/1769935000-3f9a1c0e3f9a1c0e/${filename}"]},
                    "policy": {"type": "string", "maxLength": 4000, "pattern": "^[A-Za-z0-9+/]+=*$",
                               "description": "What may be uploaded: JSON in Base64.",
                               "examples": ["eyJleHBpcmF0aW9uIjoiMjAyNi0wMi0wMVQwOToxNTowMC4wMDBaIn0="]},
                    "success_action_status": {"type": "integer", "format": "int32", "minimum": 201,
                                              "maximum": 201, "description": "Status of the answer.",
                                              "examples": [201]},
                    "x-amz-algorithm": {"type": "string", "enum": ["AWS4-HMAC-SHA256"],
                                        "description": "How the policy is signed.",
                                        "examples": ["AWS4-HMAC-SHA256"]},
                    "x-amz-credential": {"type": "string", "maxLength": 200, "pattern": "^[a-z0-9/_]+$",
                                         "description": "Which key signed the policy.",
                                         "examples": ["appmarket/20260201/local/s3/aws4_request"]},
                    "x-amz-date": {"type": "string", "maxLength": 16, "pattern": "^[0-9]{8}T[0-9]{6}Z$",
                                   "description": "When the policy was signed.",
                                   "examples": ["20260201T081500Z"]},
                    "x-amz-server-side-encryption": {"type": "string", "enum": ["AES256"],
                        "description": "Expected by clients of S3.", "examples": ["AES256"]},
                    "x-amz-signature": {"type": "string", "minLength": 64, "maxLength": 64,
                                        "pattern": "^[0-9a-f]{64}$",
                                        "description": "Proves the account and the person.",
                                        "examples": ["4ad3fbb8c0e1a0a83a2e6f6de4b7ad7ba1c5d1e50f6f9a0b7c8d9e0f1a2b3c4d"]}
                }
            }
        }
    }"##;

    /// Parts of an upload.
    UploadForm = r##"{
        "type": "object", "maxProperties": 51,
        "description": "A file with the parameters of its upload: those that `GET /v1/attachments/storage` answers under the name of the provider, unchanged. A part `Content-Type` tells the content type of the file where the part `file` has none. Names of parts in any case.",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary",
                     "description": "The file, with its name; the last part. Its size is limited as `size_limit` says."}
        }
    }"##;

    /// What an upload answers in the shape `local`.
    UploadedFile = r##"{
        "type": "object", "description": "A stored file.", "required": ["key"],
        "properties": {
            "key": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\x00]+$",
                    "description": "Key of the file, for the `…_attachments` of a record.",
                    "examples": ["attachments/wdc/2026/02/01/501/1769935000-3f9a1c0e3f9a1c0e/logo.png"]}
        }
    }"##;

    /// What an upload answers in the shape `s3`.
    UploadedXml = r##"{
        "type": "object", "description": "A stored file, as Amazon S3 answers.",
        "xml": {"name": "PostResponse"},
        "required": ["Location", "Bucket", "Key", "ETag"],
        "properties": {
            "Location": {"type": "string", "format": "uri", "maxLength": 4000,
                "description": "Address of the file in the manner of S3. It is read by the `uri` that a record shows.",
                "examples": ["https://api.example.test/v1/attachments/attachments/wdc/2026/02/01/501/1769935000-3f9a1c0e3f9a1c0e/logo.png"]},
            "Bucket": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9-]+$",
                       "description": "Always the same.", "examples": ["appmarket"]},
            "Key": {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\x00]+$",
                    "description": "Key of the file, for the `…_attachments` of a record.",
                    "examples": ["attachments/wdc/2026/02/01/501/1769935000-3f9a1c0e3f9a1c0e/logo.png"]},
            "ETag": {"type": "string", "maxLength": 66, "pattern": "^\"[0-9a-f]{64}\"$",
                     "description": "Hash of the file, in quotation marks.",
                     "examples": ["\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\""]}
        }
    }"##;

    /// The bytes of a file.
    FileBytes = r##"{
        "type": "string", "format": "binary", "maxLength": 2147483647, "description": "The bytes of the file."
    }"##;
}

/// Query parameters of a pre-signed address.
#[derive(Clone, Copy, Debug)]
pub struct FileQuery;

impl utoipa::IntoParams for FileQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: Value| {
            let value = json!({
                "name": name, "in": "query", "required": true,
                "description": description, "schema": schema,
            });
            serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        vec![
            parameter(
                "expires",
                "When the address expires, in seconds since 1970-01-01T00:00:00Z.",
                json!({"type": "integer", "format": "int64", "minimum": 0,
                       "maximum": 9_007_199_254_740_991_i64, "examples": [1_769_940_000]}),
            ),
            parameter(
                "signature",
                "Proves that the address was made by this server.",
                json!({"type": "string", "minLength": 64, "maxLength": 64, "pattern": "^[0-9A-Fa-f]{64}$",
                       "examples": ["4ad3fbb8c0e1a0a83a2e6f6de4b7ad7ba1c5d1e50f6f9a0b7c8d9e0f1a2b3c4d"]}),
            ),
        ]
    }
}
