//! What stays the same as long as the process runs: made when it is first asked for, compressed once for each
//! encoding that clients take, and then handed out as it is.
use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::OnceCell;
use xxhash_rust::xxh3::xxh3_128;

use crate::kernel::error::{Error, Result};
use crate::kernel::http::answer::names_tag;

/// Brotli's levels above this one take ten times as long for a tenth less.
const BROTLI_LEVEL: u32 = 9;
/// Its largest window, in powers of two.
const BROTLI_WINDOW: u32 = 22;

/// Something that is served in several encodings.
#[derive(Clone)]
pub(super) struct Asset(Arc<Parts>);

struct Parts {
    content_type: &'static str,
    make: Box<dyn Fn() -> Vec<u8> + Send + Sync>,
    /// One of each [`Encoding`], in their order.
    made: [OnceCell<Representation>; 3],
}

/// Bytes as they go out, with a tag of their own: other bytes are another representation (RFC 9110, 8.8.3).
struct Representation {
    bytes: Bytes,
    tag: String,
}

/// How bytes go out, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Asset {
    /// `make` is called once for each encoding that is asked for, and always makes the same bytes.
    pub(super) fn new(
        content_type: &'static str,
        make: impl Fn() -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Parts { content_type, make: Box::new(make), made: Default::default() }))
    }

    /// 200 with the bytes in the encoding that the caller likes best, or 304 when they have them.
    ///
    /// # Errors
    /// When the runtime is ending.
    pub(super) async fn answer(&self, headers: &HeaderMap) -> Result<Response> {
        let encoding = Encoding::wanted(headers);
        let made = self.0.made[encoding as usize].get_or_try_init(|| self.make(encoding)).await?;
        let known = headers.get_all(header::IF_NONE_MATCH).iter();
        let is_known = known.filter_map(|it| it.to_str().ok()).any(|it| names_tag(it, &made.tag));
        let mut response = Response::new(Body::empty());
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = Body::from(made.bytes.clone());
            let kind = HeaderValue::from_static(self.0.content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            if let Some(name) = encoding.name() {
                let name = HeaderValue::from_static(name);
                response.headers_mut().insert(header::CONTENT_ENCODING, name);
            }
        }
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&made.tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        Ok(response)
    }

    async fn make(&self, encoding: Encoding) -> Result<Representation> {
        let parts = Arc::clone(&self.0);
        // A tenth of a second of work: other requests go on meanwhile.
        let made = tokio::task::spawn_blocking(move || {
            let bytes = encoding.encode((parts.make)())?;
            let tag = format!("\"{:032x}\"", xxh3_128(&bytes));
            Ok(Representation { bytes: bytes.into(), tag })
        });
        made.await.map_err(Error::internal)?.map_err(|error: std::io::Error| Error::internal(error))
    }
}

impl Encoding {
    /// What `Accept-Encoding` asks for (RFC 9110, 12.5.3): the best of those that it gives the highest
    /// weight. What it does not allow is not sent, and without it nothing is compressed.
    fn wanted(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
        let accepted: Vec<(&str, f32)> = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|item| {
                let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
                let weight = parameters.split(';').find_map(|it| {
                    let (key, value) = it.split_once('=')?;
                    key.trim().eq_ignore_ascii_case("q").then_some(value.trim())
                });
                // A weight that is none allows nothing.
                (name.trim(), weight.map_or(1.0, |text| text.parse().unwrap_or(0.0)))
            })
            .collect();
        let named = |names: &[&str]| {
            let is_one = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name));
            accepted.iter().find(|(name, _)| is_one(name)).map(|(_, weight)| *weight)
        };
        let any = named(&["*"]).unwrap_or(0.0);
        [
            // Allowed also where nobody names it, but nobody's first wish then.
            (Self::Identity, named(&["identity"]).unwrap_or(f32::MIN_POSITIVE)),
            (Self::Gzip, named(&["gzip", "x-gzip"]).unwrap_or(any)),
            (Self::Brotli, named(&["br"]).unwrap_or(any)),
        ]
        .into_iter()
        // The last of several with the same weight.
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .filter(|(_, weight)| *weight > 0.0)
        .map_or(Self::Identity, |(encoding, _)| encoding)
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    fn encode(self, bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let packed = Vec::new();
                let mut packer =
                    brotli::CompressorWriter::new(packed, 1 << 16, BROTLI_LEVEL, BROTLI_WINDOW);
                packer.write_all(&bytes)?;
                Ok(packer.into_inner())
            }
            Self::Gzip => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
                packer.write_all(&bytes)?;
                packer.finish()
            }
            Self::Identity => Ok(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_one_that_the_caller_likes_best() {
        use Encoding::{Brotli, Gzip, Identity};
        for (lines, expected) in [
            (&[][..], Identity),
            (&[""], Identity),
            (&["gzip"], Gzip),
            (&["gzip, deflate, br"], Brotli),
            (&["gzip", "br"], Brotli),
            (&["br;q=0.5, gzip;q=0.8"], Gzip),
            (&["br;q=0, gzip;q=0"], Identity),
            (&["br;q=0, *"], Gzip),
            (&["*;q=0"], Identity),
            (&["*"], Brotli),
            (&["deflate, zstd"], Identity),
            (&["gzip;q=0.001"], Gzip),
            (&["identity, gzip;q=0.5"], Identity),
            (&["identity, gzip"], Gzip),
            (&["identity;q=0, gzip;q=0.1"], Gzip),
            (&["GZIP ; Q=1.0"], Gzip),
            (&["x-gzip"], Gzip),
            (&["gzip;q=high"], Identity),
            (&["gzipped, brr"], Identity),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, line.parse().unwrap());
            }
            assert_eq!(Encoding::wanted(&headers), expected, "{lines:?}");
        }
    }
}
