//! Forwarding through TLS.

use super::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::fs;

/// Returns a sink behind TLS, and the certificate of it.
async fn behind_tls() -> (Sink, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&certificate, cert.pem()).unwrap();
    fs::write(&key, signing_key.serialize_pem()).unwrap();
    let config = SinkConfig {
        tls: Some(crate::Tls::from_files(&certificate, &key, None).unwrap()),
        ..SinkConfig::default()
    };
    (Sink::start(config).await.unwrap(), cert.pem())
}

fn urls(sink: &Sink) -> [Destination; 2] {
    [
        format!("grpcs://localhost:{}", sink.grpc_addr().port()),
        format!("https://localhost:{}", sink.http_addr().port()),
    ]
    .map(|url| url.parse().unwrap())
}

#[tokio::test]
async fn a_server_whose_authority_is_trusted_gets_spans() {
    let (second, pem) = behind_tls().await;
    for (destination, number) in urls(&second).into_iter().zip(1..) {
        let first = forwarding(to(vec![destination.authorities(pem.clone())])).await;
        keep(&first, [u64::try_from(number).unwrap()]).await;
        arrived(&second, number).await;
        first.stop().await;
    }
}

#[tokio::test]
async fn a_server_whose_authority_is_not_trusted_gets_nothing() {
    let (second, _) = behind_tls().await;
    let (_, other) = behind_tls().await;
    for destination in urls(&second) {
        let first = forwarding(to(vec![destination.authorities(other.clone())])).await;
        keep(&first, [1]).await;
        let state = state(&first, |it| it.failed_attempts > 1).await;
        let failure = state.failure.unwrap();
        assert!(failure.contains("certificate"), "{failure}");
        assert_eq!(state.backlog.spans, 1);
    }
    assert_eq!(second.counts().requests, 0);
}

#[tokio::test]
async fn a_file_without_a_certificate_is_an_error_at_the_start() {
    for url in ["grpcs://a:1", "https://a"] {
        let destination: Destination = url.parse().unwrap();
        let config = SinkConfig {
            forward: to(vec![destination.authorities("no PEM")]),
            ..SinkConfig::default()
        };
        let error = Sink::start(config).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.to_string().contains(url), "{error}");
        assert_eq!(cause, "expected a certificate in PEM");
    }
}
