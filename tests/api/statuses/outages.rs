//! What every operation answers when the database fails, or is not there.
use appmarket::kernel::db::Query;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Refusal, Surprises, in_words};
use crate::document::{Operation, nothing, of};
use crate::security::id;
use crate::security::records::send;
use crate::support::client::Client;
use crate::support::packages::World;
use crate::support::{Answer, TestApp};

/// Operations that answer without the database, and how.
const WITHOUT: [(&str, &str); 1] =
    [("download_log", "the address says itself that it is valid, and the log is a file")];

/// Those who ask once the database has gone.
struct Callers {
    person: Client,
    application: Client,
}

impl Callers {
    async fn of(app: &TestApp) -> Self {
        let world = World::new(app).await;
        let application = world.application("acme01.loyalty.1.0.0").await;
        let callers = Self { person: app.acme(), application: world.client(&application).await };
        // Longer than the service believes what it knows of callers and keys.
        app.advance_seconds(120);
        callers
    }

    /// Asks for all that the database is needed for.
    async fn check(self, app: &TestApp, offerings: &Refusal<'_>, packages: &Refusal<'_>) {
        let mut surprises = Surprises::default();
        for operation in of("offering_api") {
            let path = operation.filled(|_| "1".to_owned());
            if id(operation) == "create_token" {
                let answer = app.anonymous().post(&path, credentials(operation)).await;
                surprises.check(operation, &answer, offerings);
            } else {
                // A token that is sent must be valid, also where none is needed.
                surprises.expect(operation, offerings, &self.person, &path).await;
            }
        }
        for operation in of("package_api").filter(|operation| !operation.is_free()) {
            let path = format!("/api{}", operation.filled(nothing));
            let answer = send(operation, &self.application, &path).await;
            surprises.check(operation, &answer, packages);
        }
        // At once: each waits for a connection as long as it may.
        let open = of("package_api").filter(|operation| operation.is_free());
        let open: Vec<Operation> =
            open.filter(|operation| WITHOUT.iter().all(|(it, _)| *it != id(*operation))).collect();
        let answers = join_all(open.iter().map(|operation| anonymously(app, *operation))).await;
        for (operation, answer) in open.into_iter().zip(answers) {
            surprises.check(operation, &answer, packages);
        }
        surprises.none_of(160);
    }
}

/// Asks an operation that takes no token, with credentials that have to be looked up.
async fn anonymously(app: &TestApp, operation: Operation) -> Answer {
    let mut path = format!("/api{}", operation.filled(nothing));
    if id(operation) == "delete_developer_ticket" {
        path.push_str("?refreshToken=abc");
    }
    let body = credentials(operation).to_string().into_bytes();
    app.anonymous().send(operation.method(), &path, body).await
}

/// Credentials that name nobody.
fn credentials(operation: Operation) -> Value {
    match id(operation) {
        "authenticate_app" => {
            json!({"applicationId": "acme01.loyalty.1.0.0", "sharedSecret": "abc"})
        }
        "authenticate_app_oauth" => {
            json!({"client_id": "acme01.loyalty.1.0.0", "client_secret": "abc"})
        }
        "authenticate_developer" => json!({"emailAddress": "ann@acme.example", "password": "abc"}),
        "create_token" => {
            json!({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"})
        }
        _ => json!({"refreshToken": "abc"}),
    }
}

#[tokio::test]
async fn what_nobody_foresaw_is_told_without_its_cause_by_every_operation() {
    let app = TestApp::sqlite().await;
    let callers = Callers::of(&app).await;
    let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let query = Query::new(query.to_owned(), Vec::new());
    let tables = app.state.store.committed();
    let tables = tables.fetch(query, Vec::new(), |tables: &mut Vec<String>, row| {
        tables.push(row.text(0).unwrap().into_owned());
    });
    for table in tables.await.unwrap() {
        app.execute(&format!("ALTER TABLE {table} RENAME TO hidden_{table}")).await;
    }
    let unexpected = Refusal {
        status: 500,
        message: "Something went wrong; the correlation id finds it in the server's log.",
        code: "UNEXPECTED_ERROR",
        data: &[],
    };
    callers.check(&app, &in_words(500), &unexpected).await;
}

#[cfg(test_postgres)]
mod bridge {
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::{JoinHandle, JoinSet};

    use super::*;

    /// A way to the database that can be taken away.
    struct Bridge {
        port: u16,
        traffic: JoinHandle<()>,
    }

    impl Bridge {
        async fn to(host: String, port: u16) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let own = listener.local_addr().unwrap().port();
            let traffic = tokio::spawn(async move {
                let mut crossing = JoinSet::new();
                while let Ok((mut near, _)) = listener.accept().await {
                    let host = host.clone();
                    crossing.spawn(async move {
                        let mut far = TcpStream::connect((host, port)).await.unwrap();
                        drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
                    });
                }
            });
            Self { port: own, traffic }
        }

        /// Closes it with everything that crosses it.
        async fn close(self) {
            self.traffic.abort();
            drop(self.traffic.await);
        }
    }

    #[tokio::test]
    async fn without_its_database_every_operation_asks_for_patience() {
        let url = std::env::var("APPMARKET_TEST_DATABASE_URL").unwrap();
        let url = url::Url::parse(&url).unwrap();
        let host = url.host_str().unwrap().to_owned();
        let bridge = Bridge::to(host, url.port().unwrap_or(5432)).await;
        let port = bridge.port;
        let app = TestApp::postgres_with(|config| {
            let mut url = url::Url::parse(config.database_url.as_deref().unwrap()).unwrap();
            url.set_host(Some("127.0.0.1")).unwrap();
            url.set_port(Some(port)).unwrap();
            config.database_url = Some(url.into());
        })
        .await;
        let callers = Callers::of(&app).await;
        bridge.close().await;
        let unavailable = Refusal {
            status: 503,
            message: "The service is not available at the moment; try again soon.",
            code: "SYSTEM_MAINTENANCE",
            data: &[],
        };
        callers.check(&app, &in_words(503), &unavailable).await;
    }
}
