//! The records that every resource of this family shares: what is developed, from the namespace down to
//! the package.
pub mod applications;
pub mod author;
pub mod known;
pub mod lookup;
pub mod namespaces;
pub mod packages;
pub mod parent;
pub mod refresh_tokens;
pub mod secret;
pub mod status;
pub mod theme;
pub mod versions;
pub mod wire_ids;
