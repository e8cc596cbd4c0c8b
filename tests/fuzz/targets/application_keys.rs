//! Keys of packages: what is read is printed in one form, which reads as the same.
#![no_main]
use appmarket::package_api::convention::key::{AppKey, ApplicationName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let key = AppKey::parse(text, "appKey");
    let name = ApplicationName::parse(text, "nsAndAppId");
    let Ok(key) = key else { return };
    let name = name.expect("a key begins with the name of its application");
    assert_eq!((&name.namespace, &name.app_id), (&key.namespace, &key.app_id));
    let read = |text: &str| AppKey::parse(text, "appKey").expect("what was printed is a key");
    assert_eq!(read(&key.to_string()), key);
    assert_eq!(read(&key.lower().to_string()).lower(), key.lower());
    assert_eq!(read(&key.to_string().to_ascii_uppercase()).lower(), key.lower());
    assert_eq!(key.is_release(), key.lower().package == "release");
});
