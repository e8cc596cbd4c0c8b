//! A service of its own for each test: private database, private files, frozen clock.
use std::path::PathBuf;
use std::sync::LazyLock;

use appmarket::app;
use appmarket::directory::accounts::{self, NewAccount};
use appmarket::directory::permission::Scopes;
use appmarket::directory::state::AppState;
use appmarket::directory::tokens::{self, NewToken};
use appmarket::directory::{people, trusts};
use appmarket::kernel::clock::Clock;
use appmarket::kernel::config::Config;
use appmarket::migrations;
use axum::Router;
use tempfile::TempDir;

use super::client::Client;

/// 2026-02-01T08:15:00Z: 09:15 in Amsterdam, as the contract's examples have it.
pub const START: i64 = 1_769_933_700_000;

/// A running service with three accounts: `acme` publishes, `globex` is trusted by it, `initech` is a
/// stranger. All three have an administrator; times are shown in Amsterdam's zone.
pub struct TestApp {
    pub state: AppState,
    pub router: Router,
    tokens: Vec<(&'static str, String)>,
    folder: TempDir,
    #[cfg(test_postgres)]
    schema: Option<String>,
}

/// A migrated, empty SQLite file, made once and copied for each test.
static TEMPLATE: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

impl TestApp {
    pub async fn sqlite() -> Self {
        Self::sqlite_with(|_| {}).await
    }

    /// On SQLite with other settings.
    pub async fn sqlite_with(adjust: impl FnOnce(&mut Config)) -> Self {
        static TURN: tokio::sync::Mutex<bool> = tokio::sync::Mutex::const_new(false);
        let template = TEMPLATE.path().join("appmarket.db");
        let mut made = TURN.lock().await;
        if !*made {
            let config = Config { data: TEMPLATE.path().to_owned(), ..Config::default() };
            let state = app::connect(config, Clock::system()).await.unwrap();
            migrations::up(state.store.connection()).await.unwrap();
            let connection = state.store.connection().clone();
            drop(state);
            // Closing writes everything into the one file.
            connection.close().await.unwrap();
            *made = true;
        }
        drop(made);
        let folder = TempDir::new().unwrap();
        std::fs::copy(&template, folder.path().join("appmarket.db")).unwrap();
        let mut config = config(folder.path().to_owned());
        adjust(&mut config);
        Self::start(config, folder).await
    }

    /// On PostgreSQL with other settings.
    #[cfg(test_postgres)]
    pub async fn postgres_with(adjust: impl FnOnce(&mut Config)) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("APPMARKET_TEST_DATABASE_URL").unwrap();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let schema = format!("test_{}_{number}", std::process::id());
        admin(&url, &format!("CREATE SCHEMA {schema}")).await;
        let folder = TempDir::new().unwrap();
        let mut config = config(folder.path().to_owned());
        let separator = if url.contains('?') { '&' } else { '?' };
        config.database_url = Some(format!("{url}{separator}options=-csearch_path%3D{schema}"));
        config.database_connections = 4;
        adjust(&mut config);
        let mut app = Self::start(config, folder).await;
        app.schema = Some(schema);
        app
    }

    async fn start(config: Config, folder: TempDir) -> Self {
        let state = app::connect(config, Clock::frozen(START)).await.unwrap();
        migrations::up(state.store.connection()).await.unwrap();
        let mut app = Self {
            router: app::router(&state),
            state,
            tokens: Vec::new(),
            folder,
            #[cfg(test_postgres)]
            schema: None,
        };
        let accounts = [
            ("acme", "Acme", "Ann Lee"),
            ("globex", "Globex", "Greg Hill"),
            ("initech", "Initech", "Ian Ray"),
        ];
        for (id, name, person) in accounts {
            app.account(id, name, person).await;
        }
        let db = app.state.store.begin().await.unwrap();
        trusts::add(&db, "acme", "globex", START).await.unwrap();
        db.commit().await.unwrap();
        app
    }

    async fn account(&mut self, id: &'static str, name: &str, person: &str) {
        let db = self.state.store.begin().await.unwrap();
        let new = NewAccount { id, name, time_zone: "Amsterdam", locale: "en" };
        accounts::create(&db, new, START).await.unwrap();
        let email = format!("admin@{id}.example");
        people::create(&db, id, person, &email, true, START).await.unwrap();
        db.commit().await.unwrap();
        let token = self.token(id, None, &[], None).await;
        self.tokens.push((id, token));
    }

    /// A token of an account's administrator, or of the person with this address.
    pub async fn token(
        &self,
        account: &str,
        person: Option<&str>,
        scopes: &[&str],
        expires_at: Option<i64>,
    ) -> String {
        let db = self.state.store.begin().await.unwrap();
        let person = people::find(&db, account, person).await.unwrap();
        let scopes = Scopes::parse(scopes.iter().copied()).unwrap();
        let new =
            NewToken { account, person: person.id, client: None, scopes: &scopes, expires_at };
        let now = self.state.clock.now();
        let token = tokens::create(&db, &self.state.site.key, new, now).await.unwrap();
        db.commit().await.unwrap();
        token
    }

    /// Adds a person without the administrator role and returns a token for them.
    pub async fn plain_person(&self, account: &str) -> String {
        let db = self.state.store.begin().await.unwrap();
        people::create(&db, account, "Paul Plain", "paul@example.org", false, START).await.unwrap();
        db.commit().await.unwrap();
        self.token(account, Some("paul@example.org"), &[], None).await
    }

    /// The provider.
    pub fn acme(&self) -> Client {
        self.known("acme")
    }

    /// A customer that the provider trusts.
    pub fn globex(&self) -> Client {
        self.known("globex")
    }

    /// A stranger to both.
    pub fn initech(&self) -> Client {
        self.known("initech")
    }

    /// Nobody: no token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone(), None)
    }

    /// Whoever holds this token.
    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.router.clone(), Some(format!("Bearer {token}")))
    }

    fn known(&self, account: &str) -> Client {
        let (_, token) = self.tokens.iter().find(|(id, _)| *id == account).unwrap();
        self.bearer(token)
    }

    /// Moves the clock on.
    pub fn advance_seconds(&self, seconds: i64) {
        self.state.clock.advance(seconds * 1000);
    }

    /// Delivers what is due, until nothing is; the clock stands still meanwhile.
    pub async fn deliver(&self) {
        app::worker(&self.state).run_until_idle().await.unwrap();
    }

    /// Folder of the service's files.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs SQL on the test's database, for what no operation can do yet.
    pub async fn execute(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        self.state.store.connection().execute_unprepared(sql).await.unwrap();
    }

    /// One number from the test's database.
    pub async fn count(&self, sql: &str) -> i64 {
        use appmarket::kernel::db::{Query, Row};
        let query = Query::new(sql.to_owned(), Vec::new());
        let read = |value: &mut i64, row: &dyn Row| *value = row.int(0).unwrap();
        self.state.store.committed().fetch(query, -1, read).await.unwrap()
    }
}

#[cfg(test_postgres)]
impl Drop for TestApp {
    fn drop(&mut self) {
        let Some(schema) = self.schema.take() else { return };
        let url = std::env::var("APPMARKET_TEST_DATABASE_URL").unwrap();
        // A test's own runtime is ending; the schema is dropped by another.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // A transaction that a failing test left open must not hold up the others.
            let sql = format!("SET lock_timeout = '5s'; DROP SCHEMA {schema} CASCADE");
            runtime.block_on(admin(&url, &sql));
        });
        drop(dropped.join());
    }
}

#[cfg(test_postgres)]
async fn admin(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    drop(connection.await);
}

/// Settings of all tests: the contract's example domain, and limits that only tests of limits meet.
fn config(data: PathBuf) -> Config {
    Config {
        data,
        public_url: Some("https://api.example.test".to_owned()),
        domain: "example.test".to_owned(),
        master_key: Some("5a".repeat(32)),
        rate_limit_burst: 1000,
        outgoing_allow: vec!["loopback".parse().unwrap()],
        ..Config::default()
    }
}
