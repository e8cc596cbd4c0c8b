//! `/platform/appdev/headless-app`.
use appmarket::package_api::headless_app::pipeline::{self, Commit, Job, Progress};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::client::Client;
use crate::support::packages::{World, refused};
use crate::support::{Answer, TestApp};

const PATH: &str = "/api/platform/appdev/headless-app";
const LOGS: &str = "/api/platform/appdev/headless-app/logs/runtime";
const MINUTE: i64 = 60_000;

/// A hosted site of acme's tenant 1, with a client that asks for it.
struct Hosted {
    client: Client,
    /// The client without the headers that say which site it is about.
    plain: Client,
    site: i64,
}

async fn hosted(app: &TestApp) -> Hosted {
    let world = World::new(app).await;
    let loyalty = world.application("acme01.loyalty.1.0.0").await;
    let plain = world.client(&loyalty).await;
    for account in ["acme", "globex"] {
        app.execute(&format!(
            "INSERT INTO tenants (account_id, name, is_sandbox, created_at, updated_at) \
             VALUES ('{account}', 'Shop', TRUE, 0, 0)"
        ))
        .await;
    }
    // Two sites of tenant 1, the first of which is hosted, and a hosted one of tenant 2.
    for tenant in [1, 1, 2] {
        app.execute(&format!(
            "INSERT INTO sites (tenant_id, name, created_at) VALUES ({tenant}, 'Shop', 0)"
        ))
        .await;
    }
    let db = app.state.store.begin().await.unwrap();
    let application = app_id(app).await;
    for (site, folder) in [(1, "loyalty"), (3, "points")] {
        pipeline::link(&db, site, application, folder, 0).await.unwrap();
    }
    db.commit().await.unwrap();
    let client = plain.clone().with("x-vol-tenant", "1").with("x-vol-site", "1");
    Hosted { client, plain, site: 1 }
}

async fn app_id(app: &TestApp) -> i64 {
    app.count("SELECT id FROM applications WHERE app_id = 'loyalty'").await
}

/// Puts a log where the pipeline puts it.
async fn put(app: &TestApp, key: &str, text: &'static str) {
    let key = format!("hosting/{key}");
    app.state.storage.put(&key, Bytes::from_static(text.as_bytes())).await.unwrap();
}

/// Tells of a job that started so many minutes after the clock's beginning.
async fn job(app: &TestApp, site: i64, branch: &str, id: &str, minutes: i64) {
    let job = Job { site, branch: branch.to_owned(), id: id.to_owned() };
    let start = app.state.clock.now_millis();
    let progress = Progress {
        status: "running".to_owned(),
        started_at: Some(start + minutes * MINUTE),
        ended_at: None,
    };
    let db = app.state.store.begin().await.unwrap();
    pipeline::record(&db, &job, &progress, Commit::default(), start).await.unwrap();
    db.commit().await.unwrap();
}

fn keys(answer: &Value) -> Vec<&str> {
    answer["logs"].as_array().unwrap().iter().map(|log| log["key"].as_str().unwrap()).collect()
}

fn jobs(answer: &Value) -> Vec<&str> {
    answer["jobs"].as_array().unwrap().iter().map(|job| job["jobId"].as_str().unwrap()).collect()
}

/// Path and query of an address of this service.
fn local(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://api.example.test").unwrap().to_owned()
}

#[track_caller]
fn refused_parameter(answer: Answer, parameter: &str, why: &str) {
    let message = format!("Missing or invalid parameter: {parameter} {why}");
    let data = [("ParameterName", parameter), ("ErrorMessage", why)];
    refused(answer, 400, "MISSING_OR_INVALID_PARAMETER", &message, &data);
}

on_both! {
    async fn logs_are_listed_with_addresses_for_four_hours(app: TestApp) {
        let Hosted { client, .. } = hosted(&app).await;
        put(&app, "loyalty/2026-02-01-08/main.json.gz", "gzip").await;
        put(&app, "points/2026-02-01-08/main.json.gz", "theirs").await;
        let mut answer = client.get(LOGS).await.expect(200);
        let log = &mut answer["logs"][0];
        let written = log["lastModified"].take();
        assert!(written.as_str().unwrap().ends_with('Z') && written.as_str().unwrap().len() == 24);
        let url = log["logUrl"].take();
        assert_eq!(answer, json!({
            "nextToken": null, "prefix": null, "maxResults": 300, "isTruncated": false, "logs": [
                {"key": "2026-02-01-08/main.json.gz", "logUrl": null, "size": 4,
                    "lastModified": null},
            ],
        }));
        let beginning = "https://api.example.test/api/platform/appdev/headless-app/files/loyalty/\
                         2026-02-01-08/main.json.gz?expires=1769948100&signature=";
        assert!(url.as_str().unwrap().starts_with(beginning), "{url}");
        let file = app.anonymous().get(&local(&url)).await;
        assert_eq!(file.status.as_u16(), 200);
        assert_eq!(file.header("content-type"), "application/octet-stream");
        assert_eq!(file.header("content-disposition"),
            "attachment; filename=\"main.json.gz\"; filename*=UTF-8''main.json.gz");
        assert_eq!(file.header("cache-control"), "private, max-age=14400");
        assert_eq!(file.text(), "gzip");
    }

    async fn addresses_expire_and_cannot_be_forged(app: TestApp) {
        let Hosted { client, .. } = hosted(&app).await;
        put(&app, "loyalty/a.gz", "a").await;
        put(&app, "loyalty/b.gz", "b").await;
        put(&app, "loyalty/c d+é.gz", "c").await;
        let answer = client.get(LOGS).await.expect(200);
        let anybody = app.anonymous();
        assert_eq!(anybody.get(&local(&answer["logs"][2]["logUrl"])).await.text(), "c");
        let address = local(&answer["logs"][0]["logUrl"]);
        let message = "Item not found: log loyalty/a.gz";
        let data = [("Key", "loyalty/a.gz")];
        let later = address.replace("expires=1769948100", "expires=1769948101");
        let unsigned = address.split("&signature").next().unwrap().to_owned();
        let zero = format!("{unsigned}&signature={}", "0".repeat(64));
        let short = address[..address.len() - 2].to_owned();
        for wrong in [later, unsigned, zero, short] {
            refused(anybody.get(&wrong).await, 404, "ITEM_NOT_FOUND", message, &data);
        }
        let other = address.replace("a.gz", "b.gz");
        let message_of_other = "Item not found: log loyalty/b.gz";
        refused(anybody.get(&other).await, 404, "ITEM_NOT_FOUND", message_of_other,
            &[("Key", "loyalty/b.gz")]);
        refused_parameter(anybody.get(&address.replace("a.gz", "%ff")).await, "key", "must be UTF-8 text.");
        app.advance_seconds(4 * 3600 - 1);
        assert_eq!(anybody.get(&address).await.text(), "a");
        app.advance_seconds(1);
        refused(anybody.get(&address).await, 404, "ITEM_NOT_FOUND", message, &data);
    }

    async fn logs_are_paged_until_none_are_left(app: TestApp) {
        let Hosted { client, .. } = hosted(&app).await;
        let all = ["2026-01-31/a.gz", "2026-02-01/a.gz", "2026-02-01/b.gz", "2026-02-02/a.gz"];
        for key in all.iter().rev() {
            put(&app, &format!("loyalty/{key}"), "x").await;
        }
        // As the vendor's client asks.
        let path = format!("{LOGS}?prefix=&maxResults=500&nextToken=");
        let answer = client.get(&path).await.expect(200);
        assert_eq!((keys(&answer), &answer["maxResults"]), (all.to_vec(), &json!(500)));
        let first = client.get(&format!("{LOGS}?maxResults=3")).await.expect(200);
        assert_eq!((keys(&first), &first["isTruncated"]), (all[..3].to_vec(), &json!(true)));
        let token = first["nextToken"].as_str().unwrap();
        let path = format!("{LOGS}?maxResults=3&nexttoken={token}");
        let second = client.get(&path).await.expect(200);
        assert_eq!(keys(&second), &all[3..]);
        assert_eq!((&second["isTruncated"], &second["nextToken"]), (&json!(false), &Value::Null));
        for (query, count, effective) in [
            ("0", 1, 1),
            ("-5", 1, 1),
            ("5000", 4, 1000),
            ("2147483648", 4, 1000),
            ("99999999999999999999", 4, 1000),
            ("-99999999999999999999", 1, 1),
            ("%2B3", 3, 3),
        ] {
            let answer = client.get(&format!("{LOGS}?maxResults={query}")).await.expect(200);
            assert_eq!((keys(&answer).len(), &answer["maxResults"]), (count, &json!(effective)));
        }
    }

    async fn logs_are_found_by_the_beginning_of_their_keys(app: TestApp) {
        let Hosted { client, .. } = hosted(&app).await;
        for key in ["2026-01-31/a.gz", "2026-02-01/a.gz", "2026-02-02/a.gz"] {
            put(&app, &format!("loyalty/{key}"), "x").await;
        }
        let table = [
            ("prefix=2026-02", vec!["2026-02-01/a.gz", "2026-02-02/a.gz"]),
            ("dateprefix=2026-02-02", vec!["2026-02-02/a.gz"]),
            ("prefix=2026-02-01/a", vec!["2026-02-01/a.gz"]),
            ("prefix=2025", vec![]),
            ("prefix=../points", vec![]),
        ];
        for (query, expected) in table {
            let answer = client.get(&format!("{LOGS}?{query}")).await.expect(200);
            assert_eq!(keys(&answer), expected, "{query}");
            assert_eq!(answer["prefix"].as_str(), query.split_once('=').map(|(_, text)| text));
        }
    }

    async fn requests_that_cannot_be_read_are_refused_by_name(app: TestApp) {
        let Hosted { client, plain, .. } = hosted(&app).await;
        let (tenant, site) =
            ("must be the number of a tenant.", "must be the number of one of the tenant's sites.");
        for path in [LOGS.to_owned(), format!("{PATH}/builds/main"), format!("{PATH}/builds/main/logs/1")] {
            refused_parameter(plain.get(&path).await, "x-vol-tenant", tenant);
            for wrong in ["", "x", "0", "2147483648"] {
                let asked = plain.clone().with("x-vol-tenant", wrong).with("x-vol-site", "1");
                refused_parameter(asked.get(&path).await, "x-vol-tenant", tenant);
                let asked = plain.clone().with("x-vol-tenant", "1").with("x-vol-site", wrong);
                refused_parameter(asked.get(&path).await, "x-vol-site", site);
            }
        }
        for path in [LOGS.to_owned(), format!("{PATH}/builds/main")] {
            for wrong in ["many", "1.5", "1e3", "-", "+"] {
                let answer = client.get(&format!("{path}?maxResults={wrong}")).await;
                refused_parameter(answer, "maxResults", "must be an integer.");
            }
            // Another number than any machine counts to is one all the same.
            client.get(&format!("{path}?maxResults=99999999999999999999")).await.expect(200);
            let answer = client.get(&format!("{path}?nextToken=v1.00000000.AAAA")).await;
            let why = "must be the nextToken of the answer before, to the same request.";
            refused_parameter(answer, "nextToken", why);
        }
        let answer = client.get(&format!("{LOGS}?prefix={}", "x".repeat(1025))).await;
        refused_parameter(answer, "prefix", "must have at most 1024 characters.");
    }

    async fn a_token_of_one_list_is_none_of_another(app: TestApp) {
        let Hosted { client, site, .. } = hosted(&app).await;
        put(&app, "loyalty/a.gz", "a").await;
        put(&app, "loyalty/b.gz", "b").await;
        for (branch, id) in [("main", "1"), ("main", "2"), ("next", "1")] {
            job(&app, site, branch, id, 0).await;
        }
        let logs = client.get(&format!("{LOGS}?maxResults=1")).await.expect(200);
        let builds = client.get(&format!("{PATH}/builds/main?maxResults=1")).await.expect(200);
        let (logs, builds) = (logs["nextToken"].as_str().unwrap(), builds["nextToken"].as_str().unwrap());
        let why = "must be the nextToken of the answer before, to the same request.";
        for path in [
            format!("{LOGS}?nextToken={builds}"),
            format!("{LOGS}?prefix=a&nextToken={logs}"),
            format!("{PATH}/builds/main?nextToken={logs}"),
            format!("{PATH}/builds/next?nextToken={builds}"),
        ] {
            refused_parameter(client.get(&path).await, "nextToken", why);
        }
    }

    async fn sites_that_are_not_hosted_or_not_the_callers_are_not_found(app: TestApp) {
        let Hosted { plain, .. } = hosted(&app).await;
        // Not hosted, another tenant's, another account's, unknown; then a wrong tenant.
        for (tenant, site) in [("1", "2"), ("1", "3"), ("2", "3"), ("1", "99"), ("2", "1")] {
            let asked = plain.clone().with("x-vol-tenant", tenant).with("x-vol-site", site);
            let message = format!("Item not found: hosted site {site}");
            for path in [LOGS.to_owned(), format!("{PATH}/builds/main"), format!("{PATH}/builds/main/logs/1")] {
                let answer = asked.get(&path).await;
                refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("SiteId", site)]);
            }
        }
    }

    async fn builds_are_listed_the_newest_first(app: TestApp) {
        let Hosted { client, site, .. } = hosted(&app).await;
        let path = format!("{PATH}/builds/main");
        let none = json!({"nextToken": null, "jobs": []});
        assert_eq!(client.get(&path).await.expect(200), none);
        for (id, minutes) in [("1", 0), ("3", 20), ("2", 10), ("4", 20)] {
            job(&app, site, "main", id, minutes).await;
        }
        job(&app, site, "feature/x", "9", 0).await;
        let answer = client.get(&path).await.expect(200);
        assert_eq!(jobs(&answer), ["4", "3", "2", "1"]);
        assert_eq!(answer["jobs"][3], json!({"jobId": "1", "status": "RUNNING", "commitId": null,
            "commitTime": null, "startTime": "2026-02-01T08:15:00.000Z", "endTime": null}));
        assert_eq!(answer["nextToken"], Value::Null);
        let first = client.get(&format!("{path}?maxResults=2")).await.expect(200);
        assert_eq!(jobs(&first), ["4", "3"]);
        let token = first["nextToken"].as_str().unwrap();
        let second = client.get(&format!("{path}?maxResults=2&nextToken={token}")).await;
        let second = second.expect(200);
        assert_eq!((jobs(&second), &second["nextToken"]), (vec!["2", "1"], &Value::Null));
        let other = client.get(&format!("{PATH}/builds/feature%2Fx")).await.expect(200);
        assert_eq!(jobs(&other), ["9"]);
    }

    async fn what_the_pipeline_tells_is_shown(app: TestApp) {
        let Hosted { client, site, .. } = hosted(&app).await;
        let id = Job { site, branch: "main".to_owned(), id: "17".to_owned() };
        let progress = |status: &str| Progress {
            status: status.to_owned(), started_at: None, ended_at: None,
        };
        let commit = Commit { id: Some("0d1f6c2e".to_owned()), time: Some(1_769_933_000_000) };
        let now = app.state.clock.now_millis();
        let db = app.state.store.begin().await.unwrap();
        pipeline::record(&db, &id, &progress("PENDING"), commit, now).await.unwrap();
        pipeline::record_step(&db, &id, "BUILD", &progress("RUNNING"), None, now).await.unwrap();
        pipeline::record_step(&db, &id, "DEPLOY", &progress("PENDING"), None, now).await.unwrap();
        let (later, log) = (now + MINUTE, Some("builds/17/build.txt".to_owned()));
        pipeline::record_step(&db, &id, "BUILD", &progress("SUCCEED"), log, later).await.unwrap();
        pipeline::record(&db, &id, &progress("FAILED"), Commit::default(), later).await.unwrap();
        db.commit().await.unwrap();
        put(&app, "loyalty/builds/17/build.txt", "built").await;
        put(&app, "loyalty/builds/18/other.txt", "of no build").await;
        // Runtime logs are the others, however few are asked for.
        let logs = client.get(&format!("{LOGS}?maxResults=1")).await.expect(200);
        assert_eq!(keys(&logs), ["builds/18/other.txt"]);
        assert_eq!((&logs["isTruncated"], &logs["nextToken"]), (&json!(false), &Value::Null));
        let logs = client.get(&format!("{LOGS}?prefix=builds/17")).await.expect(200);
        assert_eq!(keys(&logs), [""; 0]);
        let list = client.get(&format!("{PATH}/builds/main")).await.expect(200);
        assert_eq!(list["jobs"], json!([{"jobId": "17", "status": "FAILED", "commitId": "0d1f6c2e",
            "commitTime": "2026-02-01T08:03:20.000Z", "startTime": "2026-02-01T08:15:00.000Z",
            "endTime": "2026-02-01T08:16:00.000Z"}]));
        let mut log = client.get(&format!("{PATH}/builds/main/logs/17")).await.expect(200);
        let url = log["steps"][0]["logUrl"].take();
        assert_eq!(app.anonymous().get(&local(&url)).await.text(), "built");
        assert_eq!(log, json!({"jobId": "17", "steps": [
            {"stepName": "BUILD", "status": "SUCCEED", "logUrl": null,
                "startTime": "2026-02-01T08:15:00.000Z", "endTime": "2026-02-01T08:16:00.000Z"},
            {"stepName": "DEPLOY", "status": "PENDING", "logUrl": null,
                "startTime": "2026-02-01T08:15:00.000Z", "endTime": null},
        ]}));
    }

    async fn a_job_is_one_of_its_branch(app: TestApp) {
        let Hosted { client, site, .. } = hosted(&app).await;
        job(&app, site, "main", "17", 0).await;
        let path = format!("{PATH}/builds/main/logs/17");
        let empty = json!({"jobId": "17", "steps": []});
        assert_eq!(client.get(&path).await.expect(200), empty);
        for (path, id) in [("main/logs/18", "18"), ("next/logs/17", "17")] {
            let message = format!("Item not found: build {id}");
            let answer = client.get(&format!("{PATH}/builds/{path}")).await;
            refused(answer, 404, "ITEM_NOT_FOUND", &message, &[("JobId", id)]);
        }
    }

    async fn a_linked_site_can_be_linked_again(app: TestApp) {
        let Hosted { client, .. } = hosted(&app).await;
        put(&app, "other/2026-02-01/a.gz", "x").await;
        let db = app.state.store.begin().await.unwrap();
        pipeline::link(&db, 1, app_id(&app).await, "other", 5).await.unwrap();
        db.commit().await.unwrap();
        let answer = client.get(LOGS).await.expect(200);
        assert_eq!(keys(&answer), ["2026-02-01/a.gz"]);
    }

    async fn the_behavior_is_needed(app: TestApp) {
        let world = World::new(&app).await;
        let weak = world.application_with("acme01.loyalty.1.0.0", &[]).await;
        let weak = world.client(&weak).await;
        let message = "Forbidden: the access token lacks the behavior 42.";
        let table = [
            (LOGS.to_owned(), "list_runtime_logs"),
            (format!("{PATH}/builds/main"), "list_builds"),
            (format!("{PATH}/builds/main/logs/1"), "get_build_log"),
        ];
        for (path, operation) in table {
            let data = [("OperationName", operation), ("BehaviorId", "42")];
            refused(weak.get(&path).await, 403, "FORBIDDEN", message, &data);
        }
    }

    async fn addresses_and_fields_are_those_of_the_family(app: TestApp) {
        let Hosted { client, site, .. } = hosted(&app).await;
        put(&app, "loyalty/a.gz", "a").await;
        job(&app, site, "Main", "17", 0).await;
        let path = "/API/Platform/AppDev/Headless-App/Logs/Runtime/?responsefields=logs(key)";
        let shown = client.get(path).await.expect(200);
        assert_eq!(shown, json!({"logs": [{"key": "a.gz"}]}));
        let path = "/platform/appdev/headless-app/BUILDS/Main/?responseFields=jobs(jobId)&x=";
        let shown = client.get(path).await.expect(200);
        assert_eq!(shown, json!({"jobs": [{"jobId": "17"}]}));
        let path = "/platform/appdev/headless-app/builds/Main/LOGS/17/?responseFields=jobId";
        assert_eq!(client.get(path).await.expect(200), json!({"jobId": "17"}));
    }
}

/// The address of a log says itself that it is valid: nothing but the store can fail it.
#[tokio::test]
async fn logs_that_cannot_be_read_say_whether_to_try_again() {
    let app = TestApp::sqlite().await;
    let Hosted { client, .. } = hosted(&app).await;
    put(&app, "loyalty/a.gz", "a").await;
    let list = client.get(LOGS).await.expect(200);
    let address = local(&list["logs"][0]["logUrl"]);
    // A link to itself is there, and cannot be opened.
    let file = app.folder().join("files/hosting/loyalty/a.gz");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&file, &file).unwrap();
    let message = "Something went wrong; the correlation id finds it in the server's log.";
    refused(app.anonymous().get(&address).await, 500, "UNEXPECTED_ERROR", message, &[]);
    // A bucket where nobody listens. All services of the tests have the same key.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = TestApp::sqlite_with(|config| {
        config.storage_url = Some("s3://appmarket-test".to_owned());
        config.storage_endpoint = Some(format!("http://{nobody}"));
        config.storage_access_key_id = Some("test".to_owned());
        config.storage_secret_access_key = Some("test".to_owned());
    })
    .await;
    let message = "The service is not available at the moment; try again soon.";
    let answer = away.anonymous().get(&address).await;
    assert_eq!(answer.header("retry-after"), "1");
    refused(answer, 503, "SYSTEM_MAINTENANCE", message, &[]);
}
