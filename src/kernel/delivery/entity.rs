//! Tables `delivery_lanes`, `deliveries` and `delivery_attempts`. Times are milliseconds since the epoch.
use sea_orm::entity::prelude::*;

/// State of a delivery that is yet to be delivered.
pub const WAITING: &str = "waiting";
/// State of a delivery that was delivered.
pub const DELIVERED: &str = "delivered";
/// State of a delivery that was given up.
pub const FAILED: &str = "failed";

/// A message.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    /// Number of the delivery.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The way that it takes.
    pub lane_id: i64,
    /// Account that owns the receiver.
    pub account_id: String,
    /// What the receiver knows it by: a UUID with dashes.
    pub delivery_id: String,
    /// Id of the first delivery of what is delivered once more.
    pub origin_id: Option<String>,
    /// Number of the event that it tells of.
    pub event_id: Option<i64>,
    /// Name of the event.
    pub event: String,
    /// What it is about: messages of one object leave in order.
    pub object: String,
    /// What the message is made of: JSON object without secrets.
    pub payload: String,
    /// More of it, sealed; `None` once delivered.
    pub secrets: Option<String>,
    /// [`WAITING`], [`DELIVERED`] or [`FAILED`].
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// When it is tried (again); `None` when it is not: while it waits, for its lane to be resumed.
    pub next_attempt_at: Option<i64>,
    /// When it was delivered or given up.
    pub finished_at: Option<i64>,
    /// When it was made.
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

/// Table `delivery_lanes`.
pub mod lane {
    use sea_orm::entity::prelude::*;

    /// The way to one receiver.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "delivery_lanes")]
    pub struct Model {
        /// Number of the lane.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Account that owns the receiver.
        pub account_id: String,
        /// Kind of the lane.
        pub kind: String,
        /// Number of the webhook, or of the subscription.
        pub target_id: i64,
        /// What else tells lanes of a target apart.
        pub name: String,
        /// When there is something to do; `None` when nothing waits, or all is held.
        pub due_at: Option<i64>,
        /// The worker that has it.
        pub holder: Option<String>,
        /// Until when it has it.
        pub leased_until: i64,
        /// How often it was resumed: what was held before that is held no longer.
        pub resumes: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `delivery_attempts`.
pub mod attempt {
    use sea_orm::entity::prelude::*;

    /// One request that tried to deliver a message.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "delivery_attempts")]
    pub struct Model {
        /// The delivery.
        #[sea_orm(primary_key, auto_increment = false)]
        pub delivery_id: i64,
        /// 1 for the first.
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i64,
        /// When it began.
        pub started_at: i64,
        /// How long it took, in milliseconds.
        pub duration: i64,
        /// Address of the request, without name and password.
        pub request_url: String,
        /// Headers of the request: JSON object, credentials masked.
        pub request_headers: String,
        /// Status of the answer.
        pub response_status: Option<i64>,
        /// First 64 KiB of the answer.
        pub response_body: Option<String>,
        /// Why there was no answer.
        pub error: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
