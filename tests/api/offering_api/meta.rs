//! `/v1`, `/v1/me`, `/v1/account`, `/v1/enums`.
use serde_json::{Value, json};

use crate::on_both;

on_both! {
    async fn the_root_is_an_empty_object(app: TestApp) {
        assert_eq!(app.anonymous().get("/v1").await.text(), "{}");
        assert_eq!(app.anonymous().get("/v1/").await.text(), "{}");
        assert_eq!(app.acme().get("/v1").await.expect(200), json!({}));
        // A token that is sent must be one.
        app.bearer("wrong").get("/v1").await.expect(401);
    }

    async fn the_caller_sees_the_person_of_the_token(app: TestApp) {
        let me = app.acme().get("/v1/me").await.expect(200);
        assert_eq!(
            me,
            json!({
                "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x", "source": null, "sourceID": null, "name": "Ann Lee",
                "primary_email": "admin@acme.example", "job_title": null, "organization": null, "site": null,
                "manager": null, "disabled": false, "locale": "en", "time_zone": "Amsterdam",
                "time_format_24h": true, "created_at": "2026-02-01T09:15:00+01:00",
                "updated_at": "2026-02-01T09:15:00+01:00",
            })
        );
        assert_eq!(app.acme().get("/v1/me?per_page=100&fields=x&colour=red").await.expect(200), me);
        assert_eq!(app.globex().get("/v1/me").await.expect(200)["name"], "Greg Hill");
        let plain = app.plain_person("acme").await;
        assert_eq!(
            app.bearer(&plain).get("/v1/me").await.expect(200)["primary_email"],
            "paul@example.org"
        );
    }

    async fn the_account_is_that_of_the_token(app: TestApp) {
        let account = app.acme().get("/v1/account").await.expect(200);
        assert_eq!(
            account,
            json!({
                "id": "acme", "name": "Acme", "url": "https://acme.example.test", "plan": "premium_plus",
                "currency": null, "locale": "en", "time_zone": "Amsterdam", "time_format_24h": true,
                "start_of_week": "mon", "strong_privacy": false, "organization": null,
                "owner": {"id": 1, "name": "Ann Lee", "nodeID": "ZXhhbXBsZS50ZXN0L1BlcnNvbi8x"},
                "directory_account": null,
            })
        );
        assert_eq!(app.acme().get("/v1/account?fields=name").await.expect(200), account);
        // Also for somebody who is not its owner.
        let plain = app.plain_person("acme").await;
        assert_eq!(app.bearer(&plain).get("/v1/account").await.expect(200), account);
        assert_eq!(app.globex().get("/v1/account").await.expect(200)["id"], "globex");
    }

    async fn a_time_zone_is_shown_by_its_short_name_however_it_was_given(app: TestApp) {
        for (stored, shown) in [
            ("Europe/Amsterdam", "Amsterdam"),
            ("Mumbai", "Mumbai"),
            ("Europe/Luxembourg", "Europe/Luxembourg"),
        ] {
            app.execute(&format!("UPDATE accounts SET time_zone = '{stored}' WHERE id = 'acme'"))
                .await;
            assert_eq!(app.acme().get("/v1/account").await.expect(200)["time_zone"], shown);
            assert_eq!(app.acme().get("/v1/me").await.expect(200)["time_zone"], shown);
        }
    }

    async fn the_owner_is_the_first_administrator_who_is_not_disabled(app: TestApp) {
        let plain = app.plain_person("acme").await;
        app.execute("UPDATE people SET disabled = TRUE WHERE primary_email = 'admin@acme.example'")
            .await;
        let account = app.bearer(&plain).get("/v1/account").await.expect(200);
        assert_eq!(account["owner"], Value::Null);
        app.execute(
            "UPDATE people SET administrator = TRUE WHERE primary_email = 'paul@example.org'",
        )
        .await;
        let account = app.bearer(&plain).get("/v1/account").await.expect(200);
        assert_eq!(account["owner"]["name"], "Paul Plain");
    }

    async fn enumerations_have_texts_in_the_language_of_the_caller(app: TestApp) {
        let enums = app.acme().get("/v1/enums").await.expect(200);
        assert_eq!(
            enums["service_instance.status"],
            json!([
                {"id": "being_prepared", "txt": "Being Prepared"}, {"id": "in_production", "txt": "In Production"},
                {"id": "discontinued", "txt": "Discontinued"},
            ])
        );
        assert_eq!(
            enums["app_offering.policy_jwt_alg"][2],
            json!({"id": "rs512", "txt": "RS512 (RSA, SHA-512)"})
        );
        assert!(
            enums["ui_extension.category"]
                .as_array()
                .unwrap()
                .contains(&json!({"id": "app_offering", "txt": "App Offering"}))
        );
        assert!(
            enums["currency"].as_array().unwrap().contains(&json!({"id": "EUR", "txt": "Euro"}))
        );
        assert!(
            enums["time_zone"].as_array().unwrap().contains(
                &json!({"id": "Amsterdam", "txt": "Amsterdam", "code": "Europe/Amsterdam"})
            )
        );
        assert_eq!(enums["time_zone"].as_array().unwrap().len(), 151);
        for (header, language, text) in [
            ("X-Xurrent-Language", "de", "In Produktion"),
            ("X-4me-Language", "fr-BE", "En production"),
            ("x-4me-language", "nl", "In productie"),
            ("X-Xurrent-Language", "tlh", "In Production"),
        ] {
            let enums = app.acme().with(header, language).get("/v1/enums").await.expect(200);
            assert_eq!(enums["service_instance.status"][1]["txt"], text);
        }
        app.execute("UPDATE accounts SET locale = 'nl' WHERE id = 'acme'").await;
        app.advance_seconds(5);
        let enums = app.acme().get("/v1/enums").await.expect(200);
        assert_eq!(enums["language"][1], json!({"id": "de", "txt": "Duits"}));
        assert_eq!(app.acme().get("/v1/me").await.expect(200)["locale"], "nl");
    }

    async fn what_is_known_already_is_not_sent_again(app: TestApp) {
        for path in ["/v1/me", "/v1/account", "/v1/enums"] {
            let tag = app.acme().get(path).await.header("etag").to_owned();
            let again = app.acme().with("if-none-match", &tag).get(path).await;
            assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
            assert_eq!(again.header("etag"), tag);
        }
        let english = app.acme().get("/v1/enums").await.header("etag").to_owned();
        let german = app.acme().with("x-4me-language", "de").with("if-none-match", &english);
        german.get("/v1/enums").await.expect(200);
    }
}
