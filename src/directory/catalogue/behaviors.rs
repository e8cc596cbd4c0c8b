//! Behaviors (contract 5.1): what an application may do, each `<Object> <Verb>`, by category.
use std::collections::BTreeSet;

use serde::Deserialize;

use super::check::{check_id, check_name};

/// Verbs that need the `Read` of the same object.
const NEED_READ: [&str; 4] = ["Create", "Update", "Delete", "Modify"];

/// What is used unless a deployment has a file of its own.
pub(super) const BUILT_IN: &str = include_str!("behaviors.json");

/// `behaviors.json`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    categories: Vec<CategoryOfFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryOfFile {
    id: i64,
    name: String,
    behaviors: Vec<BehaviorOfFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BehaviorOfFile {
    id: i64,
    name: String,
    #[serde(default)]
    is_private: bool,
}

/// A group of behaviors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Number of the category.
    pub id: i64,
    /// Name for people.
    pub name: String,
}

/// Something that an application may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behavior {
    /// Number of the behavior.
    pub id: i64,
    /// Its category.
    pub category_id: i64,
    /// `<Object> <Verb>`.
    pub name: String,
    /// Whether only operators may give it.
    pub is_private: bool,
    /// Behaviors that come with it, ascending.
    pub requires: Vec<i64>,
}

/// All behaviors.
#[derive(Debug)]
pub struct BehaviorCatalogue {
    /// Ascending by id.
    categories: Vec<Category>,
    /// Ascending by id.
    behaviors: Vec<Behavior>,
}

impl BehaviorCatalogue {
    pub(super) fn new(file: File) -> Result<Self, String> {
        let mut catalogue = Self { categories: Vec::new(), behaviors: Vec::new() };
        for category in file.categories {
            let CategoryOfFile { id, name, behaviors } = category;
            check_id("category", id)?;
            check_name("category", id, &name)?;
            catalogue.categories.push(Category { id, name });
            catalogue.behaviors.extend(behaviors.into_iter().map(|behavior| {
                let BehaviorOfFile { id: own_id, name, is_private } = behavior;
                Behavior { id: own_id, category_id: id, name, is_private, requires: Vec::new() }
            }));
        }
        catalogue.check()?;
        catalogue.categories.sort_by_key(|category| category.id);
        catalogue.behaviors.sort_by_key(|behavior| behavior.id);
        catalogue.resolve();
        Ok(catalogue)
    }

    fn check(&self) -> Result<(), String> {
        let mut categories = BTreeSet::new();
        for Category { id, .. } in &self.categories {
            if !categories.insert(id) {
                return Err(format!("category {id}: is there twice"));
            }
        }
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for Behavior { id, name, .. } in &self.behaviors {
            check_id("behavior", *id)?;
            check_name("behavior", *id, name)?;
            if !ids.insert(id) {
                return Err(format!("behavior {id}: is there twice"));
            }
            if !names.insert(name.to_lowercase()) {
                return Err(format!("behavior {id}: the name {name:?} is there twice"));
            }
        }
        Ok(())
    }

    /// Finds what each behavior requires: `Create`, `Update`, `Delete` and `Modify` the `Read` of the
    /// same object, where there is one.
    fn resolve(&mut self) {
        let required = |behavior: &Behavior| {
            let (object, verb) = behavior.name.rsplit_once(' ')?;
            let read = NEED_READ.contains(&verb).then(|| format!("{object} Read"))?;
            self.named(&read).map(|read| read.id)
        };
        let required: Vec<Option<i64>> = self.behaviors.iter().map(required).collect();
        for (behavior, required) in self.behaviors.iter_mut().zip(required) {
            behavior.requires = required.into_iter().collect();
        }
    }

    /// All categories, ascending by id.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// All behaviors, ascending by id.
    pub fn all(&self) -> &[Behavior] {
        &self.behaviors
    }

    /// The category of this id.
    pub fn category(&self, id: i64) -> Option<&Category> {
        let at = self.categories.binary_search_by_key(&id, |category| category.id).ok()?;
        self.categories.get(at)
    }

    /// The behavior of this id.
    pub fn find(&self, id: i64) -> Option<&Behavior> {
        let at = self.behaviors.binary_search_by_key(&id, |behavior| behavior.id).ok()?;
        self.behaviors.get(at)
    }

    /// The behavior of this name, in any case.
    pub fn named(&self, name: &str) -> Option<&Behavior> {
        self.behaviors.iter().find(|behavior| behavior.name.eq_ignore_ascii_case(name))
    }

    /// The given ids and those that they require, ascending, each once. Ids of no behavior stay.
    pub fn with_required(&self, ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut all = BTreeSet::new();
        let mut open: Vec<i64> = ids.into_iter().collect();
        while let Some(id) = open.pop() {
            if all.insert(id) {
                open.extend(self.find(id).into_iter().flat_map(|behavior| &behavior.requires));
            }
        }
        all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> BehaviorCatalogue {
        BehaviorCatalogue::new(serde_json::from_str(BUILT_IN).unwrap()).unwrap()
    }

    #[test]
    fn the_catalogue_is_the_contracts() {
        let catalogue = built_in();
        let counts: Vec<(i64, &str, usize)> = catalogue
            .categories()
            .iter()
            .map(|category| {
                let own = catalogue.all().iter().filter(|item| item.category_id == category.id);
                (category.id, category.name.as_str(), own.count())
            })
            .collect();
        let expected = [
            (1, "Application", 5),
            (2, "Developer", 4),
            (3, "Developer Asset", 4),
            (4, "Product", 16),
            (5, "Order", 4),
            (6, "Customer", 8),
            (7, "Purchase Order", 4),
            (8, "Inventory", 3),
            (9, "Discount", 4),
            (10, "Price List", 4),
            (11, "Content", 4),
            (12, "Location", 4),
            (13, "Fulfillment", 4),
            (14, "Cart", 8),
            (15, "Return", 4),
            (16, "Subscription", 4),
            (17, "Settings", 2),
            (18, "Shipping", 4),
            (19, "Tenant", 4),
            (20, "User", 8),
            (21, "Event", 2),
            (22, "Reservation", 4),
            (23, "Theme", 4),
            (50, "Account", 15),
        ];
        assert_eq!(counts, expected);
        assert_eq!(catalogue.all().len(), 127);
    }

    #[test]
    fn ids_lie_in_the_range_of_their_category() {
        for behavior in built_in().all() {
            let range = match behavior.category_id {
                50 => 1000..=1014,
                category => 20 * category + 1..=20 * category + 20,
            };
            assert!(range.contains(&behavior.id), "{behavior:?}");
        }
    }

    #[test]
    fn behaviors_are_found_by_id_and_name() {
        let catalogue = built_in();
        let certify = Behavior {
            id: 25,
            category_id: 1,
            name: "Application Certify".to_owned(),
            is_private: true,
            requires: Vec::new(),
        };
        assert_eq!(catalogue.find(25), Some(&certify));
        assert_eq!(catalogue.named("application certify"), Some(&certify));
        let private: Vec<i64> =
            catalogue.all().iter().filter(|it| it.is_private).map(|it| it.id).collect();
        assert_eq!(private, [25]);
        let named = [
            (41, "Developer Create"),
            (64, "Developer Asset Delete"),
            (88, "Product Category Delete"),
            (96, "Product Type Delete"),
            (102, "Order Read"),
            (162, "Inventory Modify"),
            (285, "Wishlist Create"),
            (384, "Site Update"),
            (422, "Event Subscription Read"),
            (1014, "Full access to own account"),
        ];
        for (id, name) in named {
            assert_eq!(catalogue.find(id).map(|it| it.name.as_str()), Some(name));
        }
        assert_eq!(catalogue.find(26), None);
        assert_eq!(catalogue.named("Developer"), None);
        let category = Category { id: 50, name: "Account".to_owned() };
        assert_eq!(catalogue.category(50), Some(&category));
        assert_eq!(catalogue.category(24), None);
    }

    #[test]
    fn changing_requires_reading() {
        let catalogue = built_in();
        let table: [(&[i64], &[i64]); 7] = [
            (&[], &[]),
            (&[101], &[101, 102]),
            (&[104, 103, 104], &[102, 103, 104]),
            (&[162, 163], &[161, 162, 163]),
            // The read of the very object, not of one with a longer or shorter name.
            (&[85], &[85, 86]),
            (&[25, 22, 1000], &[22, 25, 1000]),
            (&[7], &[7]),
        ];
        for (given, expected) in table {
            assert_eq!(catalogue.with_required(given.iter().copied()), expected, "{given:?}");
        }
        for behavior in catalogue.all() {
            let verb = behavior.name.rsplit(' ').next().unwrap();
            let expected = usize::from(["Create", "Update", "Delete", "Modify"].contains(&verb));
            assert_eq!(behavior.requires.len(), expected, "{behavior:?}");
        }
    }
}
