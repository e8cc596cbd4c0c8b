//! Receiving a file (contract 3.8). It streams into the store; when it is whole and durable there, a
//! row in `uploads` makes it known. What a crash leaves in between nobody sees, and
//! [`sweep`](super::sweep) removes.
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter, Set};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::fields::{self, Fields};
use super::form::{Form, Part};
use super::grant::{self, Grant};
use super::{s3_policy, upload_entity};
use crate::directory::state::AppState;
use crate::kernel::config::UploadShape;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::answer;
use crate::kernel::idempotency::{Answer, Key};
use crate::kernel::secret::MasterKey;
use crate::offering_api::access::Caller;

/// Folder of the store where uploads are.
pub const FOLDER: &str = "uploads";
/// Longest name of a file, in characters.
const NAME_MAX: usize = 255;
/// Most parts before the file.
const MAX_FIELDS: usize = 50;
/// Name under which an `Idempotency-Key` of this operation is kept.
const ROUTE: &str = "POST /v1/attachments";
/// Content type of a file that names none.
pub const ANY_TYPE: &str = "application/octet-stream";

/// A request with a file.
pub struct Upload {
    caller: Option<Caller>,
    headers: HeaderMap,
    form: Form,
}

impl FromRequest<AppState> for Upload {
    type Rejection = Error;

    async fn from_request(request: Request, _: &AppState) -> Result<Self> {
        let caller = request.extensions().get::<Caller>().cloned();
        let headers = request.headers().clone();
        Ok(Self { caller, headers, form: Form::open(request).await? })
    }
}

/// A file that is in the store and not known yet.
struct Stored {
    blob: String,
    size: u64,
    digest: String,
}

/// What the transaction does with it.
struct Arrival {
    grant: Grant,
    file_key: String,
    name: String,
    content_type: String,
    stored: Stored,
    location: String,
    idempotency: Option<Key>,
    master: MasterKey,
    now: i64,
}

/// What the transaction made of it.
struct Outcome {
    answer: Answer,
    /// Whether the stored file is now known; otherwise it was there before.
    is_new: bool,
    replayed: bool,
}

/// Receives a file and answers its key.
///
/// # Errors
/// 400 for a malformed body, 403 for a forged description or one of another account than the token's,
/// 413 for a file that is too large, 422 for what is missing, expired or taken. Nothing is kept then.
pub async fn receive(state: &AppState, upload: Upload) -> Result<Response> {
    let Upload { caller, headers, mut form } = upload;
    let mut fields = Fields::new();
    while let Some(part) = form.next().await? {
        let name = part.name();
        if name == "file" {
            let grant = grant::verify(state, &fields, caller.as_ref())?;
            let arrival = arrive(state, part, &fields, grant, &headers).await?;
            return settle(state, arrival).await;
        }
        if fields.len() == MAX_FIELDS {
            return Err(Error::Unprocessable(format!(
                "The upload has more than {MAX_FIELDS} parts before its file"
            )));
        }
        fields.insert(name, part.text().await?);
    }
    // Whoever may not upload learns that first.
    grant::verify(state, &fields, caller.as_ref())?;
    Err(fields::lacking(&["file"]))
}

/// Stores the file and says what is to be known of it.
async fn arrive(
    state: &AppState,
    part: Part<'_>,
    fields: &Fields,
    grant: Grant,
    headers: &HeaderMap,
) -> Result<Arrival> {
    let file_name = part.file_name().unwrap_or_default();
    let name = safe_name(&grant.name.replace("${filename}", &safe_name(file_name)));
    if name.is_empty() {
        return Err(Error::Unprocessable("The part file has no usable file name".to_owned()));
    }
    let file_key = format!("{}{name}", grant.folder);
    let content_type = fields.get("content-type").map(String::as_str).or(part.content_type());
    let content_type = content_type.and_then(media_type).unwrap_or_else(|| ANY_TYPE.to_owned());
    // A key that cannot be used is refused before the file is read.
    Key::of(headers, &grant.account, ROUTE, b"")?;
    let stored = store(state, part).await?;
    let content = format!("{name}\n{}", stored.digest);
    let idempotency = Key::of(headers, &grant.account, ROUTE, content.as_bytes())?;
    let location = location(&state.site.public_url, &file_key);
    let now = state.clock.now();
    let master = state.site.key.clone();
    Ok(Arrival { grant, file_key, name, content_type, stored, location, idempotency, master, now })
}

/// Streams a part into the store, within the limit.
async fn store(state: &AppState, mut part: Part<'_>) -> Result<Stored> {
    let limit = state.config.upload_size_limit;
    part.expect_file(limit);
    let blob = format!("{FOLDER}/{:032x}", rand::random::<u128>());
    let mut file = state.storage.begin(&blob)?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let read = async {
        while let Some(chunk) = part.chunk().await? {
            size += chunk.len() as u64;
            if size > limit {
                return Err(Error::PayloadTooLarge(usize::try_from(limit).unwrap_or(usize::MAX)));
            }
            hash.update(&chunk);
            file.write(chunk).await?;
        }
        Ok(())
    };
    if let Err(error) = read.await {
        file.abandon().await;
        return Err(error);
    }
    file.finish().await?;
    Ok(Stored { blob, size, digest: hex::encode(hash.finalize()) })
}

/// Makes a stored file known, or lets go of it.
async fn settle(state: &AppState, arrival: Arrival) -> Result<Response> {
    let blob = arrival.stored.blob.clone();
    let turn = arrival.idempotency.as_ref().map(|key| state.running.take(key)).transpose();
    let outcome = match turn {
        Ok(_turn) => {
            state
                .store
                .write(arrival, |transaction, arrival| keep(transaction, arrival).boxed())
                .await
        }
        Err(error) => Err(error),
    };
    let is_superfluous = match &outcome {
        Ok(outcome) => !outcome.is_new,
        // After these it is not known whether the row is there. The sweep will see.
        Err(Error::Internal(_) | Error::Unavailable(_)) => false,
        Err(_) => true,
    };
    if is_superfluous && let Err(error) = state.storage.delete(&blob).await {
        tracing::warn!(%error, blob, "a superfluous file stays until the next sweep");
    }
    let Outcome { answer, replayed, .. } = outcome?;
    let is_xml = answer.status == 201;
    let mut response = answer::changed(answer);
    let headers = response.headers_mut();
    if is_xml {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        headers.remove(header::ETAG);
    }
    if replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

async fn keep(transaction: &DatabaseTransaction, arrival: &Arrival) -> Result<Outcome> {
    if let Some(key) = &arrival.idempotency
        && let Some(answer) = key.replay(transaction, &arrival.master, arrival.now).await?
    {
        return Ok(Outcome { answer, is_new: false, replayed: true });
    }
    let row = upload_entity::ActiveModel {
        account_id: Set(arrival.grant.account.clone()),
        file_key: Set(arrival.file_key.clone()),
        name: Set(arrival.name.clone()),
        content_type: Set(arrival.content_type.clone()),
        size: Set(i64::try_from(arrival.stored.size).map_err(Error::internal)?),
        digest: Set(arrival.stored.digest.clone()),
        blob: Set(arrival.stored.blob.clone()),
        created_at: Set(arrival.now),
        ..Default::default()
    };
    let mut once = OnConflict::column(upload_entity::Column::FileKey);
    once.do_nothing();
    let added = upload_entity::Entity::insert(row)
        .on_conflict(once)
        .exec_without_returning(transaction)
        .await?;
    if added == 0 {
        let known = upload_entity::Entity::of(&arrival.grant.account)
            .filter(upload_entity::COLUMN.file_key.eq(arrival.file_key.as_str()))
            .one(transaction)
            .await?;
        // The same file once more is no mistake: the first answer was lost.
        if known.is_none_or(|known| known.digest != arrival.stored.digest) {
            return Err(Error::Unprocessable(
                "Another file was uploaded under this key before".to_owned(),
            ));
        }
    }
    let answer = match arrival.grant.shape {
        UploadShape::Local => Answer {
            status: 200,
            location: None,
            body: json!({"key": arrival.file_key}).to_string().into_bytes(),
        },
        UploadShape::S3 => Answer {
            status: 201,
            location: Some(arrival.location.clone()),
            body: s3_policy::answer(&arrival.location, &arrival.file_key, &arrival.stored.digest)
                .into_bytes(),
        },
    };
    if let Some(key) = &arrival.idempotency {
        key.keep(transaction, &arrival.master, &answer, arrival.now).await?;
    }
    Ok(Outcome { answer, is_new: added > 0, replayed: false })
}

/// Address of an uploaded file in the manner of S3: below the address of the upload.
fn location(public_url: &str, file_key: &str) -> String {
    const SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_');
    format!("{public_url}/v1/attachments/{}", utf8_percent_encode(file_key, SAFE))
}

/// The name of a file without anything that could make it a path, break a header or mislead a reader;
/// empty when nothing is left.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|&character| !is_invisible(character)).collect();
    // Names of nothing but dots are folders.
    let visible = visible.trim().trim_start_matches('.').trim();
    let length = visible.chars().count();
    if length <= NAME_MAX {
        return visible.to_owned();
    }
    // A cut name keeps its extension.
    let extension = visible.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = if extension.chars().count() <= 16 { extension } else { "" };
    let kept = NAME_MAX - extension.chars().count() - 1;
    let stem: String = visible.chars().take(kept).collect();
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

/// Control characters, and those that turn the direction of text round or take no room: with them a
/// name can be shown as another.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A content type without its parameters; `None` for what is not one.
fn media_type(text: &str) -> Option<String> {
    let essence = text.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let is_token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    (essence.len() <= 127 && is_token(kind) && is_token(subtype)).then_some(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_safe() {
        for (name, safe) in [
            ("logo.png", "logo.png"),
            ("Übersicht (1).pdf", "Übersicht (1).pdf"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\ann\logo.png", "logo.png"),
            ("..", ""),
            ("", ""),
            (" . ", ""),
            (".htaccess", "htaccess"),
            ("a\r\nSet-Cookie: b\0.png", "aSet-Cookie: b.png"),
            ("photo\u{202e}gnp.exe", "photognp.exe"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.jpeg", "ä".repeat(300)));
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with("ä.jpeg"));
        assert_eq!(safe_name(&"x".repeat(300)).chars().count(), 254);
    }

    #[test]
    fn content_types_are_cut_to_their_essence() {
        for (text, kind) in [
            ("image/png", Some("image/png")),
            ("Text/Plain; charset=utf-8", Some("text/plain")),
            ("image/svg+xml", Some("image/svg+xml")),
            ("png", None),
            ("image/", None),
            ("image/p ng", None),
            ("a/b\r\nx: y", None),
        ] {
            assert_eq!(media_type(text).as_deref(), kind, "{text:?}");
        }
    }
}
