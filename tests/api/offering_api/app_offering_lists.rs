//! The predefined filters of `/v1/app_offerings`, and records of other accounts.
use serde_json::{Value, json};

use super::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;

const PATH: &str = "/v1/app_offerings";

/// Of acme: draft 1 with versions 2 and 3; draft 4 without one; draft 5 with the disabled version 6.
/// Of globex: draft 7 with version 8. Of initech, which trusts nobody: draft 9 with version 10.
async fn offerings(app: &TestApp) {
    let publish = |client: crate::support::client::Client, id: i64| async move {
        client.post(&format!("{PATH}/{id}/publish"), json!({})).await.expect(201)
    };
    let instance = service_instance(app, "acme").await;
    app.acme().post(PATH, offering("A twice", instance)).await.expect(201);
    publish(app.acme(), 1).await;
    publish(app.acme(), 1).await;
    app.acme().post(PATH, offering("B never", instance)).await.expect(201);
    app.acme().post(PATH, offering("C disabled", instance)).await.expect(201);
    publish(app.acme(), 5).await;
    app.acme().patch("/v1/app_offerings/6", json!({"disabled": true})).await.expect(200);
    let instance = service_instance(app, "globex").await;
    app.globex().post(PATH, offering("D", instance)).await.expect(201);
    publish(app.globex(), 7).await;
    let instance = service_instance(app, "initech").await;
    app.initech().post(PATH, offering("E", instance)).await.expect(201);
    publish(app.initech(), 9).await;
}

/// An install: an offering of a provider in the account of a customer.
async fn install(app: &TestApp, provider: &str, customer: &str, offering: i64) {
    app.execute(&format!(
        "INSERT INTO app_instances (account_id, customer_account_id, offering_id, app_offering_id, \
         disabled, enabled_by_customer, suspended, created_at, updated_at) \
         SELECT '{provider}', '{customer}', COALESCE(draft_id, id), id, FALSE, TRUE, FALSE, 0, 0 \
         FROM app_offerings WHERE id = {offering}"
    ))
    .await;
}

/// The ids of a list, which is the same by path and by state.
async fn ids(client: &crate::support::client::Client, state: &str, query: &str) -> Vec<i64> {
    let by_path = client.get(&format!("{PATH}/{state}?{query}")).await;
    let total = by_path.header("x-pagination-total-entries").to_owned();
    let by_path = by_path.expect(200);
    let by_state = client.get(&format!("{PATH}?{query}&state={state}")).await.expect(200);
    assert_eq!(by_state, by_path, "{state}");
    let ids: Vec<i64> =
        by_path.as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
    assert_eq!(total, ids.len().to_string(), "{state}");
    ids
}

on_both! {
    async fn each_subset_has_what_its_name_says(app: TestApp) {
        offerings(&app).await;
        let (acme, globex, initech) = (app.acme(), app.globex(), app.initech());
        assert_eq!(ids(&acme, "latest_internal", "").await, [1, 4, 5]);
        assert_eq!(ids(&acme, "latest_published", "").await, [3, 6]);
        assert_eq!(ids(&acme, "all_latest_published", "").await, [3, 6], "trust has a direction");
        assert_eq!(ids(&acme, "consumed", "").await, [0_i64; 0]);
        assert_eq!(ids(&globex, "latest_internal", "").await, [7]);
        assert_eq!(ids(&globex, "latest_published", "").await, [8]);
        assert_eq!(ids(&globex, "all_latest_published", "").await, [3, 6, 8]);
        assert_eq!(ids(&initech, "all_latest_published", "").await, [10]);
        let everything = acme.get(PATH).await.expect(200);
        assert_eq!(everything.as_array().unwrap().len(), 6, "the plain list has every version");

        app.execute("DELETE FROM trusts").await;
        assert_eq!(ids(&globex, "all_latest_published", "").await, [8]);
    }

    async fn subsets_combine_with_filters_sort_fields_and_pages(app: TestApp) {
        offerings(&app).await;
        let globex = app.globex();
        assert_eq!(ids(&globex, "all_latest_published", "sort=-reference").await, [8, 6, 3]);
        assert_eq!(ids(&globex, "all_latest_published", "disabled=false").await, [3, 8]);
        assert_eq!(ids(&globex, "all_latest_published", "name=D").await, [8]);
        assert_eq!(ids(&globex, "all_latest_published", "predefined_filter=all_latest_published&id=3,8").await, [3, 8]);
        let first = globex.get(&format!("{PATH}/all_latest_published?per_page=2&fields=name")).await;
        let link = first.header("link").to_owned();
        assert_eq!(first.header("x-pagination-total-pages"), "2");
        first.expect(200);
        let next = link.trim_start_matches('<').split('>').next().unwrap();
        let next = next.strip_prefix("https://api.example.test").unwrap();
        assert!(next.starts_with("/v1/app_offerings/all_latest_published?"), "{next}");
        let second = globex.get(next).await.expect(200);
        assert_eq!(second, json!([{"id": 8, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzg", "name": "D"}]));
        let refused = globex.get(&format!("{PATH}?state=published")).await.expect(400);
        assert_eq!(refused, json!({"message": "Unknown state: published"}));
        assert_eq!(globex.get(&format!("{PATH}/published")).await.expect(404), json!({"message": "Not Found"}));
    }

    async fn records_of_others_carry_their_account_and_so_do_their_references(app: TestApp) {
        offerings(&app).await;
        let list = app.globex().get(&format!("{PATH}/all_latest_published")).await.expect(200);
        let owner = json!({"id": "acme", "name": "Acme"});
        assert_eq!(list[0], json!({
            "id": 3, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzM", "sourceID": null,
            "reference": "acme_a_twice", "name": "A twice", "policy_jwt_alg": "es256",
            "policy_jwt_audience": null, "policy_jwt_claim_expires_in": null,
            "service_instance": {"id": 1, "name": "Echo Production",
                "nodeID": "ZXhhbXBsZS50ZXN0L1NlcnZpY2VJbnN0YW5jZS8x", "account": owner},
            "webhook_uri_template": "https://echo.example.org/hook?account={account}",
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
            "account": owner,
        }));
        assert_eq!(list[2].get("account"), None, "its own record");
        assert_eq!(list[2]["service_instance"].get("account"), None);
        // Whatever is selected.
        let list = app.globex().get(&format!("{PATH}/all_latest_published?fields=id")).await.expect(200);
        assert_eq!(list[0], json!({"id": 3, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzM", "account": owner}));
        let one = app.globex().get("/v1/app_offerings/3").await.expect(200);
        assert_eq!((&one["account"], &one["service_instance"]["account"]), (&owner, &owner));
    }

    async fn disabled_is_shown_on_disabled_records_although_it_was_not_selected(app: TestApp) {
        offerings(&app).await;
        let disabled = |list: &Value| -> Vec<Value> {
            list.as_array().unwrap().iter().map(|item| item.get("disabled").cloned().unwrap_or_default()).collect()
        };
        for query in ["", "?fields=name"] {
            let list = app.acme().get(&format!("{PATH}/latest_published{query}")).await.expect(200);
            assert_eq!(disabled(&list), [Value::Null, json!(true)], "{query}");
        }
        let list = app.acme().get(&format!("{PATH}/latest_published?fields=disabled")).await.expect(200);
        assert_eq!(disabled(&list), [json!(false), json!(true)]);
        let both = app.globex().get(&format!("{PATH}/all_latest_published?fields=id")).await.expect(200);
        assert_eq!(both[1], json!({"id": 6, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzY",
            "disabled": true, "account": {"id": "acme", "name": "Acme"}}));
    }

    async fn what_is_installed_is_consumed_whatever_became_of_it(app: TestApp) {
        offerings(&app).await;
        // An older version and a disabled one of acme; globex' own draft, installed for a test.
        install(&app, "acme", "globex", 2).await;
        install(&app, "acme", "globex", 6).await;
        install(&app, "globex", "globex", 7).await;
        install(&app, "initech", "acme", 10).await;
        assert_eq!(ids(&app.globex(), "consumed", "").await, [2, 6, 7]);
        assert_eq!(ids(&app.acme(), "consumed", "").await, [10]);
        assert_eq!(ids(&app.initech(), "consumed", "").await, [0_i64; 0]);
        let list = app.globex().get(&format!("{PATH}/consumed?fields=reference")).await.expect(200);
        let owner = json!({"id": "acme", "name": "Acme"});
        assert_eq!(list, json!([
            {"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI", "reference": "acme_a_twice", "account": owner},
            {"id": 6, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzY", "reference": "acme_c_disabled",
             "disabled": true, "account": owner},
            {"id": 7, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzc", "reference": "globex_d"},
        ]));
        // It stays readable when the trust ends; what is not installed does not.
        app.execute("DELETE FROM trusts").await;
        assert_eq!(ids(&app.globex(), "consumed", "").await, [2, 6, 7]);
        assert_eq!(app.globex().get("/v1/app_offerings/2").await.expect(200)["account"], owner);
        app.globex().get("/v1/app_offerings/3").await.expect(404);
        app.globex().get("/v1/app_offerings/2/scopes").await.expect(200);
        app.globex().patch("/v1/app_offerings/2", json!({"name": "Mine"})).await.expect(403);
    }
}
