//! The wire of events that are asked for.
use serde::Serialize;
use utoipa::ToSchema;

use crate::package_api::convention::member::{Member, members};
use crate::package_api::convention::time::Time;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Id of the event, without dashes.
    #[schema(
        nullable,
        min_length = 32,
        max_length = 32,
        pattern = "^[0-9a-f]{32}$",
        example = "6f1c2a349b1e4f0a8f570d3e5b7a9c11"
    )]
    pub id: String,
    /// The same id as notifications have it: with dashes.
    #[schema(nullable, format = "uuid", example = "6f1c2a34-9b1e-4f0a-8f57-0d3e5b7a9c11")]
    pub event_id: String,
    /// What happened.
    #[schema(nullable, max_length = 200, example = "application.installed")]
    pub topic: String,
    /// What it happened to: of the topics of applications, the key of the installed package.
    #[schema(nullable, max_length = 200, example = "acme01.loyalty.1.0.0.Release")]
    pub entity_id: String,
    /// Correlation id of the request that caused it.
    #[schema(nullable, max_length = 200, example = "5d0a4c3be2f94d5f9f0e1a2b3c4d5e6f")]
    pub correlation_id: String,
    /// Whether it was made up to try a receiver; never so here.
    #[schema(example = false)]
    pub is_test: bool,
    /// Number of the tenant.
    #[schema(value_type = Option<i32>, example = 1)]
    pub tenant_id: i64,
    /// Number of the site; `null` for the whole tenant.
    #[schema(value_type = Option<i32>, example = json!(null))]
    pub site_id: Option<i64>,
    /// Number of the master catalog: always `null`.
    #[schema(value_type = Option<i32>, example = json!(null))]
    pub master_catalog_id: (),
    /// Number of the catalog: always `null`.
    #[schema(value_type = Option<i32>, example = json!(null))]
    pub catalog_id: (),
    /// When it happened.
    pub audit_info: EventAuditInfo,
    /// More about it; the topics of applications have nothing more.
    #[schema(max_items = 100, example = json!([]))]
    pub extended_properties: Vec<EventExtendedProperty>,
}

/// When an event happened. Who caused it is found by the correlation id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventAuditInfo {
    /// When it happened; events do not change.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:14:59.120Z")]
    pub update_date: Time,
    /// When it happened.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-03-04T09:14:59.120Z")]
    pub create_date: Time,
    /// Always `null`.
    #[schema(value_type = Option<String>, max_length = 200, example = json!(null))]
    pub update_by: (),
    /// Always `null`.
    #[schema(value_type = Option<String>, max_length = 200, example = json!(null))]
    pub create_by: (),
}

/// Something more about an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventExtendedProperty {
    /// What it is.
    #[schema(nullable, max_length = 200, example = "orderId")]
    pub key: String,
    /// Its value.
    #[schema(nullable, max_length = 2000, example = "1204")]
    pub value: String,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventCollection {
    /// Events before the first one of the page.
    #[schema(value_type = i32, example = 0)]
    pub start_index: i64,
    /// Most events of a page.
    #[schema(value_type = i32, maximum = 200, example = 20)]
    pub page_size: i64,
    /// Number of pages.
    #[schema(value_type = i32, example = 1)]
    pub page_count: i64,
    /// Number of events in all pages.
    #[schema(value_type = i32, example = 1)]
    pub total_count: i64,
    /// The events of the page.
    #[schema(max_items = 200)]
    pub items: Vec<Event>,
}

/// What lists of events can be sorted and filtered by. `createDate` is `auditInfo.createDate` in short.
pub(super) static MEMBERS: &[Member<Event>] = members! {
    "id": Text = |it| it.id.as_str(),
    "eventId": Text = |it| it.event_id.as_str(),
    "topic": Text = |it| it.topic.as_str(),
    "entityId": Text = |it| it.entity_id.as_str(),
    "correlationId": Text = |it| it.correlation_id.as_str(),
    "isTest": Bool = |it| it.is_test,
    "tenantId": Int = |it| it.tenant_id,
    "siteId": Int = |it| it.site_id,
    "createDate": Date = |it| it.audit_info.create_date.0,
    "auditInfo.createDate": Date = |it| it.audit_info.create_date.0,
    "auditInfo.updateDate": Date = |it| it.audit_info.update_date.0,
};
