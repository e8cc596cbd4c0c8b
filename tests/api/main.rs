//! The suite that talks HTTP to the real router, on a private database with a frozen clock.
//!
//! Each test runs on SQLite, and on PostgreSQL too when `APPMARKET_TEST_DATABASE_URL` names a server:
//! write it with [`on_both!`].
// `json!` of a whole package, 53 members.
#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod canaries;
mod contracts;
mod deliveries;
mod directory;
mod document;
mod health;
mod offering_api;
mod package_api;
mod published;
mod security;
mod statuses;
mod storage;
mod support;
