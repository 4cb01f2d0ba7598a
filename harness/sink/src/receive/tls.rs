//! TLS, and the certificates of clients, from PEM files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// The TLS side of a sink: TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl fmt::Debug for Tls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tls")
    }
}

/// The error of files that make no TLS server.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read, or has nothing of the kind in PEM.
    #[error("{}: expected {expected} in PEM", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The contents that are expected.
        expected: &'static str,
        /// The cause.
        #[source]
        source: pem::Error,
    },
    /// A certificate and a key that do not belong together, or that are of no use for TLS.
    #[error("{} and {} make no TLS server", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// The cause.
        #[source]
        source: tokio_rustls::rustls::Error,
    },
    /// A file whose certificates cannot be used to check those of clients.
    #[error("{}: cannot check the certificates of clients: {cause}", file.display())]
    ClientAuthority {
        /// The file.
        file: PathBuf,
        /// The cause.
        cause: String,
    },
}

impl Tls {
    /// Reads a certificate with its chain, its key, and, where given, the authorities that must have signed the
    /// certificates of clients: with them, only a client with a certificate is served (mTLS).
    ///
    /// # Errors
    /// [`TlsError`] with the file that is wrong.
    pub fn from_files(
        certificate: &Path,
        key: &Path,
        client_authority: Option<&Path>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let pair = |source| TlsError::Pair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(pair)?;
        let builder = match client_authority {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let wrong = |cause: &dyn fmt::Display| TlsError::ClientAuthority {
                    file: file.to_owned(),
                    cause: cause.to_string(),
                };
                let mut roots = RootCertStore::empty();
                for authority in certificates(file)? {
                    roots.add(authority).map_err(|error| wrong(&error))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(|e| wrong(&e))?)
            }
        };
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::File {
            file: key.to_owned(),
            expected: "a private key",
            source,
        })?;
        let mut config = builder
            .with_single_cert(certificates(certificate)?, secret)
            .map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Returns the acceptor of connections.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}

/// Reads the certificates of a file, which has at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::File {
        file: file.to_owned(),
        expected: "a certificate",
        source,
    };
    let found = CertificateDer::pem_file_iter(file).map_err(wrong)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(wrong)?;
    match found.is_empty() {
        true => Err(wrong(pem::Error::NoItemsFound)),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests;
