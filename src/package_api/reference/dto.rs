//! The wire of what packages refer to (contract 3.8, 5): behaviors and their categories, events and
//! capability types.
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::catalogue::{behaviors, capability_types, events};
use crate::package_api::convention::time::Time;

/// Whose tokens may have behaviors.
const USER_TYPES: [&str; 1] = ["Developer"];

/// Something that an application may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Behavior {
    /// Number of the behavior.
    #[schema(value_type = i32, example = 101)]
    pub id: i64,
    /// Number of its category.
    #[schema(value_type = i32, example = 5)]
    pub category_id: i64,
    /// What it allows: an object and a verb.
    #[schema(max_length = 200, example = "Order Create")]
    pub name: String,
    /// Numbers of the behaviors that come with it.
    #[schema(value_type = Vec<i32>, max_items = 100, example = json!([102]))]
    pub requires_behavior_ids: Vec<i64>,
    /// Types of users that may have it.
    #[schema(max_items = 10, example = json!(["Developer"]))]
    pub valid_user_types: Vec<String>,
    /// Whether only operators may give it to an application.
    #[schema(example = false)]
    pub is_private: bool,
    /// Roles of the platform that have it; this service knows none.
    #[schema(max_items = 100, example = json!([]))]
    pub system_roles: Vec<String>,
}

impl Behavior {
    /// Whether a type of users may have it; types compare without regard to case.
    pub fn is_for(&self, user_type: &str) -> bool {
        self.valid_user_types.iter().any(|valid| valid.eq_ignore_ascii_case(user_type))
    }
}

impl From<&behaviors::Behavior> for Behavior {
    fn from(behavior: &behaviors::Behavior) -> Self {
        let behaviors::Behavior { id, category_id, name, is_private, requires } = behavior;
        Self {
            id: *id,
            category_id: *category_id,
            name: name.clone(),
            requires_behavior_ids: requires.clone(),
            valid_user_types: USER_TYPES.map(str::to_owned).to_vec(),
            is_private: *is_private,
            system_roles: Vec::new(),
        }
    }
}

/// A group of behaviors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BehaviorCategory {
    /// Number of the category.
    #[schema(value_type = i32, example = 5)]
    pub id: i64,
    /// Its name.
    #[schema(max_length = 200, example = "Order")]
    pub name: String,
}

impl From<&behaviors::Category> for BehaviorCategory {
    fn from(category: &behaviors::Category) -> Self {
        let behaviors::Category { id, name } = category;
        Self { id: *id, name: name.clone() }
    }
}

/// All behaviors that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviorCollection {
    /// Number of behaviors.
    #[schema(value_type = i32, example = 1)]
    pub total_count: usize,
    /// The behaviors, by number.
    pub items: Vec<Behavior>,
}

/// All categories of behaviors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviorCategoryCollection {
    /// Number of categories.
    #[schema(value_type = i32, example = 24)]
    pub total_count: usize,
    /// The categories, by number.
    pub items: Vec<BehaviorCategory>,
}

impl From<Vec<Behavior>> for BehaviorCollection {
    fn from(items: Vec<Behavior>) -> Self {
        Self { total_count: items.len(), items }
    }
}

impl From<Vec<BehaviorCategory>> for BehaviorCategoryCollection {
    fn from(items: Vec<BehaviorCategory>) -> Self {
        Self { total_count: items.len(), items }
    }
}

/// Something that an application can be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventType {
    /// Number of the event.
    #[schema(value_type = i32, example = 58)]
    pub event_id: i64,
    /// Its topic.
    #[schema(max_length = 200, example = "return.authorized")]
    pub event_name: String,
    /// Group of the event.
    #[schema(max_length = 200, example = "Order")]
    pub event_category: String,
    /// The API version that defines it.
    #[schema(max_length = 50, example = "1")]
    pub api_version_number: String,
    /// Keys of `extendedProperties` in its notifications; without any, these have none.
    #[schema(max_items = 100, example = json!([]))]
    pub extended_properties: Vec<String>,
}

impl From<&events::Event> for EventType {
    fn from(event: &events::Event) -> Self {
        let events::Event { id, name, category, api_version, extended_properties } = event;
        Self {
            event_id: *id,
            event_name: name.clone(),
            event_category: category.clone(),
            api_version_number: api_version.clone(),
            extended_properties: extended_properties.clone(),
        }
    }
}

/// Something that an application can do in place of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityType {
    /// Number of the type.
    #[schema(value_type = i32, example = 2)]
    pub id: i64,
    /// Its name.
    #[schema(max_length = 200, example = "Tax Calculator")]
    pub capability_type_name: String,
    /// How it is called for people; this service calls it by its name.
    #[schema(max_length = 200, example = "Tax Calculator")]
    pub capability_type_label: String,
    /// The API version that defines it.
    #[schema(max_length = 50, example = "1")]
    pub api_version_number: String,
    /// Names of the domains that narrow where it applies.
    #[schema(max_items = 100, example = json!(["Countries"]))]
    pub domains: Vec<String>,
    /// The calls that an application answers.
    #[schema(max_items = 100)]
    pub contracts: Vec<CapabilityTypeContract>,
}

/// Who has written a record, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditInfo {
    /// Last change.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    pub update_date: Option<Time>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    pub create_date: Option<Time>,
    /// Who changed it last.
    #[schema(max_length = 200, example = json!(null))]
    pub update_by: Option<String>,
    /// Who made it.
    #[schema(max_length = 200, example = json!(null))]
    pub create_by: Option<String>,
}

/// A call that the platform makes to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityTypeContract {
    /// Number of the contract.
    #[schema(value_type = i32, example = 21)]
    pub capability_type_contract_id: i64,
    /// Always null, like the next three: this service knows no more of a contract.
    #[schema(max_length = 200, example = json!(null))]
    pub contract_name: Option<String>,
    /// Always null.
    #[schema(max_length = 4000, example = json!(null))]
    pub contract_description: Option<String>,
    /// Always null.
    #[schema(max_length = 2000, example = json!(null))]
    pub contract_definition_url: Option<String>,
    /// Always null: contracts come with the catalogue, which nobody edits here.
    pub audit_info: Option<AuditInfo>,
    /// Number of the capability type.
    #[schema(value_type = i32, example = 2)]
    pub capability_type_id: i64,
    /// Whether an application with the capability must answer it.
    #[schema(example = true)]
    pub is_required: bool,
    /// HTTP method of the call.
    #[schema(max_length = 10, example = "POST")]
    pub verb: String,
}

impl From<&capability_types::CapabilityType> for CapabilityType {
    fn from(of_type: &capability_types::CapabilityType) -> Self {
        let capability_types::CapabilityType { id, name, api_version, domains, contracts } =
            of_type;
        let contract = |contract: &capability_types::Contract| {
            let capability_types::Contract { id: own_id, is_required, verb } = contract;
            CapabilityTypeContract {
                capability_type_contract_id: *own_id,
                contract_name: None,
                contract_description: None,
                contract_definition_url: None,
                audit_info: None,
                capability_type_id: *id,
                is_required: *is_required,
                verb: verb.clone(),
            }
        };
        Self {
            id: *id,
            capability_type_name: name.clone(),
            capability_type_label: name.clone(),
            api_version_number: api_version.clone(),
            domains: domains.clone(),
            contracts: contracts.iter().map(contract).collect(),
        }
    }
}

/// All events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeCollection {
    /// Number of events.
    #[schema(value_type = i32, example = 121)]
    pub total_count: usize,
    /// The events, by number.
    pub items: Vec<EventType>,
}

/// All capability types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityTypeCollection {
    /// Number of capability types.
    #[schema(value_type = i32, example = 7)]
    pub total_count: usize,
    /// The capability types, by number.
    pub items: Vec<CapabilityType>,
}

impl From<Vec<EventType>> for EventTypeCollection {
    fn from(items: Vec<EventType>) -> Self {
        Self { total_count: items.len(), items }
    }
}

impl From<Vec<CapabilityType>> for CapabilityTypeCollection {
    fn from(items: Vec<CapabilityType>) -> Self {
        Self { total_count: items.len(), items }
    }
}
