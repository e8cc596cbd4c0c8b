//! The wire of event subscriptions (contract 2.6).
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A subscription of a package: where the platform tells the application of which events. It takes effect
/// in a tenant when the application is installed there, or installed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationSubscription {
    /// Number of the subscription; 0 or absent in a request that makes one.
    #[schema(value_type = i32, example = 91)]
    pub application_subscription_id: i64,
    /// Absolute `http` or `https` URL that receives the notifications, without user information and
    /// fragment.
    #[schema(
        nullable,
        max_length = 2000,
        format = "uri",
        example = "https://loyalty.acme.example/hooks"
    )]
    pub application_end_point: String,
    /// The events, at least one, each once.
    #[schema(nullable, max_items = 1000)]
    pub events: Vec<AppDevEvent>,
    /// Number of the package that it belongs to.
    #[schema(value_type = i32, example = 4102)]
    pub package_id: i64,
    /// Whether the application is not told of what it did itself, by whichever of its versions.
    #[schema(example = true)]
    pub no_callback: bool,
}

/// An event of the catalogue. In a request the id selects it, or, without one, the name; the rest is
/// filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppDevEvent {
    /// Number of the event in the catalogue.
    #[schema(value_type = i32, example = 52)]
    pub event_id: i64,
    /// Its topic.
    #[schema(nullable, max_length = 200, example = "order.opened")]
    pub event_name: String,
    /// Group of the event.
    #[schema(nullable, max_length = 200, example = "Order")]
    pub event_category: String,
    /// Version of the platform's API that defines the event.
    #[schema(nullable, max_length = 50, example = "1")]
    pub api_version_number: String,
}
