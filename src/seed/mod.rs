//! Demo data for an empty database: enough to try every operation.
use sea_orm::{ActiveModelTrait, EntityTrait, Set};

use crate::directory::accounts::{self, NewAccount, Refused};
use crate::directory::permission::Scopes;
use crate::directory::state::AppState;
use crate::directory::tokens::NewToken;
use crate::directory::{people, tokens, trusts};
use crate::kernel::audit::{self, Audited};
use crate::kernel::error::{Error, Result};
use crate::offering_api::app_offerings::{self, scopes};
use crate::offering_api::{
    app_offering_automation_rules as rules, publish, service_instances, ui_extensions,
};

mod packages;

pub use packages::DemoApplication;

/// Account that publishes.
pub const PROVIDER: &str = "wdc";
/// Account that the provider trusts.
pub const CUSTOMER: &str = "globex";

/// Fills an empty database; one that has an account is left alone.
///
/// # Errors
/// The database's; nothing is left half-filled.
pub async fn fill_if_empty(state: &AppState) -> Result<Option<DemoApplication>> {
    let transaction = state.store.begin().await?;
    if accounts::entity::Entity::find().one(&transaction).await?.is_some() {
        return Ok(None);
    }
    let made = fill(state, &transaction).await.map_err(Error::internal)?;
    transaction.commit().await?;
    Ok(Some(made))
}

/// A new token for the provider's administrator, for the Swagger UI. Told once, like any token.
///
/// # Errors
/// When the demo account or its administrator is gone.
pub async fn demo_token(state: &AppState) -> Result<String> {
    let transaction = state.store.begin().await?;
    let person = people::find(&transaction, PROVIDER, None).await.map_err(Error::internal)?;
    let new = NewToken {
        account: PROVIDER,
        person: person.id,
        client: None,
        scopes: &Scopes::everything(),
        expires_at: None,
    };
    let token = tokens::create(&transaction, &state.site.key, new, state.clock.now()).await?;
    transaction.commit().await?;
    Ok(token)
}

async fn fill(
    state: &AppState,
    db: &sea_orm::DatabaseTransaction,
) -> std::result::Result<DemoApplication, Refused> {
    let now = state.clock.now();
    let demo = [
        (PROVIDER, "Widget Data Center", "Amsterdam", "Ann Lee", "ann.lee@wdc.example"),
        (CUSTOMER, "Globex", "Eastern Time (US & Canada)", "Greg Hill", "greg.hill@globex.example"),
    ];
    let mut provider_admin = 0;
    for (id, name, time_zone, person, email) in demo {
        accounts::create(db, NewAccount { id, name, time_zone, locale: "en" }, now).await?;
        let person = people::create(db, id, person, email, true, now).await?;
        if id == PROVIDER {
            provider_admin = person.id;
        }
    }
    trusts::add(db, PROVIDER, CUSTOMER, now).await?;
    let by = By { db, person: provider_admin, now };
    let instance = by.service_instance("Our Integration", 1, "Integrations").await?;
    by.service_instance("Echo Production", 2, "Echo").await?;
    let version = by.ui_extension().await?;
    by.offering(instance, version).await?;
    packages::fill(state, db, PROVIDER, provider_admin).await
}

/// Writes demo records as the provider's administrator.
struct By<'a> {
    db: &'a sea_orm::DatabaseTransaction,
    person: i64,
    now: i64,
}

impl By<'_> {
    async fn service_instance(
        &self,
        name: &str,
        service: i64,
        service_name: &str,
    ) -> std::result::Result<i64, Refused> {
        let row = service_instances::entity::ActiveModel {
            account_id: Set(PROVIDER.to_owned()),
            name: Set(name.to_owned()),
            status: Set("in_production".to_owned()),
            service_id: Set(service),
            service_name: Set(service_name.to_owned()),
            source: Set("Demo".to_owned()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        };
        let row = row.insert(self.db).await?;
        self.created(&row).await?;
        Ok(row.id)
    }

    /// A UI extension with an active version and one being prepared.
    async fn ui_extension(&self) -> std::result::Result<i64, Refused> {
        let row = ui_extensions::entity::ActiveModel {
            account_id: Set(PROVIDER.to_owned()),
            name: Set("Note dispatcher settings".to_owned()),
            category: Set("app_offering".to_owned()),
            title: Set(Some("Settings".to_owned())),
            disabled: Set(false),
            dark_mode_safe: Set(true),
            hide_note: Set(false),
            show_on_complete: Set(false),
            created_by_id: Set(self.person),
            updated_by_id: Set(self.person),
            source: Set("Demo".to_owned()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        };
        let extension = row.insert(self.db).await?;
        let mut versions = Vec::new();
        for (number, status) in [(1, "active"), (2, "being_prepared")] {
            let row = ui_extensions::version_entity::ActiveModel {
                account_id: Set(PROVIDER.to_owned()),
                ui_extension_id: Set(extension.id),
                version_nr: Set(number),
                status: Set(status.to_owned()),
                html: Set(Some(FORM.to_owned())),
                css: Set(Some("label { display: block; }".to_owned())),
                phrases: Set("[]".to_owned()),
                dark_mode_safe: Set(true),
                hide_note: Set(false),
                activated_at: Set((number == 1).then_some(self.now)),
                created_at: Set(self.now),
                updated_at: Set(self.now),
                ..Default::default()
            };
            let version = row.insert(self.db).await?;
            let entry = audit::created(&version)?.labelled(&extension.name);
            entry.write(self.db, self.person, self.now).await?;
            versions.push(version.id);
        }
        let active = versions[0];
        let mut row: ui_extensions::entity::ActiveModel = extension.into();
        row.active_version_id = Set(Some(active));
        row.prepared_version_id = Set(versions.get(1).copied());
        let row = row.update(self.db).await?;
        self.created(&row).await?;
        Ok(active)
    }

    /// The draft and one published version, each with a scope and an automation rule.
    async fn offering(&self, instance: i64, version: i64) -> std::result::Result<(), Refused> {
        let draft = app_offerings::entity::ActiveModel {
            account_id: Set(PROVIDER.to_owned()),
            draft_id: Set(None),
            published: Set(false),
            latest: Set(true),
            reference: Set("note-dispatcher".to_owned()),
            name: Set("Note dispatcher".to_owned()),
            card_description: Set(Some("Sends every note to your own endpoint.".to_owned())),
            description: Set(Some(
                "Dispatches the notes of requests as signed webhooks.".to_owned(),
            )),
            disabled: Set(false),
            policy_jwt_alg: Set(Some("rs512".to_owned())),
            service_instance_id: Set(instance),
            ui_extension_version_id: Set(Some(version)),
            webhook_uri_template: Set(Some(
                "https://note-dispatcher.example.com/webhook?account={account}".to_owned(),
            )),
            openid_connect_discovery: Set(false),
            requires_enabled_oauth_person: Set(false),
            source: Set("Demo".to_owned()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        };
        let draft = draft.insert(self.db).await?;
        self.created(&draft).await?;
        self.scope(draft.id).await?;
        self.automation_rule(draft.id).await?;
        publish::service::copy(self.db, self.person, &draft, self.now).await?;
        Ok(())
    }

    /// What the app may do: read the requests whose notes it dispatches.
    async fn scope(&self, offering: i64) -> std::result::Result<(), Refused> {
        let row = scopes::entity::ActiveModel {
            account_id: Set(PROVIDER.to_owned()),
            app_offering_id: Set(offering),
            effect: Set("allow".to_owned()),
            grant_type: Set("client_credentials".to_owned()),
            actions: Set(r#"["request:Read","request:Update"]"#.to_owned()),
            conditions: Set("[]".to_owned()),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        };
        let row = row.insert(self.db).await?;
        self.created(&row).await
    }

    /// The rule that calls the app.
    async fn automation_rule(&self, offering: i64) -> std::result::Result<(), Refused> {
        let row = rules::entity::ActiveModel {
            account_id: Set(PROVIDER.to_owned()),
            app_offering_id: Set(offering),
            name: Set("Dispatch notes".to_owned()),
            rulable_type: Set("Req".to_owned()),
            trigger_on: Set("on note added".to_owned()),
            position: Set(1),
            description: Set(Some("Sends each *public* note.".to_owned())),
            expressions: Set(Some(
                "text: note.text\nurl: rule_app_instance.custom_fields.url".to_owned(),
            )),
            condition: Set(Some("text is not empty".to_owned())),
            actions: Set(Some(
                "a1: call webhook '{app_offering_webhook}' with payload 'text url'".to_owned(),
            )),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        };
        let row = row.insert(self.db).await?;
        self.created(&row).await
    }

    async fn created<M: Audited>(&self, row: &M) -> std::result::Result<(), Refused> {
        Ok(audit::created(row)?.write(self.db, self.person, self.now).await?)
    }
}

/// The form of the demo app: an input's id is the id of the custom field.
const FORM: &str = "<label for=\"url\">Endpoint</label>\n\
<input id=\"url\" type=\"url\" class=\"required\">\n\
<label for=\"api_key\">API key</label>\n\
<input id=\"api_key\" type=\"password\" data-secret=\"true\">\n";
