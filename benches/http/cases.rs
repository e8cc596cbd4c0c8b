//! What is asked of every participant, and what a good answer is.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Participant, Result};

pub const LIST: &str = "/v1/app_offerings";
const FILTERED: &str = "/v1/app_offerings?disabled=true&sort=-created_at";

/// One offering in so many is disabled, so that the filtered list has something to filter.
const DISABLED_EVERY: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// The first 20 offerings with their default fields
    List,
    /// One offering by its id
    Get,
    /// The latest 20 of the disabled offerings
    Filtered,
    /// First and last page at 10,000 and at 1,000,000 offerings
    Scale,
    /// A new offering
    Create,
    /// One package by its key, without its children
    Package,
    /// A package with 50 behaviors, 20 subscriptions and 200 files, with its children
    Children,
    /// The first 20 of 10,000 applications
    Collection,
    /// The folders of a package of 2,000 files
    Tree,
    /// Files of 1 KiB, up and down
    SmallFiles,
    /// Files of 32 MiB, up and down
    LargeFiles,
    /// Files of 32 MiB, 32 at once, for the memory they take
    Uploads,
    /// A new application with its package
    NewPackage,
    /// Messages to webhooks, unsigned and signed
    Deliveries,
    /// Messages signed with each of the algorithms, for what one costs
    Signatures,
    /// The list of offerings while messages go out
    Beside,
    /// 100 webhooks of which 10 never answer
    DeadEnds,
    /// The document of the app offerings, compressed
    Document,
    /// From the start on an existing database to the first answer
    Startup,
}

/// What is prepared alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Offerings,
    Packages,
    Deliveries,
    /// What has to do with no record.
    Service,
}

impl Case {
    pub fn family(self) -> Family {
        match self {
            Self::List | Self::Get | Self::Filtered | Self::Scale | Self::Create => {
                Family::Offerings
            }
            Self::Deliveries | Self::Signatures | Self::Beside | Self::DeadEnds => {
                Family::Deliveries
            }
            Self::Document | Self::Startup => Family::Service,
            _ => Family::Packages,
        }
    }

    /// The path of a case of offerings; `item` is the id of one in the middle of the list.
    pub fn path(self, item: u64) -> String {
        match self {
            Self::Get => item_path(item),
            Self::Filtered => FILTERED.to_owned(),
            _ => LIST.to_owned(),
        }
    }
}

/// Where an offering is.
pub fn item_path(item: u64) -> String {
    format!("{LIST}/{item}")
}

/// The offering of this number, as it is posted to the server; `schema.sql` gives the peers the same.
pub fn offering(number: u64, service_instance: u64) -> Value {
    let mut offering = named_offering(&format!("Bench offering {number:07}"), service_instance);
    offering["disabled"] = number.is_multiple_of(DISABLED_EVERY).into();
    offering
}

/// An offering of this name, as it is posted.
pub fn named_offering(name: &str, service_instance: u64) -> Value {
    json!({
        "name": name,
        "policy_jwt_alg": "es256",
        "policy_jwt_claim_expires_in": 10,
        "service_instance_id": service_instance,
        "webhook_uri_template": "https://echo.example.test/hook?account={account}",
    })
}

const DEFAULT_FIELDS: [&str; 12] = [
    "created_at",
    "id",
    "name",
    "nodeID",
    "policy_jwt_alg",
    "policy_jwt_audience",
    "policy_jwt_claim_expires_in",
    "reference",
    "service_instance",
    "sourceID",
    "updated_at",
    "webhook_uri_template",
];

/// What a single offering shows besides the default fields.
const MORE_FIELDS: [&str; 12] = [
    "attachments",
    "card_description",
    "compliance",
    "configuration_uri_template",
    "description",
    "disabled",
    "features",
    "openid_connect_discovery",
    "picture_uri",
    "requires_enabled_oauth_person",
    "source",
    "ui_extension_version",
];

/// Asks for everything once: a participant that leaves something out would look faster than it is.
pub async fn check(participant: &Participant, offerings: u64) -> Result<()> {
    let mut client = participant.client().await?;
    let list = client.get(LIST).await?.expect(200)?;
    expect_equal("total", list.total()?, offerings)?;
    for header in ["Link", "X-Pagination-Current-Page", "X-Pagination-Total-Pages"] {
        list.header(header)?;
    }
    let list = list.json()?;
    let rows = list.as_array().ok_or("the list is not an array")?;
    expect_equal("length of the list", rows.len(), 20)?;
    for row in rows {
        has_fields(row, &DEFAULT_FIELDS)?;
        // `disabled` shows up on disabled offerings, whatever the fields.
        let extra = row.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let extra: Vec<_> =
            extra.filter(|key| *key != "disabled" && !DEFAULT_FIELDS.contains(key)).collect();
        expect_equal("fields beyond the default ones", extra, vec![])?;
        has_fields(&row["service_instance"], &["id", "name", "nodeID"])?;
    }

    let one = client.get(&Case::Get.path(participant.item)).await?.expect(200)?.json()?;
    expect_equal("id", one["id"].as_u64(), Some(participant.item))?;
    has_fields(&one, &DEFAULT_FIELDS)?;
    has_fields(&one, &MORE_FIELDS)?;

    let filtered = client.get(FILTERED).await?.expect(200)?;
    // The demo offerings, which the server has among its own, are not disabled.
    let expected = offerings / DISABLED_EVERY;
    if !(expected.saturating_sub(1)..=expected).contains(&filtered.total()?) {
        return Err(format!("{} offerings are disabled, not {expected}", filtered.total()?).into());
    }
    let filtered = filtered.json()?;
    let rows = filtered.as_array().ok_or("the filtered list is not an array")?;
    expect_equal("length of the filtered list", rows.len(), 20)?;
    expect_equal("only disabled", rows.iter().all(|row| row["disabled"] == true), true)?;
    let latest_first = rows.is_sorted_by(|one, next| time(one) >= time(next));
    expect_equal("latest first", latest_first, true)?;
    Ok(())
}

fn time(row: &Value) -> Option<&str> {
    row["created_at"].as_str()
}

fn has_fields(row: &Value, fields: &[&str]) -> Result<()> {
    let missing: Vec<_> = fields.iter().filter(|field| row.get(field).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{row} lacks {missing:?}").into()) }
}

pub fn expect_equal<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Result<()> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{what}: expected {wanted:?}, got {got:?}").into())
}
