//! Who exists: accounts, their people, the trust between them, and the credentials they call with; and
//! what can be granted to them.
pub mod account_numbers;
pub mod accounts;
pub mod catalogue;
pub mod developers;
pub mod identity;
pub mod oauth_clients;
pub mod people;
pub mod permission;
pub mod signing_keys;
pub mod state;
pub mod tickets;
pub mod tokens;
pub mod trusts;
