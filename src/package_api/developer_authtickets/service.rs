//! The rules of developers' tickets (contract 1.3.8).
use super::dto::{DeveloperAccount, DeveloperAdminUserAuthTicket, DeveloperUser, LogIn, names};
use crate::directory::developers::{self, Developer, Membership};
use crate::directory::identity::FAILED_LOG_INS;
use crate::directory::state::AppState;
use crate::directory::tickets::{self, Behaviors, Holder, Kept, Renewable};
use crate::kernel::error::{Error, Result};
use crate::package_api::convention::refusal::{self, Credentials};
use crate::package_api::convention::time::Time;
use crate::package_api::model::refresh_tokens;

/// Which account a ticket is to act for.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Number of the account, `developerAccountId`.
    pub account: Option<i64>,
    /// operationId of the request.
    pub operation: &'a str,
}

/// A refresh token, and until when it is good.
struct Refresh {
    token: String,
    expires_at: i64,
}

/// Makes tokens for a developer who knows their password. `address` is where the request comes from:
/// failures are counted for it and the name together, so that nobody is locked out by others.
///
/// # Errors
/// 401 for a wrong pair, 403 for an account that is not theirs, 429 after too many failures.
pub async fn authenticate(
    state: &AppState,
    address: &str,
    log_in: LogIn,
    choice: Choice<'_>,
) -> Result<DeveloperAdminUserAuthTicket> {
    let developer = sign_in(state, address, log_in).await?;
    let accounts = developers::memberships(state.store.committed(), developer.id).await?;
    let chosen = choose(&accounts, choice)?;
    let account = chosen.map(|chosen| chosen.account.clone());
    let of = Renewable::Developer { developer: developer.id, account };
    let refresh = state.tickets.refresh(&state.kernel, of);
    let kept = Refresh { token: refresh.token.clone(), expires_at: refresh.expires_at };
    refresh_tokens::keep(state, refresh).await?;
    ticket(state, developer, &accounts, chosen, kept).await
}

async fn sign_in(state: &AppState, address: &str, log_in: LogIn) -> Result<Developer> {
    let LogIn { email, password } = log_in;
    let now = state.clock.now_millis();
    let failures = state.identities.failed_log_ins(&email.to_lowercase(), address, now);
    let check = || failures.check(state.clock.now_millis(), FAILED_LOG_INS);
    check().map_err(Error::TooManyRequests)?;
    let found = developers::authenticate(state.store.committed(), &email, password).await?;
    // Once more: of many guesses at the same time the last ones learn nothing, right or wrong.
    check().map_err(Error::TooManyRequests)?;
    found.ok_or_else(|| {
        let (_, _) = failures.count(state.clock.now_millis(), FAILED_LOG_INS);
        tracing::info!(address, "a developer could not sign in");
        refusal::credentials(Credentials::Password)
    })
}

/// Makes the next access token of a developer. The refresh token stays the same, and good for as long as
/// it was.
///
/// # Errors
/// 401 for a token that is unknown, expired, revoked, or of somebody who may no longer sign in; 403 for
/// an account that is not theirs.
pub async fn refresh(
    state: &AppState,
    token: String,
    choice: Choice<'_>,
) -> Result<DeveloperAdminUserAuthTicket> {
    let refused = || refusal::credentials(Credentials::Refresh);
    let (db, key) = (state.store.connection(), &state.site.key);
    let found = tickets::find(db, key, &token, state.clock.now_millis()).await?;
    let Some(Kept { of: Renewable::Developer { developer, account }, expires_at }) = found else {
        return Err(refused());
    };
    let source = state.store.committed();
    let developer = developers::find(source, developer).await?;
    let developer = developer.ok_or_else(refused)?;
    let accounts = developers::memberships(source, developer.id).await?;
    let chosen = match (choice.account, account) {
        (None, Some(before)) => {
            // One who no longer works for the account has nothing left to renew.
            let chosen = accounts.iter().find(|known| known.account == before);
            Some(chosen.ok_or_else(refused)?)
        }
        _ => choose(&accounts, choice)?,
    };
    ticket(state, developer, &accounts, chosen, Refresh { token, expires_at }).await
}

/// Revokes a refresh token of a developer.
///
/// # Errors
/// As [`refresh_tokens::revoke`].
pub async fn revoke(state: &AppState, token: String) -> Result<()> {
    let is_meant = |of: &Renewable| matches!(of, Renewable::Developer { .. });
    refresh_tokens::revoke(state, token, is_meant).await
}

fn choose<'a>(accounts: &'a [Membership], choice: Choice<'_>) -> Result<Option<&'a Membership>> {
    let Some(wanted) = choice.account else { return Ok(None) };
    let chosen = accounts.iter().find(|known| known.number == wanted);
    chosen.map(Some).ok_or_else(|| refusal::not_a_member(choice.operation, wanted))
}

async fn ticket(
    state: &AppState,
    developer: Developer,
    accounts: &[Membership],
    chosen: Option<&Membership>,
    refresh: Refresh,
) -> Result<DeveloperAdminUserAuthTicket> {
    let behaviors = behaviors(state, chosen);
    let holder = Holder::Developer {
        developer: developer.id,
        person: chosen.map_or(0, |chosen| chosen.person),
        account: chosen.map_or(0, |chosen| chosen.number),
    };
    let access = state.tickets.access(&state.kernel, &holder, &behaviors).await?;
    let named = chosen.or_else(|| accounts.first()).map_or("", |known| &known.person_name);
    let (first_name, last_name) = names(named);
    Ok(DeveloperAdminUserAuthTicket {
        jwt_access_token: access.token.clone(),
        access_token: access.token,
        access_token_expiration: Time(access.expires_at),
        refresh_token: refresh.token,
        refresh_token_expiration: Time(refresh.expires_at),
        created_on: Time(state.clock.now_millis()),
        user: DeveloperUser {
            user_id: developer.id.to_string(),
            first_name,
            last_name,
            user_name: developer.email.clone(),
            email_address: developer.email,
        },
        account: chosen.map(DeveloperAccount::from),
        available_accounts: accounts.iter().map(DeveloperAccount::from).collect(),
        granted_behaviors: behaviors.ids(),
    })
}

/// A developer may do everything in their account (contract 3); what is private only operators.
fn behaviors(state: &AppState, chosen: Option<&Membership>) -> Behaviors {
    let operators = &state.config.operator_accounts;
    let is_operator = chosen.is_some_and(|chosen| operators.contains(&chosen.account));
    let all = state.catalogue.behaviors.all().iter();
    all.filter(|behavior| is_operator || !behavior.is_private).map(|behavior| behavior.id).collect()
}
