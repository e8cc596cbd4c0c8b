//! Refresh tokens of applications and of developers (contract 1.3.5, 1.3.8).
use futures_util::FutureExt;
use sea_orm::DatabaseTransaction;

use crate::directory::state::AppState;
use crate::directory::tickets::{self, Refresh, Renewable};
use crate::kernel::error::Result;
use crate::package_api::convention::refusal;

/// Keeps a refresh token that is about to be told.
///
/// # Errors
/// The database's.
pub async fn keep(state: &AppState, refresh: Refresh) -> Result<()> {
    state
        .store
        .write(refresh, |transaction, refresh| {
            async move { Ok(tickets::keep(transaction, refresh).await?) }.boxed()
        })
        .await
}

/// Revokes a refresh token of those for which `is_meant` holds: each kind is revoked where its tickets are
/// given. Access tokens stay good until they expire.
///
/// # Errors
/// 404 for one that is unknown, expired, revoked, or of the other kind; only its last characters are told.
pub async fn revoke(
    state: &AppState,
    token: String,
    is_meant: fn(&Renewable) -> bool,
) -> Result<()> {
    let context = (state.clone(), token.clone(), is_meant);
    let revoked = state.store.write(context, |transaction, (state, token, is_meant)| {
        remove(transaction, state, token, *is_meant).boxed()
    });
    if revoked.await? {
        return Ok(());
    }
    Err(refusal::not_found("refresh token", "RefreshToken", tail(&token)))
}

async fn remove(
    transaction: &DatabaseTransaction,
    state: &AppState,
    token: &str,
    is_meant: fn(&Renewable) -> bool,
) -> Result<bool> {
    let (key, now) = (&state.site.key, state.clock.now_millis());
    let found = tickets::find(transaction, key, token, now).await?;
    if !found.is_some_and(|kept| is_meant(&kept.of)) {
        return Ok(false);
    }
    Ok(tickets::revoke(transaction, key, token, now).await?)
}

/// The end of a secret, by which its owner knows it again.
fn tail(token: &str) -> String {
    let count = token.chars().count();
    // Of a short text nothing would be left to guess.
    let shown = if count > 16 { 4 } else { 0 };
    format!("…{}", token.chars().skip(count - shown).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_token_is_told() {
        for (token, told) in [("", "…"), ("short", "…"), ("0123456789abcdefg", "…defg")] {
            assert_eq!(tail(token), told);
        }
    }
}
