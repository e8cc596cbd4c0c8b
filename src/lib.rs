//! Appmarket: a self-hosted app marketplace service.
//!
//! Layers, each of which imports only from those below it, and no file one that leads back to it (a test
//! enforces the arrows):
//!
//! ```text
//! main → commands → app → api → offering_api, package_api → directory → kernel
//!                    └──── seed, migrations ┘
//! ```
//!
//! * [`commands`]: the command line.
//! * [`app`]: configuration → state → router; start and graceful stop.
//! * [`api`]: merges the families, publishes documents and Swagger UI, answers health checks.
//! * [`offering_api`]: the app offerings family, one folder per URL segment.
//! * [`package_api`]: the app packages family, one folder per URL segment.
//! * [`directory`]: accounts, people, tokens and trusts: who exists.
//! * [`kernel`]: knows no resource: database, record tables (fields, filters, pages), errors.
pub mod api;
pub mod app;
pub mod commands;
pub mod directory;
pub mod kernel;
pub mod migrations;
pub mod offering_api;
pub mod package_api;
pub mod seed;
