//! The query of a list of offerings: fields, order, filters, page. It is refused as a bad request, or means
//! the same however its letters are encoded.
#![no_main]
use std::sync::{Arc, LazyLock};

use appmarket::kernel::error::{Error, Result};
use appmarket::kernel::record::{ListQuery, View};
use appmarket::kernel::secret::MasterKey;
use appmarket::kernel::state::Site;
use appmarket::offering_api::app_offerings::dto::COLLECTION;
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

static VIEW: LazyLock<View> = LazyLock::new(|| {
    let site = Site {
        public_url: "https://api.example.test".to_owned(),
        domain: "example.test".to_owned(),
        account_url: "https://{account}.example.test".to_owned(),
        key: MasterKey::parse(&"07".repeat(32)).expect("64 hexadecimal digits are a key"),
    };
    View { account: "acme".into(), time_zone: Tz::Europe__Amsterdam, site: Arc::new(site), now: 0 }
});

/// Signs that have a meaning in a query, and one that has none.
const ENCODED: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'&')
    .add(b'=')
    .add(b'+')
    .add(b'%')
    .add(b'#')
    .add(b'!')
    .add(b'<')
    .add(b'>')
    .add(b'a');

fuzz_target!(|query: &str| {
    let read = match parse(query) {
        Ok(read) => read,
        Err(Error::BadRequest(_)) => return,
        Err(error) => panic!("{error:?}"),
    };
    assert!((1..=100).contains(&read.per_page), "{read:?}");
    assert!(!read.fields.is_empty(), "{read:?}");
    assert_eq!(read.sort.last().map(|key| key.field.name), Some("id"), "{read:?}");
    let written = parse(&encoded(query)).expect("the same was read before");
    assert_eq!(meaning(&read), meaning(&written));
});

fn parse(query: &str) -> Result<ListQuery> {
    ListQuery::parse(Some(query), &COLLECTION, None, "/v1/app_offerings", &VIEW)
}

/// The same query with other letters encoded. A comma stays as it is: without encoding it stands between two
/// values, with it in one.
fn encoded(query: &str) -> String {
    let part = |text: &str, keeps_commas: bool| {
        let text = text.replace('+', " ");
        let text =
            percent_decode_str(&text).decode_utf8().expect("it was read before").into_owned();
        let text = utf8_percent_encode(&text, &ENCODED).to_string();
        if keeps_commas { text } else { text.replace(',', "%2C") }
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        format!("{}={}", part(key, true), part(value, value.contains(',')))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// What a query asks for, to be compared.
fn meaning(query: &ListQuery) -> String {
    let fields: Vec<_> = query.fields.iter().map(|field| field.name).collect();
    let sort: Vec<_> = query.sort.iter().map(|key| (key.field.name, key.descending)).collect();
    let filters: Vec<_> =
        query.filters.iter().map(|filter| (filter.field.name, &filter.test)).collect();
    let subsets: Vec<_> = query.predefined.iter().map(|subset| subset.name).collect();
    format!("{fields:?} {sort:?} {filters:?} {subsets:?} {} {:?}", query.per_page, query.position)
}
