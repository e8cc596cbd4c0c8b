//! The wire of behaviors and their categories (contract 3.8).
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::catalogue::behaviors;

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
