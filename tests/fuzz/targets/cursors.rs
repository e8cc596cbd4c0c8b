//! Cursors: one that was given out opens as what it was; no other text opens, and it opens nowhere else.
#![no_main]
use std::sync::{Arc, LazyLock};

use appmarket::kernel::record::View;
use appmarket::kernel::record::cursor::Cursor;
use appmarket::kernel::secret::MasterKey;
use appmarket::kernel::state::Site;
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const CONTEXT: &str = "/v1/app_offerings|+name+id";

static VIEW: LazyLock<View> = LazyLock::new(|| {
    let site = Site {
        public_url: "https://api.example.test".to_owned(),
        domain: "example.test".to_owned(),
        account_url: "https://{account}.example.test".to_owned(),
        key: MasterKey::parse(&"07".repeat(32)).expect("64 hexadecimal digits are a key"),
    };
    View { account: "acme".into(), time_zone: Tz::UTC, site: Arc::new(site), now: 0 }
});

fuzz_target!(|input: (i64, u16, u8, &str)| {
    let (offset, at, sign, text) = input;
    for keys in 0..3 {
        assert_eq!(Cursor::open(text, &VIEW, CONTEXT, keys), None, "it was never given out");
    }
    // Keys of rows: texts, whole numbers, booleans and null.
    let is_key = |key: &Value| !key.is_array() && !key.is_object() && !key.is_f64();
    let keys = match serde_json::from_str(text) {
        Ok(Value::Array(keys)) if keys.iter().all(is_key) => keys,
        _ => vec![text.into(), offset.into()],
    };
    let count = keys.len();
    let cursor = Cursor { offset, keys };
    let sealed = cursor.seal(&VIEW, CONTEXT);
    assert_eq!(Cursor::open(&sealed, &VIEW, CONTEXT, count), Some(cursor));
    assert_eq!(Cursor::open(&sealed, &VIEW, CONTEXT, count + 1), None);
    assert_eq!(Cursor::open(&sealed, &VIEW, "/v1/webhooks|+id", count), None);
    let other = View { account: "globex".into(), ..VIEW.clone() };
    assert_eq!(Cursor::open(&sealed, &other, CONTEXT, count), None);
    let at = usize::from(at) % sealed.len();
    let mut changed = sealed.clone();
    changed.replace_range(at..=at, char::from(sign % 128).encode_utf8(&mut [0; 4]));
    // An equals sign at the end is padding, which does not count, but the sign before it does.
    if changed != sealed {
        assert_eq!(Cursor::open(&changed, &VIEW, CONTEXT, count), None, "{sealed} as {changed}");
    }
});
