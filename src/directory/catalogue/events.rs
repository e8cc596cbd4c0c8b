//! Events (contract 5.2): what an application may be told.
use std::collections::BTreeSet;

use serde::Deserialize;

use super::check::{check_id, check_name};

/// What is used unless a deployment has a file of its own.
pub(super) const BUILT_IN: &str = include_str!("events.json");

/// `events.json`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    events: Vec<Event>,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Event {
    /// Number of the event.
    pub id: i64,
    /// Its topic, `order.opened`.
    pub name: String,
    /// Group of the event.
    pub category: String,
    /// The API version that defines it.
    pub api_version: String,
    /// Keys that a message carries besides those that all messages have.
    #[serde(default)]
    pub extended_properties: Vec<String>,
}

/// All events.
#[derive(Debug)]
pub struct EventCatalogue(Vec<Event>);

impl EventCatalogue {
    pub(super) fn new(file: File) -> Result<Self, String> {
        let File { mut events } = file;
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for Event { id, name, .. } in &events {
            check_id("event", *id)?;
            check_name("event", *id, name)?;
            if !ids.insert(*id) {
                return Err(format!("event {id}: is there twice"));
            }
            if !names.insert(name.to_lowercase()) {
                return Err(format!("event {id}: the name {name:?} is there twice"));
            }
        }
        events.sort_by_key(|event| event.id);
        Ok(Self(events))
    }

    /// All events, ascending by id.
    pub fn all(&self) -> &[Event] {
        &self.0
    }

    /// The event of this id.
    pub fn find(&self, id: i64) -> Option<&Event> {
        let at = self.0.binary_search_by_key(&id, |event| event.id).ok()?;
        self.0.get(at)
    }

    /// The event of this topic, in any case.
    pub fn named(&self, name: &str) -> Option<&Event> {
        self.0.iter().find(|event| event.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn built_in() -> EventCatalogue {
        EventCatalogue::new(serde_json::from_str(BUILT_IN).unwrap()).unwrap()
    }

    #[test]
    fn the_catalogue_is_the_contracts() {
        let catalogue = built_in();
        let ids: Vec<i64> = catalogue.all().iter().map(|event| event.id).collect();
        assert_eq!(ids, (1..=121).collect::<Vec<i64>>());
        let mut counts = BTreeMap::new();
        for event in catalogue.all() {
            *counts.entry(event.category.as_str()).or_insert(0) += 1;
            assert_eq!(event.api_version, "1", "{event:?}");
        }
        let expected = [
            ("Application", 5),
            ("B2BAccount", 1),
            ("Cart", 3),
            ("Credit", 3),
            ("Customer", 8),
            ("Events", 12),
            ("Fulfillment", 7),
            ("Location", 3),
            ("Notification", 1),
            ("Order", 20),
            ("Product", 36),
            ("Reservation", 2),
            ("Search", 1),
            ("Site", 4),
            ("Subscription", 6),
            ("Tenant", 6),
            ("Wishlist", 3),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
    }

    #[test]
    fn events_are_found_by_id_and_topic() {
        let catalogue = built_in();
        let renamed = Event {
            id: 85,
            name: "product.coderenamed".to_owned(),
            category: "Product".to_owned(),
            api_version: "1".to_owned(),
            extended_properties: vec!["previousProductCode".to_owned()],
        };
        assert_eq!(catalogue.find(85), Some(&renamed));
        assert_eq!(catalogue.named("Product.CodeRenamed"), Some(&renamed));
        // The last of each line of the contract, and the odd spellings.
        let named = [
            (3, "application.installed"),
            (5, "application.upgraded"),
            (16, "customersegment.customeradded"),
            (20, "customersegment.updated"),
            (32, "orderattribute.updated"),
            (39, "shipment.workflowstatechanged"),
            (44, "order.subscriptioncreated"),
            (52, "order.opened"),
            (63, "return.updated"),
            (98, "product.updated"),
            (99, "reservation.deallocate"),
            (111, "subscription.statuschanged"),
            (115, "tenant.hard_deleted"),
            (120, "wishlist.updated"),
            (121, "productinventory.updated"),
        ];
        for (id, name) in named {
            assert_eq!(catalogue.find(id).map(|event| event.name.as_str()), Some(name));
        }
        assert_eq!(catalogue.find(0), None);
        assert_eq!(catalogue.find(122), None);
        assert_eq!(catalogue.named("order"), None);
    }

    #[test]
    fn topics_with_more_than_the_base_members_name_them() {
        let catalogue = built_in();
        let more: Vec<(&str, usize)> = catalogue
            .all()
            .iter()
            .filter(|event| !event.extended_properties.is_empty())
            .map(|event| (event.name.as_str(), event.extended_properties.len()))
            .collect();
        let expected = [
            ("b2baccount.statuschanged", 4),
            ("customersegment.customeradded", 1),
            ("customersegment.customerremoved", 1),
            ("shipment.adjusted", 1),
            ("shipment.itemadjusted", 2),
            ("shipment.itemscanceled", 1),
            ("shipment.itemsdeclined", 1),
            ("shipment.itemsrejected", 1),
            ("shipment.statuschanged", 5),
            ("shipment.workflowstatechanged", 3),
            ("payment.refunded", 5),
            ("payment.transactionerror", 5),
            ("product.coderenamed", 1),
            ("productinventory.instock", 1),
            ("productinventory.outofstock", 1),
            ("reservation.deallocate", 1),
            ("reservation.expired", 3),
            ("subscription.activated", 1),
            ("subscription.cancelled", 1),
            ("subscription.errored", 1),
            ("subscription.paused", 1),
            ("subscription.paymentupdated", 3),
            ("subscription.statuschanged", 3),
        ];
        assert_eq!(more, expected);
    }
}
