//! `DELETE /platform/appdev/apppackages/{applicationKey}` (contract 3.8e).
use serde_json::json;

use super::{
    MALFORMED, all_entries, entries, locked, loyalty, path_of, refused_key, refused_parameter,
    refused_rule, whole,
};
use crate::on_both;
use crate::support::packages::refused;

const WORK: &str = "acme01.loyalty.1.0.0.work";

on_both! {
    async fn a_deleted_package_is_gone_with_what_it_had(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        client.post(&format!("{}/clone/work", path_of(&loyalty.key)), json!({})).await.expect(200);
        let body = json!({"applicationSubscriptions": [{
            "applicationEndPoint": "https://loyalty.acme.example/hooks", "events": [{"eventId": 52}],
        }]});
        client.put(&path_of(WORK), body).await.expect(200);
        let credentials = json!({"applicationId": WORK, "sharedSecret": loyalty.secret});
        let log_in = "/api/platform/applications/authtickets";
        app.anonymous().post(log_in, credentials.clone()).await.expect(200);
        let release = whole(&client, &loyalty.key).await;
        app.advance_seconds(60);
        let deleted = client.delete(&format!("{}/?responseFields=id", path_of("ACME01.loyalty.1.0.0.WORK"))).await;
        assert!(!deleted.headers.contains_key("content-type"));
        assert_eq!(deleted.expect(200), json!(null));
        refused_key(client.get(&path_of(WORK)).await, WORK);
        refused_key(client.put(&path_of(WORK), json!({})).await, WORK);
        refused_key(client.delete(&path_of(WORK)).await, WORK);
        for table in ["package_subscriptions", "package_files"] {
            assert_eq!(app.count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        // The release's own ticket is left.
        assert_eq!(app.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
        app.anonymous().post(log_in, credentials).await.expect(401);
        assert_eq!(whole(&client, &loyalty.key).await, release);
        assert_eq!(entries(&app, "package", "destroy").await, 1);
        let told = format!("SELECT COUNT(*) FROM audit_lines WHERE action = 'destroy' \
            AND record_label = '{WORK}'");
        assert_eq!(app.count(&told).await, 1);
    }

    async fn what_cannot_be_deleted_stays(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let foreign = world.application("globex01.secret.1.0.0").await;
        client.post(&format!("{}/clone/work", path_of(&loyalty.key)), json!({})).await.expect(200);
        let before = all_entries(&app).await;
        let release = "the release package of a version cannot be deleted.";
        refused_rule(client.delete(&path_of(&loyalty.key)).await, release);
        refused_rule(client.delete(&path_of("acme01.loyalty.1.0.0")).await, release);
        for key in [foreign.key.as_str(), "acme01.loyalty.1.0.0.nothing"] {
            refused_key(client.delete(&path_of(key)).await, key);
        }
        refused_parameter(client.delete(&path_of("acme01")).await, "applicationKey", MALFORMED);
        for (status, name) in [(2, "Submitted For Certification"), (3, "Certified"),
            (5, "Published"), (6, "Retired")] {
            world.set_status(&loyalty, status).await;
            refused_rule(client.delete(&path_of(WORK)).await, &locked(name));
        }
        world.set_status(&loyalty, 1).await;
        let stale = client.clone().with("if-match", "\"another\"");
        let message = "If-Match names another state of the record; read it again.";
        refused(stale.delete(&path_of(WORK)).await, 412, "PRECONDITION_FAILED", message, &[]);
        whole(&client, WORK).await;
        assert_eq!(all_entries(&app).await, before);
    }

    async fn an_installed_package_stays_until_its_install_ends(app: TestApp) {
        let (_world, loyalty, client) = loyalty(&app).await;
        client.post(&format!("{}/clone/work", path_of(&loyalty.key)), json!({})).await.expect(200);
        let work = whole(&client, WORK).await["id"].as_i64().unwrap();
        let now = app.state.clock.now_millis();
        app.execute(
            "INSERT INTO tenants (account_id, name, is_sandbox, created_at, updated_at) \
             VALUES ('acme', 'Sandbox', TRUE, 0, 0)",
        ).await;
        let install = format!(
            "INSERT INTO entitlements (account_id, owner_account_id, application_id, version_id, \
             package_id, tenant_id, place, is_current, license_type, starts_at, ends_at, \
             installed_at, installation_id, enabled, initialized, behaviors, subscriptions, \
             capability_types, transactions, created_at, updated_at) \
             SELECT 'acme', 'acme', v.application_id, v.id, {work}, t.id, 0, TRUE, 'Free', {now}, {}, \
             {now}, 'x', TRUE, TRUE, '[]', '[]', '[]', '[]', {now}, {now} \
             FROM application_versions v, tenants t",
            now + 60_000
        );
        app.execute(&install).await;
        let why = "the package acme01.loyalty.1.0.0.work is installed in a tenant.";
        refused_rule(client.delete(&path_of(WORK)).await, why);
        app.advance_seconds(60);
        client.delete(&path_of(WORK)).await.expect(200);
        refused_key(client.get(&path_of(WORK)).await, WORK);
    }
}
