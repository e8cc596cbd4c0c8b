//! Why a call did not come to an end, in words for whoever owns the address.
//!
//! Libraries tell it with addresses, operating system codes and debug forms in between; that is for
//! nobody's `last_error`. So the cause is looked for in the chain of errors and told anew.
use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use super::guard::Refused;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address may not be called, or what its name leads to.
    #[error("address not allowed: {0}")]
    NotAllowed(Refused),
    /// The name leads to no address.
    #[error("host not found")]
    HostNotFound,
    /// There was no complete answer within this time.
    #[error("timeout: no complete answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// The connection could not be made for another reason.
    #[error("connection failed: {0}")]
    Unreachable(&'static str),
    /// The other side ended the connection before its answer was complete.
    #[error("connection closed before the answer was complete")]
    Closed,
    /// The connection cannot be trusted or encrypted.
    #[error("TLS: {0}")]
    Tls(String),
    /// What came back is not HTTP.
    #[error("answer is not valid HTTP")]
    NotHttp,
    /// Anything else; its cause is in the log.
    #[error("call failed")]
    Other,
}

/// The name could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("host not found")]
pub(super) struct Unresolved(#[source] pub(super) Box<dyn StdError + Send + Sync>);

impl Failure {
    /// What an error of the HTTP client means.
    pub(super) fn of(error: reqwest::Error) -> Self {
        // Its path may be a secret: the log need not know.
        let error = error.without_url();
        let mut found = None;
        let mut next: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(error) = next {
            // What lies deepest is the cause; what it is wrapped in only tells when it came up.
            found = known(error).or(found);
            next = error.source();
        }
        found.unwrap_or_else(|| {
            tracing::warn!(error = crate::kernel::error::chain(&error), "outgoing call failed");
            Self::Other
        })
    }
}

fn known(error: &(dyn StdError + 'static)) -> Option<Failure> {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return Some(Failure::NotAllowed(refused.clone()));
    }
    if error.is::<Unresolved>() {
        return Some(Failure::HostNotFound);
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(Failure::Tls(tls(error)));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            Some(Failure::Closed)
        } else {
            // Without a cause it is about what came before there was a request, as servers greet
            // that speak another protocol.
            let is_early = !error.is_user() && error.source().is_none();
            (error.is_parse() || is_early).then_some(Failure::NotHttp)
        };
    }
    let error = error.downcast_ref::<std::io::Error>()?;
    // An error inside an I/O error is none of its sources: only that one's are.
    if let Some(inner) = error.get_ref().and_then(|inner| known(inner)) {
        return Some(inner);
    }
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Failure::Closed,
        ErrorKind::TimedOut => Failure::Unreachable("the host does not respond"),
        ErrorKind::HostUnreachable => Failure::Unreachable("the host cannot be reached"),
        ErrorKind::NetworkUnreachable => Failure::Unreachable("the network cannot be reached"),
        _ => return None,
    })
}

/// What owners can mend is said in plain words, the rest as the library says it.
fn tls(error: &rustls::Error) -> String {
    use rustls::CertificateError as Certificate;
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return error.to_string();
    };
    let text = match certificate {
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
            "certificate is for another host name"
        }
        Certificate::Expired | Certificate::ExpiredContext { .. } => "certificate has expired",
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
            "certificate is not valid yet"
        }
        Certificate::UnknownIssuer => {
            "certificate is signed by an unknown authority, or its intermediate certificates are \
             missing"
        }
        Certificate::Revoked => "certificate is revoked",
        other => return format!("certificate is refused: {other}"),
    };
    text.to_owned()
}
