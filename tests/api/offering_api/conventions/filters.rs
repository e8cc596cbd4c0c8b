//! The filter grammar, `fields`, `sort` and `state` (contract 1.10 to 1.13).
use serde_json::json;

use super::{PATH, Row, ids, refused};
use crate::offering_api::app_offerings::service_instance;
use crate::on_both;
use crate::support::TestApp;
use crate::support::app::START;

const HOUR: i64 = 3_600_000;

/// Six offerings, an hour apart: 09:15 to 14:15 in Amsterdam, changed a day later.
async fn seed(app: &TestApp) {
    let instance = service_instance(app, "acme").await;
    let rows = [
        ("a1", "Alpha", "curl", None, false),
        ("b2", "Beta", "erp", Some("S-1"), true),
        ("c3", "Beta", "erp", Some("S-2"), false),
        ("d4", "Comma, Inc", "web", None, false),
        ("e5", "alpha", "web", Some("S-1"), true),
        ("f6", "Plus+One", "a<b>!", Some(""), false),
    ];
    for (index, (reference, name, source, source_id, disabled)) in (0..).zip(rows) {
        let created_at = START + index * HOUR;
        let updated_at = created_at + 24 * HOUR;
        let account = "acme";
        Row {
            account,
            instance,
            reference,
            name,
            source,
            source_id,
            disabled,
            created_at,
            updated_at,
        }
        .insert(app)
        .await;
    }
    let instance = service_instance(app, "globex").await;
    let (account, reference, name, source) = ("globex", "g7", "Alpha", "curl");
    Row {
        account,
        instance,
        reference,
        name,
        source,
        source_id: None,
        disabled: false,
        created_at: START,
        updated_at: START,
    }
    .insert(app)
    .await;
}

/// What the harness must encode for the `http` crate; clients may send it raw (see `tests/cli.rs`).
fn raw(query: &str) -> String {
    query.replace('<', "%3C").replace('>', "%3E").replace(' ', "%20")
}

/// Query and the records that it finds.
const FOUND: &[(&str, &[i64])] = &[
    ("", &[1, 2, 3, 4, 5, 6]),
    // Texts.
    ("name=Alpha", &[1]),
    ("name=alpha", &[5]),
    ("name=Alph", &[]),
    ("name=%25", &[]),
    ("name=*", &[]),
    ("name=!Beta", &[1, 4, 5, 6]),
    ("name!=Beta", &[1, 4, 5, 6]),
    ("name=%21Beta", &[1, 4, 5, 6]),
    ("name%21=Beta", &[1, 4, 5, 6]),
    ("n%61me=Bet%61", &[2, 3]),
    ("name=Comma%2C Inc", &[4]),
    ("name=Comma%2c+Inc", &[4]),
    ("name=!Comma%2C Inc", &[1, 2, 3, 5, 6]),
    ("name=Plus%2BOne", &[6]),
    ("name=Plus+One", &[]),
    ("source=a<b>%21", &[6]),
    ("source=!a<b>!", &[1, 2, 3, 4, 5]),
    ("reference=b2", &[2]),
    ("reference=' OR 1=1 --", &[]),
    // Texts that may be missing.
    ("sourceID=", &[1, 4]),
    ("sourceID", &[1, 4]),
    ("sourceID=!", &[2, 3, 5, 6]),
    ("sourceID!=", &[2, 3, 5, 6]),
    ("sourceID%21=", &[2, 3, 5, 6]),
    ("sourceID!=!", &[1, 4]),
    ("sourceID=S-1", &[2, 5]),
    ("sourceID=!S-1", &[1, 3, 4, 6]),
    ("sourceID!=S-1", &[1, 3, 4, 6]),
    // Numbers.
    ("id=3", &[3]),
    ("id=!3", &[1, 2, 4, 5, 6]),
    ("id!=3", &[1, 2, 4, 5, 6]),
    ("id=1,3", &[1, 3]),
    ("id=1%2C3", &[1, 3]),
    ("ids=1,3,99,3", &[1, 3]),
    ("id=!1,3", &[2, 4, 5, 6]),
    ("id!=1,3", &[2, 4, 5, 6]),
    ("ids=!1,3", &[2, 4, 5, 6]),
    ("ids!=1,3", &[2, 4, 5, 6]),
    ("ids%21=1%2C3", &[2, 4, 5, 6]),
    ("id=<3", &[1, 2]),
    ("id=<=3", &[1, 2, 3]),
    ("id=>4", &[5, 6]),
    ("id=>=4", &[4, 5, 6]),
    ("id=>%3D4", &[4, 5, 6]),
    ("id=>1<4", &[2, 3]),
    ("id=>=1<=4", &[1, 2, 3, 4]),
    ("id=>=1<4", &[1, 2, 3]),
    ("id=>1<=4", &[2, 3, 4]),
    ("id=<4>1", &[2, 3]),
    ("id=<=4>=2", &[2, 3, 4]),
    ("id=>4<1", &[]),
    ("id=9223372036854775807", &[]),
    ("id=>-5", &[1, 2, 3, 4, 5, 6]),
    ("id=ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI", &[2]),
    ("id=ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI,3", &[2, 3]),
    // Flags.
    ("disabled=true", &[2, 5]),
    ("disabled=1", &[2, 5]),
    ("disabled=T", &[2, 5]),
    ("disabled=Yes", &[2, 5]),
    ("disabled=ON", &[2, 5]),
    ("disabled=false", &[1, 3, 4, 6]),
    ("disabled=0", &[1, 3, 4, 6]),
    ("disabled=whatever", &[1, 3, 4, 6]),
    ("disabled=!true", &[1, 3, 4, 6]),
    ("disabled!=true", &[1, 3, 4, 6]),
    ("disabled!=!true", &[2, 5]),
    ("published=true", &[]),
    ("latest=y", &[1, 2, 3, 4, 5, 6]),
    // Times.
    ("created_at=2026-02-01T09:15:00%2B01:00", &[1]),
    ("created_at=2026-02-01T09:15:00+01:00", &[1]),
    ("created_at=2026-02-01T08:15:00Z", &[1]),
    ("created_at=2026-02-01T09:15:00", &[1]),
    ("created_at=2026-02-01T09:15", &[1]),
    ("created_at=2026-02-01 09:15", &[1]),
    ("created_at=!2026-02-01T08:15:00Z", &[2, 3, 4, 5, 6]),
    ("created_at!=2026-02-01T08:15:00Z", &[2, 3, 4, 5, 6]),
    ("created_at=>2026-02-01T12:15:00+01:00", &[5, 6]),
    ("created_at=>=2026-02-01T12:15:00+01:00", &[4, 5, 6]),
    ("created_at=<2026-02-01T10:15:00", &[1]),
    ("created_at=<=2026-02-01T10:15:00", &[1, 2]),
    ("created_at=>2026-02-01T09:15:00Z<2026-02-01T12:15:00Z", &[3, 4]),
    ("created_at=>=2026-02-01T09:15:00Z<=2026-02-01T12:15:00Z", &[2, 3, 4, 5]),
    ("created_at=>=2026-02-01T09:15:00Z<2026-02-01T12:15:00Z", &[2, 3, 4]),
    ("created_at=%3E2026%2D02%2D01T12%3A00%3A00%2B01%3A00", &[4, 5, 6]),
    ("created_at=%3E%3D2026-02-02", &[]),
    ("updated_at=>=2026-02-02<2026-02-02T11:00", &[1, 2]),
    // Several conditions, all of which must hold; what is no filter.
    ("source=web&disabled=true", &[5]),
    ("id=>1&id=<4", &[2, 3]),
    ("id=1&id=2", &[]),
    ("name=Beta&sourceID=!&id=!3", &[2]),
    ("name=Beta&predefined_filter=latest_internal", &[2, 3]),
    ("state=latest_internal&disabled=true", &[2, 5]),
    ("state=latest_published", &[]),
    ("&&name=Beta&", &[2, 3]),
    ("per_page=100&page=1", &[1, 2, 3, 4, 5, 6]),
];

/// Query and the text by which it is refused.
const REFUSED: &[(&str, &str)] = &[
    ("colour=red", "Unknown fields: colour"),
    ("colour=red&name=a&size!=2", "Unknown fields: colour, size"),
    ("colour=red&colour=blue&size=2", "Unknown fields: colour, size"),
    ("features=a&features=b", "Filtering not allowed on fields: features"),
    ("Name=a", "Unknown fields: Name"),
    ("name_id=1", "Unknown fields: name_id"),
    ("description_attachments=1", "Unknown fields: description_attachments"),
    ("=a", "Unknown fields: "),
    ("description=a", "Filtering not allowed on fields: description"),
    (
        "features=a&nodeID=b&service_instance_id=1",
        "Filtering not allowed on fields: features, nodeID, service_instance",
    ),
    ("disabled=>true", "Field 'disabled' does not support the '=>' operator"),
    ("disabled=<=true", "Field 'disabled' does not support the '=<=' operator"),
    ("name=>=a", "Field 'name' does not support the '=>=' operator"),
    ("name=%3Ca", "Field 'name' does not support the '=<' operator"),
    ("created_at!=>2026-01-01", "Field 'created_at' does not support the '!=>' operator"),
    ("disabled=", "Field 'disabled' does not support the '=' operator"),
    ("name=", "Field 'name' does not support the '=' operator"),
    ("name=!", "Field 'name' does not support the '=!' operator"),
    ("created_at!=", "Field 'created_at' does not support the '!=' operator"),
    ("id=>1>2", "Field 'id' does not support the '=>>' operator"),
    ("name=a,b", "Cannot apply the '=' operator to a set of values for field 'name'"),
    ("sourceID=a,b", "Cannot apply the '=' operator to a set of values for field 'sourceID'"),
    ("name=!a,b", "Cannot apply the '=!' operator to a set of values for field 'name'"),
    ("name!=a,b", "Cannot apply the '!=' operator to a set of values for field 'name'"),
    (
        "created_at=2026-01-01,2026-01-02",
        "Cannot apply the '=' operator to a set of values for field 'created_at'",
    ),
    ("disabled=true,false", "Cannot filter on a set of values for field 'disabled'"),
    ("disabled=true%2Cfalse", "Cannot filter on a set of values for field 'disabled'"),
    ("id=abc", "Invalid value 'abc' for field 'id'"),
    ("id=1,", "Invalid value '' for field 'id'"),
    ("id=1.5", "Invalid value '1.5' for field 'id'"),
    ("id=>", "Invalid value '' for field 'id'"),
    ("id=>1<", "Invalid value '' for field 'id'"),
    ("id=9223372036854775808", "Invalid value '9223372036854775808' for field 'id'"),
    (
        "id=Z2xvYmV4L0FwcE9mZmVyaW5nLzI",
        "Invalid value 'Z2xvYmV4L0FwcE9mZmVyaW5nLzI' for field 'id'",
    ),
    ("created_at=yesterday", "Invalid value 'yesterday' for field 'created_at'"),
    ("created_at=>2026-02-30", "Invalid value '2026-02-30' for field 'created_at'"),
    ("name=a%00b", "Invalid value 'a\u{fffd}b' for field 'name'"),
    ("%00foo=a", "Unknown fields: \u{fffd}foo"),
    ("sort=a%00b", "Sorting not allowed on fields: a\u{fffd}b"),
    ("name=%FF", "The query string is not valid UTF-8"),
    ("%FF=a", "The query string is not valid UTF-8"),
    ("sort=foo", "Sorting not allowed on fields: foo"),
    ("sort=name,foo,-bar,disabled", "Sorting not allowed on fields: foo, bar, disabled"),
    ("sort=-", "Sorting not allowed on fields: -"),
    ("sort=foo,foo,-foo", "Sorting not allowed on fields: foo"),
    ("sort=--name", "Sorting not allowed on fields: -name"),
    ("fields=foo,name,bar,foo", "Unknown fields: foo, bar"),
    ("fields=service_instance.name", "Unknown fields: service_instance.name"),
    ("fields=service_instance[name]", "Unknown fields: service_instance[name]"),
    ("fields=description_attachments", "Unknown fields: description_attachments"),
    ("state=foo", "Unknown state: foo"),
    ("state=", "Unknown state: "),
    ("page=0", "Parameter 'page' cannot be less than 1"),
    ("page=-1", "Parameter 'page' cannot be less than 1"),
    ("page=one", "Parameter 'page' must be a whole number"),
    ("page=", "Parameter 'page' must be a whole number"),
    ("page=1.5", "Parameter 'page' must be a whole number"),
    ("per_page=0", "Parameter 'per_page' cannot be less than 1"),
    ("per_page=-20", "Parameter 'per_page' cannot be less than 1"),
    ("per_page=all", "Parameter 'per_page' must be a whole number"),
    ("per_page=99999999999999999999", "Parameter 'per_page' must be a whole number"),
];

on_both! {
    async fn every_operator_finds_what_it_says(app: TestApp) {
        seed(&app).await;
        for (query, expected) in FOUND {
            let answer = app.acme().get(&format!("{PATH}?sort=id&{}", raw(query))).await;
            assert_eq!(
                answer.header("x-pagination-total-entries"),
                expected.len().to_string(),
                "{query}"
            );
            assert_eq!(ids(&answer.expect(200)), *expected, "{query}");
        }
    }

    async fn what_a_list_cannot_do_is_refused_in_the_words_of_the_contract(app: TestApp) {
        seed(&app).await;
        for (query, message) in REFUSED {
            let query = raw(query).replace('[', "%5B").replace(']', "%5D");
            refused(app.acme().get(&format!("{PATH}?{query}")).await, 400, message);
        }
    }

    async fn a_refusal_repeats_no_more_than_its_text_can_hold(app: TestApp) {
        // `ü` has two bytes; a text is bounded in characters.
        let (sent, name) = ("%C3%BC".repeat(1100), "ü".repeat(1100));
        for (query, start) in [
            (format!("{sent}=a"), "Unknown fields: "),
            (format!("fields={sent}"), "Unknown fields: "),
            (format!("sort={sent}"), "Sorting not allowed on fields: "),
            (format!("state={sent}"), "Unknown state: "),
        ] {
            let message = format!("{start}{}…", "ü".repeat(999 - start.len()));
            refused(app.acme().get(&format!("{PATH}?{query}")).await, 400, &message);
        }
        let strict = app.acme().with("prefer", "handling=strict");
        let answer = strict.post(PATH, json!({name: 1})).await;
        refused(answer, 400, &format!("Unknown properties: {}…", "ü".repeat(979)));
    }

    async fn a_list_shows_the_fields_that_are_asked_for(app: TestApp) {
        seed(&app).await;
        let keys = async |fields: &str| {
            let list = app.acme().get(&format!("{PATH}?id=1&fields={fields}")).await.expect(200);
            list[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        let default = [
            "id",
            "nodeID",
            "sourceID",
            "reference",
            "name",
            "policy_jwt_alg",
            "policy_jwt_audience",
            "policy_jwt_claim_expires_in",
            "service_instance",
            "webhook_uri_template",
            "created_at",
            "updated_at",
        ];
        assert_eq!(keys("").await, default);
        assert_eq!(keys(",%20,").await, default);
        assert_eq!(keys("name").await, ["id", "nodeID", "name"]);
        assert_eq!(keys("disabled,name,name").await, ["id", "nodeID", "name", "disabled"]);
        assert_eq!(keys("id,nodeID").await, ["id", "nodeID"]);
        let all = keys("*").await;
        assert_eq!(all, keys("all").await);
        let single = app.acme().get("/v1/app_offerings/1?fields=name").await.expect(200);
        assert_eq!(all, single.as_object().unwrap().keys().cloned().collect::<Vec<_>>());
        // The list of the .NET client.
        keys("attachments,card_description,compliance,configuration_uri_template,created_at,description,\
              disabled,features,id,name,openid_connect_discovery,picture_uri,policy_jwt_alg,\
              policy_jwt_audience,policy_jwt_claim_expires_in,reference,requires_enabled_oauth_person,\
              service_instance,source,sourceID,ui_extension_version,updated_at,webhook_uri_template").await;
    }

    async fn a_disabled_record_says_so_in_a_list_even_unasked(app: TestApp) {
        seed(&app).await;
        let list = app.acme().get("/v1/app_offerings?fields=name&sort=id&id=1,2").await.expect(200);
        assert_eq!(
            list,
            json!([
                {"id": 1, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzE", "name": "Alpha"},
                {"id": 2, "nodeID": "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI", "name": "Beta", "disabled": true},
            ])
        );
    }

    async fn a_named_subset_is_the_same_by_path_and_by_state(app: TestApp) {
        seed(&app).await;
        let by_path = app
            .acme()
            .get("/v1/app_offerings/latest_internal?disabled=true&sort=-id")
            .await
            .expect(200);
        let by_state = app
            .acme()
            .get("/v1/app_offerings?state=latest_internal&disabled=true&sort=-id")
            .await
            .expect(200);
        assert_eq!(by_path, by_state);
        assert_eq!(ids(&by_path), [5, 2]);
        refused(app.acme().get("/v1/app_offerings/unknown_subset").await, 404, "Not Found");
    }

    async fn of_several_named_subsets_all_must_hold(app: TestApp) {
        seed(&app).await;
        app.acme().post("/v1/app_offerings/1/publish", json!({})).await.expect(201);
        let list = async |query: &str| {
            ids(&app.acme().get(&format!("{PATH}{query}")).await.expect(200))
        };
        assert_eq!(list("/latest_internal?state=latest_internal&sort=id").await, [1, 2, 3, 4, 5, 6]);
        assert_eq!(list("/latest_published?state=all_latest_published").await, [8]);
        assert!(list("/latest_published?state=latest_internal").await.is_empty());
        assert!(list("?state=latest_internal&state=latest_published").await.is_empty());
        assert!(list("/consumed?state=latest_internal").await.is_empty());
    }

    async fn a_list_takes_many_conditions_but_not_any_number(app: TestApp) {
        seed(&app).await;
        let query = |count: i64, more: i64| {
            let ids: Vec<String> = (1..=1000).map(|id| (id * 10).to_string()).collect();
            let mut filters = vec![format!("id=!{}", ids.join(","))];
            filters.resize(count as usize, "id=<3".to_owned());
            filters.push(format!("id={}{}", "1,".repeat(more as usize - 1), "1"));
            format!("{PATH}?{}", raw(&filters.join("&")))
        };
        assert_eq!(ids(&app.acme().get(&query(99, 1000)).await.expect(200)), [1]);
        let answer = app.acme().get(&query(100, 1)).await;
        refused(answer, 400, "A list takes at most 100 filters");
        let answer = app.acme().get(&query(1, 1001)).await;
        refused(answer, 400, "Field 'id' takes at most 1000 values");
    }

    async fn an_id_that_is_none_is_not_found(app: TestApp) {
        seed(&app).await;
        let node_ids =
            ["ZXhhbXBsZS50ZXN0L1NlcnZpY2VJbnN0YW5jZS8x", "ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzk5OQ"];
        let texts = [
            "0",
            "999",
            "-1",
            "+1",
            "1.0",
            "abc",
            "9223372036854775807",
            "9223372036854775808",
            "%00",
            "%FF",
            "1%2C2",
            "7",
        ];
        for id in texts.into_iter().chain(node_ids) {
            let answer = app.acme().get(&format!("{PATH}/{id}")).await;
            refused(answer, 404, "Not Found");
        }
        let by_node_id = app
            .acme()
            .get("/v1/app_offerings/ZXhhbXBsZS50ZXN0L0FwcE9mZmVyaW5nLzI")
            .await
            .expect(200);
        assert_eq!(by_node_id, app.acme().get("/v1/app_offerings/2").await.expect(200));
    }
}
