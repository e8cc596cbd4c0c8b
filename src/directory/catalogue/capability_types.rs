//! Capability types (contract 5.3): what an application may do in place of the platform.
use std::collections::BTreeSet;

use serde::Deserialize;

use super::check::{check_id, check_name};

/// What is used unless a deployment has a file of its own.
pub(super) const BUILT_IN: &str = include_str!("capability_types.json");

/// `capability_types.json`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct File {
    capability_types: Vec<CapabilityType>,
}

/// Something that the platform lets applications do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CapabilityType {
    /// Number of the type.
    pub id: i64,
    /// Name for people.
    pub name: String,
    /// The API version that defines it.
    pub api_version: String,
    /// Names of the domains that narrow where it applies.
    #[serde(default)]
    pub domains: Vec<String>,
    /// What an application implements.
    #[serde(default)]
    pub contracts: Vec<Contract>,
}

/// A call that the platform makes to the application.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Contract {
    /// Number of the contract, unique among all types.
    pub id: i64,
    /// Whether an application with the capability must implement it.
    pub is_required: bool,
    /// HTTP method of the call.
    pub verb: String,
}

/// All capability types.
#[derive(Debug)]
pub struct CapabilityCatalogue(Vec<CapabilityType>);

impl CapabilityCatalogue {
    pub(super) fn new(file: File) -> Result<Self, String> {
        let File { mut capability_types } = file;
        let (mut ids, mut contracts) = (BTreeSet::new(), BTreeSet::new());
        for CapabilityType { id, name, contracts: own, .. } in &capability_types {
            check_id("capability type", *id)?;
            check_name("capability type", *id, name)?;
            if !ids.insert(*id) {
                return Err(format!("capability type {id}: is there twice"));
            }
            for Contract { id, .. } in own {
                check_id("contract", *id)?;
                if !contracts.insert(*id) {
                    return Err(format!("contract {id}: is there twice"));
                }
            }
        }
        capability_types.sort_by_key(|capability_type| capability_type.id);
        Ok(Self(capability_types))
    }

    /// All types, ascending by id.
    pub fn all(&self) -> &[CapabilityType] {
        &self.0
    }

    /// The type of this id.
    pub fn find(&self, id: i64) -> Option<&CapabilityType> {
        let at = self.0.binary_search_by_key(&id, |capability_type| capability_type.id).ok()?;
        self.0.get(at)
    }
}

impl CapabilityType {
    /// The contract of this id, if it is one of this type.
    pub fn contract(&self, id: i64) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_the_contracts() {
        let catalogue = CapabilityCatalogue::new(serde_json::from_str(BUILT_IN).unwrap()).unwrap();
        let all: Vec<(i64, &str, Vec<&str>)> = catalogue
            .all()
            .iter()
            .map(|it| (it.id, it.name.as_str(), it.domains.iter().map(String::as_str).collect()))
            .collect();
        let expected = [
            (1, "Address Validator", vec!["Countries"]),
            (2, "Tax Calculator", vec!["Countries"]),
            (3, "Payment Gateway", vec!["Countries"]),
            (4, "Order", vec![]),
            (5, "Shipping Adapter", vec!["Countries", "Carriers"]),
            (6, "Carriers", vec!["Carriers"]),
            (7, "Credit Types", vec!["Credit types"]),
        ];
        assert_eq!(all, expected);
        for capability_type in catalogue.all() {
            let id = 10 * capability_type.id + 1;
            let contract = Contract { id, is_required: true, verb: "POST".to_owned() };
            assert_eq!(capability_type.contract(id), Some(&contract));
            assert_eq!(capability_type.contracts.len(), 1);
            assert_eq!(capability_type.contract(id + 10), None);
            assert_eq!(capability_type.api_version, "1");
            assert_eq!(catalogue.find(capability_type.id), Some(capability_type));
        }
        assert_eq!(catalogue.find(8), None);
    }
}
