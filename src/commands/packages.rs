//! Commands about what is developed: namespaces and applications.
use clap::Subcommand;
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::report::{Failure, Report};
use crate::directory::accounts::{self, Refused};
use crate::directory::people;
use crate::directory::state::AppState;
use crate::package_api::apppackages::create::{self, NewCore, Random};
use crate::package_api::convention::key::AppKey;
use crate::package_api::model::author::Author;
use crate::package_api::model::{applications, namespaces};

#[derive(Debug, Subcommand)]
pub(super) enum NamespaceCommand {
    /// Assign a namespace to an account, which may then develop applications in it
    Create {
        /// 1 to 50 letters, digits, hyphens and underscores; unique in any case of letters
        name: String,
        /// Developer account that it belongs to
        #[arg(long, value_name = "ID")]
        account: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ApplicationCommand {
    /// Make a version of an application with its release package, and print its key and secret
    ///
    /// With them the application gets tickets. A new version of a known application continues the version
    /// before it, as POST /platform/appdev/apppackages/create does.
    Create {
        /// Version to make: NAMESPACE.APPID.MAJOR.MINOR.REVISION
        key: String,
        /// Developer account that the namespace belongs to
        #[arg(long, value_name = "ID")]
        account: String,
        /// Type of a new application: application, theme or extension [default: application]
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// What it may do: `all` that are not private, or numbers of behaviors [default: what the version
        /// before it may, or nothing]
        #[arg(long, value_name = "all|ID,...", value_delimiter = ',')]
        behaviors: Option<Vec<String>>,
    },
}

/// Runs a command about namespaces.
pub(super) async fn namespace(
    state: &AppState,
    db: &DatabaseTransaction,
    command: NamespaceCommand,
) -> Result<Report, Failure> {
    let NamespaceCommand::Create { name, account } = command;
    accounts::find(db, &account).await?;
    let made = namespaces::create(db, &account, &name, state.clock.now_millis()).await?;
    Ok(Report::new(
        format!("Account {account} may develop applications in namespace {name}."),
        json!({"name": made.name, "account": account, "id": made.registry_id}),
    ))
}

/// Runs a command about applications.
pub(super) async fn application(
    state: &AppState,
    db: &DatabaseTransaction,
    command: ApplicationCommand,
) -> Result<Report, Failure> {
    let ApplicationCommand::Create { key, account, kind, behaviors } = command;
    accounts::find(db, &account).await?;
    let key = AppKey::parse(&key, "KEY").ok().filter(AppKey::is_release).ok_or_else(|| {
        format!("{key:?}: use NAMESPACE.APPID.MAJOR.MINOR.REVISION, as in acme01.loyalty.1.0.0")
    })?;
    check_namespace(db, &account, &key).await?;
    let type_id = kind.map(|kind| type_of(&kind)).transpose()?;
    let behaviors = behaviors.map(|behaviors| read_behaviors(state, &behaviors)).transpose()?;
    let author = Author {
        person: people::find(db, &account, None).await?.id,
        by: key.to_string(),
        now: state.clock.now_millis(),
        operation: "application create".to_owned(),
        account,
    };
    let random = Random::new(&state.site.key);
    let secret = random.secret().to_owned();
    let new = NewCore { key, parent: None, type_id, behaviors, random };
    let made = create::core(db, &author, &new).await?;
    if type_id.is_some_and(|wanted| wanted != made.application.type_id) {
        let is = applications::type_name(made.application.type_id).unwrap_or_default();
        return Err(format!("this application is known, and its type is {is}").into());
    }
    let key = made.key().to_string();
    Ok(Report::new(
        format!(
            "appKey        {key}\nsharedSecret  {secret}\n\nKeep the secret: it is not printed again."
        ),
        json!({"appKey": key, "sharedSecret": secret, "account": author.account,
               "behaviors": made.package.behavior_ids()}),
    ))
}

/// Says plainly what the API must not tell: whose the namespace is not.
async fn check_namespace(
    db: &DatabaseTransaction,
    account: &str,
    key: &AppKey,
) -> Result<(), Failure> {
    let name = &key.namespace;
    match namespaces::find(db, name).await? {
        Some(namespace) if namespace.account_id == account => Ok(()),
        Some(_) => Err(format!("namespace {name:?} belongs to another account").into()),
        None => Err(format!(
            "there is no namespace {name:?}: make it with `appmarket namespace create {name} --account {account}`"
        )
        .into()),
    }
}

fn type_of(name: &str) -> Result<i64, Refused> {
    applications::type_id(name).ok_or_else(|| {
        Refused::input(format!("type {name:?}: use application, theme or extension"))
    })
}

/// Behaviors by number, with those that they need.
fn read_behaviors(state: &AppState, given: &[String]) -> Result<Vec<i64>, Refused> {
    let catalogue = &state.catalogue.behaviors;
    if given.iter().any(|text| text.trim().eq_ignore_ascii_case("all")) {
        return Ok(catalogue.all().iter().filter(|it| !it.is_private).map(|it| it.id).collect());
    }
    let read = |text: &String| {
        let id = text.trim().parse().ok().and_then(|id| catalogue.find(id));
        id.map(|behavior| behavior.id).ok_or_else(|| {
            Refused::input(format!(
                "behavior {text:?}: use all, or numbers that GET /platform/reference/behaviors lists"
            ))
        })
    };
    let ids: Vec<i64> = given.iter().map(read).collect::<Result<_, _>>()?;
    Ok(catalogue.with_required(ids))
}
