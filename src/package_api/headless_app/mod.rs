//! Logs and builds of hosted sites (contract 3.12). The operator's hosting pipeline puts logs into the
//! store of files, below `hosting/`, and tells of builds on the command line; here they are read.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/platform/appdev/headless-app/logs/runtime` | `http::list_logs` |
//! | GET | `/platform/appdev/headless-app/builds/{branchName}` | `http::list_builds` |
//! | GET | `/platform/appdev/headless-app/builds/{branchName}/logs/{jobId}` | `http::get_build` |
//! | GET | `/platform/appdev/headless-app/files/{*key}` | `http::get_log` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod builds;
pub mod dto;
pub mod entity;
mod http;
mod links;
mod logs;
pub mod pipeline;
pub mod sites;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::list_logs))
        .routes(routes!(http::list_builds))
        .routes(routes!(http::get_build))
        .routes(routes!(http::get_log))
}
