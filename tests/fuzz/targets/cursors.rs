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

static VIEW: LazyLock<View> = LazyLock::new(|| view("07"));

/// A server that gives no cursor out. Of those that the other one gives, the fuzzer sees the text while it is compared,
/// and offers it as input later.
static SILENT: LazyLock<View> = LazyLock::new(|| view("08"));

fn view(key: &str) -> View {
    let site = Site {
        public_url: "https://api.example.test".to_owned(),
        domain: "example.test".to_owned(),
        account_url: "https://{account}.example.test".to_owned(),
        key: MasterKey::parse(&key.repeat(32)).expect("64 hexadecimal digits are a key"),
    };
    View { account: "acme".into(), time_zone: Tz::UTC, site: Arc::new(site), now: 0 }
}

fuzz_target!(|input: (i64, u16, u8, &str)| {
    let (offset, at, sign, text) = input;
    for keys in 0..3 {
        assert_eq!(Cursor::open(text, &SILENT, CONTEXT, keys), None, "it was never given out");
        if let Some(cursor) = Cursor::open(text, &VIEW, CONTEXT, keys) {
            assert_eq!(cursor.seal(&VIEW, CONTEXT), text.trim_end_matches('='), "it was given out");
        }
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
    assert_eq!(Cursor::open(&sealed, &SILENT, CONTEXT, count), None);
    assert_eq!(Cursor::open(&sealed, &VIEW, CONTEXT, count + 1), None);
    assert_eq!(Cursor::open(&sealed, &VIEW, "/v1/webhooks|+id", count), None);
    let other = View { account: "globex".into(), ..VIEW.clone() };
    assert_eq!(Cursor::open(&sealed, &other, CONTEXT, count), None);
    let (at, end, sign) = (usize::from(at), sealed.len(), char::from(sign % 128));
    let mut changed = sealed.clone();
    let place = at % end;
    changed.replace_range(place..=place, sign.encode_utf8(&mut [0; 4]));
    if changed != sealed {
        assert_eq!(Cursor::open(&changed, &VIEW, CONTEXT, count), None, "{sealed} as {changed}");
    }
    let mut longer = sealed.clone();
    let place = at % (end + 1);
    longer.insert(place, sign);
    // An equals sign at the end is padding, which does not count.
    if (place, sign) != (end, '=') {
        assert_eq!(Cursor::open(&longer, &VIEW, CONTEXT, count), None, "{sealed} as {longer}");
    }
});
