//! Uploads in the shape of Amazon S3: a policy that says what may be posted, signed by AWS Signature
//! Version 4. Clients that speak only S3 upload here as they would there; nothing of it leaves this
//! server.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::fields::{Fields, expired, lacking, utc};
use crate::kernel::error::{Error, Result};
use crate::kernel::secret::{MasterKey, Purpose, hmac_sha256};

/// The one bucket.
pub const BUCKET: &str = "appmarket";
/// Name of the key that signs.
const ACCESS_KEY: &str = "appmarket";
const REGION: &str = "local";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What may be posted.
#[derive(Debug, Deserialize)]
struct Policy {
    expiration: String,
    conditions: Vec<Value>,
}

/// The fields of an upload into a folder. Times are seconds since the epoch.
pub fn parameters(key: &MasterKey, folder: &str, now: i64, expires: i64, limit: u64) -> Value {
    let date = utc(now, "%Y%m%dT%H%M%SZ");
    let credential = format!("{ACCESS_KEY}/{}/{REGION}/s3/aws4_request", &date[..8]);
    let policy = json!({
        "expiration": utc(expires, "%Y-%m-%dT%H:%M:%S.000Z"),
        "conditions": [
            {"bucket": BUCKET},
            {"acl": "private"},
            {"success_action_status": "201"},
            {"x-amz-algorithm": ALGORITHM},
            {"x-amz-credential": credential},
            {"x-amz-date": date},
            {"x-amz-server-side-encryption": "AES256"},
            ["starts-with", "$key", folder],
            ["starts-with", "$Content-Type", ""],
            ["content-length-range", 0, limit],
        ],
    });
    let policy = STANDARD.encode(policy.to_string());
    json!({
        "acl": "private",
        "key": format!("{folder}${{filename}}"),
        "policy": policy,
        "success_action_status": 201,
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": credential,
        "x-amz-date": date,
        "x-amz-server-side-encryption": "AES256",
        "x-amz-signature": hex::encode(signature(key, &date[..8], &policy)),
    })
}

/// Checks the fields of an upload into a folder. The length of the file is checked as it arrives.
///
/// # Errors
/// 403 when the policy was not signed here or does not allow the upload, 422 when fields are missing
/// or the policy has expired.
pub fn verify(key: &MasterKey, fields: &Fields, folder: &str, now: i64) -> Result<()> {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let missing: Vec<&str> = ["key", "policy", "x-amz-credential", "x-amz-signature"]
        .into_iter()
        .filter(|name| field(name).is_empty())
        .collect();
    if !missing.is_empty() {
        return Err(lacking(&missing));
    }
    let scope: Vec<&str> = field("x-amz-credential").split('/').collect();
    let [ACCESS_KEY, date, REGION, "s3", "aws4_request"] = scope[..] else {
        return Err(Error::Forbidden);
    };
    let signed = hex::decode(field("x-amz-signature")).map_err(|_| Error::Forbidden)?;
    if !bool::from(signature(key, date, field("policy"))[..].ct_eq(&signed)) {
        return Err(Error::Forbidden);
    }
    // From here on the policy is known to be one of ours.
    let policy = STANDARD.decode(field("policy")).map_err(|_| Error::Forbidden)?;
    let policy: Policy = serde_json::from_slice(&policy).map_err(|_| Error::Forbidden)?;
    let expires = DateTime::parse_from_rfc3339(&policy.expiration).map_err(|_| Error::Forbidden)?;
    if expires.timestamp() <= now {
        return Err(expired());
    }
    let value = |name: &str| {
        let name = name.to_ascii_lowercase();
        if name == "bucket" { BUCKET } else { field(&name) }
    };
    if !policy.conditions.iter().all(|condition| holds(condition, value)) {
        return Err(Error::Forbidden);
    }
    // The folder itself, not one that merely begins alike.
    let covers = |condition: &Value| *condition == json!(["starts-with", "$key", folder]);
    if policy.conditions.iter().any(covers) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Whether a condition of a policy holds for the fields' values.
fn holds<'a>(condition: &Value, value: impl Fn(&str) -> &'a str) -> bool {
    if let Some(exact) = condition.as_object() {
        return exact.iter().all(|(name, wanted)| wanted == value(name));
    }
    let Some([operator, name, wanted]) = condition.as_array().map(Vec::as_slice) else {
        return false;
    };
    let field = name.as_str().and_then(|name| name.strip_prefix('$')).map(value);
    match (operator.as_str(), field, wanted.as_str()) {
        (Some("eq"), Some(field), Some(wanted)) => field == wanted,
        (Some("starts-with"), Some(field), Some(wanted)) => field.starts_with(wanted),
        // Not a field; the length is known only at the end of the file.
        (Some("content-length-range"), None, None) => true,
        _ => false,
    }
}

/// AWS Signature Version 4 of a policy: a chain of keys, the last of which is good for one day, region
/// and service.
fn signature(key: &MasterKey, date: &str, policy: &str) -> [u8; 32] {
    let secret = hex::encode(key.sign(Purpose::Storage, &[b"s3"]));
    sign_policy(&secret, date, REGION, policy)
}

fn sign_policy(secret: &str, date: &str, region: &str, policy: &str) -> [u8; 32] {
    let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), date.as_bytes());
    for step in [region, "s3", "aws4_request"] {
        key = hmac_sha256(&key, step.as_bytes());
    }
    hmac_sha256(&key, policy.as_bytes())
}

/// The answer to an upload.
pub fn answer(location: &str, key: &str, tag: &str) -> String {
    let (location, key, tag) = (escaped(location), escaped(key), escaped(tag));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{location}</Location>\
         <Bucket>{BUCKET}</Bucket><Key>{key}</Key><ETag>&quot;{tag}&quot;</ETag></PostResponse>"
    )
}

/// Text inside an XML element. Control characters, which XML cannot hold, are in no key.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_amazons() {
        // The example of Amazon's page "Browser-based upload using HTTP POST (using AWS signature
        // version 4)": https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
        let policy = [
            r#"{ "expiration": "2015-12-30T12:00:00.000Z","#,
            r#"  "conditions": ["#,
            r#"    {"bucket": "sigv4examplebucket"},"#,
            r#"    ["starts-with", "$key", "user/user1/"],"#,
            r#"    {"acl": "public-read"},"#,
            r#"    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},"#,
            r#"    ["starts-with", "$Content-Type", "image/"],"#,
            r#"    {"x-amz-meta-uuid": "14365123651274"},"#,
            r#"    {"x-amz-server-side-encryption": "AES256"},"#,
            r#"    ["starts-with", "$x-amz-meta-tag", ""],"#,
            "",
            r#"    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},"#,
            r#"    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},"#,
            r#"    {"x-amz-date": "20151229T000000Z" }"#,
            "  ]",
            "}",
        ];
        let policy = STANDARD.encode(policy.join("\r\n"));
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(
            hex::encode(sign_policy(secret, "20151229", "us-east-1", &policy)),
            "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
        );
    }

    #[test]
    fn conditions_hold_or_not() {
        let value = |name: &str| if name == "key" { "a/b.png" } else { "" };
        for (condition, expected) in [
            (json!({"key": "a/b.png"}), true),
            (json!({"key": "a/c.png"}), false),
            (json!({"acl": "private"}), false),
            (json!(["eq", "$key", "a/b.png"]), true),
            (json!(["eq", "$key", "a/b"]), false),
            (json!(["starts-with", "$key", "a/"]), true),
            (json!(["starts-with", "$key", "b/"]), false),
            (json!(["starts-with", "$Content-Type", ""]), true),
            (json!(["content-length-range", 0, 10]), true),
            (json!(["ends-with", "$key", "png"]), false),
            (json!(["eq", "$key"]), false),
            (json!("key"), false),
        ] {
            assert_eq!(holds(&condition, value), expected, "{condition}");
        }
    }

    #[test]
    fn xml_is_escaped() {
        assert_eq!(escaped("<a&'b\"c>"), "&lt;a&amp;&apos;b&quot;c&gt;");
    }
}
