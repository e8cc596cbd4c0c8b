//! Who may install, change and remove what.
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::Value;

use super::entity::{COLUMN, Entity, Model};
use super::form::Form;
use crate::directory::people;
use crate::kernel::db::Source;
use crate::kernel::error::Result;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::Input;
use crate::kernel::record::select::{self, Scope};
use crate::offering_api::app_offerings::dto::RECORD as OFFERINGS;
use crate::offering_api::app_offerings::entity::{self as app_offerings, Model as Offering};
use crate::offering_api::resource::Write;
use crate::offering_api::ui_extensions::version_entity as ui_extension_versions;

/// Property by which a create names the customer.
pub const CUSTOMER: &str = "customer_account_id";

/// SQL condition for what an account may install: its own drafts and versions, and the versions of the
/// providers that trust it.
const INSTALLABLE: &str = "t.id = {id} AND (t.account_id = {account} OR (t.published AND EXISTS \
     (SELECT 1 FROM trusts WHERE provider_id = t.account_id AND customer_id = {account})))";

/// Which parties of an instance the caller acts for; of an app in the provider's own account, both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// Who owns the offering.
    pub provider: bool,
    /// Where it is installed.
    pub customer: bool,
}

impl Parties {
    /// Those that an account is, of an instance.
    pub fn of(account: &str, instance: &Model) -> Self {
        Self {
            provider: instance.account_id == account,
            customer: instance.customer_account_id == account,
        }
    }

    /// Refuses what only the other party may change, where the body would change it: whoever writes a
    /// record back as it was read changes nothing.
    pub fn check(self, before: &Model, changes: &mut Changes) {
        let other = |flag: Option<bool>, before: bool| flag.is_some_and(|flag| flag != before);
        if !self.provider && other(changes.bool("disabled"), before.disabled) {
            changes.refuse("disabled", Violation::ProviderOnly);
        }
        if self.customer {
            return;
        }
        if other(changes.bool("enabled_by_customer"), before.enabled_by_customer) {
            changes.refuse("enabled_by_customer", Violation::CustomerOnly);
        }
        if changes.int("app_offering").is_some_and(|id| id != before.app_offering_id) {
            changes.refuse("app_offering", Violation::CustomerOnly);
        }
        let representative = match changes.get("customer_representative") {
            Some(Input::Int(id)) => Some(Some(*id)),
            Some(_) => Some(None),
            None => None,
        };
        if representative.is_some_and(|id| id != before.customer_representative_id) {
            changes.refuse("customer_representative", Violation::CustomerOnly);
        }
    }
}

/// An app is installed by an administrator of its customer: any other account that is named is refused.
pub fn check_customer(write: &Write, changes: &mut Changes) {
    let named = write.body.get(CUSTOMER).or_else(|| {
        let value = write.body.get("customer_account")?;
        Some(value.get("id").unwrap_or(value))
    });
    let is_own = match named {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty() || *text == *write.caller.identity.account,
        Some(_) => false,
    };
    if !is_own {
        changes.refuse("customer_account", Violation::ForeignCustomer);
    }
}

/// The draft or version that a body wants to install in an account. Whatever stands against it is noted.
///
/// # Errors
/// The database's.
pub async fn to_install(
    transaction: &DatabaseTransaction,
    account: &str,
    changes: &mut Changes,
) -> Result<Option<Offering>> {
    let Some(id) = changes.int("app_offering") else { return Ok(None) };
    let Some(offering) =
        visible(transaction, account, Scope { condition: INSTALLABLE, id }).await?
    else {
        changes.refuse("app_offering", Violation::MustExist);
        return Ok(None);
    };
    let installed = Entity::find()
        .filter(COLUMN.customer_account_id.eq(account))
        .filter(COLUMN.offering_id.eq(draft_of(&offering)))
        .one(transaction)
        .await?;
    if installed.is_some() {
        changes.refuse("app_offering", Violation::Installed);
    } else if offering.disabled {
        changes.refuse("app_offering", Violation::Disabled);
    } else if offering.published && !offering.latest {
        changes.refuse("app_offering", Violation::NotLatest);
    }
    Ok(Some(offering))
}

/// The version that a body wants instead of the installed one: any published one of the same offering that
/// the customer may see, in the provider's own account also the draft. A disabled one will do, for those
/// who have the app may go on updating it. `None` when nothing changes; what stands against it is noted.
///
/// # Errors
/// The database's.
pub async fn to_update(
    transaction: &DatabaseTransaction,
    before: &Model,
    changes: &mut Changes,
) -> Result<Option<Offering>> {
    let wanted = changes.int("app_offering").filter(|id| *id != before.app_offering_id);
    let Some(id) = wanted else { return Ok(None) };
    let scope = Scope { condition: app_offerings::VISIBLE, id };
    let Some(offering) = visible(transaction, &before.customer_account_id, scope).await? else {
        changes.refuse("app_offering", Violation::MustExist);
        return Ok(None);
    };
    if draft_of(&offering) != before.offering_id {
        changes.refuse("app_offering", Violation::OtherOffering);
    }
    Ok(Some(offering))
}

async fn visible(
    transaction: &DatabaseTransaction,
    account: &str,
    scope: Scope,
) -> Result<Option<Offering>> {
    let source = Source::Transaction(transaction);
    if !select::exists(source, &OFFERINGS, scope, account).await? {
        return Ok(None);
    }
    offering(transaction, scope.id).await
}

/// An offering by its number, of whichever account: for those who have it installed.
///
/// # Errors
/// The database's.
pub async fn offering(db: &impl sea_orm::ConnectionTrait, id: i64) -> Result<Option<Offering>> {
    Ok(app_offerings::Entity::find_by_id(id).one(db).await?)
}

/// The draft of a version, or the draft itself: what all versions of an offering share.
pub fn draft_of(offering: &Offering) -> i64 {
    offering.draft_id.unwrap_or(offering.id)
}

/// The form of a version; without one, nothing can be filled in.
///
/// # Errors
/// The database's.
pub async fn form(db: &impl sea_orm::ConnectionTrait, offering: &Offering) -> Result<Form> {
    let Some(id) = offering.ui_extension_version_id else { return Ok(Form::default()) };
    let version = ui_extension_versions::Entity::find_by_id(id).one(db).await?;
    let html = version.and_then(|version| version.html);
    Ok(html.map(|html| Form::read(&html)).unwrap_or_default())
}

/// The representative must be an administrator of the customer.
///
/// # Errors
/// The database's.
pub async fn check_representative(
    transaction: &DatabaseTransaction,
    customer: &str,
    changes: &mut Changes,
) -> Result<()> {
    let Some(id) = changes.int("customer_representative") else { return Ok(()) };
    let person = people::entity::Entity::find_by_id(id).one(transaction).await?;
    match person.filter(|person| person.account_id == customer) {
        None => changes.refuse("customer_representative", Violation::MustExist),
        Some(person) if !person.administrator || person.disabled => {
            changes.refuse("customer_representative", Violation::NotAdministrator);
        }
        Some(_) => {}
    }
    Ok(())
}
