//! Trailers both ways, and what Envoy adds to requests.

use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::body::Frame;

use super::program::{Program, module};
use super::server::{Client, Version, echo, frames, get};

/// Sends a body with a trailer, and returns the trailers that come back.
async fn trailers(sidecar: &Program, version: Version) -> Option<HeaderMap> {
    let mut client = Client::connect(sidecar.address(), version).await;
    let trailers = HeaderMap::from_iter([(
        "x-sum".parse().expect("a name"),
        "7".parse().expect("a value"),
    )]);
    let body = frames([Frame::data("a".into()), Frame::trailers(trailers)].into_iter());
    let request = Request::post("http://shop/")
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(body);
    let response = client.send(request.expect("a request")).await;
    let body = response.expect("a response").into_body().collect().await;
    let body = body.expect("a whole body");
    let trailers = body.trailers().cloned();
    assert_eq!(body.to_bytes(), "a");
    trailers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailers_come_through_the_filter_both_ways() {
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let module = module.to_str().expect("text");
    let echo = echo().await;
    let sidecar = Program::start(echo, &["--module", module]);
    let over_http2 = trailers(&sidecar, Version::Http2).await.expect("trailers");
    assert_eq!(over_http2["x-sum"], "7");
    // Once on the way to the server, and once on the way back.
    assert_eq!(over_http2.get_all("x-version").iter().count(), 2);
    // Envoy's codec of HTTP/1.1 drops them, unless it is told otherwise.
    assert_eq!(trailers(&sidecar, Version::Http1).await, None);
    sidecar.stop();
    let sidecar = Program::start(echo, &["--module", module, "--http1-trailers"]);
    let over_http1 = trailers(&sidecar, Version::Http1).await.expect("trailers");
    assert_eq!(over_http1["x-sum"], "7");
    sidecar.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_get_an_id_and_the_scheme_they_came_by_and_may_change_the_protocol() {
    let echo = echo().await;
    for (version, protocol) in [(Version::Http1, "http2"), (Version::Http2, "http1")] {
        let sidecar = Program::start(echo, &["--upstream-protocol", protocol]);
        let mut client = Client::connect(sidecar.address(), version).await;
        let response = client.send(get("/")).await.expect("a response");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["got-x-forwarded-proto"], "http");
        assert_eq!(response.headers()["got-x-request-id"].len(), 36);
        let mut request = get("/");
        request
            .headers_mut()
            .insert("x-request-id", "mine".parse().expect("a value"));
        let response = client.send(request).await.expect("a response");
        assert_eq!(response.headers()["got-x-request-id"], "mine");
        sidecar.stop();
    }
}
