//! Pages on the host of the customer account, for the browser that configures an app. See [`configuration`].
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryFilter, QuerySelect};

use super::configuration::{self, Pass, Step};
use super::dto::{NODE_TYPE, Page};
use super::entity::{COLUMN, Entity, Model};
use super::{messages, rules, service};
use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::node_id;
use crate::offering_api::app_offerings::entity::Model as Offering;

/// OpenAPI tag of this resource; always the folder's name.
const TAG: &str = "app_instances";

/// Cookie by which the browser is known that began.
const COOKIE: &str = "appmarket_configuration";

/// Configure an app
///
/// Leads the browser of the customer's administrator to the app's own page, which is told `nodeID`,
/// `account_id`, `confirmation_url`, `created_at` and, if the provider's webhook for secrets is signed,
/// `X-4me-Signature`: a JWT whose claim `data` is the nodeID. The address comes from
/// `/v1/app_instances/{id}/configuration`. On the host of the account it is
/// `/app_instances/{id}/configure`.
///
/// The answer sets a cookie, `appmarket_configuration`, which the confirmation needs: it works in this browser
/// alone.
#[utoipa::path(
    get, path = "/{id}/configure", tag = TAG, operation_id = "configure_app_instance",
    params(
        ("account" = String, Path, description = "Id of the customer account.", min_length = 1,
         max_length = 32, pattern = "^[a-z0-9-]+$", example = "globex"),
        ("id" = String, Path, description = "nodeID of the app instance.", example = "bG9jYWxob3N0L0FwcEluc3RhbmNlLzE"),
        PassQuery,
    ),
    responses(
        (status = FOUND, description = "On to the app's page, with the cookie that the confirmation needs."),
        (status = BAD_REQUEST, description = "The address is not complete.", body = Page, content_type = "text/html"),
        (status = FORBIDDEN, description = "The code is wrong, or the person no administrator any more.", body = Page, content_type = "text/html"),
        (status = GONE, description = "The code has expired, or there is nothing to configure any more.", body = Page, content_type = "text/html"),
    ),
)]
pub async fn configure(
    State(state): State<AppState>,
    Path(path): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let visit = Visit::read(&state, path, query.as_deref())?;
    let db = state.store.connection();
    let (instance, offering) = visit.find(db).await?;
    let pass = match visit.check(db, &instance, Step::Configure).await? {
        Ok(pass) => pass,
        Err(refusal) => return Ok(refusal.page(&offering)),
    };
    let address = configuration::address_of_app(&state, &instance, &offering, pass).await?;
    let cookie = pass.code(&state.site, &instance, Step::Browser).ok_or(Error::NotFound)?;
    let host = state.site.account_url(&visit.account);
    let is_secure = if host.starts_with("https:") { "; Secure" } else { "" };
    let place = url::Url::parse(&host).map(|url| url.path().trim_end_matches('/').to_owned());
    let node = messages::node_id_of(&state.site, instance.id);
    let cookie = format!(
        "{COOKIE}={cookie}; Path={}/app_instances/{node}; HttpOnly; SameSite=Lax{is_secure}",
        place.unwrap_or_default()
    );
    let headers = [
        (header::LOCATION, HeaderValue::from_str(&address).map_err(Error::internal)?),
        (header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(Error::internal)?),
        NO_REFERRER,
    ];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// Ask to confirm the configuration of an app
///
/// A page with a button that switches the app on: a look at it changes nothing. The app leads the browser
/// here when it is configured. On the host of the account it is `/app_instances/{id}/confirm_configuration`.
///
/// It needs the cookie that the first page, `/app_instances/{id}/configure`, has set in the administrator's
/// browser; without it the answer is 403.
#[utoipa::path(
    get, path = "/{id}/confirm_configuration", tag = TAG, operation_id = "ask_to_confirm_app_instance",
    params(
        ("account" = String, Path, description = "Id of the customer account.", min_length = 1,
         max_length = 32, pattern = "^[a-z0-9-]+$", example = "globex"),
        ("id" = String, Path, description = "nodeID of the app instance.", example = "bG9jYWxob3N0L0FwcEluc3RhbmNlLzE"),
        PassQuery,
    ),
    responses(
        (status = OK, description = "The page.", body = Page, content_type = "text/html"),
        (status = BAD_REQUEST, description = "The address is not complete.", body = Page, content_type = "text/html"),
        (status = FORBIDDEN, description = "The code is wrong, or the cookie of the browser that began is not there.", body = Page, content_type = "text/html"),
        (status = GONE, description = "The code has expired, or there is nothing to confirm any more.", body = Page, content_type = "text/html"),
    ),
)]
pub async fn ask(
    State(state): State<AppState>,
    Path(path): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let visit = Visit::read(&state, path, query.as_deref())?.with_cookie(&headers);
    let db = state.store.connection();
    let (instance, offering) = visit.find(db).await?;
    Ok(match visit.check(db, &instance, Step::Confirm).await? {
        Ok(_) => page(
            StatusCode::OK,
            &offering,
            "The app is configured. It does nothing in your account until you switch it on.",
            "<form method=\"post\"><button>Switch on</button></form>",
        ),
        Err(refusal) => refusal.page(&offering),
    })
}

/// Confirm the configuration of an app
///
/// Switches the app on: `enabled_by_customer` becomes true. A body is not looked at. On the host of the
/// account it is `/app_instances/{id}/confirm_configuration`.
///
/// It needs the cookie that the first page, `/app_instances/{id}/configure`, has set in the administrator's
/// browser; without it the answer is 403.
#[utoipa::path(
    post, path = "/{id}/confirm_configuration", tag = TAG, operation_id = "confirm_app_instance",
    params(
        ("account" = String, Path, description = "Id of the customer account.", min_length = 1,
         max_length = 32, pattern = "^[a-z0-9-]+$", example = "globex"),
        ("id" = String, Path, description = "nodeID of the app instance.", example = "bG9jYWxob3N0L0FwcEluc3RhbmNlLzE"),
        PassQuery,
    ),
    responses(
        (status = OK, description = "The app is switched on.", body = Page, content_type = "text/html"),
        (status = BAD_REQUEST, description = "The address is not complete.", body = Page, content_type = "text/html"),
        (status = FORBIDDEN, description = "The code is wrong, or the cookie of the browser that began is not there.", body = Page, content_type = "text/html"),
        (status = GONE, description = "The code has expired, or there is nothing to confirm any more.", body = Page, content_type = "text/html"),
    ),
)]
pub async fn confirm(
    State(state): State<AppState>,
    Path(path): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let visit = Visit::read(&state, path, query.as_deref())?.with_cookie(&headers);
    let (instance, offering) = visit.find(state.store.connection()).await?;
    // Guesses do not make others wait for a transaction.
    let checked = visit.check(state.store.connection(), &instance, Step::Confirm).await?;
    if let Err(refusal) = checked {
        return Ok(refusal.page(&offering));
    }
    let store = state.store.clone();
    let done =
        store.write(visit, |transaction, visit| visit.switch_on(transaction).boxed()).await?;
    Ok(match done {
        Ok(()) => {
            page(StatusCode::OK, &offering, "The app is switched on. You can close this page.", "")
        }
        Err(refusal) => refusal.page(&offering),
    })
}

/// What the addresses carry.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document; pages say in their own words what is missing")]
pub struct PassQuery {
    /// Proof that the address came from here.
    #[param(
        min_length = 43,
        max_length = 43,
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "q0V9zYc1n2m3b4v5c6x7z8a9s0d1f2g3h4j5k6l7p8o"
    )]
    code: String,
    /// When it expires, in seconds since 1970-01-01T00:00:00Z.
    #[param(minimum = 0, maximum = 9007199254740991_i64, example = 1769940000)]
    expires_at: i64,
    /// Number of the administrator who asked for it.
    #[param(minimum = 1, maximum = 9007199254740991_i64, example = 2)]
    person_id: i64,
}

/// A browser on one of the pages.
#[derive(Clone)]
struct Visit {
    state: AppState,
    account: String,
    instance: i64,
    pass: Option<(Pass, String)>,
    cookie: Option<String>,
}

/// Why a page is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Incomplete,
    Wrong,
    Expired,
    Void,
    OtherBrowser,
    NoAdministrator,
}

impl Refusal {
    fn page(self, offering: &Offering) -> Response {
        let (status, text) = match self {
            Self::Incomplete => (
                StatusCode::BAD_REQUEST,
                "The address is not complete: open it as it was given, with code, expires_at and person_id.",
            ),
            Self::Wrong => (
                StatusCode::FORBIDDEN,
                "The code is wrong, or void because the configuration was begun anew.",
            ),
            Self::Expired => {
                (StatusCode::GONE, "The address has expired: begin the configuration anew.")
            }
            Self::Void => {
                (StatusCode::GONE, "There is nothing to confirm: the app is switched on already.")
            }
            Self::OtherBrowser => (
                StatusCode::FORBIDDEN,
                "The configuration was begun in another browser: go on in that one, or begin anew.",
            ),
            Self::NoAdministrator => {
                (StatusCode::FORBIDDEN, "Only an administrator of the account configures its apps.")
            }
        };
        page(status, offering, text, "")
    }
}

impl Visit {
    fn read(state: &AppState, path: (String, String), query: Option<&str>) -> Result<Self> {
        let (account, id) = path;
        let instance =
            node_id::decode(&state.site.domain, NODE_TYPE, &id).ok_or(Error::NotFound)?;
        let text = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
            pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let number = |wanted: &str| text(wanted)?.parse::<i64>().ok();
        let pass = match (text("code"), number("expires_at"), number("person_id")) {
            (Some(code), Some(expires_at), Some(person)) => {
                Some((Pass { person, expires_at }, code))
            }
            _ => None,
        };
        Ok(Self { state: state.clone(), account, instance, pass, cookie: None })
    }

    fn with_cookie(mut self, headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs =
            lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
        self.cookie = pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned());
        self
    }

    /// The instance of this account, with its version.
    async fn find(&self, db: &impl ConnectionTrait) -> Result<(Model, Offering)> {
        let instance =
            Entity::of(&self.account).filter(COLUMN.id.eq(self.instance)).one(db).await?;
        let instance = instance.filter(|it| it.customer_account_id == self.account);
        let instance = instance.ok_or(Error::NotFound)?;
        let offering = rules::offering(db, instance.app_offering_id).await?;
        Ok((instance, offering.ok_or(Error::NotFound)?))
    }

    async fn check(
        &self,
        db: &impl ConnectionTrait,
        instance: &Model,
        step: Step,
    ) -> Result<std::result::Result<Pass, Refusal>> {
        let Some((pass, code)) = &self.pass else { return Ok(Err(Refusal::Incomplete)) };
        if instance.confirmation.is_none() {
            return Ok(Err(Refusal::Void));
        }
        let site = &self.state.site;
        if !pass.is_code(site, instance, step, code) {
            return Ok(Err(Refusal::Wrong));
        }
        if pass.expires_at * 1000 <= self.state.clock.now_millis() {
            return Ok(Err(Refusal::Expired));
        }
        let cookie = self.cookie.as_deref().unwrap_or_default();
        if step == Step::Confirm && !pass.is_code(site, instance, Step::Browser, cookie) {
            return Ok(Err(Refusal::OtherBrowser));
        }
        let is_administrator = configuration::is_administrator(db, instance, *pass).await?;
        Ok(if is_administrator { Ok(*pass) } else { Err(Refusal::NoAdministrator) })
    }

    async fn switch_on(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<std::result::Result<(), Refusal>> {
        let instance =
            Entity::of(&self.account).filter(COLUMN.id.eq(self.instance)).lock_exclusive();
        let instance = instance.one(transaction).await?.ok_or(Error::NotFound)?;
        // Somebody may have been faster.
        let pass = match self.check(transaction, &instance, Step::Confirm).await? {
            Ok(pass) => pass,
            Err(refusal) => return Ok(Err(refusal)),
        };
        service::confirm(transaction, &self.state, instance, pass.person).await?;
        Ok(Ok(()))
    }
}

/// Codes stand in the address: it is told to nobody.
const NO_REFERRER: (HeaderName, HeaderValue) =
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));

fn page(status: StatusCode, offering: &Offering, text: &str, more: &str) -> Response {
    let name = escaped(&offering.name);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title></head>\n\
         <body><h1>{name}</h1><p>{text}</p>{more}</body></html>\n"
    );
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind), NO_REFERRER], html).into_response()
}

/// A text as part of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
