//! Bodies that a filter holds back: as much as the limit allows, and what becomes of more.

use std::io;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Frame, Incoming};

use super::program::{FILTER, Program};
use super::server::{Client, Version, frames, serve};

/// A filter that buffers the whole body of a request.
const BUFFERING: &str = r#"(func (export "proxy_on_request_body") (param i32 i32) (param $end i32) (result i32)
    (i32.eqz (local.get $end))))"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_a_filter_buffers_beyond_the_limit_is_answered_413() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("filter.wat");
    let text = FILTER.trim_end().strip_suffix(')').expect("a module");
    std::fs::write(&file, format!("{text}\n{BUFFERING}")).expect("a file");
    let file = file.to_str().expect("text");
    // It answers once it has the whole request, because a response that has begun cannot become a 413.
    let server = serve(|request: Request<Incoming>| async move {
        let body = request.into_body().collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Response::new(Full::from(body).map_err(io::Error::other).boxed_unsync())
    })
    .await;
    for (arguments, limit) in [
        (&[][..], 1024 * 1024),
        (&["--buffer-limit", "10000"], 10_000),
    ] {
        let arguments = [&["--module", file], arguments].concat();
        let sidecar = Program::start(server, &arguments);
        for version in [Version::Http1, Version::Http2] {
            for (length, status) in [(limit, 200), (limit + 1, 413)] {
                let mut client = Client::connect(sidecar.address(), version).await;
                let body = frames([Frame::data(Bytes::from(vec![7; length]))].into_iter());
                let request = Request::post("http://shop/").body(body);
                let response = client.send(request.expect("a request")).await;
                let response = response.expect("a response");
                assert_eq!(response.status(), status, "{length} bytes over {version:?}");
                if status == 200 {
                    let body = response.into_body().collect().await.expect("a body");
                    assert_eq!(body.to_bytes().len(), length);
                }
            }
        }
        sidecar.stop();
    }
}
