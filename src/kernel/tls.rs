//! TLS towards other servers: whom to trust, and nothing older than TLS 1.2.
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::kernel::error::{Error, Result};

/// The public authorities.
pub fn public_authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The authorities in a PEM file, at least one.
///
/// # Errors
/// Says what is wrong with the file; its name is left to the caller, as is the setting that named it.
pub fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("holds no certificate".to_owned()),
        Ok(certificates) => {
            let mut trial = RootCertStore::empty();
            for certificate in &certificates {
                let added = trial.add(certificate.clone());
                added.map_err(|error| format!("holds a certificate of no use: {error}"))?;
            }
            Ok(certificates)
        }
        Err(pem::Error::Io(error)) => Err(error.to_string()),
        Err(_) => Err("is not PEM".to_owned()),
    }
}

/// A client that believes the certificates of these authorities and shows none of its own.
///
/// # Errors
/// When the provider of cryptography lacks what TLS needs.
pub fn client(trusted: RootCertStore) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(trusted)
        .with_no_client_auth())
}
