//! `responseFields` and tags (contract 1.6, 1.2).
use http::Method;
use serde_json::json;

use super::{CREATE, PACKAGES, malformed};
use crate::on_both;
use crate::support::packages::World;

on_both! {
    async fn answers_show_what_was_selected(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application_with("acme01.loyalty.1.0.0", &["Developer Read"]).await;
        let client = world.client(&loyalty).await;
        let path = format!("{PACKAGES}/{}?includeChildren=true&responseFields=", loyalty.key);
        let table = [
            ("appKey,id", json!({"id": loyalty.package, "appKey": loyalty.key})),
            ("AppKey%20,%20unknown", json!({"appKey": loyalty.key})),
            ("unknown", json!({})),
            (
                "applicationBehaviors(behaviorId)",
                json!({"applicationBehaviors": [{"behaviorId": 42}]}),
            ),
            ("applicationBehaviors(unknown)", json!({"applicationBehaviors": [{}]})),
            ("appKey(x)", json!({"appKey": loyalty.key})),
        ];
        for (fields, expected) in table {
            let shown = client.get(&format!("{path}{fields}")).await.expect(200);
            assert_eq!(shown, expected, "{fields}");
        }
        let all = client.get(&path).await.expect(200);
        assert_eq!(client.get(&format!("{path}*")).await.expect(200), all);
        let mut rest = all.clone();
        rest.as_object_mut().unwrap().shift_remove("sharedSecret");
        rest.as_object_mut().unwrap().shift_remove("applicationBehaviors");
        let without = format!("{path}-sharedSecret,-applicationBehaviors");
        assert_eq!(client.get(&without).await.expect(200), rest);
        // What an exclusion excludes stays.
        let nested = format!("{path}applicationBehaviors,-applicationBehaviors(-packageId)");
        let expected = json!({"applicationBehaviors": [{"packageId": loyalty.package}]});
        assert_eq!(client.get(&nested).await.expect(200), expected);
    }

    async fn selections_that_cannot_be_read_are_refused(app: TestApp) {
        let world = World::new(&app).await;
        let client = world.client(&world.application("acme01.loyalty.1.0.0").await).await;
        let names = "must be names separated by commas, as in appKey,items(id,name).";
        let long = "a".repeat(4097);
        let deep = format!("{}a{}", "a(".repeat(10), ")".repeat(10));
        for (fields, why) in [
            ("a,,b", names),
            (",", names),
            ("a b", names),
            ("a(b", "has an opening parenthesis without its closing one."),
            ("a)", "has a closing parenthesis without its opening one."),
            (long.as_str(), "must have at most 4096 bytes."),
            (deep.as_str(), "must be at most 10 levels deep."),
        ] {
            let fields = fields.replace(' ', "%20");
            let path = format!("{PACKAGES}/acme01.loyalty.1.0.0?responseFields={fields}");
            malformed(client.get(&path).await, "responseFields", why);
            // And nothing is made.
            let path = format!("{CREATE}?responseFields={fields}");
            let answer = client.post(&path, json!({"appKey": "acme01.points.1.0.0"})).await;
            malformed(answer, "responseFields", why);
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM packages").await, 1);
    }

    async fn the_tag_is_that_of_the_whole_record(app: TestApp) {
        let world = World::new(&app).await;
        let loyalty = world.application("acme01.loyalty.1.0.0").await;
        let client = world.client(&loyalty).await;
        let path = format!("{PACKAGES}/{}", loyalty.key);
        let answer = client.get(&path).await;
        let tag = answer.header("etag").to_owned();
        answer.expect(200);
        let part = client.get(&format!("{path}?responseFields=id")).await;
        assert_eq!(part.header("etag"), tag);
        let known = client.clone().with("if-none-match", &tag).get(&path).await;
        assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
        assert_eq!(known.header("etag"), tag);
        let known = client.clone().with("if-none-match", "W/\"0\"").get(&path).await;
        assert_eq!(known.status, 200);
        let head = client.send(Method::HEAD, &path, Vec::new()).await;
        assert_eq!(head.header("etag"), tag);
    }
}
