//! Files of packages (contract 3.7). Their rows are here, their bytes in the store.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | POST | `/platform/developer/packages/{applicationKey}/files/{filepath}` | `http::upsert` |
//! | DELETE | `/platform/developer/packages/{applicationKey}/files/{filepath}` | `http::delete` |
//! | POST | `/platform/developer/packages/{applicationKey}/files_rename` | `http::rename` |
//! | GET | `/platform/developer/packages/{applicationKey}/metadata` | `http::metadata` |
//! | GET | `/platform/developer/packages/{applicationKey}/filemetadata/{filepath}` | `http::file_metadata` |
use utoipa::openapi::{RefOr, Required};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::directory::state::AppState;

pub mod copy;
pub mod dto;
pub mod entity;
mod http;
pub mod path;
pub mod receive;
pub mod seed;
pub mod service;
pub mod sweep;
mod tree;

/// The resource's routes.
pub fn router() -> OpenApiRouter<AppState> {
    let mut router = OpenApiRouter::default()
        // One `routes!` per path: two paths in one would share their methods.
        .routes(routes!(http::upsert, http::delete))
        .routes(routes!(http::rename))
        .routes(routes!(http::metadata))
        .routes(routes!(http::file_metadata));
    // No attribute says so: an empty file is a request without a body, and some clients send none.
    for item in router.get_openapi_mut().paths.paths.values_mut() {
        if let Some(RefOr::T(body)) = item.post.as_mut().and_then(|post| post.request_body.as_mut())
            && body.content.contains_key(http::ANY_TYPE)
        {
            body.required = Some(Required::False);
        }
    }
    router
}
