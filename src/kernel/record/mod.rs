//! Records: what a resource's table of [`Field`]s says once, everything else is derived from.
//!
//! One line of such a table gives a field's name on the wire, its column, its type and limits, who
//! may write it, whether lists show, filter and sort by it, and what the manual says of it. From it
//! come: the SQL that reads it and the JSON it becomes ([`select`], [`render`]), the query grammar
//! ([`query`], [`filter`], [`cursor`], [`page`]), what is accepted as input ([`input`]), and its OpenAPI schema
//! and parameters ([`schema`]). There is no second list to keep in step.
pub mod cursor;
pub mod field;
pub mod filter;
pub mod input;
pub mod page;
pub mod query;
pub mod render;
pub mod schema;
pub mod select;
pub mod view;

pub use field::{Access, Collection, Derived, Field, Kind, Predefined, Record, Reference};
pub use input::{Body, Changes};
pub use query::ListQuery;
pub use view::View;
