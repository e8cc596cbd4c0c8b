//! `/healthz`, `/readyz`, `/version`: for whoever runs the service.
use serde_json::json;

use crate::on_both;
use crate::support::Answer;

#[track_caller]
fn is_not_ready(answer: Answer, detail: &str) {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(
        answer.expect(503),
        json!({
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": detail,
        })
    );
}

on_both! {
    async fn a_service_that_can_answer_says_so_to_anybody(app: TestApp) {
        let anybody = app.anonymous();
        assert_eq!(anybody.get("/healthz").await.expect(200), json!({"status": "ok"}));
        assert_eq!(anybody.get("/readyz").await.expect(200), json!({"status": "ready"}));
        let version = anybody.get("/version").await.expect(200);
        assert_eq!(version["name"], "appmarket");
        assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
        assert!(version["revision"].is_string());
        assert_eq!(version.as_object().unwrap().len(), 3);
    }

    async fn it_is_not_ready_until_every_migration_has_run(app: TestApp) {
        app.execute("DELETE FROM seaql_migrations WHERE version LIKE '%offerings_by_disabled'").await;
        let answer = app.anonymous().get("/readyz").await;
        is_not_ready(answer, "The database is not migrated; run `appmarket migrate`.");
        // It lives all the same: nobody should restart it for that.
        app.anonymous().get("/healthz").await.expect(200);
    }

    async fn it_is_not_ready_without_its_database(app: TestApp) {
        app.state.store.connection().clone().close().await.unwrap();
        let answer = app.anonymous().get("/readyz").await;
        is_not_ready(answer, "The database does not answer.");
        app.anonymous().get("/healthz").await.expect(200);
    }
}
