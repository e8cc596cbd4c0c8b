//! How often a caller may call (contract 1.5). The database plays no part in it.
use serde_json::json;

use super::PATH;
use crate::on_both;
use crate::support::Answer;
use crate::support::TestApp;

async fn app(per_hour: u32, burst: u32) -> TestApp {
    TestApp::sqlite_with(|config| {
        config.rate_limit_per_hour = per_hour;
        config.rate_limit_burst = burst;
    })
    .await
}

#[track_caller]
fn check_refused(answer: Answer, wait: &str, remaining: &str) {
    assert_eq!(answer.header("retry-after"), wait);
    assert_eq!(answer.header("x-ratelimit-remaining"), remaining);
    assert_eq!(answer.header("x-ratelimit-reset"), "1769936400");
    assert_eq!(
        answer.expect(429),
        json!({"message": "Too Many Requests", "documentation_url": "https://api.example.test/docs"})
    );
}

#[tokio::test]
async fn a_burst_is_cut_off_for_two_seconds() {
    let app = app(100, 3).await;
    for remaining in ["99", "98", "97"] {
        let answer = app.acme().get(PATH).await;
        assert_eq!(answer.header("x-ratelimit-limit"), "100");
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining);
        answer.expect(200);
    }
    check_refused(app.acme().get(PATH).await, "2", "97");
    app.advance_seconds(1);
    check_refused(app.acme().get(PATH).await, "1", "97");
    // Somebody else is not held up.
    app.globex().get(PATH).await.expect(200);
    app.advance_seconds(1);
    app.acme().get(PATH).await.expect(200);
}

#[tokio::test]
async fn the_hour_is_counted_by_the_clock() {
    let app = app(5, 1000).await;
    for _ in 0..5 {
        app.acme().get(PATH).await.expect(200);
    }
    // It is a quarter past nine.
    check_refused(app.acme().get(PATH).await, "2700", "0");
    app.advance_seconds(2699);
    check_refused(app.acme().get(PATH).await, "1", "0");
    app.advance_seconds(1);
    let answer = app.acme().get(PATH).await;
    assert_eq!(answer.header("x-ratelimit-remaining"), "4");
    assert_eq!(answer.header("x-ratelimit-reset"), "1769940000");
    answer.expect(200);
}

#[tokio::test]
async fn all_tokens_of_a_person_count_together_and_refusals_count_too() {
    let app = app(4, 1000).await;
    let other = app.token("acme", None, &["app-offering:Read"], None).await;
    app.acme().get(PATH).await.expect(200);
    app.bearer(&other).get(PATH).await.expect(200);
    app.bearer(&other).post(PATH, json!({})).await.expect(403);
    app.acme().with("x-4me-account", "globex").get(PATH).await.expect(400);
    check_refused(app.acme().get(PATH).await, "2700", "0");
    check_refused(app.bearer(&other).get(PATH).await, "2700", "0");
}

#[tokio::test]
async fn whoever_tries_tokens_is_slowed_down() {
    let app = app(3600, 3).await;
    for _ in 0..3 {
        app.bearer("amt_wrong").get(PATH).await.expect(401);
    }
    let answer = app.bearer("amt_wrong").get(PATH).await;
    assert_eq!(answer.header("x-ratelimit-limit"), "3600");
    check_refused(answer, "2", "3597");
    // Those who have one are not.
    app.acme().get(PATH).await.expect(200);
}

#[tokio::test]
async fn behind_proxies_the_address_they_tell_is_counted() {
    let counted = async |proxies: u32, forwarded: &[&str]| {
        let app = TestApp::sqlite_with(|config| {
            config.rate_limit_burst = 1;
            config.proxies = proxies;
        })
        .await;
        let mut counted = 0;
        for addresses in forwarded {
            let client = app.anonymous().with("x-forwarded-for", addresses);
            if client.get("/v1").await.status == 200 {
                counted += 1;
            }
        }
        counted
    };
    // Every address once; whatever the client itself had written stands before it.
    let one_proxy = [
        "192.0.2.1",
        "x, 192.0.2.2",
        "192.0.2.1, 192.0.2.3:4711",
        "[2001:db8::1]:80",
        "2001:db8::2",
    ];
    assert_eq!(counted(1, &one_proxy).await, 5);
    assert_eq!(counted(1, &["192.0.2.1", "192.0.2.2, 192.0.2.1"]).await, 1);
    assert_eq!(
        counted(2, &["192.0.2.1, 10.0.0.1", "192.0.2.2, 10.0.0.1", "192.0.2.1, 10.0.0.2"]).await,
        2
    );
    // What is missing or no address leaves the connection's own.
    assert_eq!(counted(2, &["192.0.2.1", "192.0.2.2"]).await, 1);
    assert_eq!(counted(1, &["unknown", "hidden"]).await, 1);
    assert_eq!(counted(0, &["192.0.2.1", "192.0.2.2"]).await, 1);
}

#[tokio::test]
async fn the_limits_can_be_asked_for_once_a_second_and_at_no_cost() {
    let app = app(100, 1000).await;
    app.acme().get(PATH).await.expect(200);
    for _ in 0..3 {
        let answer = app.acme().get("/v1/rate_limit").await;
        assert_eq!(answer.header("x-ratelimit-remaining"), "99");
        assert_eq!(
            answer.expect(200),
            json!({"limit": 100, "remaining": 99, "reset": 1_769_936_400})
        );
        check_refused(app.acme().get("/v1/rate_limit").await, "1", "99");
        app.advance_seconds(1);
    }
}

#[tokio::test]
async fn a_refusal_names_the_page_that_the_operator_chose() {
    let app = TestApp::sqlite_with(|config| {
        config.rate_limit_burst = 1;
        config.documentation_url = Some("https://example.org/limits".to_owned());
    })
    .await;
    app.acme().get(PATH).await.expect(200);
    let answer = app.acme().get(PATH).await.expect(429);
    assert_eq!(answer["documentation_url"], "https://example.org/limits");
}

on_both! {
    async fn servers_on_one_database_count_together(app: TestApp with |config| config.rate_limit_per_hour = 10) {
        for _ in 0..4 {
            app.acme().get(PATH).await.expect(200);
        }
        // Another server has counted five of the same person.
        app.execute(
            "INSERT INTO rate_limits (caller, window_start, used) VALUES ('person:1', 491648, 5)",
        )
        .await;
        app.state.identities.share(&app.state.kernel).await.unwrap();
        assert_eq!(app.count("SELECT used FROM rate_limits WHERE caller = 'person:1'").await, 9);
        let answer = app.acme().get(PATH).await;
        assert_eq!(answer.header("x-ratelimit-remaining"), "0");
        answer.expect(200);
        check_refused(app.acme().get(PATH).await, "2700", "0");
    }
}
