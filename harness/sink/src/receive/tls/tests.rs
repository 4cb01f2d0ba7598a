//! TLS and mTLS with certificates that are made for each test.

use std::fs;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::{Sink, SinkConfig};

/// An authority, a server and a client that it has signed, as files.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        for (name, host) in [("server", "localhost"), ("client", "client")] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([host.to_owned()]).unwrap();
            let signed = params.signed_by(&key, &authority).unwrap();
            fs::write(folder.path().join(format!("{name}.pem")), signed.pem()).unwrap();
            let file = folder.path().join(format!("{name}.key"));
            fs::write(file, key.serialize_pem()).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn sink(&self, is_mutual: bool) -> Sink {
        let authority = self.path("ca.pem");
        let authority = is_mutual.then_some(authority.as_path());
        let tls = Tls::from_files(
            &self.path("server.pem"),
            &self.path("server.key"),
            authority,
        );
        let config = SinkConfig {
            tls: Some(tls.unwrap()),
            ..SinkConfig::default()
        };
        Sink::start(config).await.unwrap()
    }

    /// Connects as a client of a protocol, with or without the client's certificate.
    async fn connect(&self, sink: &Sink, protocol: &str, is_known: bool) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(&self.path("ca.pem")).unwrap() {
            roots.add(authority).unwrap();
        }
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match is_known {
            false => builder.with_no_client_auth(),
            true => builder
                .with_client_auth_cert(
                    certificates(&self.path("client.pem")).unwrap(),
                    PrivateKeyDer::from_pem_file(self.path("client.key")).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(sink.http_addr()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }
}

/// Posts an empty request over HTTP/1.1, and returns the status if there is an answer.
async fn post(stream: TlsStream<TcpStream>) -> hyper::Result<u16> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = hyper::Request::post("/v1/traces")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(b"{}")))
        .unwrap();
    Ok(sender.send_request(request).await?.status().as_u16())
}

#[tokio::test]
async fn answers_over_tls_by_both_versions_of_http() {
    let files = Files::new();
    let sink = files.sink(false).await;
    let stream = files.connect(&sink, "http/1.1", false).await;
    assert_eq!(post(stream).await.unwrap(), 200);

    let stream = files.connect(&sink, "h2", false).await;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let request = hyper::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .body(Full::new(Bytes::from_static(&[0; 5])))
        .unwrap();
    let body = sender.send_request(request).await.unwrap().into_body();
    let trailers = body.collect().await.unwrap();
    assert_eq!(trailers.trailers().unwrap()["grpc-status"], "0");
}

#[tokio::test]
async fn tells_a_client_without_tls_what_to_do() {
    let files = Files::new();
    let sink = files.sink(false).await;
    let mut stream = TcpStream::connect(sink.http_addr()).await.unwrap();
    stream
        .write_all(b"POST /v1/traces HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut said = Vec::new();
    // The sink closes with unread bytes, so a reset may follow the answer.
    let _ = stream.read_to_end(&mut said).await;
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said:?}");
    assert!(
        said.ends_with("400 this port takes https alone"),
        "{said:?}"
    );
    assert_eq!(sink.received().failed_handshakes, 1);
}

#[tokio::test]
async fn a_port_without_tls_closes_and_counts_a_handshake() {
    let sink = Sink::start(SinkConfig::default()).await.unwrap();
    let mut stream = TcpStream::connect(sink.http_addr()).await.unwrap();
    stream.write_all(&[0x16, 3, 1]).await.unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    assert_eq!(said, b"");
    assert_eq!(sink.received().failed_handshakes, 1);
}

#[tokio::test]
async fn asks_clients_for_a_certificate_of_the_authority() {
    let files = Files::new();
    let sink = files.sink(true).await;
    let known = files.connect(&sink, "http/1.1", true).await;
    assert_eq!(post(known).await.unwrap(), 200);
    // With TLS 1.3 the client has finished its handshake when the server refuses it.
    let unknown = files.connect(&sink, "http/1.1", false).await;
    assert!(post(unknown).await.is_err());
    assert_eq!(sink.received().failed_handshakes, 1);
}

#[test]
fn says_which_file_is_wrong() {
    let files = Files::new();
    let [server, key, client_key] =
        ["server.pem", "server.key", "client.key"].map(|name| files.path(name));
    let missing = files.path("missing.pem");
    let error = |certificate: &Path, key: &Path, authority: Option<&Path>| {
        let error = Tls::from_files(certificate, key, authority).unwrap_err();
        error.to_string()
    };
    for (found, file, cause) in [
        (
            error(&missing, &key, None),
            "missing.pem",
            "expected a certificate in PEM",
        ),
        (
            error(&key, &key, None),
            "server.key",
            "expected a certificate in PEM",
        ),
        (
            error(&server, &server, None),
            "server.pem",
            "expected a private key in PEM",
        ),
        (
            error(&server, &client_key, None),
            "client.key",
            "make no TLS server",
        ),
        (
            error(&server, &key, Some(&key)),
            "server.key",
            "expected a certificate in PEM",
        ),
    ] {
        assert!(found.contains(file) && found.contains(cause), "{found}");
    }
}
