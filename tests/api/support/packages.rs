//! What tests of the app packages family start with: namespaces, applications, and who calls for them.
use appmarket::directory::people;
use appmarket::kernel::config::Config;
use appmarket::kernel::error::Error;
use appmarket::package_api::apppackages::create::{self, NewCore, Random};
use appmarket::package_api::convention::key::AppKey;
use appmarket::package_api::model::author::Author;
use appmarket::package_api::model::lookup::PackageRow;
use appmarket::package_api::model::{applications, namespaces, versions};
use appmarket::package_api::tenants::service::{self as tenants, NewTenant};
use sea_orm::{ActiveModelTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};

use super::{Answer, TestApp};
use crate::support::client::Client;

/// The setting that makes acme an operator.
pub fn operated(config: &mut Config) {
    config.operator_accounts = vec!["acme".to_owned()];
}

/// Accounts with their namespaces: `acme01`, `globex01` and `initech01`.
pub struct World<'a> {
    app: &'a TestApp,
}

/// A version that was made, with what it logs in with.
#[derive(Clone, Debug)]
pub struct Application {
    /// Canonical key of its release package.
    pub key: String,
    pub secret: String,
    /// Number of the release package.
    pub package: i64,
    /// Number of the version.
    pub version: i64,
    /// Number of the developer account.
    pub account: i64,
}

impl<'a> World<'a> {
    pub async fn new(app: &'a TestApp) -> Self {
        let db = app.state.store.begin().await.unwrap();
        let now = app.state.clock.now_millis();
        for account in ["acme", "globex", "initech"] {
            namespaces::create(&db, account, &format!("{account}01"), now).await.unwrap();
        }
        db.commit().await.unwrap();
        World { app }
    }

    /// The version of this key (five parts), of an application with every behavior that is not private.
    pub async fn application(&self, key: &str) -> Application {
        let behaviors = self.app.state.catalogue.behaviors.all();
        let all = behaviors.iter().filter(|it| !it.is_private).map(|it| it.id).collect();
        self.make(key, applications::APPLICATION, all).await
    }

    /// The same with these behaviors only, by name.
    pub async fn application_with(&self, key: &str, behaviors: &[&str]) -> Application {
        let known = &self.app.state.catalogue.behaviors;
        let ids = behaviors.iter().map(|name| known.named(name).unwrap().id).collect();
        self.make(key, applications::APPLICATION, ids).await
    }

    /// A theme with every behavior that is not private.
    pub async fn theme(&self, key: &str) -> Application {
        let behaviors = self.app.state.catalogue.behaviors.all();
        let all = behaviors.iter().filter(|it| !it.is_private).map(|it| it.id).collect();
        self.make(key, applications::THEME, all).await
    }

    async fn make(&self, key: &str, type_id: i64, behaviors: Vec<i64>) -> Application {
        let state = &self.app.state;
        let key = AppKey::parse(key, "key").unwrap();
        let account = key.namespace.trim_end_matches("01").to_owned();
        let db = state.store.begin().await.unwrap();
        let author = Author {
            person: people::find(&db, &account, None).await.unwrap().id,
            by: key.to_string(),
            now: state.clock.now_millis(),
            operation: "test".to_owned(),
            account,
        };
        let random = Random::new(&state.site.key);
        let secret = random.secret().to_owned();
        let new = NewCore {
            key,
            parent: None,
            type_id: Some(type_id),
            behaviors: Some(behaviors),
            random,
        };
        let made: Result<PackageRow, Error> = create::core(&db, &author, &new).await;
        let made = made.unwrap();
        db.commit().await.unwrap();
        Application {
            key: made.key().to_string(),
            secret,
            package: made.package.id,
            version: made.version.id,
            account: made.owner_number,
        }
    }

    /// Moves a version to a status, whatever the rules say.
    pub async fn set_status(&self, application: &Application, status: i64) {
        let db = self.app.state.store.connection();
        let row = versions::entity::Entity::find()
            .filter(versions::entity::COLUMN.id.eq(application.version))
            .one(db)
            .await
            .unwrap();
        let mut row: versions::entity::ActiveModel = row.unwrap().into();
        row.status_id = Set(status);
        row.update(db).await.unwrap();
    }

    /// A client with a ticket of the application.
    pub async fn client(&self, application: &Application) -> Client {
        self.app.bearer(&self.ticket(application).await)
    }

    /// An access token of the application.
    pub async fn ticket(&self, application: &Application) -> String {
        let Application { key, secret, .. } = application;
        let body = json!({"applicationId": key, "sharedSecret": secret});
        let path = "/api/platform/applications/authtickets";
        let ticket = self.app.anonymous().post(path, body).await.expect(200);
        ticket["accessToken"].as_str().unwrap().to_owned()
    }
}

/// Makes a tenant with one site; the numbers of both.
pub async fn tenant(app: &TestApp, account: &str, is_sandbox: bool) -> (i64, i64) {
    let db = app.state.store.begin().await.unwrap();
    let sites = ["Main store".to_owned()];
    let new = NewTenant { account, name: "A tenant", is_sandbox, domain: None, sites: &sites };
    let (tenant, sites) = tenants::create(&db, new, 0).await.unwrap();
    db.commit().await.unwrap();
    (tenant.id, sites[0].id)
}

/// Installs a package in a sandbox and returns the entitlement.
pub async fn install(client: &Client, package: i64, tenant: i64) -> Value {
    let path = "/api/platform/appdev/appinstall/application/entitlement";
    client.post(path, json!({"packageId": package, "tenantId": tenant})).await.expect(200)
}

/// The whole body of a refusal of the request with this id.
pub fn refusal(correlation: &str, code: &str, message: &str, data: &[(&str, &str)]) -> Value {
    let data: Vec<Value> =
        data.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "applicationName": "AppDev", "errorCode": code, "message": message,
        "correlationId": correlation, "items": [], "additionalErrorData": data,
        "exceptionDetail": null,
    })
}

/// Demands a refusal with this whole body; the correlation id is whatever the header says.
#[track_caller]
pub fn refused(answer: Answer, status: u16, code: &str, message: &str, data: &[(&str, &str)]) {
    let correlation = answer.header("x-vol-correlation").to_owned();
    let is_id = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_id(&correlation), "{correlation}");
    assert_eq!(answer.expect(status), refusal(&correlation, code, message, data));
}
