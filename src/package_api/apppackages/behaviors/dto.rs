//! The wire of the behaviors of a package (contract 2.7).
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::catalogue::behaviors::BehaviorCatalogue;

/// The behaviors of a package by category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviorCategoryBehaviorCollection {
    /// Number of categories.
    #[schema(value_type = i32, example = 1)]
    pub total_count: usize,
    /// Categories that the package has a behavior of, ascending by number.
    #[schema(max_items = 1000)]
    pub items: Vec<BehaviorCategoryBehavior>,
}

/// A category with those of its behaviors that the package has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviorCategoryBehavior {
    /// Number of the category.
    #[schema(value_type = i32, example = 5)]
    pub id: i64,
    /// Its name.
    #[schema(nullable, max_length = 200, example = "Order")]
    pub name: String,
    /// The behaviors, ascending by number.
    #[schema(nullable, max_items = 10000)]
    pub behavior_items: Vec<BehaviorItem>,
}

/// A behavior.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BehaviorItem {
    /// Number of the behavior.
    #[schema(value_type = i32, example = 102)]
    pub id: i64,
    /// Number of its category.
    #[schema(value_type = i32, example = 5)]
    pub category_id: i64,
    /// What it allows: an object and a verb.
    #[schema(nullable, max_length = 200, example = "Order Read")]
    pub name: String,
    /// Whether only operators can give it to a package.
    #[schema(example = false)]
    pub is_private: bool,
}

impl BehaviorCategoryBehaviorCollection {
    /// The behaviors of these ids, ascending. Those that the catalogue does not have any more are left out.
    pub fn of(catalogue: &BehaviorCatalogue, ids: &[i64]) -> Self {
        let items = catalogue.categories().iter().filter_map(|category| {
            let of_category = ids.iter().filter_map(|id| catalogue.find(*id));
            let of_category = of_category.filter(|behavior| behavior.category_id == category.id);
            let behavior_items: Vec<BehaviorItem> = of_category
                .map(|behavior| BehaviorItem {
                    id: behavior.id,
                    category_id: behavior.category_id,
                    name: behavior.name.clone(),
                    is_private: behavior.is_private,
                })
                .collect();
            let (id, name) = (category.id, category.name.clone());
            (!behavior_items.is_empty()).then_some(BehaviorCategoryBehavior {
                id,
                name,
                behavior_items,
            })
        });
        let items: Vec<_> = items.collect();
        Self { total_count: items.len(), items }
    }
}
