//! The rules of the token endpoint: which client gets which token.
use futures_util::FutureExt;
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::dto::{Ask, Issued, Refusal};
use crate::directory::permission::Scopes;
use crate::directory::state::AppState;
use crate::directory::tokens::{self, NewToken};
use crate::directory::{oauth_clients, people};
use crate::kernel::error::Result;

/// Makes a token for a client that proves who it is.
///
/// # Errors
/// The database's; what is wrong with the request itself is part of the answer.
pub async fn issue(state: &AppState, ask: Ask) -> Result<Result<Issued, Refusal>> {
    if ask.grant_type != "client_credentials" {
        return Ok(Err(Refusal::GrantType));
    }
    let context = (state.clone(), ask);
    state
        .store
        .write(context, |transaction, (state, ask)| grant(transaction, state, ask).boxed())
        .await
}

async fn grant(
    transaction: &DatabaseTransaction,
    state: &AppState,
    ask: &Ask,
) -> Result<Result<Issued, Refusal>> {
    let key = &state.site.key;
    let (id, secret) = (&ask.client_id, &ask.client_secret);
    let refused = Ok(Err(Refusal::Client { basic: ask.basic }));
    let Some(client) = oauth_clients::authenticate(transaction, key, id, secret).await? else {
        return refused;
    };
    if client.grant_type != oauth_clients::CLIENT_CREDENTIALS {
        return Ok(Err(Refusal::Unauthorized));
    }
    let person = people::entity::Entity::find_by_id(client.person_id).one(transaction).await?;
    if person.is_none_or(|person| person.disabled) {
        // Its tokens would be refused.
        return refused;
    }
    let own = Scopes::from_json(&client.scopes);
    let scopes = match &ask.scope {
        None => own,
        Some(wanted) => {
            let Ok(wanted) = Scopes::parse(wanted.split_ascii_whitespace()) else {
                return Ok(Err(Refusal::Scope(
                    "A scope is a permission such as app-offering:Read; several are separated by blanks",
                )));
            };
            let Some(narrowed) = own.narrowed(&wanted) else {
                return Ok(Err(Refusal::Scope("The client may not have this scope")));
            };
            narrowed
        }
    };
    let now = state.clock.now_millis();
    tokens::forget_expired(transaction, now).await?;
    let expires_in = state.config.token_lifetime;
    let new = NewToken {
        account: &client.account_id,
        person: client.person_id,
        client: Some(client.id),
        scopes: &scopes,
        expires_at: Some(now + i64::from(expires_in) * 1000),
    };
    let token = tokens::create(transaction, key, new, now).await?;
    let scope = ask.scope.as_ref().map(|_| scopes.to_string());
    Ok(Ok(Issued { token, expires_in, scope }))
}
