//! How this family speaks, whatever the resource (contract 1): addresses, queries, bodies, dates,
//! selections of fields, keys and refusals. Nothing in here knows a resource or a table.
pub mod body;
pub mod envelope;
pub mod fields;
pub mod filter;
pub mod key;
pub mod list;
pub mod member;
pub mod page;
pub mod paths;
pub mod query;
pub mod refusal;
pub mod sort;
pub mod time;
