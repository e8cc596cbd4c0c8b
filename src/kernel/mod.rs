//! What every resource stands on. Nothing in here knows a resource.
pub mod audit;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod http;
pub mod idempotency;
pub mod jws;
pub mod language;
pub mod markdown;
pub mod node_id;
pub mod record;
pub mod secret;
pub mod state;
pub mod storage;
pub mod time_zone;
