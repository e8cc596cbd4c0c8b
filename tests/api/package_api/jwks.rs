//! Public keys of access tokens (contract 1.3.7): whoever has a token can check it without us.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::TestApp;
use crate::support::packages::World;

const PATH: &str = "/.well-known/jwks.json";
const DAY: i64 = 24 * 3600;

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The header of a token, if one of these keys has signed it.
fn verified(token: &str, keys: &Value) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().0)).unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"])?;
    let text = |name: &str| decode(key[name].as_str().unwrap());
    let point = [[4].as_slice(), &text("x"), &text("y")].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &decode(signature)).ok().map(|()| header)
}

async fn keys(app: &TestApp) -> Value {
    app.anonymous().get(PATH).await.expect(200)
}

on_both! {
    async fn keys_are_shown_to_everybody(app: TestApp) {
        let answer = app.anonymous().get(PATH).await;
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let mut shown = answer.expect(200);
        for random in ["kid", "x", "y"] {
            assert!(shown["keys"][0][random].take().is_string());
        }
        let key = json!({
            "kty": "EC", "crv": "P-256", "x": null, "y": null, "kid": null, "use": "sig",
            "alg": "ES256",
        });
        assert_eq!(shown, json!({"keys": [key]}));
        // Whatever credentials come along.
        app.bearer("nonsense").get("/API/.Well-Known/JWKS.json/").await.expect(200);
        let selected = app.anonymous().get("/.well-known/jwks.json?responseFields=keys(alg)").await;
        assert_eq!(selected.expect(200), json!({"keys": [{"alg": "ES256"}]}));
    }

    async fn keys_that_are_known_are_not_sent_again(app: TestApp) {
        let tag = app.anonymous().get(PATH).await.header("etag").to_owned();
        let answer = app.anonymous().with("if-none-match", &tag).get(PATH).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0));
    }

    async fn tokens_verify_by_the_shown_keys(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let token = world.ticket(&loyalty).await;
        let keys = keys(&app).await;
        let header = verified(&token, &keys).unwrap();
        let expected = json!({"alg": "ES256", "kid": keys["keys"][0]["kid"], "typ": "JWT"});
        assert_eq!(header, expected);
        // And only those.
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{signed}.{first}{}", &signature[1..]);
        assert!(verified(&forged, &keys).is_none());
    }

    async fn keys_change_without_a_gap(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let ids = |keys: &Value| -> Vec<Value> {
            keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
        };
        // The next key is shown before it signs, and the former one while its tokens live.
        let (mut seen, mut most) = (Vec::new(), 0);
        for _ in 0..2 * 31 {
            let before = keys(&app).await;
            let token = world.ticket(&loyalty).await;
            assert!(verified(&token, &before).is_some());
            // An hour less a minute later it is still valid, and its key still shown.
            app.advance_seconds(3540);
            assert!(verified(&token, &keys(&app).await).is_some());
            let path = "/platform/appdev/apppackages/acme01.loyalty.1.0.0";
            app.bearer(&token).get(path).await.expect(200);
            app.advance_seconds(DAY - 3540);
            most = most.max(ids(&before).len());
            for id in ids(&before) {
                if !seen.contains(&id) {
                    seen.push(id);
                }
            }
        }
        assert!((2..=4).contains(&seen.len()), "{seen:?}");
        assert!(most <= 2, "{most}");
    }
}
