//! Who may send: tokens, browsers, and certificates are asked for before anything is read.

use hyper::Method;
use prost::Message;
use sidespan_sink::{Access, Sink, SinkConfig};
use sidespan_tests::corpus::corpus;

use super::client::{EXPORT, JSON, PROTOBUF, TRACES, call, post, send};

async fn sink(token: Option<&str>, origins: &[&str]) -> Sink {
    let access = Access {
        token: token.map(|token| token.parse().expect("a token")),
        origins: origins
            .iter()
            .map(|it| it.parse().expect("an origin"))
            .collect(),
    };
    let config = SinkConfig {
        access,
        ..SinkConfig::default()
    };
    Sink::start(config).await.expect("free ports")
}

#[tokio::test]
async fn without_the_token_nothing_is_kept() {
    let sink = sink(Some("secret"), &[]).await;
    let body = corpus().encode_to_vec();
    for authorization in [None, Some("Bearer wrong"), Some("secret")] {
        let mut headers = vec![JSON];
        headers.extend(authorization.map(|it| ("authorization", it)));
        for path in [TRACES, "/v1/logs", "/api/v2/spans", "/"] {
            let answer = post(sink.http_addr(), path, &headers, "{}").await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert!(answer.text().contains("\"code\":16"), "{}", answer.text());
        }
    }
    let refused = call(sink.grpc_addr(), EXPORT, "identity", &body).await;
    assert_eq!(refused.code, 16, "UNAUTHENTICATED");
    assert_eq!(
        (sink.spans().len(), sink.received().unauthenticated),
        (0, 13)
    );
    let headers = [PROTOBUF, ("authorization", "Bearer secret")];
    let answer = post(sink.http_addr(), TRACES, &headers, body).await;
    assert_eq!(answer.status, 200);
    assert!(!sink.spans().is_empty());
}

#[tokio::test]
async fn a_browser_may_send_from_the_origins_that_are_named() {
    let ask = async |sink: &Sink, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-custom"),
        ];
        let asked = send(sink.http_addr(), Method::OPTIONS, TRACES, &headers, "").await;
        asked.expect("an answer")
    };
    let shop = "https://shop.example";
    // A browser asks without the token.
    let some = sink(Some("secret"), &[shop, "http://localhost:3000"]).await;
    let answer = ask(&some, shop).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), shop);
    assert_eq!(
        answer.header("access-control-allow-methods"),
        "POST,GET,HEAD,DELETE"
    );
    let allowed = answer.header("access-control-allow-headers");
    assert_eq!(allowed, "content-type,x-custom");
    let stranger = ask(&some, "https://evil.example").await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
    let headers = [JSON, ("origin", shop), ("authorization", "Bearer secret")];
    let answer = post(some.http_addr(), TRACES, &headers, "{}").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), shop);

    let all = sink(None, &["*"]).await;
    let answer = ask(&all, "null").await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");

    let none = sink(None, &[]).await;
    let answer = ask(&none, shop).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
}
