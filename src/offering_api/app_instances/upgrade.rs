//! What would change for a customer with the latest published version of an app.
use axum::response::Response;
use sea_orm::{ConnectionTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value, json};

use super::dto::RECORD;
use super::entity::{COLUMN, Entity, Model};
use super::form::{Form, FormField};
use super::provisioning::place_account;
use super::rules;
use crate::directory::state::AppState;
use crate::directory::trusts;
use crate::kernel::error::{Error, Result};
use crate::kernel::node_id;
use crate::kernel::state::Site;
use crate::offering_api::access::Caller;
use crate::offering_api::app_offering_automation_rules::entity as offering_rules;
use crate::offering_api::app_offerings::entity as app_offerings;
use crate::offering_api::app_offerings::entity::Model as Offering;
use crate::offering_api::app_offerings::scopes::entity as scopes;
use crate::offering_api::resource;
use crate::offering_api::webhooks::address::is_same_server;

/// Answers the preview.
///
/// # Errors
/// 404 for what the caller cannot see.
pub async fn preview(state: &AppState, caller: &Caller, id: &str) -> Result<Response> {
    let id = resource::record_id(&RECORD, id, caller)?;
    let db = state.store.connection();
    let instance = Entity::of(&caller.identity.account).filter(COLUMN.id.eq(id)).one(db).await?;
    let instance = instance.ok_or(Error::NotFound)?;
    let installed = rules::offering(db, instance.app_offering_id).await?.ok_or(Error::NotFound)?;
    let latest = latest(db, &instance).await?.filter(|latest| latest.id != installed.id);
    let site = &state.site;
    let Some(latest) = latest else {
        return Ok(resource::found(
            caller,
            &json!({
                "available": false,
                "installed": version(site, &installed),
                "latest": null,
                "consent_needed": false,
                "scopes": {"added": [], "removed": []},
                "automation_rules": {"added": [], "removed": [], "changed": []},
                "custom_fields": {"added": [], "removed": [], "changed": []},
                "webhook_uri": null,
                "configuration_uri": null,
                "policy_jwt_alg": null,
            }),
        ));
    };
    let scopes = compare_scopes(db, &installed, &latest).await?;
    let rules = compare_rules(db, &installed, &latest).await?;
    let (form, new_form) = (rules::form(db, &installed).await?, rules::form(db, &latest).await?);
    let customer = &instance.customer_account_id;
    let uri = |template: &Option<String>| {
        template.as_deref().and_then(|template| place_account(template, customer))
    };
    let webhook_uri =
        compare(uri(&installed.webhook_uri_template), uri(&latest.webhook_uri_template));
    let (page, new_page) =
        (uri(&installed.configuration_uri_template), uri(&latest.configuration_uri_template));
    let consent_needed = scopes.widened
        || rules.widened
        || !webhook_uri.is_null()
        || new_form.demands_more_than(&form)
        || leads_elsewhere(page.as_deref(), new_page.as_deref());
    Ok(resource::found(
        caller,
        &json!({
            "available": true,
            "installed": version(site, &installed),
            "latest": version(site, &latest),
            "consent_needed": consent_needed,
            "scopes": scopes.told,
            "automation_rules": rules.told,
            "custom_fields": compare_fields(&form, &new_form),
            "webhook_uri": webhook_uri,
            "configuration_uri": compare(page, new_page),
            "policy_jwt_alg": compare(installed.policy_jwt_alg, latest.policy_jwt_alg),
        }),
    ))
}

/// The latest published version of what is installed.
async fn latest(db: &impl ConnectionTrait, instance: &Model) -> Result<Option<Offering>> {
    let versions = app_offerings::Entity::of(&instance.account_id)
        .filter(app_offerings::COLUMN.draft_id.eq(instance.offering_id))
        .filter(app_offerings::COLUMN.latest.eq(true));
    let Some(latest) = versions.one(db).await? else { return Ok(None) };
    // Without trust the update would be refused.
    let customer = &instance.customer_account_id;
    let is_offered =
        *customer == latest.account_id || trusts::exists(db, &latest.account_id, customer).await?;
    Ok(is_offered.then_some(latest))
}

fn version(site: &Site, offering: &Offering) -> Value {
    use crate::offering_api::app_offerings::dto::NODE_TYPE;
    json!({
        "id": offering.id,
        "reference": offering.reference,
        "nodeID": node_id::encode(&site.domain, NODE_TYPE, offering.id),
    })
}

/// Whether people are sent to another server than before to configure the app, or to one for the first time.
fn leads_elsewhere(before: Option<&str>, after: Option<&str>) -> bool {
    after.is_some_and(|after| before.is_none_or(|before| !is_same_server(before, after)))
}

/// Both values when they differ, else null.
fn compare(before: Option<String>, after: Option<String>) -> Value {
    if before == after { Value::Null } else { json!({"before": before, "after": after}) }
}

/// What differs, and whether the app may do or learn more by it.
struct Difference {
    told: Value,
    widened: bool,
}

/// Scopes are compared action by action: how they are put together into records makes no difference.
async fn compare_scopes(
    db: &impl ConnectionTrait,
    installed: &Offering,
    latest: &Offering,
) -> Result<Difference> {
    let (before, after) = (actions(db, installed).await?, actions(db, latest).await?);
    let only = |these: &[Action], those: &[Action]| -> Vec<Action> {
        these.iter().filter(|action| !those.contains(action)).cloned().collect()
    };
    let (added, removed) = (only(&after, &before), only(&before, &after));
    let widened = added.iter().any(|action| action.effect == "allow")
        || removed.iter().any(|action| action.effect == "deny");
    let tell = |actions: Vec<Action>| actions.into_iter().map(Action::tell).collect::<Vec<_>>();
    Ok(Difference { told: json!({"added": tell(added), "removed": tell(removed)}), widened })
}

/// One action of a scope.
#[derive(Clone, PartialEq)]
struct Action {
    effect: String,
    grant_type: String,
    action: String,
    conditions: Vec<String>,
}

impl Action {
    fn tell(self) -> Value {
        json!({
            "effect": self.effect, "grant_type": self.grant_type, "action": self.action,
            "conditions": self.conditions,
        })
    }
}

async fn actions(db: &impl ConnectionTrait, offering: &Offering) -> Result<Vec<Action>> {
    let scopes = scopes::Entity::of(&offering.account_id)
        .filter(scopes::COLUMN.app_offering_id.eq(offering.id))
        .order_by_asc(scopes::Column::Id)
        .all(db)
        .await?;
    let mut found: Vec<Action> = Vec::new();
    for scope in scopes {
        let named: Vec<String> = serde_json::from_str(&scope.actions).map_err(Error::internal)?;
        let conditions: Vec<String> =
            serde_json::from_str(&scope.conditions).map_err(Error::internal)?;
        for action in named {
            let action = Action {
                effect: scope.effect.clone(),
                grant_type: scope.grant_type.clone(),
                action,
                conditions: conditions.clone(),
            };
            if !found.contains(&action) {
                found.push(action);
            }
        }
    }
    Ok(found)
}

/// Rules have no identity over versions: those of one name and type are the same one, in their order.
async fn compare_rules(
    db: &impl ConnectionTrait,
    installed: &Offering,
    latest: &Offering,
) -> Result<Difference> {
    let mut before = offering_rules_of(db, installed).await?;
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for rule in offering_rules_of(db, latest).await? {
        let same = |it: &offering_rules::Model| {
            it.name == rule.name && it.rulable_type == rule.rulable_type
        };
        let Some(at) = before.iter().position(same) else {
            added.push(tell_rule(&rule));
            continue;
        };
        let former = before.remove(at);
        let fields = changed_fields(&former, &rule);
        if !fields.is_empty() {
            let mut told = tell_rule(&rule);
            told["fields"] = json!(fields);
            changed.push(told);
        }
    }
    let widened = !added.is_empty() || !changed.is_empty();
    let removed: Vec<Value> = before.iter().map(tell_rule).collect();
    Ok(Difference {
        told: json!({"added": added, "removed": removed, "changed": changed}),
        widened,
    })
}

async fn offering_rules_of(
    db: &impl ConnectionTrait,
    offering: &Offering,
) -> Result<Vec<offering_rules::Model>> {
    let rules = offering_rules::Entity::of(&offering.account_id)
        .filter(offering_rules::COLUMN.app_offering_id.eq(offering.id))
        .order_by_asc(offering_rules::Column::Position)
        .order_by_asc(offering_rules::Column::Id);
    Ok(rules.all(db).await?)
}

fn tell_rule(rule: &offering_rules::Model) -> Value {
    json!({"name": rule.name, "rulable_type": rule.rulable_type, "trigger": rule.trigger_on})
}

/// Fields of a rule that differ, in their order on the wire.
fn changed_fields(
    before: &offering_rules::Model,
    after: &offering_rules::Model,
) -> Vec<&'static str> {
    let differs = [
        ("trigger", before.trigger_on != after.trigger_on),
        ("position", before.position != after.position),
        ("description", before.description != after.description),
        ("expressions", before.expressions != after.expressions),
        ("condition", before.condition != after.condition),
        ("actions", before.actions != after.actions),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

fn compare_fields(before: &Form, after: &Form) -> Value {
    let only = |these: &Form, those: &Form| -> Vec<Value> {
        these
            .0
            .iter()
            .filter(|field| those.field(&field.id).is_none())
            .map(FormField::tell)
            .collect()
    };
    let is_changed =
        |field: &&FormField| before.field(&field.id).is_some_and(|former| former != *field);
    let changed: Vec<Value> = after.0.iter().filter(is_changed).map(FormField::tell).collect();
    let mut told = Map::new();
    told.insert("added".to_owned(), only(after, before).into());
    told.insert("removed".to_owned(), only(before, after).into());
    told.insert("changed".to_owned(), changed.into());
    Value::Object(told)
}
