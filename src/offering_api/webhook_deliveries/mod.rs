//! Messages to webhooks: what they say, how they are signed, when they are repeated (contract 4.3 to
//! 4.5), and the log of their deliveries.
//!
//! | Method | Path | Handler |
//! |---|---|---|
//! | GET | `/v1/webhooks/{id}/deliveries` | `http::list` |
//! | GET | `/v1/webhooks/{id}/deliveries/{waiting,delivered,failed}` | `http::list_waiting`, `http::list_delivered`, `http::list_failed` |
//! | GET | `/v1/webhooks/{id}/deliveries/{delivery_id}` | `http::get` |
//! | POST | `/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver` | `http::redeliver` |
//! | POST | `/v1/webhooks/{id}/replay` | `http::replay` |
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::directory::state::AppState;

mod channel;
pub mod dto;
mod http;
mod log;
pub mod message;
mod schedule;

pub use channel::Webhooks;

/// The routes below a webhook.
pub fn router_of_webhook() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(http::list))
        .routes(routes!(http::list_waiting))
        .routes(routes!(http::list_delivered))
        .routes(routes!(http::list_failed))
        .routes(routes!(http::get))
        .routes(routes!(http::redeliver))
        .routes(routes!(http::replay))
}
