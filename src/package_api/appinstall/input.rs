//! What a request to install says.
use super::dto::ApplicationTransaction;
use crate::kernel::error::Result;
use crate::package_api::call::Write;
use crate::package_api::convention::body::{Object, Sent};
use crate::package_api::convention::key::AppKey;
use crate::package_api::convention::refusal;
use crate::package_api::convention::time::Time;

/// Name that the contract gives the body.
const BODY: &str = "applicationEntitlement";
/// Licence unless another is given.
const FREE: &str = "Free";
/// Most purchases of an install.
pub const MOST_TRANSACTIONS: usize = 1000;
/// Amounts of money are below this, and above its negative.
const LARGEST_AMOUNT: f64 = 1e12;

/// Which package to install where, and on what terms.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The tenant.
    pub tenant: i64,
    /// The site; `None` for the whole tenant.
    pub site: Option<i64>,
    /// The package, by number or key, or both.
    pub package: Package,
    /// The terms.
    pub terms: Terms,
}

/// Names the package to install.
#[derive(Clone, Debug)]
pub enum Package {
    /// By its number, and its key if that is given too.
    Id(i64, Option<AppKey>),
    /// By its key.
    Key(AppKey),
}

/// Terms of an install. What is not given has its default, or stays when the package is installed
/// again.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Kind of the licence.
    pub license_type: Option<String>,
    /// When the licence begins, in milliseconds since the epoch.
    pub starts_at: Option<i64>,
    /// When the licence ends, in milliseconds since the epoch.
    pub ends_at: Option<i64>,
    /// Whether the request says, by null, that it does not end.
    pub is_open: bool,
    /// Purchases of the licence.
    pub transactions: Option<Vec<ApplicationTransaction>>,
}

impl Wanted {
    /// Reads a body. `now`, in milliseconds since the epoch, is when a licence begins unless it is said.
    ///
    /// # Errors
    /// 400 with the name of a member that is missing or malformed.
    pub fn read(write: &Write, now: i64) -> Result<Self> {
        let mut body = write.object(BODY)?;
        let tenant = number(&mut body, "tenantId")?
            .ok_or_else(|| body.refused("tenantId", "must be the number of a tenant."))?;
        let site = number(&mut body, "siteId")?;
        let id = number(&mut body, "packageId")?;
        let key = text(&mut body, "appKey", 200)?;
        let key = key.map(|key| AppKey::parse(&key, "appKey")).transpose()?;
        let package = match (id, key) {
            (Some(id), key) => Package::Id(id, key),
            (None, Some(key)) => Package::Key(key),
            (None, None) => {
                let why = "must be the number of a package, unless appKey is given.";
                return Err(body.refused("packageId", why));
            }
        };
        let (terms, transactions) = Terms::read(&mut body, now)?;
        body.ignore(&SERVERS);
        write.refuse_unknown(std::iter::once(&body).chain(&transactions))?;
        Ok(Self { tenant, site, package, terms })
    }
}

/// Members of an entitlement that the server sets.
const SERVERS: [&str; 14] = [
    "applicationEntitlementId",
    "entitlementStatus",
    "applicationName",
    "applicationVersion",
    "installedByFirstName",
    "installedByLastName",
    "installedDate",
    "packageName",
    "tenantName",
    "applicationStatusId",
    "applicationId",
    "devAccountId",
    "installedAppsApplicationId",
    "appOwnerDevAccountId",
];

impl Terms {
    /// Reads the terms, and gives back what is left of each transaction.
    fn read(body: &mut Object, now: i64) -> Result<(Self, Vec<Object>)> {
        let license_type = text(body, "applicationLicenseType", 100)?;
        let starts_at = body.date("effectiveStartDate")?.value().map(|Time(millis)| millis);
        let ends_at = body.date("effectiveEndDate")?;
        let is_open = matches!(ends_at, Sent::Null);
        let ends_at = ends_at.value().map(|Time(millis)| millis);
        // One that does not say when it begins is looked at where that is known.
        if ends_at.zip(starts_at).is_some_and(|(end, start)| end <= start) {
            return Err(end_before_start());
        }
        let given = body.objects("applicationTransactions", MOST_TRANSACTIONS)?.value();
        let Some(mut objects) = given else {
            let terms = Self { license_type, starts_at, ends_at, is_open, transactions: None };
            return Ok((terms, Vec::new()));
        };
        let transactions = objects.iter_mut().map(|object| transaction(object, now));
        let transactions = Some(transactions.collect::<Result<_>>()?);
        Ok((Self { license_type, starts_at, ends_at, is_open, transactions }, objects))
    }

    /// Kind of a new licence.
    pub fn license_type(&self) -> String {
        self.license_type.clone().unwrap_or_else(|| FREE.to_owned())
    }
}

/// The refusal of a licence that ends before it begins.
pub fn end_before_start() -> crate::kernel::error::Error {
    refusal::missing("effectiveEndDate", "must be after effectiveStartDate.")
}

/// A purchase as it is stored: as it was given (contract 2.6), but its numbers, which are the server's, and
/// what it has from its install, which is filled in when it is shown.
fn transaction(object: &mut Object, now: i64) -> Result<ApplicationTransaction> {
    let transaction = ApplicationTransaction {
        application_transaction_id: 0,
        application_id: 0,
        application_entitlement_id: None,
        tenant_id: 0,
        site_id: None,
        locale_code: locale(object)?,
        iso_currency_code: currency(object)?,
        transaction_date: object.date("transactionDate")?.value().unwrap_or(Time(now)),
        transaction_price: amount(object, "transactionPrice")?,
        transaction_tax: amount(object, "transactionTax")?,
        transaction_total: amount(object, "transactionTotal")?,
        order_number: object.text("orderNumber", 200)?.value(),
    };
    object.ignore(&[
        "applicationTransactionId",
        "applicationId",
        "applicationEntitlementId",
        "tenantId",
        "siteId",
    ]);
    Ok(transaction)
}

fn locale(object: &mut Object) -> Result<i64> {
    match object.int("localeCode")?.value() {
        Some(code) if code < 0 => Err(object.refused("localeCode", "must not be negative.")),
        code => Ok(code.unwrap_or_default()),
    }
}

fn currency(object: &mut Object) -> Result<Option<String>> {
    let code = text(object, "isoCurrencyCode", 3)?;
    let is_code =
        |code: &String| code.len() == 3 && code.bytes().all(|it| it.is_ascii_alphabetic());
    match code {
        Some(code) if !is_code(&code) => {
            Err(object.refused("isoCurrencyCode", "must be three letters, as in ISO 4217."))
        }
        code => Ok(code),
    }
}

fn amount(object: &mut Object, name: &str) -> Result<f64> {
    let amount = object.number(name)?.value().unwrap_or_default();
    if amount.abs() > LARGEST_AMOUNT {
        return Err(object.refused(name, "must be between -1000000000000 and 1000000000000."));
    }
    Ok(amount)
}

/// A number of a record; typed clients send 0 for none.
fn number(body: &mut Object, name: &str) -> Result<Option<i64>> {
    match body.int(name)?.value() {
        Some(number) if number < 0 => Err(body.refused(name, "must not be negative.")),
        number => Ok(number.filter(|number| *number > 0)),
    }
}

/// A text; a blank one is none.
fn text(body: &mut Object, name: &str, max: usize) -> Result<Option<String>> {
    let text = body.text(name, max)?.value();
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}
