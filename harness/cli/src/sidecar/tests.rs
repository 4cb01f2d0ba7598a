//! Tests on real sockets, with a filter in WebAssembly text.
//!
//! The filter adds `x-seen: 1` to requests and responses, counts the ends of streams in `ended`, and does more on some
//! paths: it answers `/r` itself, calls the cluster `collector` for `/c` and pauses the request until the answer is
//! there, and traps on `/t`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use sidespan_host::Module;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::message::{self, Body};
use super::pool::Pool;
use super::protocol::Protocol;
use super::{Direction, Routes, Sidecar, SidecarConfig};

const FILTER: &str = r#"(module
    (import "env" "proxy_log" (func $proxy_log (param i32 i32 i32) (result i32)))
    (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_http_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
    (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
    (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
    (import "env" "proxy_done" (func $done (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 16) "x-seen")
    (data (i32.const 24) "1")
    (data (i32.const 32) ":path")
    (data (i32.const 40) "collector")
    (data (i32.const 56) "ended")
    (data (i32.const 64) "ticks")
    (data (i32.const 72) "grpc-status")
    (data (i32.const 88) "source\00address")
    (data (i32.const 128) "\04\00\00\00\07\00\00\00\04\00\00\00\05\00\00\00\02\00\00\00\0a\00\00\00\01\00\00\00\0c\00\00\00\10\00\00\00:method\00POST\00:path\00/x\00:authority\00c\00content-type\00application/grpc\00")
    (data (i32.const 256) "no")
    (global $heap (mut i32) (i32.const 4096))
    (global $held (mut i32) (i32.const 0))
    (global $asked (mut i32) (i32.const 0))
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param $size i32) (result i32)
        (if (i32.gt_u (global.get $heap) (i32.const 100000)) (then (global.set $heap (i32.const 4096))))
        (global.get $heap)
        (global.set $heap (i32.add (global.get $heap) (local.get $size))))
    (func $show (drop (call $proxy_log (i32.const 2) (i32.load (i32.const 0)) (i32.load (i32.const 4)))))
    (func $send
        (if (call $call (i32.const 40) (i32.const 9) (i32.const 128) (i32.const 101)
                (i32.const 256) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 2000) (i32.const 8))
            (then unreachable)))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
        (drop (call $define (i32.const 0) (i32.const 56) (i32.const 5) (i32.const 0)))
        (drop (call $define (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 0)))
        (drop (call $period (i32.const 10)))
        (i32.const 1))
    (func (export "proxy_on_tick") (param i32) (drop (call $increment (i32.const 8) (i64.const 1))))
    (func (export "proxy_on_request_headers") (param $id i32) (param i32 i32) (result i32)
        (local $letter i32)
        (drop (call $add (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 24) (i32.const 1)))
        (drop (call $property (i32.const 88) (i32.const 14) (i32.const 0) (i32.const 4)))
        (drop (call $get (i32.const 0) (i32.const 32) (i32.const 5) (i32.const 0) (i32.const 4)))
        (local.set $letter (i32.load8_u (i32.add (i32.load (i32.const 0)) (i32.const 1))))
        (if (i32.eq (local.get $letter) (i32.const 114)) (then
            (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 256) (i32.const 2)
                (i32.const 0) (i32.const 0) (i32.const -1)))
            (return (i32.const 1))))
        (if (i32.eq (local.get $letter) (i32.const 99)) (then
            (global.set $held (local.get $id))
            (call $send)
            (return (i32.const 1))))
        (if (i32.eq (local.get $letter) (i32.const 116)) (then unreachable))
        (i32.const 0))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
        (call $add (i32.const 2) (i32.const 16) (i32.const 6) (i32.const 24) (i32.const 1)))
    (func (export "proxy_on_response_trailers") (param i32 i32) (result i32)
        (call $add (i32.const 3) (i32.const 16) (i32.const 6) (i32.const 24) (i32.const 1)))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
        (if (i32.eqz (call $get (i32.const 7) (i32.const 72) (i32.const 11) (i32.const 0) (i32.const 4)))
            (then (call $show)))
        (if (global.get $held) (then
            (if (i32.eqz (call $effective (global.get $held)))
                (then (drop (call $continue (i32.const 0)))))
            (global.set $held (i32.const 0))))
        (if (global.get $asked) (then
            (drop (call $effective (i32.const 1)))
            (drop (call $done)))))
    (func (export "proxy_on_log") (param i32) (drop (call $increment (i32.const 4) (i64.const 1))))
    (func (export "proxy_on_done") (param $id i32) (result i32)
        (if (i32.ne (local.get $id) (i32.const 1)) (then (return (i32.const 1))))
        (global.set $asked (i32.const 1))
        (call $send)
        (i32.const 0)))"#;

fn module() -> Module {
    Module::compile(&wat::parse_str(FILTER).unwrap()).unwrap()
}

/// Starts a server that answers every request by a function, over both versions of HTTP.
async fn serve<F>(
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let response = answer(request);
                async move { Ok::<_, Infallible>(response.await) }
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // Some tests break the connection on purpose.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// Starts a server that sends back the body, `x-seen` as `x-got`, and a trailer.
async fn echo() -> SocketAddr {
    serve(|request: Request<Incoming>| async move {
        let seen = request.headers().get("x-seen").cloned();
        let version = format!("{:?}", request.version());
        let body = request
            .into_body()
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let is_empty = body.is_empty();
        let body = if is_empty {
            message::empty()
        } else {
            let trailers =
                HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
            message::whole(body.to_vec(), Some(trailers))
        };
        let mut response = Response::new(body);
        response
            .headers_mut()
            .insert("x-version", version.parse().unwrap());
        if let Some(seen) = seen {
            response.headers_mut().insert("x-got", seen);
        }
        response
    })
    .await
}

/// Starts a collector that keeps its requests.
async fn collector() -> (SocketAddr, Arc<Mutex<Vec<(String, Bytes)>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&kept);
    let address = serve(move |request: Request<Incoming>| {
        let sink = Arc::clone(&sink);
        async move {
            let version = format!("{:?}", request.version());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            sink.lock().unwrap().push((version, body));
            let trailers =
                HeaderMap::from_iter([("grpc-status".parse().unwrap(), "7".parse().unwrap())]);
            Response::new(message::whole(b"ok".to_vec(), Some(trailers)))
        }
    })
    .await;
    (address, kept)
}

fn config(upstream: SocketAddr) -> SidecarConfig {
    let mut config = SidecarConfig::new("test", &module(), Routes::to(upstream));
    config.direction = Direction::Inbound;
    // Port 9 of this address is not listened on: such calls fail at once.
    config.any_cluster = Some("127.0.0.1:9".to_owned());
    config
}

async fn start(upstream: SocketAddr) -> Sidecar {
    Sidecar::start(config(upstream)).await.unwrap()
}

async fn ask(sidecar: &Sidecar, protocol: Protocol, request: Request<Body>) -> Response<Incoming> {
    let address = sidecar.local_addr().to_string();
    let sent = Pool::default().send(&address, protocol, request).await;
    sent.unwrap().0
}

fn get(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "shop")
        .body(message::empty())
        .unwrap()
}

/// Waits until `is_so` returns true; fails after ten seconds.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn until_ended(sidecar: &Sidecar, count: u64) {
    until("the streams have ended", || {
        sidecar.counters()["ended"] >= count
    })
    .await;
    assert_eq!(sidecar.counters()["ended"], count, "a stream ends once");
}

#[tokio::test]
async fn passes_a_request_and_its_response_through_the_filter() {
    let sidecar = start(echo().await).await;
    let request = Request::post("/")
        .header("host", "shop")
        .body(message::whole(b"hello".to_vec(), None))
        .unwrap();
    let response = ask(&sidecar, Protocol::Http1, request).await;
    assert_eq!(response.headers()["x-version"], "HTTP/1.1");
    assert_eq!(
        (&response.headers()["x-got"], &response.headers()["x-seen"]),
        (&"1".parse().unwrap(), &"1".parse().unwrap())
    );
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "hello");
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn speaks_http2_to_the_upstream_when_the_client_does_and_passes_trailers_through_the_filter()
{
    let sidecar = start(echo().await).await;
    let body = message::whole(vec![7; 300_000], None);
    let request = Request::post("http://shop/a")
        .version(http::Version::HTTP_2)
        .body(body)
        .unwrap();
    let response = ask(&sidecar, Protocol::Http2, request).await;
    assert_eq!(response.headers()["x-version"], "HTTP/2.0");
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().unwrap();
    assert_eq!(
        (
            trailers["grpc-status"].as_bytes(),
            trailers["x-seen"].as_bytes()
        ),
        (&b"0"[..], &b"1"[..])
    );
    assert_eq!(body.to_bytes(), vec![7; 300_000]);
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn streams_in_both_directions_at_once() {
    let upstream = serve(|request: Request<Incoming>| async move {
        Response::new(
            request
                .into_body()
                .map_err(std::io::Error::other)
                .boxed_unsync(),
        )
    });
    let sidecar = start(upstream.await).await;
    let (pieces, body) = message::pipe();
    let request = Request::post("http://shop/a")
        .version(http::Version::HTTP_2)
        .body(body)
        .unwrap();
    pieces
        .send(message::Piece::Frame(Frame::data("one".into())))
        .await
        .unwrap();
    let mut body = ask(&sidecar, Protocol::Http2, request).await.into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "one"
    );
    pieces
        .send(message::Piece::Frame(Frame::data("two".into())))
        .await
        .unwrap();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "two"
    );
    pieces.send(message::Piece::End).await.unwrap();
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn keeps_connections_and_serves_many_requests_at_once() {
    let sidecar = Arc::new(start(echo().await).await);
    let pool = Pool::default();
    let requests = (0..100).map(|_| {
        let (sidecar, pool) = (Arc::clone(&sidecar), pool.clone());
        tokio::spawn(async move {
            let (response, _slot) = pool
                .send(&sidecar.local_addr().to_string(), Protocol::Http1, get("/"))
                .await
                .unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            response.into_body().collect().await.unwrap();
        })
    });
    for request in requests.collect::<Vec<_>>() {
        request.await.unwrap();
    }
    until_ended(&sidecar, 100).await;
}

#[tokio::test]
async fn answers_what_the_filter_answers() {
    let sidecar = start(echo().await).await;
    let response = ask(&sidecar, Protocol::Http1, get("/r")).await;
    assert_eq!(
        (response.status(), response.headers()["x-seen"].as_bytes()),
        (StatusCode::FORBIDDEN, &b"1"[..])
    );
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "no"
    );
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn holds_a_request_until_the_filters_own_call_is_answered() {
    let (collector, kept) = collector().await;
    let mut config = config(echo().await);
    config
        .clusters
        .insert("collector".to_owned(), collector.to_string());
    let sidecar = Sidecar::start(config).await.unwrap();
    let response = ask(&sidecar, Protocol::Http1, get("/c")).await;
    assert_eq!(response.headers()["x-got"], "1");
    assert_eq!(
        *kept.lock().unwrap(),
        [("HTTP/2.0".to_owned(), Bytes::from("no"))]
    );
    let logs: Vec<_> = sidecar.logs().into_iter().map(|line| line.text).collect();
    assert_eq!(logs, ["7"], "the trailers of the answer");
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn answers_503_through_the_filter_when_there_is_no_upstream() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let sidecar = start(free).await;
    let response = ask(&sidecar, Protocol::Http1, get("/")).await;
    assert_eq!(
        (response.status(), response.headers()["x-seen"].as_bytes()),
        (StatusCode::SERVICE_UNAVAILABLE, &b"1"[..])
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"upstream connect error"), "{body:?}");
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn answers_504_when_the_upstream_takes_too_long_and_404_without_a_route() {
    let silent = serve(|_| std::future::pending()).await;
    let mut config = config(silent);
    config.timeout = Duration::from_millis(20);
    config.routes = Routes::default().route("shop", silent);
    let sidecar = Sidecar::start(config).await.unwrap();
    assert_eq!(
        ask(&sidecar, Protocol::Http1, get("/")).await.status(),
        StatusCode::GATEWAY_TIMEOUT
    );
    let elsewhere = Request::get("/")
        .header("host", "elsewhere")
        .body(message::empty())
        .unwrap();
    assert_eq!(
        ask(&sidecar, Protocol::Http1, elsewhere).await.status(),
        StatusCode::NOT_FOUND
    );
    until_ended(&sidecar, 2).await;
}

#[tokio::test]
async fn ends_a_stream_once_when_its_client_goes_away() {
    let (began, mut begun) = mpsc::unbounded_channel();
    let silent = serve(move |_| {
        let began = began.clone();
        async move {
            began.send(()).unwrap();
            std::future::pending().await
        }
    });
    let sidecar = start(silent.await).await;
    // While the upstream is waited for.
    let mut client = TcpStream::connect(sidecar.local_addr()).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    begun.recv().await.unwrap();
    drop(client);
    until_ended(&sidecar, 1).await;
    // In the middle of its own body.
    let mut client = TcpStream::connect(sidecar.local_addr()).await.unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\nabc")
        .await
        .unwrap();
    begun.recv().await.unwrap();
    drop(client);
    until_ended(&sidecar, 2).await;
}

#[tokio::test]
async fn ends_a_stream_once_when_its_client_goes_away_in_the_response() {
    let endless = serve(|_| async {
        let (pieces, body) = message::pipe();
        tokio::spawn(async move {
            while pieces
                .send(message::Piece::Frame(Frame::data("x".into())))
                .await
                .is_ok()
            {}
        });
        Response::new(body)
    });
    let sidecar = start(endless.await).await;
    let mut client = TcpStream::connect(sidecar.local_addr()).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = [0; 64];
    client.read_exact(&mut bytes).await.unwrap();
    drop(client);
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn breaks_a_response_off_that_the_upstream_breaks_off() {
    let broken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sidecar = start(broken.local_addr().unwrap()).await;
    tokio::spawn(async move {
        let (mut stream, _) = broken.accept().await.unwrap();
        stream.read_exact(&mut [0; 16]).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            .await
            .unwrap();
    });
    let response = ask(&sidecar, Protocol::Http1, get("/")).await;
    assert!(response.into_body().collect().await.is_err());
    until_ended(&sidecar, 1).await;
}

#[tokio::test]
async fn answers_503_once_the_filter_has_trapped() {
    let sidecar = start(echo().await).await;
    for path in ["/t", "/"] {
        assert_eq!(
            ask(&sidecar, Protocol::Http1, get(path)).await.status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
    let logs = sidecar.logs();
    assert!(
        logs[0]
            .text
            .starts_with("Function: proxy_on_request_headers failed: "),
        "{logs:?}"
    );
    sidecar.stop().await;
}

#[tokio::test]
async fn ticks_in_real_time() {
    let sidecar = start(echo().await).await;
    until("it has ticked three times", || {
        sidecar.counters()["ticks"] >= 3
    })
    .await;
}

#[tokio::test]
async fn lets_the_filter_finish_when_it_stops() {
    let (collector, kept) = collector().await;
    let mut config = config(echo().await);
    config.any_cluster = Some(collector.to_string());
    let sidecar = Sidecar::start(config).await.unwrap();
    sidecar.stop().await;
    assert_eq!(
        kept.lock().unwrap().len(),
        1,
        "what it sends when it is told to end"
    );
    assert!(TcpStream::connect(sidecar.local_addr()).await.is_err());
    sidecar.stop().await;
    assert_eq!(sidecar.counters()["ended"], 0);
}

#[tokio::test]
async fn says_why_a_filter_did_not_start() {
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
            (func (export "malloc") (param i32) (result i32) (i32.const 0))
            (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0)))"#,
    );
    let module = Module::compile(&wasm.unwrap()).unwrap();
    let error = Sidecar::start(SidecarConfig::new("test", &module, Routes::default()))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the filter did not start: proxy_on_configure answered false"),
        "{error}"
    );
}

#[tokio::test]
async fn the_upstreams_time_begins_when_it_has_the_request() {
    let mut config = config(echo().await);
    config.timeout = Duration::from_secs(1);
    let sidecar = Sidecar::start(config).await.unwrap();
    let (pieces, body) = message::pipe();
    let request = Request::post("/").header("host", "shop").body(body);
    let response = ask(&sidecar, Protocol::Http1, request.unwrap());
    tokio::pin!(response);
    pieces
        .send(message::Piece::Frame(Frame::data("slow".into())))
        .await
        .unwrap();
    // A client that takes longer to send than the upstream may to answer.
    let early = tokio::time::timeout(Duration::from_millis(1500), &mut response).await;
    assert!(early.is_err(), "{early:?}");
    pieces.send(message::Piece::End).await.unwrap();
    let response = response.await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "slow"
    );
}

#[tokio::test]
async fn open_requests_and_the_filter_share_the_time_to_stop() {
    let (reached, mut arrived) = mpsc::unbounded_channel();
    let silent = serve(move |_: Request<Incoming>| {
        let reached = reached.clone();
        async move {
            reached.send(()).unwrap();
            std::future::pending().await
        }
    })
    .await;
    let mut config = config(silent);
    // Asked to end, the filter calls this, and waits two seconds for the answer.
    config.any_cluster = Some(silent.to_string());
    config.drain = Duration::from_millis(1500);
    let sidecar = Sidecar::start(config).await.unwrap();
    let address = sidecar.local_addr().to_string();
    tokio::spawn(async move {
        let pool = Pool::default();
        // It is cut off.
        let _ = pool.send(&address, Protocol::Http1, get("/")).await;
    });
    arrived.recv().await.unwrap();
    let begun = Instant::now();
    sidecar.stop().await;
    assert!(
        begun.elapsed() < Duration::from_millis(2500),
        "{:?}",
        begun.elapsed()
    );
}
