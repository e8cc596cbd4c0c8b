//! Records of another account are as if they were not there.
use http::{Method, StatusCode};

use super::records::{Records, send};
use super::{id, refuses};
use crate::document::of;
use crate::on_both;
use crate::support::receiver::Receiver;

/// In every text of the account that is to stay unseen.
const SECRET: &str = "zimtschnecke";
/// In every text of the account that looks.
const OWN: &str = "streuselkuchen";

/// Fails when an answer tells anything of acme.
#[track_caller]
fn tells_nothing(name: &str, text: &str) {
    for trace in [SECRET, "Acme", "acme", "Ann Lee"] {
        assert!(!text.contains(trace), "{name} tells of {trace}: {text}");
    }
}

on_both! {
    async fn what_another_account_has_is_not_found(app: TestApp) {
        let receiver = Receiver::of_anything();
        let theirs = Records::of(&app, "acme", SECRET, &receiver).await;
        let own = Records::of(&app, "initech", OWN, &receiver).await;
        app.deliver().await;
        let nobodys = own.nobodys();
        let entries = "SELECT COUNT(*) FROM audit_lines";
        let before = app.count(entries).await;
        let mut refused = 0;
        for operation in of("offering_api").filter(|operation| operation.path.contains('{')) {
            let name = operation.name();
            let is_free = operation.is_free();
            let client = if is_free { app.anonymous() } else { app.initech() };
            // They are there for those whose they are; operations that change name the same records.
            if operation.method() == Method::GET && !is_free {
                let owner = theirs.owner(&app, operation);
                let shown = send(operation, &owner, &theirs.path(operation, None)).await;
                assert_eq!(shown.status, 200, "{name}: {}", shown.text());
            }
            // What belongs to nobody in particular is opened by an address that cannot be guessed.
            let parameters = operation.path.matches('{').count();
            let first = usize::from(operation.path.starts_with("/accounts/"));
            if ["get_picture", "download_attachment"].contains(&id(operation)) {
                continue;
            }
            for place in first..parameters {
                let foreign = send(operation, &client, &own.path(operation, Some((place, &theirs)))).await;
                let missing = send(operation, &client, &own.path(operation, Some((place, &nobodys)))).await;
                tells_nothing(&name, &foreign.text());
                assert_eq!(foreign.status, missing.status, "{name}");
                assert_eq!(foreign.text(), missing.text(), "{name}");
                if is_free {
                    assert!(foreign.status.is_client_error(), "{name}: {}", foreign.status);
                } else {
                    refuses(operation, foreign, StatusCode::NOT_FOUND);
                }
                refused += 1;
            }
            app.advance_seconds(2);
        }
        assert!(refused > 60, "only {refused}");
        assert_eq!(app.count(entries).await, before);
    }

    async fn lists_show_nothing_of_other_accounts(app: TestApp) {
        let receiver = Receiver::of_anything();
        Records::of(&app, "acme", SECRET, &receiver).await;
        let own = Records::of(&app, "initech", OWN, &receiver).await;
        app.deliver().await;
        let mut with_own = 0;
        for operation in of("offering_api") {
            if operation.method() != Method::GET || operation.is_free() {
                continue;
            }
            let customer = operation.path.starts_with("/v1/app_instances/{");
            let client = if customer { app.globex() } else { app.initech() };
            let answer = client.get(&own.path(operation, None)).await;
            let (name, text) = (operation.name(), answer.text());
            assert_eq!(answer.status, 200, "{name}: {text}");
            tells_nothing(&name, &text);
            with_own += usize::from(text.contains(OWN));
            app.advance_seconds(2);
        }
        assert!(with_own > 20, "only {with_own} show what is one's own");
    }
}
