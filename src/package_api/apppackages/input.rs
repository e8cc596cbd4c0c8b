//! What a request says of a package (contract 2.5, 3.4, 3.6). Types and limits are checked here; what
//! depends on the package that is there, where it is found.
use super::children::{GivenAttribute, GivenCapability, GivenDomain, GivenType, GivenValue};
use super::dto::{AppDevAttribute, ApplicationAttribute, MANY, SOME};
use crate::kernel::error::Result;
use crate::kernel::record::input::is_http_url;
use crate::package_api::appsubscriptions::input::{Known, Listed};
use crate::package_api::convention::body::{Object, Sent};
use crate::package_api::convention::key::{AppKey, LONGEST, LONGEST_KEY};
use crate::package_api::model::parent;

/// Most characters of a name.
const NAME: usize = 200;
/// Most characters of a description.
const DESCRIPTION: usize = 4_000;
/// Most characters of a version of something else.
const VERSION: usize = 50;
/// Most characters of an address.
const URL: usize = 2_000;
/// Most characters of a name of an attribute.
const LONG_NAME: usize = 400;
/// Most characters of JSON in a text; the whole body has at most 16 MiB.
const JSON: usize = 1_000_000;

/// Systems that attributes belong to (contract 2.6).
const SUBSYSTEMS: [&str; 3] = ["Customer", "Order", "Product"];

const ADDRESS: &str = "must be an absolute http or https URL.";
const NOT_BLANK: &str = "must not be blank.";

/// Members that only the server sets, or that are never set.
const SERVERS: [&str; 30] = [
    "updateDate",
    "applicationUpdateDate",
    "applicationTypeName",
    "sharedSecret",
    "applicationStatusName",
    "validApplicationStatusIdList",
    "appSchemeVersion",
    "isReleasePackage",
    "dataNamespace",
    "userId",
    "applicationId",
    "applicationDetailId",
    "isLocked",
    "isDeleted",
    "assetFileCount",
    "packageGuid",
    "applicationStatus",
    "applicationEntitlements",
    "attributeNamespace",
    "hasApplicationVersions",
    "legacyNamespace",
    "namespaceRegistryId",
    "publishedParentThemeId",
    "publishedParentSemanticVersion",
    "parentThemeName",
    "updateParentAppKey",
    "updateAvailable",
    "updateParentThemeName",
    "updateParentThemeVersion",
    "applicationOwnerDevAccountId",
];

/// A package as a request has it. What it leaves out is `None` or 0.
#[derive(Clone, Debug)]
pub struct PackageInput {
    /// Which package the body is of.
    pub identity: Identity,
    /// `applicationName`, not blank.
    pub name: Option<String>,
    /// `applicationDescription`.
    pub description: Sent<String>,
    /// `applicationTypeId`, whatever its value.
    pub type_id: i64,
    /// `applicationStatusId`.
    pub status: i64,
    /// `apiVersion`, not blank.
    pub api_version: Option<String>,
    /// `themeEngineVersion`.
    pub theme_engine_version: Sent<String>,
    /// `appConfigUrl`.
    pub app_config_url: Sent<String>,
    /// `packageDescription`.
    pub package_description: Sent<String>,
    /// `parentThemeAppKey`.
    pub parent: Option<ParentInput>,
    /// `semanticVersionRange`.
    pub range: Option<String>,
    /// `applicationBehaviors`.
    pub behaviors: Option<Vec<i64>>,
    /// `applicationSubscriptions`.
    pub subscriptions: Option<Vec<Listed>>,
    /// `applicationCapabilityTypes`.
    pub capability_types: Option<Vec<GivenType>>,
    /// `applicationCapabilities`.
    pub capabilities: Option<Vec<GivenCapability>>,
    /// `applicationAttributes`.
    pub attributes: Option<Vec<GivenAttribute>>,
}

/// What a request says of a theme's parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParentInput {
    /// It shall have none.
    None,
    /// The release package of this version.
    Key(AppKey),
}

/// What a body says of which package it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `id`.
    pub id: i64,
    /// `appKey`.
    pub key: Option<AppKey>,
    /// `namespace`.
    pub namespace: Option<String>,
    /// `appId`.
    pub app_id: Option<String>,
    /// `majorVersion`, `minorVersion` and `revision`.
    pub number: [i64; 3],
    /// `packageName`.
    pub package: Option<String>,
}

/// Names of the parts of a version.
const NUMBERS: [&str; 3] = ["majorVersion", "minorVersion", "revision"];

impl Identity {
    fn read(object: &mut Object) -> Result<Self> {
        let mut number = [0; 3];
        for (number, name) in number.iter_mut().zip(NUMBERS) {
            *number = object.int(name)?.value().unwrap_or_default();
        }
        let key = not_blank(object.text("appKey", LONGEST_KEY)?);
        Ok(Self {
            id: object.int("id")?.value().unwrap_or_default(),
            key: key.map(|key| AppKey::parse(&key, "appKey")).transpose()?,
            namespace: not_blank(object.text("namespace", LONGEST)?),
            app_id: not_blank(object.text("appId", LONGEST)?),
            number,
            package: not_blank(object.text("packageName", LONGEST)?),
        })
    }

    /// The first member that says something else than `key`.
    pub fn differs_from(&self, key: &AppKey) -> Option<&'static str> {
        let other = |text: &Option<String>, part: &str| {
            text.as_ref().is_some_and(|text| !text.trim().eq_ignore_ascii_case(part))
        };
        if self.key.as_ref().is_some_and(|own| own.lower() != key.lower()) {
            return Some("appKey");
        }
        let texts = [
            ("namespace", &self.namespace, &key.namespace),
            ("appId", &self.app_id, &key.app_id),
            ("packageName", &self.package, &key.package),
        ];
        let numbers =
            NUMBERS.into_iter().zip(self.number).zip([key.major, key.minor, key.revision]);
        let mut numbers = numbers.filter(|((_, own), number)| *own != 0 && own != number);
        let mut texts = texts.into_iter().filter(|(_, own, part)| other(own, part));
        let text = texts.next().map(|(name, ..)| name);
        text.or_else(|| numbers.next().map(|((name, _), _)| name))
    }
}

/// The text of a member that is neither null nor blank.
fn not_blank(sent: Sent<String>) -> Option<String> {
    sent.value().filter(|text| !text.trim().is_empty())
}

/// Objects that were read, for the members that nobody knows.
type Seen = Vec<Object>;

impl PackageInput {
    /// Reads a package. The objects of the body are returned as well, with what was not read of them. Numbers
    /// of parts that the body of a package that `is_new` may have are those of another package.
    ///
    /// # Errors
    /// 400 with the path of the member that is not acceptable.
    pub fn read(mut object: Object, known: Known<'_>, is_new: bool) -> Result<(Self, Vec<Object>)> {
        let mut seen = Seen::new();
        let body = &mut object;
        let mut input = Self {
            identity: Identity::read(body)?,
            name: required(body, "applicationName", NAME)?,
            description: body.text("applicationDescription", DESCRIPTION)?,
            type_id: body.int("applicationTypeId")?.value().unwrap_or_default(),
            status: body.int("applicationStatusId")?.value().unwrap_or_default(),
            api_version: required(body, "apiVersion", VERSION)?,
            theme_engine_version: body.text("themeEngineVersion", VERSION)?,
            app_config_url: address(body, "appConfigUrl")?,
            package_description: body.text("packageDescription", DESCRIPTION)?,
            parent: parent(body)?,
            range: body.text("semanticVersionRange", NAME)?.value(),
            behaviors: each(body, "applicationBehaviors", MANY, &mut seen, behavior)?,
            subscriptions: each(
                body,
                "applicationSubscriptions",
                SOME,
                &mut seen,
                |object, seen| Listed::read(object, known, is_new, seen),
            )?,
            capability_types: each(
                body,
                "applicationCapabilityTypes",
                SOME,
                &mut seen,
                capability_type,
            )?,
            capabilities: each(body, "applicationCapabilities", MANY, &mut seen, capability)?,
            attributes: each(body, "applicationAttributes", SOME, &mut seen, attribute)?,
        };
        body.ignore(&SERVERS);
        seen.insert(0, object);
        if is_new {
            input.forget_numbers();
        }
        Ok((input, seen))
    }

    fn forget_numbers(&mut self) {
        for of_type in self.capability_types.iter_mut().flatten() {
            of_type.id = 0;
            for capability in of_type.capabilities.iter_mut().flatten() {
                capability.id = 0;
            }
            for domain in of_type.domains.iter_mut().flatten() {
                domain.id = 0;
                for value in domain.values.iter_mut().flatten().flatten() {
                    value.id = 0;
                }
            }
        }
        for capability in self.capabilities.iter_mut().flatten() {
            capability.id = 0;
        }
    }
}

/// Reads the elements of an array, at most `most`, if there is one.
fn each<T>(
    object: &mut Object,
    name: &str,
    most: usize,
    seen: &mut Seen,
    read: impl Fn(&mut Object, &mut Seen) -> Result<T>,
) -> Result<Option<Vec<T>>> {
    let Sent::Set(elements) = object.objects(name, most)? else { return Ok(None) };
    let mut parts = Vec::with_capacity(elements.len());
    for mut element in elements {
        parts.push(read(&mut element, seen)?);
        seen.push(element);
    }
    Ok(Some(parts))
}

/// A text that is not blank where it is given.
fn required(object: &mut Object, name: &str, max: usize) -> Result<Option<String>> {
    let text = object.text(name, max)?.value();
    match &text {
        Some(text) if text.trim().is_empty() => Err(object.refused(name, NOT_BLANK)),
        _ => Ok(text),
    }
}

fn address(object: &mut Object, name: &str) -> Result<Sent<String>> {
    let sent = object.text(name, URL)?;
    match &sent {
        Sent::Set(text) if !is_http_url(text) => Err(object.refused(name, ADDRESS)),
        _ => Ok(sent),
    }
}

fn parent(object: &mut Object) -> Result<Option<ParentInput>> {
    let Sent::Set(text) = object.text(parent::PARAMETER, LONGEST_KEY)? else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(Some(ParentInput::None));
    }
    parent::parse(&text).map(|key| Some(ParentInput::Key(key)))
}

/// A number of a record; 0 and less are none.
fn id(object: &mut Object, name: &str) -> Result<i64> {
    let number = object.int(name)?.value().unwrap_or_default();
    if number < 0 { Err(object.refused(name, "must be 0 or above.")) } else { Ok(number) }
}

fn behavior(object: &mut Object, _: &mut Seen) -> Result<i64> {
    object.ignore(&["packageId"]);
    let id = object.int("behaviorId")?.value();
    id.ok_or_else(|| object.refused("behaviorId", "must be the number of a behavior."))
}

fn capability_type(object: &mut Object, seen: &mut Seen) -> Result<GivenType> {
    object.ignore(&["applicationId", "capabilityTypeName", "packageId"]);
    let given = GivenType {
        id: id(object, "applicationCapabilityTypeId")?,
        type_id: id(object, "capabilityTypeId")?,
        is_implemented: object.flag("isImplemented")?.value().unwrap_or_default(),
        is_initialized: object.flag("isInitializedByDefault")?.value().unwrap_or_default(),
        capabilities: each(object, "applicationCapabilities", SOME, seen, capability)?,
        domains: each(object, "applicationCapabilityDomains", SOME, seen, domain)?,
    };
    if given.id == 0 && given.type_id == 0 {
        return Err(object.refused("capabilityTypeId", "must be the number of a capability type."));
    }
    Ok(given)
}

fn capability(object: &mut Object, _: &mut Seen) -> Result<GivenCapability> {
    object.ignore(&["packageId"]);
    let given = GivenCapability {
        id: id(object, "applicationCapabilityId")?,
        contract_id: id(object, "capabilityTypeContractId")?,
        endpoint: address(object, "applicationEndPoint")?.value(),
        owner: id(object, "applicationCapabilityTypeId")?,
    };
    if given.id == 0 && given.contract_id == 0 {
        return Err(object.refused("capabilityTypeContractId", "must be the number of a contract."));
    }
    Ok(given)
}

fn domain(object: &mut Object, seen: &mut Seen) -> Result<GivenDomain> {
    object.ignore(&["applicationCapabilityTypeId"]);
    Ok(GivenDomain {
        id: id(object, "applicationCapabilityDomainId")?,
        name: object.text("name", NAME)?.value(),
        values: [
            each(object, "applicationCapabilityDomainValues1", SOME, seen, value)?,
            each(object, "applicationCapabilityDomainValues2", SOME, seen, value)?,
        ],
    })
}

fn value(object: &mut Object, _: &mut Seen) -> Result<GivenValue> {
    object.ignore(&["applicationCapabilityDomainId1", "applicationCapabilityDomainId2"]);
    Ok(GivenValue {
        id: id(object, "applicationCapabilityDomainValueId")?,
        name: object.text("valueName", NAME)?.value(),
        display_name: object.text("displayName", NAME)?.value(),
    })
}

fn attribute(object: &mut Object, seen: &mut Seen) -> Result<GivenAttribute> {
    object.ignore(&["packageId"]);
    let attributes = each(object, "attributes", MANY, seen, one_attribute)?;
    let attribute = ApplicationAttribute {
        subsystem: subsystem(object)?,
        attribute_json: json(object, "attributeJson")?,
        product_type_json: json(object, "productTypeJson")?,
        is_applied_to_base: object.flag("isAppliedToBase")?.value().unwrap_or_default(),
        source_tenant_id: id(object, "sourceTenantId")?,
        source_tenant_name: object.text("sourceTenantName", NAME)?.value(),
        attribute_codes: object.text("attributeCodes", DESCRIPTION)?.value(),
        package_id: 0,
        attributes: attributes.clone().unwrap_or_default(),
    };
    Ok(GivenAttribute { attribute, has_attributes: attributes.is_some() })
}

fn subsystem(object: &mut Object) -> Result<String> {
    let text = object.text("subsystem", NAME)?.value().unwrap_or_default();
    let known = SUBSYSTEMS.iter().find(|known| known.eq_ignore_ascii_case(text.trim()));
    known
        .map(|known| (*known).to_owned())
        .ok_or_else(|| object.refused("subsystem", "must be Customer, Order or Product."))
}

/// A text that is JSON; a blank one is none, as some clients write it.
fn json(object: &mut Object, name: &str) -> Result<Option<String>> {
    let text = not_blank(object.text(name, JSON)?);
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    match text {
        Some(text) if !is_json(&text) => Err(object.refused(name, "must be JSON in a text.")),
        text => Ok(text),
    }
}

fn one_attribute(object: &mut Object, _: &mut Seen) -> Result<AppDevAttribute> {
    Ok(AppDevAttribute {
        attribute_id: id(object, "attributeId")?,
        code: text(object, "code", NAME)?,
        r#type: text(object, "type", NAME)?,
        fqn: text(object, "fqn", LONG_NAME)?,
        sequence: id(object, "sequence")?,
        vocabulary_json: text(object, "vocabularyJson", JSON)?,
        application_attribute_id: id(object, "applicationAttributeId")?,
        name: text(object, "name", LONG_NAME)?,
        input_type: text(object, "inputType", NAME)?,
        admin_name: text(object, "adminName", LONG_NAME)?,
        vocabulary_values: text(object, "vocabularyValues", JSON)?,
    })
}

fn text(object: &mut Object, name: &str, max: usize) -> Result<Option<String>> {
    Ok(object.text(name, max)?.value())
}
