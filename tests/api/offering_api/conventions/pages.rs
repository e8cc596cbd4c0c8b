//! Pages by number and by cursor, and the headers that lead on (contract 1.9, 1.10).
use std::cmp::Ordering;

use serde_json::json;

use super::{PATH, Row, ids, refused};
use crate::offering_api::app_offerings::service_instance;
use crate::on_both;
use crate::support::Answer;
use crate::support::TestApp;
use crate::support::app::START;

const COUNT: i64 = 45;

/// What an offering is sorted by; its id is its place in the list, from 1.
struct Key {
    reference: String,
    name: String,
    source_id: Option<&'static str>,
    created_at: i64,
    updated_at: i64,
}

/// Forty-five offerings with ties in everything but their reference, and with missing values.
fn keys() -> Vec<Key> {
    (0..COUNT)
        .map(|index| Key {
            // Neither the order of ids nor its reverse.
            reference: format!("r{:02}", index * 17 % COUNT),
            name: ["Beta", "alpha", "Ärger", "Alpha", "zeta"][usize::try_from(index % 5).unwrap()]
                .to_owned(),
            source_id: [None, Some("B"), Some("A"), None, Some("")]
                [usize::try_from(index * 7 % 5).unwrap()],
            created_at: START + index / 10 * 1000,
            updated_at: START + (index * 13 % 4) * 1000,
        })
        .collect()
}

async fn seed(app: &TestApp, count: i64) {
    let instance = service_instance(app, "acme").await;
    for key in keys().iter().take(usize::try_from(count).unwrap()) {
        let Key { reference, name, source_id, created_at, updated_at } = key;
        Row {
            account: "acme",
            instance,
            reference,
            name,
            source: "test",
            source_id: *source_id,
            disabled: false,
            created_at: *created_at,
            updated_at: *updated_at,
        }
        .insert(app)
        .await;
    }
}

/// The ids in the order that a sort demands: nulls first, ties by id.
fn expected(sort: &str) -> Vec<i64> {
    let keys = keys();
    let of = |id: &i64| &keys[usize::try_from(*id - 1).unwrap()];
    let mut ids: Vec<i64> = (1..=COUNT).collect();
    ids.sort_by(|left, right| {
        let compare = |name: &str| match name {
            "id" => left.cmp(right),
            "reference" => of(left).reference.cmp(&of(right).reference),
            "name" => of(left).name.cmp(&of(right).name),
            "sourceID" => of(left).source_id.cmp(&of(right).source_id),
            "created_at" => of(left).created_at.cmp(&of(right).created_at),
            _ => of(left).updated_at.cmp(&of(right).updated_at),
        };
        sort.split(',')
            .map(|name| match name.strip_prefix('-') {
                Some(name) => compare(name).reverse(),
                None => compare(name),
            })
            .find(|order| *order != Ordering::Equal)
            .unwrap_or_else(|| left.cmp(right))
    });
    ids
}

/// The path of a neighbouring page, read as the pickiest client does: split at every `,` and `;`.
fn neighbour(answer: &Answer, rel: &str) -> Option<String> {
    let links = answer.headers.get("link")?.to_str().unwrap();
    links.split(',').find_map(|link| {
        let parts: Vec<&str> = link.split(';').collect();
        let [url, relation] = parts[..] else { panic!("{link}") };
        let url = url.strip_prefix('<').unwrap().strip_suffix('>').unwrap();
        let path = url.strip_prefix("https://api.example.test").unwrap();
        (relation == format!(" rel=\"{rel}\"")).then(|| path.to_owned())
    })
}

const SORTS: &[&str] = &[
    "id",
    "-id",
    "reference",
    "-reference",
    "name",
    "-name",
    "sourceID",
    "-sourceID",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "sourceID,-name",
    "-sourceID,name",
    "name,-id",
    "-created_at,sourceID",
    "-sourceID,-updated_at,-id",
    "updated_at,-sourceID,name",
    "id,name",
];

on_both! {
    async fn pages_by_number_and_by_cursor_show_every_record_once_and_in_order(app: TestApp) {
        seed(&app, COUNT).await;
        for sort in SORTS {
            let expected = expected(sort);
            let base = format!("{PATH}?fields=id&per_page=7&sort={sort}");
            let mut by_number = Vec::new();
            for page in 1..=7 {
                by_number.extend(ids(&app
                    .acme()
                    .get(&format!("{base}&page={page}"))
                    .await
                    .expect(200)));
            }
            assert_eq!(by_number, expected, "{sort} by number");
            let (mut forwards, mut next) = (Vec::new(), Some(base));
            let mut last = String::new();
            while let Some(path) = next {
                let answer = app.acme().get(&path).await;
                let page = usize::try_from(COUNT).unwrap().min(forwards.len()) / 7 + 1;
                assert_eq!(answer.header("x-pagination-current-page"), page.to_string(), "{sort}");
                next = neighbour(&answer, "next");
                forwards.extend(ids(&answer.expect(200)));
                last = path;
            }
            assert_eq!(forwards, expected, "{sort} forwards");
            let (mut backwards, mut previous) = (Vec::new(), Some(last));
            while let Some(path) = previous {
                let answer = app.acme().get(&path).await;
                previous = neighbour(&answer, "prev");
                let mut page = ids(&answer.expect(200));
                page.append(&mut backwards);
                backwards = page;
            }
            assert_eq!(backwards, expected, "{sort} backwards");
        }
    }

    async fn the_default_order_is_by_reference(app: TestApp) {
        seed(&app, COUNT).await;
        let list = app.acme().get("/v1/app_offerings?per_page=100").await.expect(200);
        assert_eq!(ids(&list), expected("reference"));
        let list = app.acme().get("/v1/app_offerings?per_page=100&sort=").await.expect(200);
        assert_eq!(ids(&list), expected("reference"));
    }

    async fn cursors_keep_their_place_in_a_filtered_list(app: TestApp) {
        seed(&app, COUNT).await;
        let expected: Vec<i64> = expected("-name").into_iter().filter(|id| *id > 20).collect();
        let (mut found, mut next) =
            (Vec::new(), Some(format!("{PATH}?id=%3E20&sort=-name&per_page=4&fields=id,name")));
        while let Some(path) = next {
            let answer = app.acme().get(&path).await;
            assert_eq!(answer.header("x-pagination-total-entries"), "25");
            next = neighbour(&answer, "next");
            found.extend(ids(&answer.expect(200)));
        }
        assert_eq!(found, expected);
    }

    async fn records_that_come_and_go_move_no_page_of_a_cursor(app: TestApp) {
        seed(&app, 10).await;
        let first = app.acme().get("/v1/app_offerings?sort=id&per_page=4").await;
        let next = neighbour(&first, "next").unwrap();
        app.execute("DELETE FROM app_offerings WHERE id IN (1, 2, 4)").await;
        let second = app.acme().get(&next).await;
        assert_eq!(second.header("x-pagination-total-entries"), "7");
        assert_eq!(ids(&second.expect(200)), [5, 6, 7, 8]);
    }

    async fn two_pages_by_cursor(app: TestApp) {
        seed(&app, 25).await;
        const BASE: &str = "https://api.example.test/v1/app_offerings";
        let first = app.acme().get(PATH).await;
        let end = first.header("x-pagination-end-cursor").to_owned();
        assert_eq!(first.header("link"), format!("<{BASE}?search_after={end}>; rel=\"next\""));
        let second = app.acme().get(&format!("{PATH}?search_after={end}")).await;
        let start = second.header("x-pagination-start-cursor").to_owned();
        assert_eq!(
            second.header("link"),
            format!("<{BASE}>; rel=\"first\",<{BASE}?search_before={start}>; rel=\"prev\"")
        );
        assert_eq!(second.header("x-pagination-current-page"), "2");
        assert_eq!(second.expect(200).as_array().unwrap().len(), 5);
        // Back on the first page there is nothing before it.
        let back = app.acme().get(&format!("{PATH}?search_before={start}")).await;
        assert_eq!(back.header("link"), first.header("link"));
        assert_eq!(back.header("x-pagination-current-page"), "1");
        assert_eq!(back.expect(200), first.expect(200));
    }

    async fn three_pages_by_cursor_with_every_parameter_kept_and_encoded(app: TestApp) {
        seed(&app, 25).await;
        let query = "per_page=10&fields=id,name&id=%3E0&sort=-name,id&state=latest_internal&predefined_filter=a;b";
        let kept = "per_page=10&fields=id%2Cname&id=%3E0&sort=-name%2Cid&state=latest_internal&predefined_filter=a%3Bb";
        let base = format!("https://api.example.test/v1/app_offerings?{kept}");
        let first = app.acme().get(&format!("{PATH}?{query}")).await;
        let end = first.header("x-pagination-end-cursor");
        assert_eq!(first.header("link"), format!("<{base}&search_after={end}>; rel=\"next\""));
        let second = app.acme().get(&neighbour(&first, "next").unwrap()).await;
        let (start, end) =
            (second.header("x-pagination-start-cursor"), second.header("x-pagination-end-cursor"));
        assert_eq!(
            second.header("link"),
            format!(
                "<{base}>; rel=\"first\",<{base}&search_before={start}>; rel=\"prev\",<{base}&search_after={end}>; rel=\"next\""
            )
        );
        let third = app.acme().get(&neighbour(&second, "next").unwrap()).await;
        let start = third.header("x-pagination-start-cursor");
        assert_eq!(
            third.header("link"),
            format!("<{base}>; rel=\"first\",<{base}&search_before={start}>; rel=\"prev\"")
        );
        assert_eq!(ids(&third.expect(200)).len(), 5);
    }

    async fn three_pages_by_number(app: TestApp) {
        seed(&app, COUNT).await;
        const BASE: &str = "https://api.example.test/v1/app_offerings?sort=id";
        for (page, links) in [
            (1, format!("<{BASE}&page=2>; rel=\"next\"")),
            (
                2,
                format!(
                    "<{BASE}&page=1>; rel=\"first\",<{BASE}&page=1>; rel=\"prev\",<{BASE}&page=3>; rel=\"next\""
                ),
            ),
            (3, format!("<{BASE}&page=1>; rel=\"first\",<{BASE}&page=2>; rel=\"prev\"")),
        ] {
            let answer = app.acme().get(&format!("{PATH}?page={page}&sort=id")).await;
            assert_eq!(answer.header("link"), links);
            assert_eq!(answer.header("x-pagination-per-page"), "20");
            assert_eq!(answer.header("x-pagination-current-page"), page.to_string());
            assert_eq!(answer.header("x-pagination-total-pages"), "3");
            assert_eq!(answer.header("x-pagination-total-entries"), "45");
            let expected: Vec<i64> = (page * 20 - 19..=COUNT.min(page * 20)).collect();
            assert_eq!(ids(&answer.expect(200)), expected);
        }
    }

    async fn a_page_beyond_the_end_is_empty_and_leads_back(app: TestApp) {
        seed(&app, COUNT).await;
        for page in [4, 9, 1_000, i64::MAX] {
            let answer = app.acme().get(&format!("{PATH}?page={page}")).await;
            assert_eq!(answer.header("x-pagination-total-entries"), "45");
            assert_eq!(answer.header("x-pagination-total-pages"), "3");
            let base = "https://api.example.test/v1/app_offerings";
            assert_eq!(
                answer.header("link"),
                format!("<{base}?page=1>; rel=\"first\",<{base}?page=3>; rel=\"prev\"")
            );
            assert!(!answer.headers.contains_key("x-pagination-start-cursor"));
            assert_eq!(answer.expect(200), json!([]));
        }
    }

    async fn one_page_has_no_links(app: TestApp) {
        let empty = app.acme().get(PATH).await;
        assert_eq!(empty.header("x-pagination-total-entries"), "0");
        assert_eq!(empty.header("x-pagination-total-pages"), "0");
        assert!(!empty.headers.contains_key("link"));
        assert_eq!(empty.expect(200), json!([]));
        seed(&app, 20).await;
        for path in [
            PATH,
            "/v1/app_offerings?page=1",
            "/v1/app_offerings?id=%3E0",
            "/v1/app_offerings?id=0&page=1",
        ] {
            assert!(!app.acme().get(path).await.headers.contains_key("link"), "{path}");
        }
        let single = app.acme().get("/v1/app_offerings/1").await;
        assert!(single.headers.keys().all(|name| !name.as_str().starts_with("x-pagination")));
        assert!(!single.headers.contains_key("link"));
        let full = app.acme().get("/v1/app_offerings?per_page=10&page=2").await;
        assert_eq!(full.header("x-pagination-total-pages"), "2");
        assert!(neighbour(&full, "next").is_none());
    }

    async fn a_page_has_at_most_a_hundred_records(app: TestApp) {
        seed(&app, COUNT).await;
        for (asked, given) in [("100", "100"), ("101", "100"), ("1000000", "100"), ("1", "1")] {
            let answer = app.acme().get(&format!("{PATH}?per_page={asked}")).await;
            assert_eq!(answer.header("x-pagination-per-page"), given);
        }
    }

    async fn a_cursor_is_good_for_its_own_list_only(app: TestApp) {
        seed(&app, 25).await;
        let answer = app.acme().get("/v1/app_offerings?sort=name").await;
        let cursor = answer.header("x-pagination-end-cursor").to_owned();
        let flipped = |at: usize| {
            let mut text = cursor.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(text).unwrap()
        };
        let forged = [
            flipped(2),
            flipped(cursor.len() / 2),
            flipped(cursor.len() - 4),
            cursor[4..].to_owned(),
            format!("{cursor}AAAA"),
            "x".to_owned(),
            "eyJvZmZzZXQiOjB9".to_owned(),
            String::new(),
            "%00".to_owned(),
            "%F0%9F%9A%80".to_owned(),
        ];
        for cursor in forged {
            for parameter in ["search_after", "search_before"] {
                let answer =
                    app.acme().get(&format!("{PATH}?sort=name&{parameter}={cursor}")).await;
                refused(answer, 400, "Invalid cursor");
            }
        }
        for query in [
            "",
            "sort=-name&",
            "sort=name,sourceID&",
            "sort=id&",
            "state=latest_internal&sort=name&",
            "sort=name&disabled=false&",
        ] {
            refused(
                app.acme().get(&format!("{PATH}?{query}search_after={cursor}")).await,
                400,
                "Invalid cursor",
            );
        }
        let other = format!("/v1/app_offerings/latest_internal?sort=name&search_after={cursor}");
        refused(app.acme().get(&other).await, 400, "Invalid cursor");
        let own = format!("{PATH}?sort=name&search_after={cursor}");
        refused(app.globex().get(&own).await, 400, "Invalid cursor");
        assert_eq!(ids(&app.acme().get(&own).await.expect(200)).len(), 5);
        // Padding, which some clients add, changes nothing.
        app.acme().get(&format!("{own}==")).await.expect(200);
        for both in
            ["page=1&search_after=x", "search_before=x&page=2", "search_after=x&search_before=x"]
        {
            refused(
                app.acme().get(&format!("{PATH}?{both}")).await,
                400,
                "Parameters 'page', 'search_after' and 'search_before' cannot be combined",
            );
        }
    }

    async fn pages_of_a_path_with_a_slash_or_json_lead_on_too(app: TestApp) {
        seed(&app, 25).await;
        let plain = app.acme().get(PATH).await;
        for path in
            ["/v1/app_offerings/", "/v1/app_offerings.json", "/v1/app_offerings/?per_page=20"]
        {
            let first = app.acme().get(path).await;
            let second = app.acme().get(&neighbour(&first, "next").unwrap()).await;
            assert_eq!(ids(&second.expect(200)).len(), 5, "{path}");
            // It is the same list, whatever its path ends with.
            let cursor = first.header("x-pagination-end-cursor");
            assert_eq!(cursor, plain.header("x-pagination-end-cursor"), "{path}");
        }
    }
}
