//! `/v1/webhook_policies`, and where receivers find the keys.
use appmarket::kernel::db::{Query, Row};
use appmarket::kernel::secret::Purpose;
use appmarket::kernel::signature::{Algorithm, SigningKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{TestApp, unprocessable};

const PATH: &str = "/v1/webhook_policies";

/// A new policy of acme.
pub async fn policy(app: &TestApp, algorithm: &str) -> Value {
    app.acme().post(PATH, json!({"jwt_alg": algorithm})).await.expect(201)
}

/// The keys that receivers find.
async fn keys(app: &TestApp, name: &str) -> Vec<Value> {
    let path = format!("/accounts/acme/webhook_policies/{name}/.well-known/jwks.json");
    let found = app.anonymous().get(&path).await.expect(200);
    found["keys"].as_array().unwrap().clone()
}

/// Ids of keys.
fn ids(keys: &[Value]) -> Vec<&str> {
    keys.iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

/// Takes the public key out of an answer, as DER.
fn take_key(answer: &mut Value) -> Vec<u8> {
    let pem = answer.as_object_mut().unwrap().remove("public_key_pem").unwrap();
    let text = pem.as_str().unwrap().strip_prefix("-----BEGIN PUBLIC KEY-----\n").unwrap();
    let text = text.trim_end().strip_suffix("\n-----END PUBLIC KEY-----").unwrap();
    assert!(text.lines().all(|line| line.len() <= 64), "{text}");
    STANDARD.decode(text.replace('\n', "")).unwrap()
}

fn invalid(errors: &Value) -> Value {
    json!({"message": "Validation Failed", "errors": errors})
}

on_both! {
    async fn a_create_answers_the_whole_policy_with_its_public_key(app: TestApp) {
        let answer = app.acme().post(PATH, json!({
            "jwt_alg": "es256", "jwt_audience": "ticket-echo", "jwt_claim_expires_in": "0:10",
            "disabled": "yes", "name": "mine", "public_key_pem": "mine",
        })).await;
        assert_eq!(answer.header("location"), "https://acme.example.test/webhook_policies/1");
        // Of what no GET shows there is no tag.
        assert!(!answer.headers.contains_key("etag"));
        let mut made = answer.expect(201);
        let key = take_key(&mut made);
        let name = made["name"].as_str().unwrap().to_owned();
        assert!(name.len() == 56 && name.bytes().all(|it| b"0123456789abcdef".contains(&it)), "{name}");
        assert_eq!(made, json!({
            "id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2tQb2xpY3kvMQ", "name": name,
            "jwt_alg": "es256", "jwt_audience": "ticket-echo", "jwt_claim_expires_in": 10,
            "disabled": true,
            "created_at": "2026-02-01T09:15:00+01:00", "updated_at": "2026-02-01T09:15:00+01:00",
        }));
        // An uncompressed point is what a P-256 key ends with.
        assert_eq!((key.len(), key[key.len() - 65]), (91, 4));
        assert_eq!(app.acme().get(&format!("{PATH}/1")).await.expect(200), made);
        let by_name = format!("{PATH}/ZXhhbXBsZS50ZXN0L1dlYmhvb2tQb2xpY3kvMQ");
        assert_eq!(app.acme().get(&by_name).await.expect(200), made);

        let mut plain = policy(&app, "es256").await;
        take_key(&mut plain);
        assert_eq!((&plain["jwt_audience"], &plain["jwt_claim_expires_in"], &plain["disabled"]),
            (&Value::Null, &Value::Null, &json!(false)));
        assert_ne!(plain["name"], made["name"]);
    }

    async fn the_public_key_is_shown_once(app: TestApp) {
        let body = json!({"jwt_alg": "es256"});
        let client = app.acme().with("idempotency-key", "one");
        let made = client.post(PATH, body.clone()).await.expect(201);
        let again = client.post(PATH, body).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert!(!again.headers.contains_key("etag"));
        assert_eq!(again.expect(201), made);
        let one = format!("{PATH}/1");
        for answer in [
            app.acme().get(&one).await,
            app.acme().get(&format!("{PATH}?fields=*")).await,
            app.acme().patch(&one, json!({"jwt_audience": "x"})).await,
            app.acme().patch(&one, json!({"jwt_alg": "es384"})).await,
            app.acme().get("/v1/audit_lines?fields=*").await,
            app.acme().get(&format!("{one}/audit")).await,
        ] {
            let text = answer.text();
            assert!(!text.contains("PUBLIC KEY") && !text.contains("public_key_pem"), "{text}");
        }
        let refused = app.acme().get(&format!("{PATH}?fields=public_key_pem")).await.expect(400);
        assert_eq!(refused, json!({"message": "Unknown fields: public_key_pem"}));
    }

    async fn each_algorithm_makes_a_key_that_receivers_find(app: TestApp) {
        for (algorithm, kind, curve, length) in [
            ("rs256", "RSA", None, 384),
            ("rs384", "RSA", None, 384),
            ("rs512", "RSA", None, 384),
            ("es256", "EC", Some("P-256"), 32),
            ("es384", "EC", Some("P-384"), 48),
            ("es512", "EC", Some("P-521"), 66),
        ] {
            let mut made = policy(&app, algorithm).await;
            let der = take_key(&mut made);
            let found = keys(&app, made["name"].as_str().unwrap()).await;
            assert_eq!(found.len(), 1);
            let key = &found[0];
            assert_eq!((&key["kty"], &key["use"]), (&json!(kind), &json!("sig")));
            assert_eq!(key["alg"], algorithm.to_uppercase());
            assert_eq!(key.get("crv").and_then(Value::as_str), curve);
            let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
            // Receivers find the key that the answer has shown.
            let inside = if kind == "RSA" {
                assert_eq!(number("e"), [1, 0, 1]);
                number("n")
            } else {
                [number("x"), number("y")].concat()
            };
            assert_eq!(inside.len(), if kind == "RSA" { length } else { 2 * length });
            assert!(der.windows(inside.len()).any(|window| window == inside), "{algorithm}");
        }
    }

    async fn the_private_key_is_sealed(app: TestApp) {
        let made = policy(&app, "es512").await;
        let query = "SELECT id, private_key FROM webhook_policy_keys";
        let read = |found: &mut Vec<(String, String)>, row: &dyn Row| {
            found.push((row.text(0).unwrap().into_owned(), row.text(1).unwrap().into_owned()));
        };
        let query = Query::new(query.to_owned(), Vec::new());
        let rows = app.state.store.committed().fetch(query, Vec::new(), read).await.unwrap();
        let [(id, sealed)] = rows.as_slice() else { panic!("{rows:?}") };
        let opened = app.state.site.key.open(Purpose::PolicyKey, id.as_bytes(), sealed).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::Es512, &opened).unwrap();
        let found = keys(&app, made["name"].as_str().unwrap()).await;
        assert_eq!(key.public_jwk(id), found[0]);
    }

    async fn what_is_wrong_is_told_all_at_once(app: TestApp) {
        const REMEDY: &str = "Jwt alg must be one of rs256, rs384, rs512, es256, es384 and es512: for \
            unsigned messages leave the webhook without a policy, for a shared secret set \
            standard_webhooks of the webhook";
        let made = policy(&app, "es256").await;
        for (body, errors) in [
            (json!({}), json!([["jwt_alg", "Jwt alg can't be blank"]])),
            (json!({"jwt_alg": "ES256"}), json!([["jwt_alg", "Jwt alg is not included in the list"]])),
            (json!({"jwt_alg": 256}), json!([["jwt_alg", "Jwt alg is not included in the list"]])),
            (json!({"jwt_alg": "none"}), json!([["jwt_alg", REMEDY]])),
            (json!({"jwt_alg": "hs256"}), json!([["jwt_alg", REMEDY]])),
            (json!({"jwt_alg": "hs384"}), json!([["jwt_alg", REMEDY]])),
            (
                json!({"jwt_alg": "hs512", "jwt_audience": "x".repeat(2049), "jwt_claim_expires_in": -1}),
                json!([
                    ["jwt_alg", REMEDY],
                    ["jwt_audience", "Jwt audience is too long (maximum is 2048 bytes)"],
                    ["jwt_claim_expires_in", "Jwt claim expires in must be greater than or equal to 1"],
                ]),
            ),
            (
                json!({"jwt_alg": "es256", "jwt_claim_expires_in": 0}),
                json!([["jwt_claim_expires_in", "Jwt claim expires in must be greater than or equal to 1"]]),
            ),
        ] {
            let refused = app.acme().post(PATH, body.clone()).await.expect(422);
            assert_eq!(refused, invalid(&errors), "{body}");
            if body != json!({}) {
                let refused = app.acme().patch(&format!("{PATH}/1"), body.clone()).await.expect(422);
                assert_eq!(refused, invalid(&errors), "{body}");
            }
        }
        let refused = app.acme().patch(&format!("{PATH}/1"), json!({"jwt_alg": null})).await.expect(422);
        assert_eq!(refused, invalid(&json!([["jwt_alg", "Jwt alg can't be blank"]])));
        let strict = app.acme().with("prefer", "handling=strict");
        let refused = strict.post(PATH, json!({"jwt_alg": "es256", "algorithm": 1})).await.expect(400);
        assert_eq!(refused, json!({"message": "Unknown properties: algorithm"}));
        assert_eq!(keys(&app, made["name"].as_str().unwrap()).await.len(), 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhook_policies").await, 1);
    }

    async fn a_rotated_key_is_found_for_two_more_hours(app: TestApp) {
        let made = policy(&app, "es256").await;
        let name = made["name"].as_str().unwrap();
        let first = keys(&app, name).await;
        app.advance_seconds(60);
        let answer = app.acme().post(&format!("{PATH}/1/rotate"), json!({})).await;
        assert!(!answer.headers.contains_key("etag"));
        let mut rotated = answer.expect(200);
        let der = take_key(&mut rotated);
        assert_eq!(rotated["updated_at"], "2026-02-01T09:16:00+01:00");
        let both = keys(&app, name).await;
        assert_eq!((both.len(), &both[1]), (2, &first[0]));
        assert_ne!(both[0]["kid"], both[1]["kid"]);
        let x = URL_SAFE_NO_PAD.decode(both[0]["x"].as_str().unwrap()).unwrap();
        assert!(der.windows(32).any(|window| window == x));
        assert_eq!(app.acme().get(&format!("{PATH}/1")).await.expect(200), rotated);

        app.advance_seconds(2 * 60 * 60 - 1);
        assert_eq!(keys(&app, name).await.len(), 2);
        app.advance_seconds(1);
        assert_eq!(ids(&keys(&app, name).await), ids(&both[..1]));

        let audit = app.acme().get(&format!("{PATH}/1/audit")).await.expect(200);
        let (new, old) = (&both[0]["kid"], &both[1]["kid"]);
        assert_eq!(audit[0]["changes"], json!({"signing_key": [old, new]}));
        assert_eq!(audit[1]["changes"]["signing_key"], json!([null, old]));
        // What nobody finds any more is not kept either.
        app.acme().post(&format!("{PATH}/1/rotate"), json!({})).await.expect(200);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhook_policy_keys").await, 2);
    }

    async fn another_algorithm_is_another_key(app: TestApp) {
        let made = policy(&app, "es256").await;
        let name = made["name"].as_str().unwrap();
        let one = format!("{PATH}/1");
        let same = app.acme().patch(&one, json!({"jwt_alg": "es256", "jwt_audience": "x"})).await.expect(200);
        assert_eq!((&same["jwt_audience"], keys(&app, name).await.len()), (&json!("x"), 1));
        app.advance_seconds(1);
        let changed = app.acme().patch(&one, json!({"jwt_alg": "es384"})).await.expect(200);
        assert_eq!((&changed["jwt_alg"], &changed["name"]), (&json!("es384"), &made["name"]));
        let found = keys(&app, name).await;
        let algorithms: Vec<&Value> = found.iter().map(|key| &key["alg"]).collect();
        assert_eq!(algorithms, ["ES384", "ES256"]);
        let audit = app.acme().get(&format!("{one}/audit")).await.expect(200);
        assert_eq!(audit[0]["changes"], json!({
            "jwt_alg": ["es256", "es384"], "signing_key": [found[1]["kid"], found[0]["kid"]],
        }));
    }

    async fn changes_are_guarded_by_the_tag_of_what_is_read(app: TestApp) {
        policy(&app, "es256").await;
        let one = format!("{PATH}/1");
        let tag = app.acme().get(&one).await.header("etag").to_owned();
        app.advance_seconds(1);
        app.acme().with("if-match", &tag).patch(&one, json!({"disabled": true})).await.expect(200);
        let stale = app.acme().with("if-match", &tag);
        let failed = json!({"message": "Precondition Failed"});
        assert_eq!(stale.patch(&one, json!({"disabled": false})).await.expect(412), failed);
        assert_eq!(stale.delete(&one).await.expect(412), failed);
        let refused = stale.post(&format!("{one}/rotate"), json!({})).await;
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(refused.expect(412), json!({
            "type": "about:blank", "title": "Precondition Failed", "status": 412,
            "detail": "Precondition Failed",
        }));
    }

    async fn lists_are_ordered_by_creation_and_filtered(app: TestApp) {
        let mut names = Vec::new();
        for disabled in [false, true, false] {
            let body = json!({"jwt_alg": "es256", "disabled": disabled});
            let made = app.acme().post(PATH, body).await.expect(201);
            names.push(made["name"].as_str().unwrap().to_owned());
            app.advance_seconds(60);
        }
        let list = app.acme().get(PATH).await.expect(200);
        assert_eq!(list[1], json!({
            "id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L1dlYmhvb2tQb2xpY3kvMg", "name": names[1], "disabled": true,
            "created_at": "2026-02-01T09:16:00+01:00", "updated_at": "2026-02-01T09:16:00+01:00",
        }));
        assert_eq!(list[0].as_object().unwrap().len(), 5);
        let upper = names[2].to_uppercase();
        let named = format!("name={upper}");
        for (query, expected) in [
            ("", &[1, 2, 3][..]),
            ("/enabled", &[1, 3]),
            ("/disabled", &[2]),
            ("?state=disabled", &[2]),
            ("?disabled=true", &[2]),
            ("?id=!2", &[1, 3]),
            ("?sort=-created_at", &[3, 2, 1]),
            ("?created_at=%3E2026-02-01T09:15:30%2B01:00", &[2, 3]),
            (&format!("?{named}"), &[3]),
        ] {
            let list = app.acme().get(&format!("{PATH}{query}")).await.expect(200);
            let ids: Vec<i64> =
                list.as_array().unwrap().iter().map(|it| it["id"].as_i64().unwrap()).collect();
            assert_eq!(ids, expected, "{query}");
        }
        for (query, message) in [
            ("sort=id", "Sorting not allowed on fields: id"),
            ("sort=name", "Sorting not allowed on fields: name"),
            ("jwt_alg=es256", "Filtering not allowed on fields: jwt_alg"),
        ] {
            let refused = app.acme().get(&format!("{PATH}?{query}")).await.expect(400);
            assert_eq!(refused, json!({"message": message}), "{query}");
        }
        assert_eq!(app.globex().get(PATH).await.expect(200), json!([]));
    }

    async fn another_account_and_other_people_find_nothing(app: TestApp) {
        policy(&app, "es256").await;
        let one = format!("{PATH}/1");
        let missing = json!({"message": "Not Found"});
        assert_eq!(app.globex().get(&one).await.expect(404), missing);
        assert_eq!(app.globex().patch(&one, json!({"jwt_alg": "es384"})).await.expect(404), missing);
        assert_eq!(app.globex().delete(&one).await.expect(404), missing);
        assert_eq!(app.globex().get(&format!("{one}/audit")).await.expect(404), missing);
        assert_eq!(app.globex().post(&format!("{one}/rotate"), json!({})).await.expect(404), json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found",
        }));
        let plain = app.plain_person("acme").await;
        let forbidden = json!({"message": "Forbidden"});
        assert_eq!(app.bearer(&plain).get(&one).await.expect(403), forbidden);
        assert_eq!(app.bearer(&plain).post(PATH, json!({"jwt_alg": "es256"})).await.expect(403), forbidden);
    }

    async fn a_policy_in_use_is_not_deleted(app: TestApp) {
        let made = policy(&app, "es256").await;
        let hook = json!({"event": "app_instance.create", "uri": "https://echo.example.org/", "webhook_policy_id": 1});
        app.acme().post("/v1/webhooks", hook).await.expect(201);
        let refused = app.acme().delete(&format!("{PATH}/1")).await.expect(422);
        assert_eq!(refused, unprocessable(
            "The policy signs the messages of webhooks: link those to another one first"));
        app.acme().patch("/v1/webhooks/1", json!({"webhook_policy_id": null})).await.expect(200);
        app.acme().delete(&format!("{PATH}/1")).await.expect(204);
        app.acme().get(&format!("{PATH}/1")).await.expect(404);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhook_policy_keys").await, 0);
        let lines = app.acme().get("/v1/audit_lines?per_page=1").await.expect(200);
        assert_eq!((&lines[0]["action"], &lines[0]["audited"]), (&json!("destroy"), &json!("webhook_policy")));
        let path = format!("/accounts/acme/webhook_policies/{}/.well-known/jwks.json", made["name"].as_str().unwrap());
        app.anonymous().get(&path).await.expect(404);
    }

    async fn receivers_find_the_issuer_on_the_host_of_the_account(app: TestApp) {
        let made = policy(&app, "es256").await;
        let name = made["name"].as_str().unwrap();
        let path = format!("/webhook_policies/{name}/.well-known/openid-configuration");
        let on_host = app.anonymous().with("host", "acme.example.test").get(&path).await;
        assert_eq!(on_host.header("cache-control"), "public, max-age=3600");
        let found = on_host.expect(200);
        let issuer = format!("https://acme.example.test/webhook_policies/{name}");
        assert_eq!(found, json!({
            "issuer": issuer, "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        }));
        let behind_prefix = app.anonymous().get(&format!("/accounts/acme{path}")).await;
        assert_eq!(behind_prefix.expect(200), found);
        let jwks = format!("/webhook_policies/{name}/.well-known/jwks.json");
        let on_host = app.anonymous().with("host", "ACME.example.test:8443").get(&jwks).await;
        assert_eq!(on_host.header("cache-control"), "public, max-age=3600");
        assert_eq!(on_host.expect(200)["keys"], json!(keys(&app, name).await));
        let missing = json!({"message": "Not Found"});
        for (host, path) in [
            ("globex.example.test", path.clone()),
            ("api.example.test", path.clone()),
            ("acme.example.org", path.clone()),
            ("any", format!("/accounts/globex{path}")),
            ("acme.example.test", path.replace(name, &name.to_uppercase())),
            ("acme.example.test", path.replace(name, "1")),
        ] {
            let refused = app.anonymous().with("host", host).get(&path).await.expect(404);
            assert_eq!(refused, missing, "{host} {path}");
        }
    }
}
