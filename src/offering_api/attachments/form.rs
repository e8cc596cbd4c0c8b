//! Multipart bodies, read piece by piece and never further than allowed.
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};
use parking_lot::Mutex;

use crate::kernel::error::{Error, Result};
use crate::kernel::http::body::BODY_LIMIT;

/// Longest text in a part, in bytes.
const TEXT_LIMIT: usize = 16 * 1024;
/// Bytes handed to the parser at once while it reads texts, and while it reads a file. The parser
/// keeps what it has not looked at: small pieces keep that small.
const TEXT_PIECE: usize = 4 * 1024;
const FILE_PIECE: usize = 64 * 1024;

/// A multipart body.
pub struct Form {
    multipart: Multipart,
    meter: Meter,
}

impl Form {
    /// Begins to read a request's body.
    ///
    /// # Errors
    /// 400 when the body is not multipart.
    pub async fn open(request: Request) -> Result<Self> {
        let meter = Meter::new();
        let mut request = request.map(|body| {
            let body = Metered {
                body: body.into_data_stream(),
                meter: meter.clone(),
                rest: None,
                gave: false,
            };
            Body::from_stream(body)
        });
        // The meter limits instead.
        DefaultBodyLimit::disable().apply(&mut request);
        let refused = |_| {
            Error::BadRequest("The body must be multipart/form-data with a boundary".to_owned())
        };
        let multipart = Multipart::from_request(request, &()).await.map_err(refused)?;
        Ok(Self { multipart, meter })
    }

    /// The next part.
    ///
    /// # Errors
    /// 400 for a malformed body, 413 for one that is too long before its file.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>> {
        let meter = self.meter.clone();
        match self.multipart.next_field().await {
            Ok(field) => Ok(field.map(|field| Part { field, meter })),
            Err(_) => Err(meter.refusal()),
        }
    }
}

/// One part of a multipart body.
pub struct Part<'f> {
    field: Field<'f>,
    meter: Meter,
}

impl Part<'_> {
    /// Name of the part in lower case: header-like names are written either way.
    pub fn name(&self) -> String {
        self.field.name().unwrap_or_default().to_ascii_lowercase()
    }

    /// Name of the file in the part.
    pub fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// Content type of the part.
    pub fn content_type(&self) -> Option<&str> {
        self.field.content_type()
    }

    /// Allows the rest of the body to be as long as a file of `limit` bytes makes it.
    pub fn expect_file(&self, limit: u64) {
        self.meter.expect_file(limit);
    }

    /// The next bytes of the part.
    ///
    /// # Errors
    /// 400 for a body that is malformed or ends early, 413 for one that is too long.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.field.chunk().await.map_err(|_| self.meter.refusal())
    }

    /// The whole part, if it is not longer than `limit`.
    ///
    /// # Errors
    /// As [`Part::chunk`]; 413 for a longer part.
    pub async fn bytes(mut self, limit: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() + chunk.len() > limit {
                return Err(Error::PayloadTooLarge(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The whole part as text.
    ///
    /// # Errors
    /// As [`Part::bytes`]; 400 for what is not UTF-8.
    pub async fn text(self) -> Result<String> {
        let name = self.name();
        let bytes = self.bytes(TEXT_LIMIT).await?;
        String::from_utf8(bytes)
            .map_err(|_| Error::BadRequest(format!("The part {name} is not valid UTF-8")))
    }
}

/// How much of a body may still be read.
#[derive(Clone)]
struct Meter(Arc<Mutex<Allowance>>);

struct Allowance {
    left: u64,
    /// The limit that is told when nothing is left.
    limit: usize,
    exceeded: bool,
    piece: usize,
}

impl Meter {
    fn new() -> Self {
        let left = BODY_LIMIT as u64;
        let start = Allowance { left, limit: BODY_LIMIT, exceeded: false, piece: TEXT_PIECE };
        Self(Arc::new(Mutex::new(start)))
    }

    fn expect_file(&self, limit: u64) {
        let mut allowance = self.0.lock();
        allowance.left = limit.saturating_add(BODY_LIMIT as u64);
        allowance.limit = usize::try_from(limit).unwrap_or(usize::MAX);
        allowance.piece = FILE_PIECE;
    }

    /// Why the parser stopped: of its errors, only this one is not the body's form.
    fn refusal(&self) -> Error {
        let allowance = self.0.lock();
        if allowance.exceeded {
            Error::PayloadTooLarge(allowance.limit)
        } else {
            Error::BadRequest("The multipart body is malformed or ended early".to_owned())
        }
    }
}

/// A body that hands out small pieces, one per poll. The parser reads as long as there is something to
/// read; left alone, it would gather a whole file that a fast client sends.
struct Metered {
    body: BodyDataStream,
    meter: Meter,
    rest: Option<Bytes>,
    gave: bool,
}

impl Stream for Metered {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut rest = match self.rest.take() {
            Some(rest) => rest,
            None => match ready!(self.body.poll_next_unpin(context)) {
                Some(Ok(bytes)) => bytes,
                end => return Poll::Ready(end),
            },
        };
        let meter = self.meter.clone();
        let mut allowance = meter.0.lock();
        let piece = rest.split_to(rest.len().min(allowance.piece));
        let Some(left) = allowance.left.checked_sub(piece.len() as u64) else {
            allowance.exceeded = true;
            return Poll::Ready(Some(Err(axum::Error::new("the body is too long"))));
        };
        allowance.left = left;
        self.rest = Some(rest).filter(|rest| !rest.is_empty());
        self.gave = true;
        Poll::Ready(Some(Ok(piece)))
    }
}
