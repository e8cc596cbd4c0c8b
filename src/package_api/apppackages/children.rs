//! The parts of a package that it keeps as JSON (contract 2.6): behaviors, capability types and attributes.
//! They are replaced as a whole, and what a request leaves out of a known part stays (contract 3.6).
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dto::{
    ApplicationAttribute, ApplicationCapability, ApplicationCapabilityDomain,
    ApplicationCapabilityDomainValue, ApplicationCapabilityType, MANY, SOME,
};
use crate::directory::catalogue::behaviors::BehaviorCatalogue;
use crate::directory::catalogue::capability_types::CapabilityCatalogue;
use crate::kernel::error::{Error, Result};
use crate::package_api::access::Caller;
use crate::package_api::convention::refusal;
use crate::package_api::model::packages::entity::Model;
use crate::package_api::model::wire_ids::{self, Series};

/// A capability type as a request has it. Number 0: a new one; no list: as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenType {
    /// `applicationCapabilityTypeId`.
    pub id: i64,
    /// `capabilityTypeId`; 0 for that of the known one.
    pub type_id: i64,
    /// `isImplemented`.
    pub is_implemented: bool,
    /// `isInitializedByDefault`.
    pub is_initialized: bool,
    /// `applicationCapabilities`.
    pub capabilities: Option<Vec<GivenCapability>>,
    /// `applicationCapabilityDomains`.
    pub domains: Option<Vec<GivenDomain>>,
}

/// A capability as a request has it. Number 0: a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenCapability {
    /// `applicationCapabilityId`.
    pub id: i64,
    /// `capabilityTypeContractId`; 0 for that of the known one.
    pub contract_id: i64,
    /// `applicationEndPoint`.
    pub endpoint: Option<String>,
    /// `applicationCapabilityTypeId`; counts in lists that stand beside the capability types.
    pub owner: i64,
}

/// A domain as a request has it. Number 0: a new one; no list: as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenDomain {
    /// `applicationCapabilityDomainId`.
    pub id: i64,
    /// `name`.
    pub name: Option<String>,
    /// Values of the first and of the second dimension.
    pub values: [Option<Vec<GivenValue>>; 2],
}

/// A value of a domain as a request has it. Number 0: a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenValue {
    /// `applicationCapabilityDomainValueId`.
    pub id: i64,
    /// `valueName`.
    pub name: Option<String>,
    /// `displayName`.
    pub display_name: Option<String>,
}

/// An attribute as a request has it; without `attributes`, those of the known one stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenAttribute {
    /// Everything else; its package counts for nothing.
    pub attribute: ApplicationAttribute,
    /// Whether `attributes` was given.
    pub has_attributes: bool,
}

/// Reads what a JSON column holds.
///
/// # Errors
/// 500: only this service writes the column.
pub fn stored<T: DeserializeOwned>(column: &str) -> Result<T> {
    serde_json::from_str(column).map_err(Error::internal)
}

/// Writes a JSON column.
///
/// # Errors
/// None: these types have only texts as keys.
pub fn column(parts: &impl Serialize) -> Result<String> {
    serde_json::to_string(parts).map_err(Error::internal)
}

/// Columns `capability_types` and `attributes` of a copy: the same with numbers of its own.
///
/// # Errors
/// The database's.
pub async fn copy(
    transaction: &DatabaseTransaction,
    from: &Model,
    to: &Model,
) -> Result<(String, String)> {
    let mut types: Vec<ApplicationCapabilityType> = stored(&from.capability_types)?;
    each_id(&mut types, &mut |id| *id = 0);
    number(transaction, &mut types, to).await?;
    let mut attributes: Vec<ApplicationAttribute> = stored(&from.attributes)?;
    for attribute in &mut attributes {
        attribute.package_id = to.id;
    }
    Ok((column(&types)?, column(&attributes)?))
}

/// Gives new parts of a package their numbers, and all of them those of what they are part of.
///
/// # Errors
/// The database's.
pub async fn number(
    transaction: &DatabaseTransaction,
    types: &mut [ApplicationCapabilityType],
    package: &Model,
) -> Result<()> {
    let mut new = 0;
    each_id(types, &mut |id| new += i64::from(*id == 0));
    let mut next = wire_ids::take(transaction, Series::Capability, new).await?;
    each_id(types, &mut |id| {
        if *id == 0 {
            *id = next;
            next += 1;
        }
    });
    for of_type in types {
        own(of_type, package);
    }
    Ok(())
}

/// Visits the numbers of capability types and of everything in them.
fn each_id(types: &mut [ApplicationCapabilityType], visit: &mut impl FnMut(&mut i64)) {
    for of_type in types {
        visit(&mut of_type.application_capability_type_id);
        for capability in &mut of_type.application_capabilities {
            visit(&mut capability.application_capability_id);
        }
        for domain in &mut of_type.application_capability_domains {
            visit(&mut domain.application_capability_domain_id);
            let second = &mut domain.application_capability_domain_values2;
            for value in domain.application_capability_domain_values1.iter_mut().chain(second) {
                visit(&mut value.application_capability_domain_value_id);
            }
        }
    }
}

/// Writes into all parts of a capability type what they are part of.
fn own(of_type: &mut ApplicationCapabilityType, package: &Model) {
    let id = of_type.application_capability_type_id;
    of_type.application_id = package.version_id;
    of_type.package_id = package.id;
    for capability in &mut of_type.application_capabilities {
        capability.application_capability_type_id = id;
        capability.package_id = package.id;
    }
    for domain in &mut of_type.application_capability_domains {
        domain.application_capability_type_id = id;
        let domain_id = Some(domain.application_capability_domain_id);
        for value in &mut domain.application_capability_domain_values1 {
            value.application_capability_domain_id1 = domain_id;
            value.application_capability_domain_id2 = None;
        }
        for value in &mut domain.application_capability_domain_values2 {
            value.application_capability_domain_id1 = None;
            value.application_capability_domain_id2 = domain_id;
        }
    }
}

/// Behaviors that a caller may give to a package, with those that they require, ascending.
#[derive(Debug)]
pub struct Permitted(Vec<i64>);

impl Permitted {
    /// What is wanted of a package. Private behaviors that it has already may stay; operators may add others.
    ///
    /// # Errors
    /// 403 for another private behavior.
    pub fn check(
        catalogue: &BehaviorCatalogue,
        wanted: &[i64],
        present: &[i64],
        caller: &Caller,
    ) -> Result<Self> {
        Self::of(catalogue, wanted, present, caller.principal.operator)
            .map_err(|id| refusal::private_behavior(&caller.operation, id))
    }

    /// The same; the number of a behavior that may not be given.
    fn of(
        catalogue: &BehaviorCatalogue,
        wanted: &[i64],
        present: &[i64],
        is_operator: bool,
    ) -> std::result::Result<Self, i64> {
        let all = catalogue.with_required(wanted.iter().copied());
        let is_private = |id: i64| catalogue.find(id).is_some_and(|behavior| behavior.is_private);
        let is_forbidden = |id: &i64| !is_operator && is_private(*id) && !present.contains(id);
        match all.iter().copied().find(is_forbidden) {
            Some(id) => Err(id),
            None => Ok(Self(all)),
        }
    }

    /// The behaviors.
    ///
    /// # Errors
    /// 409 for an id that the catalogue does not have.
    pub fn known(self, catalogue: &BehaviorCatalogue) -> Result<Vec<i64>> {
        match self.0.iter().find(|id| catalogue.find(**id).is_none()) {
            Some(id) => Err(refusal::conflict(&format!("there is no behavior {id}."))),
            None => Ok(self.0),
        }
    }
}

/// The capability types that a package gets, of those that are wanted and those that it has. New parts have
/// the number 0 as yet.
///
/// # Errors
/// 409 for numbers that the package or the catalogue does not have.
pub fn capability_types(
    catalogue: &CapabilityCatalogue,
    wanted: &[GivenType],
    present: &[ApplicationCapabilityType],
) -> Result<Vec<ApplicationCapabilityType>> {
    let id = |given: &GivenType| given.id;
    each_once("applicationCapabilityTypeId", wanted.iter().map(id))?;
    let merge = |given| capability_type(catalogue, given, present);
    wanted.iter().map(merge).collect()
}

fn capability_type(
    catalogue: &CapabilityCatalogue,
    given: &GivenType,
    present: &[ApplicationCapabilityType],
) -> Result<ApplicationCapabilityType> {
    let known = known("applicationCapabilityTypeId", given.id, present, |it| {
        it.application_capability_type_id
    })?;
    let type_id =
        known.filter(|_| given.type_id == 0).map_or(given.type_id, |it| it.capability_type_id);
    let of_type = catalogue
        .find(type_id)
        .ok_or_else(|| refusal::conflict(&format!("there is no capability type {type_id}.")))?;
    let capabilities = known.map_or(&[][..], |it| &it.application_capabilities);
    let domains = known.map_or(&[][..], |it| &it.application_capability_domains);
    let merged = ApplicationCapabilityType {
        application_capability_type_id: given.id,
        application_id: 0,
        capability_type_id: type_id,
        capability_type_name: of_type.name.clone(),
        is_implemented: given.is_implemented,
        is_initialized_by_default: given.is_initialized,
        application_capabilities: match &given.capabilities {
            Some(wanted) => merge_capabilities(wanted, capabilities)?,
            None => capabilities.to_vec(),
        },
        application_capability_domains: match &given.domains {
            Some(wanted) => merge_domains(wanted, domains)?,
            None => domains.to_vec(),
        },
        package_id: 0,
    };
    check_contracts(catalogue, &merged)?;
    Ok(merged)
}

/// The capability types that a package gets when a request has only the list of all capabilities: each
/// with those that name it, or, without saying, had it before.
///
/// # Errors
/// 409 for numbers that the package or the catalogue does not have.
pub fn flat_capabilities(
    catalogue: &CapabilityCatalogue,
    wanted: &[GivenCapability],
    present: &[ApplicationCapabilityType],
) -> Result<Vec<ApplicationCapabilityType>> {
    let all: Vec<ApplicationCapability> =
        present.iter().flat_map(|it| it.application_capabilities.iter().cloned()).collect();
    let merged = merge_capabilities(wanted, &all)?;
    let mut types = present.to_vec();
    for of_type in &mut types {
        of_type.application_capabilities.clear();
    }
    for (given, mut capability) in wanted.iter().zip(merged) {
        if given.owner != 0 {
            capability.application_capability_type_id = given.owner;
        }
        if capability.application_capability_type_id == 0 {
            capability.application_capability_type_id = owner_of(catalogue, &types, &capability)?;
        }
        let owner = capability.application_capability_type_id;
        let of_type = types.iter_mut().find(|it| it.application_capability_type_id == owner);
        of_type
            .ok_or_else(|| foreign("applicationCapabilityTypeId", owner))?
            .application_capabilities
            .push(capability);
    }
    for of_type in &types {
        check_contracts(catalogue, of_type)?;
    }
    Ok(types)
}

/// Refuses more capabilities than are shown, and taken back: what a request merges with what is there may
/// have too many.
///
/// # Errors
/// 409.
pub fn check_numbers(types: &[ApplicationCapabilityType]) -> Result<()> {
    let number = |it: &ApplicationCapabilityType| it.application_capabilities.len();
    if types.iter().any(|it| number(it) > SOME) || types.iter().map(number).sum::<usize>() > MANY {
        return Err(refusal::conflict(&format!(
            "a capability type has at most {SOME} capabilities, and a package {MANY}."
        )));
    }
    Ok(())
}

/// The declaration to which a capability belongs that does not say so: the only one of a type that has its
/// contract.
fn owner_of(
    catalogue: &CapabilityCatalogue,
    types: &[ApplicationCapabilityType],
    capability: &ApplicationCapability,
) -> Result<i64> {
    let contract = capability.capability_type_contract_id;
    let has_contract = |it: &&ApplicationCapabilityType| {
        catalogue.find(it.capability_type_id).is_some_and(|it| it.contract(contract).is_some())
    };
    let mut owners = types.iter().filter(has_contract);
    let only = owners.next().filter(|_| owners.next().is_none());
    only.map(|it| it.application_capability_type_id).ok_or_else(|| {
        refusal::conflict(&format!(
            "a capability of contract {contract} needs applicationCapabilityTypeId, the declaration of a \
             capability type of this package that has the contract."
        ))
    })
}

fn merge_capabilities(
    wanted: &[GivenCapability],
    present: &[ApplicationCapability],
) -> Result<Vec<ApplicationCapability>> {
    each_once("applicationCapabilityId", wanted.iter().map(|given| given.id))?;
    let merge = |given: &GivenCapability| {
        let known =
            known("applicationCapabilityId", given.id, present, |it| it.application_capability_id)?;
        let contract =
            known.filter(|_| given.contract_id == 0).map(|it| it.capability_type_contract_id);
        Ok(ApplicationCapability {
            application_capability_id: given.id,
            capability_type_contract_id: contract.unwrap_or(given.contract_id),
            application_end_point: given.endpoint.clone(),
            application_capability_type_id: known.map_or(0, |it| it.application_capability_type_id),
            package_id: known.map_or(0, |it| it.package_id),
        })
    };
    wanted.iter().map(merge).collect()
}

fn merge_domains(
    wanted: &[GivenDomain],
    present: &[ApplicationCapabilityDomain],
) -> Result<Vec<ApplicationCapabilityDomain>> {
    each_once("applicationCapabilityDomainId", wanted.iter().map(|given| given.id))?;
    let merge = |given: &GivenDomain| {
        let known = known("applicationCapabilityDomainId", given.id, present, |it| {
            it.application_capability_domain_id
        })?;
        let [first, second] = &given.values;
        Ok(ApplicationCapabilityDomain {
            application_capability_domain_id: given.id,
            application_capability_type_id: 0,
            name: given.name.clone(),
            application_capability_domain_values1: values(
                first.as_deref(),
                known.map_or(&[], |it| &it.application_capability_domain_values1),
            )?,
            application_capability_domain_values2: values(
                second.as_deref(),
                known.map_or(&[], |it| &it.application_capability_domain_values2),
            )?,
        })
    };
    wanted.iter().map(merge).collect()
}

fn values(
    wanted: Option<&[GivenValue]>,
    present: &[ApplicationCapabilityDomainValue],
) -> Result<Vec<ApplicationCapabilityDomainValue>> {
    const ID: &str = "applicationCapabilityDomainValueId";
    let Some(wanted) = wanted else { return Ok(present.to_vec()) };
    each_once(ID, wanted.iter().map(|given| given.id))?;
    let merge = |given: &GivenValue| {
        known(ID, given.id, present, |it| it.application_capability_domain_value_id)?;
        Ok(ApplicationCapabilityDomainValue {
            application_capability_domain_value_id: given.id,
            application_capability_domain_id1: None,
            application_capability_domain_id2: None,
            value_name: given.name.clone(),
            display_name: given.display_name.clone(),
        })
    };
    wanted.iter().map(merge).collect()
}

/// The attributes that a package gets, of those that are wanted and those that it has.
///
/// # Errors
/// 409 for two elements of the same subsystem and tenant.
pub fn attributes(
    wanted: &[GivenAttribute],
    present: &[ApplicationAttribute],
    package: i64,
) -> Result<Vec<ApplicationAttribute>> {
    let same = |a: &ApplicationAttribute, b: &ApplicationAttribute| {
        (&a.subsystem, a.source_tenant_id) == (&b.subsystem, b.source_tenant_id)
    };
    let mut merged: Vec<ApplicationAttribute> = Vec::with_capacity(wanted.len());
    for GivenAttribute { attribute, has_attributes } in wanted {
        if merged.iter().any(|other| same(other, attribute)) {
            let ApplicationAttribute { subsystem, source_tenant_id, .. } = attribute;
            return Err(refusal::conflict(&format!(
                "there are two applicationAttributes of the subsystem {subsystem} and the \
                 sourceTenantId {source_tenant_id}."
            )));
        }
        let mut attribute = ApplicationAttribute { package_id: package, ..attribute.clone() };
        if let Some(known) = present.iter().find(|known| !has_attributes && same(known, &attribute))
        {
            attribute.attributes.clone_from(&known.attributes);
        }
        merged.push(attribute);
    }
    Ok(merged)
}

/// Finds the part of a package with a number that a request has; number 0 is that of a new part.
fn known<'a, T>(name: &str, id: i64, present: &'a [T], of: fn(&T) -> i64) -> Result<Option<&'a T>> {
    if id == 0 {
        return Ok(None);
    }
    let found = present.iter().find(|part| of(part) == id);
    found.map(Some).ok_or_else(|| foreign(name, id))
}

fn foreign(name: &str, id: i64) -> Error {
    refusal::conflict(&format!("{name} {id} is not of this package."))
}

/// Refuses a number that a request has twice.
fn each_once(name: &str, ids: impl Iterator<Item = i64>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids.filter(|id| *id != 0) {
        if !seen.insert(id) {
            return Err(refusal::conflict(&format!("{name} {id} is there twice.")));
        }
    }
    Ok(())
}

/// Refuses capabilities whose contract is not one of their type.
fn check_contracts(catalogue: &CapabilityCatalogue, of: &ApplicationCapabilityType) -> Result<()> {
    let of_type = catalogue.find(of.capability_type_id);
    for capability in &of.application_capabilities {
        let contract = capability.capability_type_contract_id;
        if of_type.is_none_or(|it| it.contract(contract).is_none()) {
            let id = of.capability_type_id;
            let why = format!("there is no contract {contract} of the capability type {id}.");
            return Err(refusal::conflict(&why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::catalogue::Catalogue;

    fn capability(id: i64, owner: i64) -> GivenCapability {
        GivenCapability { id, contract_id: 21, endpoint: None, owner }
    }

    /// A tax calculator with its number, and capabilities with theirs.
    fn tax(id: i64, capabilities: &[i64]) -> ApplicationCapabilityType {
        let capability = |capability: &i64| ApplicationCapability {
            application_capability_id: *capability,
            capability_type_contract_id: 21,
            application_end_point: None,
            application_capability_type_id: id,
            package_id: 1,
        };
        ApplicationCapabilityType {
            application_capability_type_id: id,
            application_id: 1,
            capability_type_id: 2,
            capability_type_name: "Tax Calculator".to_owned(),
            is_implemented: true,
            is_initialized_by_default: true,
            application_capabilities: capabilities.iter().map(capability).collect(),
            application_capability_domains: Vec::new(),
            package_id: 1,
        }
    }

    fn status<T: std::fmt::Debug>(result: Result<T>) -> u16 {
        result.unwrap_err().status().as_u16()
    }

    #[test]
    fn behaviors_come_with_what_they_require() {
        let catalogue = Catalogue::built_in().behaviors;
        let given = |wanted: &[i64], present: &[i64], is_operator| {
            Permitted::of(&catalogue, wanted, present, is_operator)
        };
        let set = |wanted: &[i64], present: &[i64], is_operator| {
            given(wanted, present, is_operator).unwrap().known(&catalogue)
        };
        assert_eq!(set(&[], &[25, 102], false).unwrap(), [0_i64; 0]);
        assert_eq!(set(&[122, 104, 104], &[], false).unwrap(), [102, 104, 122]);
        assert_eq!(set(&[25], &[], true).unwrap(), [25]);
        assert_eq!(set(&[25, 21], &[25], false).unwrap(), [21, 22, 25]);
        assert_eq!(status(set(&[26], &[26], true)), 409);
        for wanted in [&[25][..], &[7, 25]] {
            assert_eq!(given(wanted, &[102], false).unwrap_err(), 25);
        }
    }

    #[test]
    fn capabilities_in_one_list_find_their_types() {
        let catalogue = Catalogue::built_in().capability_types;
        let present = [tax(1, &[5, 6]), tax(2, &[7])];
        let flat = |wanted: &[GivenCapability]| flat_capabilities(&catalogue, wanted, &present);
        let ids = |types: &[ApplicationCapabilityType]| -> Vec<Vec<i64>> {
            let of = |it: &ApplicationCapability| it.application_capability_id;
            types.iter().map(|it| it.application_capabilities.iter().map(of).collect()).collect()
        };
        let stays = flat(&[capability(5, 0), capability(6, 1), capability(7, 2)]).unwrap();
        assert_eq!(stays, present);
        assert_eq!(ids(&flat(&[]).unwrap()), [[0_i64; 0], []]);
        let moved = flat(&[capability(7, 1), capability(0, 2), capability(6, 0)]).unwrap();
        assert_eq!(ids(&moved), [vec![7, 6], vec![0]]);
        assert_eq!(status(flat(&[capability(5, 0), capability(5, 0)])), 409);
        assert_eq!(status(flat(&[capability(8, 1)])), 409);
        assert_eq!(status(flat(&[capability(0, 0)])), 409);
        assert_eq!(status(flat(&[capability(0, 3)])), 409);
        assert_eq!(status(flat(&[GivenCapability { contract_id: 11, ..capability(5, 0) }])), 409);
    }
}
