//! Commands about developers.
use std::io::{BufRead, IsTerminal, Write};

use clap::Subcommand;
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::report::{Failure, Report};
use crate::directory::accounts;
use crate::directory::developers::{self, NewDeveloper};
use crate::directory::state::AppState;

/// Names a file that the password is in.
const PASSWORD_FILE: &str = "APPMARKET_PASSWORD_FILE";

#[derive(Debug, Subcommand)]
pub(super) enum DeveloperCommand {
    /// Let a developer work for an account
    ///
    /// The password, 8 to 200 characters, is read from the file that APPMARKET_PASSWORD_FILE names, all of
    /// it but one line break at its end, or else from the first line of standard input. A developer who is
    /// there already keeps theirs, and it has to be given.
    Create {
        /// Account that they work for
        #[arg(long, value_name = "ID")]
        account: String,
        /// E-mail address that they sign in with
        #[arg(long)]
        email: String,
        /// Name of their person in the account [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
    },
}

/// Runs a command about developers.
pub(super) async fn run(
    state: &AppState,
    db: &DatabaseTransaction,
    command: DeveloperCommand,
    password: &str,
) -> Result<Report, Failure> {
    let DeveloperCommand::Create { account, email, name } = command;
    accounts::find(db, &account).await?;
    let name = name.as_deref();
    let new = NewDeveloper { account: &account, email: &email, name, password };
    let made = developers::create(db, new, state.clock.now_millis()).await?;
    Ok(Report::new(
        format!("{} may develop for account {account}.", made.email),
        json!({"id": made.id, "email": made.email, "account": account}),
    ))
}

/// The password, before anything is locked: somebody may have to type it.
pub(super) fn password() -> Result<String, Failure> {
    let text = match std::env::var_os(PASSWORD_FILE) {
        Some(file) => std::fs::read_to_string(&file).map_err(|error| {
            format!("{PASSWORD_FILE}: {}: {error}", std::path::Path::new(&file).display())
        })?,
        None => first_line()?,
    };
    // Editors end a file with a line break; any other character is one of the password.
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn first_line() -> Result<String, Failure> {
    let mut input = std::io::stdin().lock();
    if std::io::stdin().is_terminal() {
        write!(std::io::stderr(), "Password (shown as it is typed): ")?;
    }
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line)
}
