//! Attachments: files that texts of other records use (contract 3.8), and their pictures.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/v1/attachments/storage` | `http::storage` |
//! | POST | `/v1/attachments` | `http::upload` |
//! | GET | `/v1/attachments/files/{id}` | `http::file` |
//! | GET | `/v1/attachments/pictures/{name}` | `http::picture` |
//!
//! A client asks for the description of an upload ([`grant`]), posts the file with it ([`upload`]),
//! and names its key in a record's `…_attachments` ([`service`]). The record then shows an address of
//! the file ([`dto`], [`download`]). What is never taken up goes again ([`sweep`]).
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

pub mod download;
pub mod dto;
pub mod entity;
mod fields;
pub mod form;
pub mod grant;
mod http;
pub mod pictures;
mod s3_policy;
pub mod service;
pub mod sweep;
pub mod upload;
pub mod upload_entity;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::upload))
        .routes(routes!(http::storage))
        .routes(routes!(http::file))
        .routes(routes!(http::picture))
}
