//! Who may upload what: a description of the upload that proves its own origin, for an hour
//! (contract 3.8). A client echoes it with the file; no token is needed then.
use chrono::{DateTime, Datelike};
use serde_json::{Value, json};

use super::fields::{Fields, expired, lacking, utc};
use super::s3_policy;
use crate::directory::state::AppState;
use crate::kernel::config::UploadShape;
use crate::kernel::error::{Error, Result};
use crate::kernel::secret::Purpose;
use crate::offering_api::access::Caller;

/// Seconds that a description is valid.
const LIFETIME: i64 = 60 * 60;

/// Permission to put files into one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Account that the files will belong to.
    pub account: String,
    /// Folder of the files' keys, with the slash at its end.
    pub folder: String,
    /// What the key ends with; `${filename}` stands for the name of the file.
    pub name: String,
    /// What the upload answers.
    pub shape: UploadShape,
}

/// The description of an upload by this caller.
pub fn describe(state: &AppState, caller: &Caller) -> Value {
    let now = state.clock.now();
    let limit = state.config.upload_size_limit;
    let folder = new_folder(caller, now);
    let expires = now / 1000 + LIFETIME;
    let (provider, parameters) = match state.config.upload_shape {
        UploadShape::Local => (
            "local",
            json!({
                "key": format!("{folder}${{filename}}"),
                "x-4me-expiration": utc(expires, "%Y-%m-%dT%H:%M:%SZ"),
                "x-4me-signature": hex::encode(signature(state, &folder, expires)),
            }),
        ),
        UploadShape::S3 => {
            let key = &state.site.key;
            ("s3", s3_policy::parameters(key, &folder, now / 1000, expires, limit))
        }
    };
    let mut description = json!({
        "size_limit": limit,
        "allowed_extensions": [],
        "provider": provider,
        "upload_uri": format!("{}/v1/attachments", state.site.public_url),
    });
    description[provider] = parameters;
    description
}

/// What the fields of an upload prove. Without any, a caller with a token gets a folder at once.
///
/// # Errors
/// 403 for a forged or foreign description, 422 for an incomplete or expired one.
pub fn verify(state: &AppState, fields: &Fields, caller: Option<&Caller>) -> Result<Grant> {
    let describes = |name: &str| name == "key" || name == "policy" || name.starts_with("x-");
    if let Some(caller) = caller
        && !fields.keys().any(|name| describes(name))
    {
        return Ok(Grant {
            account: caller.identity.account.to_string(),
            folder: new_folder(caller, state.clock.now()),
            name: "${filename}".to_owned(),
            shape: state.config.upload_shape,
        });
    }
    let key = fields.get("key").map_or("", String::as_str);
    let (folder, name) = key.split_at(key.rfind('/').map_or(0, |slash| slash + 1));
    let shape = if fields.contains_key("policy") {
        s3_policy::verify(&state.site.key, fields, folder, state.clock.now_millis() / 1000)?;
        UploadShape::S3
    } else {
        verify_local(state, fields, folder)?;
        UploadShape::Local
    };
    // Signed by this server, so it has the form that this server gives to folders.
    let account = folder.split('/').nth(1).ok_or(Error::Forbidden)?.to_owned();
    if caller.is_some_and(|caller| *caller.identity.account != *account) {
        return Err(Error::Forbidden);
    }
    Ok(Grant { account, folder: folder.to_owned(), name: name.to_owned(), shape })
}

fn verify_local(state: &AppState, fields: &Fields, folder: &str) -> Result<()> {
    let either = |name: &str| {
        let names = [format!("x-4me-{name}"), format!("x-xurrent-{name}")];
        names.iter().find_map(|name| fields.get(name)).map_or("", String::as_str)
    };
    let (expiration, signed) = (either("expiration"), either("signature"));
    let wanted = [("key", folder), ("x-4me-expiration", expiration), ("x-4me-signature", signed)];
    let missing: Vec<&str> =
        wanted.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        return Err(lacking(&missing));
    }
    let expires = DateTime::parse_from_rfc3339(expiration).map_err(|_| Error::Forbidden)?;
    let expires = expires.timestamp();
    let parts = parts(folder, &expires.to_string());
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    let signed = hex::decode(signed).ok().filter(|signed| signed.len() == 32);
    let signed = signed.ok_or(Error::Forbidden)?;
    if !state.site.key.verify(Purpose::Storage, &parts, &signed) {
        return Err(Error::Forbidden);
    }
    if expires <= state.clock.now_millis() / 1000 { Err(expired()) } else { Ok(()) }
}

fn signature(state: &AppState, folder: &str, expires: i64) -> [u8; 32] {
    let parts = parts(folder, &expires.to_string());
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    state.site.key.sign(Purpose::Storage, &parts)
}

/// What the signature covers: the folder names account and person.
fn parts(folder: &str, expires: &str) -> [String; 3] {
    ["upload".to_owned(), folder.to_owned(), expires.to_owned()]
}

/// A folder that no other upload has: account, day, person, time and a random part.
fn new_folder(caller: &Caller, now: i64) -> String {
    let identity = &caller.identity;
    let day = DateTime::from_timestamp_millis(now).unwrap_or_default();
    format!(
        "attachments/{}/{}/{:02}/{:02}/{}/{}-{:016x}/",
        identity.account,
        day.year(),
        day.month(),
        day.day(),
        identity.person,
        now / 1000,
        rand::random::<u64>()
    )
}
