//! The services by gRPC: the same chain, with the status where gRPC has it, in the trailers.
//!
//! `failing`: the bank answers UNAVAILABLE after a message. `bare`: the bank answers UNAVAILABLE in its headers, which are
//! also its trailers. `hidden`: orders answers OK all the same. `refused`: the bank answers NOT_FOUND, the caller's own
//! fault.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::OnceLock;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::mesh::WaysOut;
use super::service::case;

/// The response that a caller gets.
#[derive(Debug)]
pub(super) struct Answer {
    /// `grpc-status`.
    pub(super) status: u16,
    /// `server-timing` of its last block of headers.
    pub(super) timing: Option<String>,
}

/// Starts a service.
pub(super) fn start(name: &'static str, callees: &'static [&str], out: &WaysOut) -> SocketAddr {
    let out = WaysOut::clone(out);
    let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    runtime().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let out = WaysOut::clone(&out);
            let service = service_fn(move |request| {
                let out = WaysOut::clone(&out);
                async move { Ok::<_, Infallible>(answer(name, callees, request, &out).await) }
            });
            let serving = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving);
        }
    });
    address
}

/// Makes a call, and waits for its end.
pub(super) fn call(address: SocketAddr, path: &str, traceparent: &str) -> Answer {
    runtime().block_on(ask(address, path, traceparent))
}

async fn answer(
    name: &str,
    callees: &[&str],
    request: Request<Incoming>,
    out: &WaysOut,
) -> Response<BoxBody<Bytes, Infallible>> {
    let path = request.uri().path().to_owned();
    let case = case(&path);
    let status = match (name, case) {
        ("bank", "healthy") => 0,
        ("bank", "refused") => 5,
        ("bank", _) => 14,
        _ => {
            let traceparent = request.headers()["traceparent"].to_str().expect("text");
            let lane = path.split('/').nth(1).expect("a lane");
            let out = out.get().expect("calls come after the start")[lane];
            let mut worst = 0;
            for callee in callees {
                let path = format!("/{lane}/grpc/{callee}/{case}");
                worst = worst.max(ask(out, &path, traceparent).await.status);
            }
            match (name, case) {
                ("orders", "hidden") => 0,
                _ => worst,
            }
        }
    };
    let code = HeaderValue::from(status);
    let response = Response::builder().header("content-type", "application/grpc");
    if (name, case) == ("bank", "bare") {
        let response = response.header("grpc-status", code);
        return response.body(Empty::new().boxed()).expect("an answer");
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code);
    trailers.insert("server-timing", HeaderValue::from_static("app;dur=53"));
    let message = Full::new(Bytes::from_static(b"\0\0\0\0\0"));
    let body = message.with_trailers(async { Some(Ok(trailers)) });
    response.body(body.boxed()).expect("an answer")
}

async fn ask(address: SocketAddr, path: &str, traceparent: &str) -> Answer {
    let stream = TcpStream::connect(address).await.expect("a listener");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = Request::post(format!("http://sidespan.test{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("traceparent", traceparent)
        .body(Full::new(Bytes::from_static(b"\0\0\0\0\0")))
        .expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    let head = response.headers().clone();
    let body = response.into_body().collect().await.expect("an end");
    let last = body.trailers().unwrap_or(&head);
    let text = |name| Some(last.get(name)?.to_str().expect("text").to_owned());
    let answer = Answer {
        status: text("grpc-status")
            .expect("a status")
            .parse()
            .expect("a number"),
        timing: text("server-timing"),
    };
    connection.abort();
    answer
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}
