//! The client's side of TLS: TLS 1.2 and 1.3, and the authorities that it trusts.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The error of authorities that make no TLS client.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A text that has no certificate in PEM.
    #[error("expected a certificate in PEM")]
    Pem,
    /// A certificate that is no authority's.
    #[error("a certificate cannot be trusted")]
    Certificate(#[source] rustls::Error),
    /// A system without authorities.
    #[error("this system has no certificate authorities: name a file of them")]
    System,
    /// A TLS library without a version of TLS.
    #[error("no TLS client")]
    Client(#[source] rustls::Error),
}

/// Returns the settings of a TLS client that trusts these authorities alone, in PEM, or else those of the system.
///
/// # Errors
/// [`TrustError`] when there is no certificate, or one of them is none of an authority.
pub fn client_tls(authorities: Option<&[u8]>) -> Result<ClientConfig, TrustError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(pem) => {
            for found in CertificateDer::pem_slice_iter(pem) {
                let certificate = found.map_err(|_| TrustError::Pem)?;
                roots.add(certificate).map_err(TrustError::Certificate)?;
            }
            if roots.is_empty() {
                return Err(TrustError::Pem);
            }
        }
        None => {
            // One that cannot be read or used is left out, as every client does.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TrustError::System);
            }
        }
    }
    trusting(roots)
}

/// Returns the settings of a client that meets no TLS. A system without authorities has them, too.
///
/// # Errors
/// [`TrustError::Client`], if the library has no version of TLS.
pub fn no_tls() -> Result<ClientConfig, TrustError> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, TrustError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Client)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
