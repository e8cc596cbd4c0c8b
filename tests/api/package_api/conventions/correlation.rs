//! Ids of requests (contract 1.4, 1.5).
use serde_json::json;

use super::CREATE;
use crate::on_both;
use crate::support::packages::World;

on_both! {
    async fn every_answer_has_an_id_of_its_own(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let mut seen = std::collections::BTreeSet::new();
        for path in [
            "/api/platform/appdev/apppackages/acme01.loyalty.1.0.0",
            "/api/platform/appdev/apppackages/acme01.loyalty.9.0.0",
            "/api/unknown",
            "/.well-known/jwks.json",
            CREATE,
        ] {
            let answer = client.get(path).await;
            let id = answer.header("x-vol-correlation").to_owned();
            assert!(id.len() == 32 && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')));
            assert_eq!(id, answer.header("x-request-id").replace('-', ""));
            if !answer.status.is_success() {
                let body: serde_json::Value = serde_json::from_slice(&answer.bytes).unwrap();
                assert_eq!(body["correlationId"], id.as_str());
            }
            assert!(seen.insert(id));
        }
        // The other family has none.
        assert!(!app.acme().get("/v1/app_offerings").await.headers.contains_key("x-vol-correlation"));
    }

    async fn callers_may_give_an_id(app: TestApp) {
        let given = |id: &str| app.anonymous().with("x-vol-correlation", id);
        for id in ["Order-17", "0", &"a".repeat(64)] {
            let answer = given(id).post(CREATE, json!({})).await;
            assert_eq!(answer.header("x-vol-correlation"), id);
            assert_eq!(answer.expect(401)["correlationId"], id);
        }
        for id in ["", "a b", "a_b", "é", "<script>", &"a".repeat(65)] {
            let answer = given(id).post(CREATE, json!({})).await;
            let own = answer.header("x-request-id").replace('-', "");
            assert_eq!(answer.header("x-vol-correlation"), own, "{id}");
        }
    }
}
