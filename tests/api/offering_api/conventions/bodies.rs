//! What is accepted as a body, and how its values are read (contract 1.1, 1.8, 1.17, 7.11).
use axum::body::Body;
use futures_util::StreamExt;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{PATH, refused};
use crate::offering_api::app_offerings::{offering, service_instance};
use crate::on_both;
use crate::support::TestApp;

/// An offering that may be changed: its path.
async fn existing(app: &TestApp) -> String {
    let instance = service_instance(app, "acme").await;
    let made = app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
    format!("{PATH}/{}", made["id"])
}

/// The body of a refusal for one field.
fn invalid(field: &str, text: &str) -> Value {
    json!({"message": "Validation Failed", "errors": [[field, text]]})
}

#[tokio::test]
async fn a_body_that_pauses_for_too_long_is_given_up() {
    let app = TestApp::sqlite().await;
    // The token is known from here on: nothing below waits for the database.
    let token = app.token("acme", None, &[], None).await;
    app.bearer(&token).get("/v1/app_offerings/1").await.expect(404);
    let beginning = futures_util::stream::iter([Ok::<_, std::io::Error>("{\"name\":")]);
    let body = Body::from_stream(beginning.chain(futures_util::stream::pending()));
    let request = Request::post(PATH).header("authorization", format!("Bearer {token}"));
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let response = app.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 30);
    assert_eq!(response.status(), 400);
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(text, r#"{"message":"The request body ended early"}"#);
}

on_both! {
    async fn a_body_is_json_whatever_its_content_type(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let kinds = [
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain; charset=latin1",
            "multipart/form-data; boundary=x",
            "nonsense",
            "",
        ];
        for (index, kind) in kinds.into_iter().enumerate() {
            let body = offering(&format!("Echo {index}"), instance);
            app.acme().with("content-type", kind).post(PATH, body).await.expect(201);
        }
        app.acme().post(PATH, offering("Echo", instance)).await.expect(201);
        app.acme().with("content-type", "text/html").get(PATH).await.expect(200);
    }

    async fn what_is_not_a_json_object_is_refused(app: TestApp) {
        let path = existing(&app).await;
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        let bodies: &[&[u8]] = &[
            b"",
            b" ",
            b"null",
            b"[]",
            b"[{\"name\":\"a\"}]",
            b"1",
            b"true",
            b"\"text\"",
            b"{",
            b"{}}",
            b"{} {}",
            b"{\"name\":}",
            b"{name:1}",
            b"{'name':'a'}",
            b"{\"name\":\"a\",}",
            b"\xef\xbb\xbf{}",
            b"{\"name\":\"\xff\"}",
            b"{\"name\":\"\xc3\"}",
            b"{\"name\":\"\\ud800\"}",
            b"{\"name\":\"a\nb\"}",
            b"{\"name\":1e999}",
            b"\xff\xfe{\0}\0",
            b"name=a&reference=b",
            deep.as_bytes(),
        ];
        for body in bodies {
            for (method, path) in
                [(Method::POST, PATH), (Method::PATCH, &path), (Method::PUT, &path)]
            {
                let answer = app.acme().send(method, path, body.to_vec()).await;
                refused(answer, 400, "Invalid JSON string posted");
            }
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 1);
    }

    async fn a_body_may_have_a_megabyte_and_not_more(app: TestApp) {
        const MESSAGE: &str = "Payload Too Large: the limit is 1048576 bytes";
        let instance = service_instance(&app, "acme").await;
        let mut body = offering("Echo", instance).to_string().into_bytes();
        body.resize(1_048_577, b' ');
        refused(app.acme().send(Method::POST, PATH, body.clone()).await, 413, MESSAGE);
        let huge = json!({"name": "x".repeat(2 * 1024 * 1024)});
        refused(app.acme().post(PATH, huge).await, 413, MESSAGE);
        assert_eq!(app.count("SELECT COUNT(*) FROM app_offerings").await, 0);
        body.pop();
        app.acme().send(Method::POST, PATH, body).await.expect(201);
    }

    async fn no_text_may_have_a_nul(app: TestApp) {
        let path = existing(&app).await;
        for (field, label) in [
            ("name", "Name"),
            ("description", "Description"),
            ("source", "Source"),
            ("sourceID", "Source ID"),
            ("policy_jwt_audience", "Policy jwt audience"),
            ("reference", "Reference"),
            ("picture_uri", "Picture uri"),
            ("webhook_uri_template", "Webhook uri template"),
        ] {
            let answer = app.acme().patch(&path, json!({field: "https://a\0b.example"})).await;
            assert_eq!(answer.expect(422), invalid(field, &format!("{label} is invalid")));
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 1);
    }

    async fn unknown_and_read_only_properties_are_ignored(app: TestApp) {
        let path = existing(&app).await;
        let before = app.acme().get(&path).await.expect(200);
        let answer = app.acme().patch(&path, json!({
            "colour": "red", "id": 99, "nodeID": "x", "created_at": "2020-01-01T00:00:00Z", "published": true,
            "attachments": [1], "message": "hello",
        })).await;
        assert!(!answer.headers.contains_key("preference-applied"));
        assert_eq!(answer.expect(200), before);
    }

    async fn a_caller_who_wants_it_strict_gets_unknown_properties_refused(app: TestApp) {
        let path = existing(&app).await;
        for prefer in [
            "handling=strict",
            "HANDLING = \"Strict\"",
            "return=minimal, handling=strict",
            "respond-async; handling=strict",
        ] {
            let strict = app.acme().with("prefer", prefer);
            let answer =
                strict.patch(&path, json!({"colour": "red", "name": "New", "size": 1})).await;
            refused(answer, 400, "Unknown properties: colour, size");
            let answer = strict.patch(&path, json!({"name": "Echo"})).await;
            assert_eq!(answer.header("preference-applied"), "handling=strict");
            assert_eq!(answer.expect(200)["name"], "Echo");
        }
        let lenient = app.acme().with("prefer", "handling=lenient");
        lenient.patch(&path, json!({"colour": "red"})).await.expect(200);
        let strict = app.acme().with("prefer", "handling=strict");
        refused(
            strict.post(PATH, json!({"colour": "red"})).await,
            400,
            "Unknown properties: colour",
        );
        assert_eq!(app.count("SELECT COUNT(*) FROM audit_lines").await, 1);
    }

    async fn only_the_words_for_true_are_true(app: TestApp) {
        let path = existing(&app).await;
        let truths = [
            json!(true),
            json!("true"),
            json!("TRUE"),
            json!("t"),
            json!("Y"),
            json!("yes"),
            json!("On"),
            json!(1),
            json!("1"),
        ];
        for value in truths {
            let answer = app.acme().patch(&path, json!({"disabled": value})).await;
            assert_eq!(answer.expect(200)["disabled"], true, "{value}");
            app.acme().patch(&path, json!({"disabled": false})).await.expect(200);
        }
        let rest = [
            json!(false),
            json!("false"),
            json!("no"),
            json!(0),
            json!(2),
            json!("maybe"),
            json!(""),
            json!(null),
            json!([true]),
            json!({}),
        ];
        for value in rest {
            app.acme().patch(&path, json!({"disabled": true})).await.expect(200);
            let answer = app.acme().patch(&path, json!({"disabled": value})).await;
            assert_eq!(answer.expect(200)["disabled"], false, "{value}");
        }
    }

    async fn a_duration_is_minutes_or_hours_and_minutes(app: TestApp) {
        let path = existing(&app).await;
        const FIELD: &str = "policy_jwt_claim_expires_in";
        for (value, minutes) in [
            (json!(5), json!(5)),
            (json!("5"), json!(5)),
            (json!(" 5 "), json!(5)),
            (json!(5.0), json!(5)),
            (json!("130:05"), json!(7805)),
            (json!("0:01"), json!(1)),
            (json!("00:59"), json!(59)),
            (json!(""), json!(null)),
            (json!(1), json!(1)),
            (json!(null), json!(null)),
        ] {
            let answer = app.acme().patch(&path, json!({FIELD: value})).await;
            assert_eq!(answer.expect(200)[FIELD], minutes, "{value}");
        }
        for value in [
            json!("1:60"),
            json!("1:5"),
            json!(":05"),
            json!("1:"),
            json!("1:2:3"),
            json!("a"),
            json!(1.5),
            json!(true),
            json!([]),
            json!({"id": 5}),
            json!(1e300),
            json!("+1:05"),
            json!("9999999999999999999:00"),
        ] {
            let answer = app.acme().patch(&path, json!({FIELD: value})).await;
            assert_eq!(
                answer.expect(422),
                invalid(FIELD, "Policy jwt claim expires in is invalid"),
                "{value}"
            );
        }
        // What expires as it is made is void at once.
        for value in [json!(-1), json!(0), json!("0"), json!("0:00"), json!("000:00")] {
            let answer = app.acme().patch(&path, json!({FIELD: value})).await;
            assert_eq!(
                answer.expect(422),
                invalid(FIELD, "Policy jwt claim expires in must be greater than or equal to 1"),
                "{value}"
            );
        }
        let answer = app.acme().patch(&path, json!({FIELD: i64::MAX})).await;
        assert_eq!(
            answer.expect(422),
            invalid(FIELD, "Policy jwt claim expires in must be less than or equal to 52596000")
        );
    }

    async fn a_reference_is_named_by_number_or_node_id_in_several_forms(app: TestApp) {
        let path = existing(&app).await;
        let other = service_instance(&app, "acme").await;
        let shown =
            app.acme().patch(&path, json!({"service_instance_id": other})).await.expect(200);
        let reference = shown["service_instance"].clone();
        let node_id = &reference["nodeID"];
        for body in [
            json!({"service_instance_id": other}),
            json!({"service_instance_id": other.to_string()}),
            json!({"service_instance_id": node_id}),
            json!({"service_instance": other}),
            json!({"service_instance": {"id": other}}),
            json!({"service_instance": {"id": other.to_string()}}),
            json!({"service_instance": {"nodeID": node_id}}),
            json!({"service_instance": node_id}),
            json!({"service_instance": reference}),
            json!({"service_instance_id": {"id": node_id}}),
        ] {
            app.acme().patch(&path, json!({"service_instance_id": 1})).await.expect(200);
            let answer = app.acme().patch(&path, body.clone()).await;
            assert_eq!(answer.expect(200)["service_instance"], reference, "{body}");
        }
        let foreign = service_instance(&app, "globex").await;
        let offering = shown["nodeID"].clone();
        for value in [
            json!(999),
            json!(foreign),
            json!(0),
            json!(-1),
            json!("x"),
            json!([1]),
            json!({}),
            json!(true),
            json!(1.5),
            offering,
            json!(i64::MAX),
            json!(u64::MAX),
            json!("9223372036854775808"),
        ] {
            let answer = app.acme().patch(&path, json!({"service_instance_id": value})).await;
            assert_eq!(
                answer.expect(422),
                invalid("service_instance", "Service instance must exist"),
                "{value}"
            );
        }
        for value in [json!(null), json!(""), json!(" ")] {
            let answer = app.acme().patch(&path, json!({"service_instance_id": value})).await;
            assert_eq!(
                answer.expect(422),
                invalid("service_instance", "Service instance can't be blank"),
                "{value}"
            );
        }
    }

    async fn a_cleared_value_may_arrive_as_an_empty_text(app: TestApp) {
        let path = existing(&app).await;
        app.acme().patch(&path, json!({
            "card_description": "a", "description": "b", "picture_uri": "https://a.example/x.png",
            "policy_jwt_audience": "c", "policy_jwt_claim_expires_in": 1, "sourceID": "d",
            "configuration_uri_template": "https://a.example",
        })).await.expect(200);
        let cleared = [
            "card_description",
            "description",
            "picture_uri",
            "policy_jwt_audience",
            "policy_jwt_claim_expires_in",
            "sourceID",
            "configuration_uri_template",
        ];
        let mut body: Value = cleared.iter().map(|name| ((*name).to_owned(), json!(""))).collect();
        body["ui_extension_version_id"] = json!("");
        let shown = app.acme().patch(&path, body).await.expect(200);
        for name in cleared.iter().chain(&["ui_extension_version"]) {
            assert_eq!(shown[name], Value::Null, "{name}");
        }
        for (field, label) in [
            ("name", "Name"),
            ("reference", "Reference"),
            ("policy_jwt_alg", "Policy jwt alg"),
            ("webhook_uri_template", "Webhook uri template"),
        ] {
            for blank in [json!(null), json!(""), json!("  ")] {
                let answer = app.acme().patch(&path, json!({field: blank})).await;
                assert_eq!(answer.expect(422), invalid(field, &format!("{label} can't be blank")));
            }
        }
    }

    async fn a_cleared_list_may_arrive_as_an_empty_text(app: TestApp) {
        let path = existing(&app).await;
        app.acme()
            .patch(&path, json!({"new_scopes": "", "scopes_to_delete": "", "new_scopes_": null}))
            .await
            .expect(200);
    }

    async fn a_cleared_source_becomes_the_default(app: TestApp) {
        let path = existing(&app).await;
        for cleared in [json!(""), json!(null)] {
            let set = app.acme().patch(&path, json!({"source": "erp"})).await.expect(200);
            assert_eq!(set["source"], "erp");
            // Headers name the source of new records only.
            let client = app.acme().with("x-4me-source", "other");
            let shown = client.patch(&path, json!({"source": cleared})).await.expect(200);
            assert_eq!(shown["source"], "Xurrent API");
        }
        let kept = app.acme().patch(&path, json!({"name": "Other"})).await.expect(200);
        assert_eq!(kept["source"], "Xurrent API");
    }

    async fn only_an_administrator_changes_where_a_record_came_from(app: TestApp) {
        let plain = app.bearer(&app.plain_person("acme").await);
        let instance = json!({"name": "Echo", "service": {"id": 1, "name": "Echo"}, "source": "erp"});
        let form = json!({"name": "Form", "title": "Form", "category": "app_offering", "source": "erp"});
        for (collection, body) in
            [("/v1/service_instances", instance), ("/v1/ui_extensions", form)]
        {
            // On create it is a value like any other.
            let made = plain.post(collection, body).await.expect(201);
            assert_eq!(made["source"], "erp");
            let path = format!("{collection}/{}", made["id"]);
            for change in [json!({"source": "x"}), json!({"name": "x", "sourceID": null})] {
                let answer = plain.patch(&path, change).await;
                assert_eq!(answer.expect(403), json!({"message": "Forbidden"}), "{collection}");
            }
            assert_eq!(plain.get(&path).await.expect(200), made);
            plain.patch(&path, json!({"name": "Other"})).await.expect(200);
            let changed = app.acme().patch(&path, json!({"source": "x", "sourceID": "1"})).await;
            let changed = changed.expect(200);
            assert_eq!((&changed["source"], &changed["sourceID"]), (&json!("x"), &json!("1")));
        }
    }

    async fn the_source_in_a_header_may_be_any_text(app: TestApp) {
        let instance = service_instance(&app, "acme").await;
        let client = app.acme().with("x-4me-source", &format!("{}é", "é".repeat(30)));
        let made = client.post(PATH, offering("Named", instance)).await.expect(201);
        assert_eq!(made["source"], "é".repeat(30));
    }

    async fn every_scalar_may_arrive_as_text_or_not(app: TestApp) {
        let path = existing(&app).await;
        let shown = app
            .acme()
            .patch(&path, json!({"name": 5, "card_description": true, "sourceID": 1.5}))
            .await
            .expect(200);
        assert_eq!(
            (&shown["name"], &shown["card_description"], &shown["sourceID"]),
            (&json!("5"), &json!("true"), &json!("1.5"))
        );
        for value in [json!([]), json!({"a": 1})] {
            let answer = app.acme().patch(&path, json!({"name": value})).await;
            assert_eq!(answer.expect(422), invalid("name", "Name is invalid"));
        }
        for value in [json!("ES256"), json!(5), json!("none"), json!("hs256"), json!(["es256"])] {
            let answer = app.acme().patch(&path, json!({"policy_jwt_alg": value})).await;
            assert_eq!(
                answer.expect(422),
                invalid("policy_jwt_alg", "Policy jwt alg is not included in the list")
            );
        }
    }

    async fn limits_count_characters_and_those_of_long_texts_bytes(app: TestApp) {
        let path = existing(&app).await;
        for (field, label, max) in [
            ("name", "Name", 128),
            ("card_description", "Card description", 255),
            ("sourceID", "Source ID", 128),
            ("source", "Source", 30),
        ] {
            // Two bytes each, and four.
            for character in ["ä", "🚀"] {
                let text = character.repeat(max);
                let shown = app.acme().patch(&path, json!({field: text})).await.expect(200);
                assert_eq!(shown[field], json!(text));
                let answer =
                    app.acme().patch(&path, json!({field: character.repeat(max + 1)})).await;
                assert_eq!(
                    answer.expect(422),
                    invalid(field, &format!("{label} is too long (maximum is {max} characters)"))
                );
            }
        }
        for (field, label, max) in [
            ("compliance", "Compliance", 65_535),
            ("policy_jwt_audience", "Policy jwt audience", 2048),
        ] {
            let text = format!("{}{}", "ä".repeat(max / 2), "x".repeat(max % 2));
            let shown = app.acme().patch(&path, json!({field: text})).await.expect(200);
            assert_eq!(shown[field], json!(text));
            let answer = app.acme().patch(&path, json!({field: format!("{text}x")})).await;
            assert_eq!(
                answer.expect(422),
                invalid(field, &format!("{label} is too long (maximum is {max} bytes)"))
            );
        }
    }

    async fn line_ends_become_line_feeds(app: TestApp) {
        let path = existing(&app).await;
        let shown =
            app.acme().patch(&path, json!({"description": "a\r\nb\rc\nd"})).await.expect(200);
        assert_eq!(shown["description"], "a\nb\nc\nd");
    }

    async fn refusals_are_told_in_the_language_of_the_caller(app: TestApp) {
        let body = || json!({"policy_jwt_alg": "none", "service_instance_id": 9, "webhook_uri_template": "https://a.example", "reference": "x".repeat(162)});
        let errors = |texts: [&str; 4]| {
            json!({"message": "Validation Failed", "errors": [
                ["reference", texts[0]], ["name", texts[1]], ["policy_jwt_alg", texts[2]], ["service_instance", texts[3]],
            ]})
        };
        for (language, texts) in [
            (
                "en",
                [
                    "Reference is too long (maximum is 161 characters)",
                    "Name can't be blank",
                    "Policy jwt alg is not included in the list",
                    "Service instance must exist",
                ],
            ),
            ("de-CH", GERMAN),
            ("fr", FRENCH),
            ("nl_BE", DUTCH),
        ] {
            for header in ["X-Xurrent-Language", "X-4me-Language"] {
                let answer = app.acme().with(header, language).post(PATH, body()).await;
                assert_eq!(answer.expect(422), errors(texts), "{language}");
            }
        }
        // A language that nobody speaks here, then that of the account.
        let answer = app.acme().with("X-4me-Language", "tlh").post(PATH, body()).await;
        assert_eq!(answer.expect(422)["errors"][1][1], "Name can't be blank");
        app.execute("UPDATE accounts SET locale = 'de' WHERE id = 'acme'").await;
        app.advance_seconds(5);
        assert_eq!(app.acme().post(PATH, body()).await.expect(422), errors(GERMAN));
        let answer = app.acme().with("X-4me-Language", "en").post(PATH, body()).await;
        assert_eq!(answer.expect(422)["errors"][1][1], "Name can't be blank");
        // Only the texts about fields: programs compare the message.
        assert_eq!(
            app.acme().get("/v1/app_offerings/9").await.expect(404),
            json!({"message": "Not Found"})
        );
    }
}

const GERMAN: [&str; 4] = [
    "Referenz ist zu lang (maximal 161 Zeichen)",
    "Name muss ausgefüllt werden",
    "JWT-Algorithmus der Richtlinie ist nicht in der Liste enthalten",
    "Service-Instanz muss existieren",
];
const FRENCH: [&str; 4] = [
    "Référence comporte trop de caractères (161 au maximum)",
    "Nom ne peut pas être vide",
    "Algorithme JWT de la politique ne figure pas dans la liste",
    "Instance de service doit exister",
];
const DUTCH: [&str; 4] = [
    "Referentie is te lang (maximaal 161 tekens)",
    "Naam mag niet leeg zijn",
    "JWT-algoritme van het beleid komt niet voor in de lijst",
    "Service-instantie moet bestaan",
];
