//! The wire of service instances: the reference that other records show.
use crate::kernel::record::Record;
use crate::kernel::record::field::{Derived, Field, Reference};
use crate::kernel::record::render::write_reference;

/// Type in nodeIDs.
pub const NODE_TYPE: &str = "ServiceInstance";

/// The record, field by field.
pub static RECORD: Record = Record {
    name: "service_instance",
    table: "service_instances",
    node_type: NODE_TYPE,
    fields: &[Field::id(), Field::text("name", 80).writable().required().listed()],
};

/// How other records show and name a service instance.
pub static REFERENCE: Reference = Reference {
    output: Derived {
        joins: &["LEFT JOIN service_instances si ON si.id = t.service_instance_id"],
        columns: &[
            "si.id",
            "si.name",
            "si.source_id",
            "si.account_id",
            "CASE WHEN si.account_id <> {account} \
             THEN (SELECT name FROM accounts WHERE id = si.account_id) END",
        ],
        write: |out, row, at, view| write_reference(out, row, at, view, NODE_TYPE),
        schema: ("ServiceInstanceReference", SCHEMA),
    },
    node_type: NODE_TYPE,
};

const SCHEMA: &str = r##"{
    "type": "object", "description": "A service instance.",
    "required": ["id", "name", "nodeID"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991,
               "description": "Number of the service instance.", "examples": [1]},
        "name": {"type": "string", "maxLength": 80, "pattern": "^[^\\x00]*$",
                 "description": "Name of the service instance.", "examples": ["Our Integration"]},
        "nodeID": {"type": "string", "minLength": 1, "maxLength": 400, "pattern": "^[A-Za-z0-9_-]+$",
                   "description": "nodeID of the service instance.",
                   "examples": ["bG9jYWxob3N0L1NlcnZpY2VJbnN0YW5jZS8x"]},
        "sourceID": {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$",
                     "description": "Only when it is set: id in the system it came from.",
                     "examples": ["ERP-4711"]},
        "account": {"$ref": "#/components/schemas/AccountReference",
                    "description": "Only when it belongs to another account than the caller's."}
    }
}"##;
