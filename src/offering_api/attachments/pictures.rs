//! Pictures of records: written as a `data:` URL or uploaded, kept in the store, read by an address
//! that nobody can guess.
//!
//! A picture's name is a keyed hash of its content: writing the same picture again changes nothing.
//! Nothing removes a picture, since browsers and audit entries keep its address.
use axum::response::Response;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::{HeaderValue, header};

use crate::directory::state::AppState;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::file;
use crate::kernel::language::violation::Violation;
use crate::kernel::record::Changes;
use crate::kernel::record::input::{Input, is_http_url};
use crate::kernel::secret::Purpose;

/// Folder of the store where pictures are.
pub const FOLDER: &str = "pictures";
/// Where pictures are read.
const PATH: &str = "/v1/attachments/pictures/";
/// Largest picture, in bytes: its `data:` URL still fits the field.
pub const MAX: usize = 512 * 1024;
/// Clients differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What pictures may be, with the name's extension. Drawings that can carry scripts are not among them.
const TYPES: [(&str, &str); 4] =
    [("png", "image/png"), ("jpg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp")];

/// A picture that is to be kept.
#[derive(Clone, Debug)]
pub struct Picture {
    name: String,
    bytes: Bytes,
}

impl Picture {
    /// A picture of an account by its bytes, or by the text of a `data:` URL in their place; `None` for
    /// anything but a raster image of bounded size.
    pub fn new(state: &AppState, account: &str, bytes: Vec<u8>) -> Option<Self> {
        let bytes = if bytes.starts_with(b"data:") {
            decode(std::str::from_utf8(&bytes).ok()?)?
        } else {
            bytes
        };
        let extension = extension(&bytes).filter(|_| bytes.len() <= MAX)?;
        let parts = [b"picture", account.as_bytes(), bytes.as_slice()];
        let hash = state.site.key.sign(Purpose::Storage, &parts);
        Some(Self { name: format!("{}.{extension}", hex::encode(hash)), bytes: bytes.into() })
    }

    /// What a record keeps of it.
    pub fn path(&self) -> String {
        format!("{PATH}{}", self.name)
    }

    /// Puts it into the store. Comes before the transaction that refers to it; if that fails, an
    /// unused picture stays.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep(&self, state: &AppState) -> Result<()> {
        let key = format!("{FOLDER}/{}", self.name);
        if state.storage.size(&key).await?.is_some() {
            return Ok(());
        }
        state.storage.put(&key, self.bytes.clone()).await
    }
}

/// Reads the address of a picture that a body sets: a `data:` URL becomes a picture of ours, an address
/// of ours its path, any other must be absolute. The picture is to be kept once the body is accepted.
pub fn take(
    state: &AppState,
    account: &str,
    changes: &mut Changes,
    field: &'static str,
) -> Option<Picture> {
    let text = changes.text(field)?;
    if text.starts_with("data:") {
        let Some(picture) = Picture::new(state, account, text.as_bytes().to_vec()) else {
            changes.refuse(field, Violation::Invalid);
            return None;
        };
        changes.set(field, Input::Text(picture.path()));
        return Some(picture);
    }
    // What was read may be written back.
    let ours = text.strip_prefix(state.site.public_url.as_str());
    let ours = ours.filter(|path| path.strip_prefix(PATH).and_then(content_type).is_some());
    if let Some(path) = ours.map(str::to_owned) {
        changes.set(field, Input::Text(path));
    } else if !is_http_url(text) {
        changes.refuse(field, Violation::Invalid);
    }
    None
}

/// Answers a picture.
///
/// # Errors
/// 404 for what is not the name of a picture.
pub async fn serve(state: &AppState, name: &str) -> Result<Response> {
    let content_type = content_type(name).ok_or(Error::NotFound)?;
    let found = state.storage.get(&format!("{FOLDER}/{name}")).await?;
    let (size, bytes) = found.ok_or(Error::NotFound)?;
    let mut response = file::stream(size, bytes, HeaderValue::from_static(content_type));
    // Another picture has another name.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, forever);
    Ok(response)
}

/// The content type of a picture by its name; `None` for what is not a name of ours.
fn content_type(name: &str) -> Option<&'static str> {
    let (hash, extension) = name.split_once('.')?;
    let is_hash = hash.len() == 64
        && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let (_, content_type) = TYPES.iter().find(|(known, _)| is_hash && *known == extension)?;
    Some(content_type)
}

/// The extension of a raster image by how it begins, whatever it is said to be.
fn extension(bytes: &[u8]) -> Option<&'static str> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', _, ..] => Some("png"),
        [0xff, 0xd8, 0xff, _, ..] => Some("jpg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', _, ..] => Some("gif"),
        _ if is_webp => Some("webp"),
        _ => None,
    }
}

/// The bytes in a `data:` URL with Base64.
fn decode(url: &str) -> Option<Vec<u8>> {
    let (media_type, content) = url.strip_prefix("data:")?.split_once(',')?;
    media_type.strip_prefix("image/")?.strip_suffix(";base64")?;
    BASE64.decode(content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (bytes, known) in [
            (b"\x89PNG\r\n\x1a\n....".as_slice(), Some("png")),
            (b"\xff\xd8\xff\xe0", Some("jpg")),
            (b"GIF89a.", Some("gif")),
            (b"GIF87a.", Some("gif")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("webp")),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<html>", None),
            (b"", None),
        ] {
            assert_eq!(extension(bytes), known);
        }
    }

    #[test]
    fn data_urls_are_read() {
        assert_eq!(decode("data:image/png;base64,aGk="), Some(b"hi".to_vec()));
        assert_eq!(decode("data:image/png;base64,aGk"), Some(b"hi".to_vec()));
        for wrong in [
            "data:image/png,hi",
            "data:text/html;base64,aGk=",
            "data:image/png;base64,!!",
            "data:image/png;base64",
            "data:",
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_our_names_are_names() {
        let hash = "0f".repeat(32);
        assert_eq!(content_type(&format!("{hash}.png")), Some("image/png"));
        for wrong in ["", "x.png", "..", &hash, &format!("{hash}.svg"), &format!("{hash}.png/..")] {
            assert_eq!(content_type(wrong), None, "{wrong}");
        }
    }
}
