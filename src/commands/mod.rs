//! The command line.
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::directory::accounts::entity::Model as Account;
use crate::directory::accounts::{self, NewAccount, Refused};
use crate::directory::permission::Scopes;
use crate::directory::state::AppState;
use crate::directory::tokens::NewToken;
use crate::directory::{oauth_clients, people, tokens, trusts};
use crate::kernel::addresses;
use crate::kernel::clock::Clock;
use crate::kernel::config::Config;
use crate::kernel::db;
use crate::kernel::error::Error;
use crate::kernel::state::Site;
use crate::{app, migrations, seed};

mod builds;
mod contract;
mod developers;
mod documents;
mod packages;
mod report;
mod tenants;

use report::{Failure, Report};

/// A self-hosted app marketplace: publish apps, install them, all over HTTP.
///
/// Without a command it serves, on an embedded database with demo data.
#[derive(Debug, Parser)]
#[command(name = "appmarket", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Shared {
    /// Configuration file [default: appmarket.toml, if it exists]
    #[arg(long, global = true, env = "APPMARKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded database, stored files and key [default: data]
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests (migrates the database first; the default command)
    Serve(ServeArgs),
    /// Deliver messages, and answer no requests (any number may run beside servers)
    ///
    /// It works on the database of a server and needs some of that one's settings: data or database_url,
    /// master_key (or the file in the data folder), outgoing_allow, outgoing_ca_file and
    /// webhook_user_agent. The addresses in messages (public_url, domain, account_url) it takes from the
    /// server that was started last, unless it is told others.
    Worker,
    /// Bring the database up to date
    Migrate,
    /// Manage accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// Manage people of accounts
    #[command(subcommand)]
    Person(PersonCommand),
    /// Manage trust between accounts
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Manage personal access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage OAuth clients
    #[command(subcommand)]
    Client(ClientCommand),
    /// Manage namespaces, in which accounts develop applications
    #[command(subcommand)]
    Namespace(packages::NamespaceCommand),
    /// Manage applications
    #[command(subcommand)]
    Application(packages::ApplicationCommand),
    /// Manage tenants, in which applications are installed
    #[command(subcommand)]
    Tenant(tenants::TenantCommand),
    /// Manage developers, who sign in to work on applications
    #[command(subcommand)]
    Developer(developers::DeveloperCommand),
    /// Tell of hosted storefronts and their builds
    #[command(subcommand)]
    Build(builds::BuildCommand),
    /// Write the OpenAPI documents, their changelog and the configuration schema into openapi/
    ///
    /// It fails when something breaks that the released documents promise, unless the major version of the
    /// document has risen.
    Openapi(documents::OpenapiArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Default, Args)]
struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::SocketAddr>,
    /// Leave an empty database empty
    #[arg(long)]
    no_demo: bool,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Make an account with its first administrator
    Create {
        /// 1 to 32 lower-case letters, digits and hyphens
        id: String,
        /// Name for people
        #[arg(long)]
        name: String,
        /// Time zone of timestamps, as Europe/Amsterdam or Amsterdam
        #[arg(long, default_value = "UTC", value_name = "TZ")]
        time_zone: String,
        /// Language of messages: en, de, fr or nl
        #[arg(long, default_value = "en")]
        locale: String,
    },
    /// List the accounts
    List,
}

#[derive(Debug, Subcommand)]
enum PersonCommand {
    /// Add a person to an account
    Create {
        /// Account of the person
        #[arg(long, value_name = "ID")]
        account: String,
        /// Name of the person
        #[arg(long)]
        name: String,
        /// E-mail address, unique within the account
        #[arg(long)]
        email: String,
        /// Give the role Account Administrator, which maintains offerings
        #[arg(long)]
        administrator: bool,
    },
}

#[derive(Debug, Subcommand)]
enum TrustCommand {
    /// Let CUSTOMER see and install what PROVIDER publishes
    Add {
        /// Account that publishes
        provider: String,
        /// Account that installs
        customer: String,
    },
    /// End that; what CUSTOMER has installed stays, and is updated no more
    Remove {
        /// Account that publishes
        provider: String,
        /// Account that installs
        customer: String,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a personal access token and print it, once
    Create {
        /// Account the token works in
        #[arg(long, value_name = "ID")]
        account: String,
        /// Person it acts for, by e-mail address [default: the first administrator]
        #[arg(long, value_name = "EMAIL")]
        person: Option<String>,
        /// What it may do, as app-offering:Read; may be repeated [default: everything]
        #[arg(long = "scope", value_name = "PATTERN")]
        scopes: Vec<String>,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Make an OAuth client and print its id and secret, once
    Create {
        /// Account its tokens work in
        #[arg(long, value_name = "ID")]
        account: String,
        /// Person its tokens act for, by e-mail address [default: the first administrator]
        #[arg(long, value_name = "EMAIL")]
        person: Option<String>,
        /// What its tokens may do, as app-offering:Read; may be repeated [default: everything]
        #[arg(long = "scope", value_name = "PATTERN")]
        scopes: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the effective settings, secrets masked; fails when one cannot be used
    Check,
}

/// Flags that are settings.
#[derive(Debug, Default, Serialize)]
struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<std::net::SocketAddr>,
}

/// Runs the program.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let as_json = cli.shared.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(execute(cli)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(Some(report)) => {
            report.print(as_json);
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            let text = describe(error.as_ref());
            if as_json {
                drop(writeln!(std::io::stdout(), "{}", json!({"error": text})));
            }
            drop(writeln!(std::io::stderr(), "appmarket: {text}"));
            ExitCode::FAILURE
        }
    }
}

/// Help, where it was asked for; otherwise what is wrong with the command line, with exit code 2. What
/// could not be read may have asked for JSON all the same.
fn misused(error: &clap::Error) -> ExitCode {
    let as_json = std::env::args_os().take_while(|it| it != "--").any(|it| it == "--json");
    if error.use_stderr() && as_json {
        drop(writeln!(std::io::stdout(), "{}", json!({"error": misuse(error)})));
    }
    // Whoever closed the pipe does not want to read it.
    drop(error.print());
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(u8::MAX))
}

/// A mistake of usage in one line, without the usage itself.
fn misuse(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing here; --help lists them".to_owned();
    }
    let text = error.to_string();
    let said = text.split("\n\nUsage:").next().unwrap_or_default();
    let said = said.split("\n\nFor more information").next().unwrap_or_default();
    let words: Vec<&str> = said.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

/// An error for the operator: with its causes, which callers never see.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = match error.downcast_ref::<Error>() {
        // HTTP's words for it say nothing here; the causes do.
        Some(Error::Internal(_) | Error::Unavailable(_)) => String::new(),
        _ => error.to_string(),
    };
    let mut next = error.source();
    while let Some(error) = next {
        let cause = error.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
        next = error.source();
    }
    text
}

async fn execute(cli: Cli) -> Result<Option<Report>, Failure> {
    let command = cli.command.unwrap_or(Command::Serve(ServeArgs::default()));
    if let Command::Openapi(args) = command {
        return documents::run(&args).map(Some);
    }
    let listen = match &command {
        Command::Serve(serve) => serve.listen,
        _ => None,
    };
    let flags = Flags { data: cli.shared.data, listen };
    let config = Config::load(cli.shared.config.as_deref(), flags)?;
    if let Command::Config(ConfigCommand::Check) = command {
        let masked = config.masked();
        let text = toml_like(&masked);
        return Ok(Some(Report::new(text, masked)));
    }
    log(&config)?;
    if let Command::Serve(args) = command {
        return serve(config, args, cli.shared.json).await.map(|()| None);
    }
    if matches!(command, Command::Worker) {
        return work(config, cli.shared.json).await.map(|()| None);
    }
    let state = app::connect(config, Clock::system()).await?;
    match command {
        Command::Migrate => {
            let ran = migrations::up(state.store.connection()).await?;
            let text = match ran {
                0 => "The database is up to date.".to_owned(),
                ran => format!("The database is up to date; {ran} migrations ran."),
            };
            Ok(Some(Report::new(text, json!({"migrations": ran}))))
        }
        other => {
            let ran = migrations::up(state.store.connection()).await?;
            if ran > 0 {
                // Whoever is in the wrong folder wonders where their accounts are.
                let database = db::public_address(&state.config.database_url());
                let note = format!("brought the database {database} up to date: {ran} migrations");
                drop(writeln!(std::io::stderr(), "appmarket: {note}"));
            }
            administer(&state, other).await.map(Some)
        }
    }
}

/// Commands that change who exists, on the database that a server may be using.
async fn administer(state: &AppState, command: Command) -> Result<Report, Failure> {
    let now = state.clock.now();
    let key = &state.site.key;
    let password = match &command {
        Command::Developer(_) => developers::password()?,
        _ => String::new(),
    };
    let db = state.store.begin().await?;
    let report = match command {
        Command::Account(AccountCommand::Create { id, name, time_zone, locale }) => {
            let new = NewAccount { id: &id, name: &name, time_zone: &time_zone, locale: &locale };
            let account = accounts::create(&db, new, now).await?;
            let email = format!("administrator@{id}.{}", state.site.domain);
            let name =
                format!("{} Administrator", account.name.chars().take(100).collect::<String>());
            let person = people::create(&db, &id, &name, &email, true, now).await?;
            Report::new(
                format!("Account {id} is there, with the administrator {email}."),
                json!({"id": id, "name": account.name, "administrator": {"id": person.id, "email": email}}),
            )
        }
        Command::Account(AccountCommand::List) => {
            let accounts = accounts::list(&db).await?;
            let line = |it: &Account| format!("{:<32}  {}", it.id, it.name);
            let text = match accounts.as_slice() {
                [] => "There are no accounts.".to_owned(),
                some => some.iter().map(line).collect::<Vec<_>>().join("\n"),
            };
            let told = accounts.iter().map(|it| {
                json!({"id": it.id, "name": it.name, "time_zone": it.time_zone, "locale": it.locale})
            });
            Report::new(text, json!({"accounts": told.collect::<Vec<_>>()}))
        }
        Command::Person(PersonCommand::Create { account, name, email, administrator }) => {
            accounts::find(&db, &account).await?;
            let person = people::create(&db, &account, &name, &email, administrator, now).await?;
            Report::new(
                format!("{name} <{email}> belongs to account {account}."),
                json!({"id": person.id, "account": account, "email": email, "administrator": administrator}),
            )
        }
        Command::Trust(TrustCommand::Add { provider, customer }) => {
            trusts::add(&db, &provider, &customer, now).await?;
            Report::new(
                format!("{customer} may see and install what {provider} publishes."),
                json!({"provider": provider, "customer": customer}),
            )
        }
        Command::Trust(TrustCommand::Remove { provider, customer }) => {
            trusts::remove(&db, &provider, &customer).await?;
            Report::new(
                format!("{customer} may no longer see and install what {provider} publishes."),
                json!({"provider": provider, "customer": customer}),
            )
        }
        Command::Token(TokenCommand::Create { account, person, scopes, expires_in }) => {
            accounts::find(&db, &account).await?;
            let scopes = read_scopes(&scopes)?;
            let person = people::find(&db, &account, person.as_deref()).await?;
            let expires_at = expires_in.map(|days| now + i64::from(days) * 86_400_000);
            let new = NewToken {
                account: &account,
                person: person.id,
                client: None,
                scopes: &scopes,
                expires_at,
            };
            let token = tokens::create(&db, key, new, now).await?;
            Report::new(
                format!(
                    "{token}\n\nKeep it: it is not shown again. It acts for {} <{}>.",
                    person.name, person.primary_email
                ),
                json!({"token": token, "account": account, "person": person.primary_email, "scopes": scopes}),
            )
        }
        Command::Client(ClientCommand::Create { account, person, scopes }) => {
            accounts::find(&db, &account).await?;
            let scopes = read_scopes(&scopes)?;
            let person = people::find(&db, &account, person.as_deref()).await?;
            let made = oauth_clients::create(&db, key, &account, person.id, &scopes, now).await?;
            Report::new(
                format!(
                    "client_id      {}\nclient_secret  {}\n\nKeep the secret: it is not shown again.",
                    made.client_id, made.client_secret
                ),
                json!({"client_id": made.client_id, "client_secret": made.client_secret, "account": account, "scopes": scopes}),
            )
        }
        Command::Namespace(command) => packages::namespace(state, &db, command).await?,
        Command::Application(command) => packages::application(state, &db, command).await?,
        Command::Tenant(command) => tenants::tenant(state, &db, command).await?,
        Command::Developer(command) => developers::run(state, &db, command, &password).await?,
        Command::Build(command) => builds::run(state, &db, command).await?,
        Command::Serve(_)
        | Command::Worker
        | Command::Migrate
        | Command::Openapi(_)
        | Command::Config(_) => {
            return Err("this command changes no account".into());
        }
    };
    db.commit().await?;
    Ok(report)
}

fn read_scopes(patterns: &[String]) -> Result<Scopes, Refused> {
    Scopes::parse(patterns.iter().map(String::as_str)).map_err(Refused::input)
}

/// Delivers, on the database of a server.
async fn work(mut config: Config, as_json: bool) -> Result<(), Failure> {
    let url = config.database_url();
    // A worker makes neither: nobody would ever put a message into such a database, and what a server has sealed
    // opens with its own key alone.
    if let Some(file) = db::missing_file(&url) {
        let file = file.display();
        return Err(format!(
            "there is no database {file}: start the server first, or name its folder with --data"
        )
        .into());
    }
    if let Some(file) = config.missing_master_key() {
        let file = file.display();
        return Err(format!(
            "there is no master key {file}: set master_key to that of the server, or name its folder with --data"
        )
        .into());
    }
    let store = app::open(&config).await?;
    migrations::up(store.connection()).await?;
    if let Some(kept) = addresses::kept(store.connection()).await? {
        for told in addresses::fill_in(&mut config, &kept) {
            tracing::warn!(
                setting = told.setting,
                here = told.here,
                server = told.server,
                "messages will not name the address that the server has"
            );
        }
    }
    let state = app::connect_with(store, config, Clock::system())?;
    let stopped = stop_signal()?;
    let database = db::public_address(&state.config.database_url());
    let Site { public_url, domain, account_url, .. } = &*state.site;
    let ready = Report::new(
        format!("Delivering the messages of {database}. They name {public_url} and {account_url}."),
        json!({"database": database, "public_url": public_url, "domain": domain,
               "account_url": account_url}),
    );
    ready.print(as_json);
    app::work(state, stopped).await;
    Ok(())
}

async fn serve(mut config: Config, args: ServeArgs, as_json: bool) -> Result<(), Failure> {
    let listen = config.listen;
    // First of all: a port that is taken should change nothing, and port 0 becomes a real one, which
    // the addresses in answers need.
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}; choose another with --listen")
    })?;
    config.listen = listener.local_addr()?;
    let state = app::connect(config, Clock::system()).await?;
    migrations::up(state.store.connection()).await?;
    addresses::keep(&state.store, &state.site).await?;
    let demo = if args.no_demo { None } else { seed::fill_if_empty(&state).await? };
    let stopped = stop_signal()?;
    greet(&state, demo, as_json).await?;
    app::serve(state, listener, stopped).await?;
    Ok(())
}

/// Tells a newcomer where to look and what to look with.
async fn greet(
    state: &AppState,
    demo: Option<seed::DemoApplication>,
    as_json: bool,
) -> Result<(), Failure> {
    let (docs, reference) =
        (format!("{}/docs", state.site.public_url), format!("{}/reference", state.site.public_url));
    let demo = match demo {
        Some(application) => Some((seed::demo_token(state).await?, application)),
        None => None,
    };
    let mut out = std::io::stdout();
    if as_json {
        let mut report = json!({
            "docs": docs, "reference": reference, "api": format!("{}/v1", state.site.public_url),
        });
        if let Some((token, application)) = &demo {
            report["demo"] = json!({
                "provider": seed::PROVIDER, "customer": seed::CUSTOMER, "token": token,
                "application": {"appKey": application.key, "sharedSecret": application.secret},
                "sandbox": application.sandbox,
            });
        }
        writeln!(out, "{report}")?;
        return Ok(());
    }
    writeln!(out, "Appmarket {} is ready.\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  Swagger UI  {docs}")?;
    writeln!(out, "  To read     {reference}")?;
    match demo {
        Some((token, application)) => {
            writeln!(
                out,
                "  Accounts    {} (provider), {} (customer it trusts)",
                seed::PROVIDER,
                seed::CUSTOMER
            )?;
            writeln!(out, "  Token       {token}")?;
            writeln!(out, "  App key     {}", application.key)?;
            writeln!(out, "  Secret      {}", application.secret)?;
            writeln!(out, "  Sandbox     tenant {}, to install it in", application.sandbox)?;
            writeln!(
                out,
                "\nPut the token into the Swagger UI's Authorize dialog of the app offerings, key and secret into that\n\
                 of the app packages. They act for {provider} and are not shown again;\n\
                 `appmarket token create --account {provider}` makes another token, and\n\
                 `appmarket token create --account {customer}` one that installs what {provider} publishes.",
                provider = seed::PROVIDER,
                customer = seed::CUSTOMER
            )?;
        }
        None => writeln!(out, "\n`appmarket token create --account ID` makes a token for it.")?,
    }
    out.flush()?;
    Ok(())
}

/// Ends with Ctrl-C or the signal by which service managers stop a program. Who has called this is no longer
/// ended by them in the midst of something.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("log: {error}"))?;
    let to_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(to_terminal)
        .try_init()
        .map_err(|error| format!("log: {error}"))?;
    Ok(())
}

/// Settings as lines of the configuration file; those without a value as comments.
fn toml_like(settings: &Value) -> String {
    let line = |(name, value): (&String, &Value)| {
        if value.is_null() { format!("# {name} is not set") } else { format!("{name} = {value}") }
    };
    settings
        .as_object()
        .map(|all| all.iter().map(line).collect::<Vec<_>>().join("\n"))
        .unwrap_or_default()
}
