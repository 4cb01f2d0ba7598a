//! Recordings of filters that do more, and credentials in every place: nothing of them is in the file, and it holds on the
//! built-in host and on a real Envoy.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use sidespan_tests::guests;

use crate::sidecar::program::Program;
use crate::sidecar::record::replay;
use crate::sidecar::server::{Body, Client, Version, frames, serve};

/// Stands in every place for a credential, with a number and a letter that make each another.
const MARKER: &str = "mArKeR";

/// Answers with credentials in headers and body.
async fn server() -> SocketAddr {
    serve(|request: Request<Incoming>| async move {
        // The whole request first, because a replay on Envoy answers then, too.
        let _ = request.into_body().collect().await;
        let body = format!("{{\"accessToken\": \"{MARKER}-r1\", \"ids\": [1, 2], \"user\": {{\"pin\": \"{MARKER}-r2\"}}}}");
        Response::builder()
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("set-cookie", format!("session={MARKER}-r3; HttpOnly"))
            .header("set-cookie", format!("other={MARKER}-r4"))
            .header("location", format!("https://me:{MARKER}-r5@shop/?code={MARKER}-r6#access_token={MARKER}-r7"))
            .header("x-powered-by", "a shop")
            .body(Full::from(body).map_err(io::Error::other).boxed_unsync())
            .expect("a response")
    })
    .await
}

/// A request with a credential wherever one may be.
fn request(kind: &str, body: &str, has_trailers: bool) -> Request<Body> {
    let basic = STANDARD.encode(format!("me:{MARKER}-h3"));
    let path = format!(
        "/pay?item=7&token={MARKER}-q1&ACCESS_TOKEN={MARKER}-q2&api_key={MARKER}-q3&password={MARKER}%2Bq4"
    );
    let mut pieces = vec![Frame::data(body.to_owned().into())];
    if has_trailers {
        let value = format!("{MARKER}-t1").parse().expect("a value");
        let trailers = HeaderMap::from_iter([("x-auth-token".parse().expect("a name"), value)]);
        pieces.push(Frame::trailers(trailers));
    }
    Request::post(format!("http://shop{path}"))
        .header("authorization", format!("Bearer {MARKER}-h1"))
        .header("proxy-authorization", format!("Basic {basic}"))
        .header("cookie", format!("a={MARKER}-h4; b={MARKER}-h5"))
        .header("x-api-key", format!("{MARKER}-h6"))
        .header("x-Secret-Thing", format!("{MARKER}-h7"))
        .header("sec-websocket-protocol", format!("v1, {MARKER}-h8"))
        .header(
            "referer",
            format!("http://me:{MARKER}-h9@shop/?refresh_token={MARKER}-h10"),
        )
        .header("baggage", format!("tenant=a,apikey={MARKER}-h11"))
        // A copy under a name that says nothing.
        .header("x-copy", format!("see {MARKER}-h1"))
        .header("x-tenant", "shop")
        .header("content-type", kind)
        .body(frames(pieces.into_iter()))
        .expect("a request")
}

/// Records requests of the first kinds through a filter, and returns the recording's text and what the sidecar has said.
async fn recorded(
    folder: &Path,
    version: Version,
    script: &str,
    count: usize,
    more: &[&str],
) -> (String, String) {
    let file = folder.join("recorded.yaml");
    let (module, configuration) = (folder.join("guest.wasm"), folder.join("script.txt"));
    fs::copy(guests::scripted(), &module).expect("the guest");
    fs::write(&configuration, script).expect("a file");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let (module, configuration, name) = (text(&module), text(&configuration), text(&file));
    let environment = format!("API_TOKEN={MARKER}-e1");
    let arguments = [
        "--module",
        &module,
        "--config",
        &configuration,
        "--record",
        &name,
        "--env",
        &environment,
    ];
    let sidecar = Program::start(server().await, &[&arguments, more].concat());
    let bodies = [
        (
            "application/json",
            format!(
                "{{\"a\": 1, \"Password\": \"{MARKER}-b1\", \"deep\": [{{\"client_secret\": {{\"x\": \"{MARKER}-b2\"}}}}], \"url\": \"http://a:{MARKER}-b3@b/\"}}"
            ),
        ),
        (
            "application/x-www-form-urlencoded",
            format!("a=b&passwd={MARKER}-b4&grant=x&assertion={MARKER}-b5"),
        ),
        ("text/plain", format!("my word is {MARKER}-b6")),
        ("application/json", format!("{{\"broken\": {MARKER}-b7")),
    ];
    let mut client = Client::connect(sidecar.address(), version).await;
    for (kind, body) in bodies.into_iter().take(count) {
        let request = request(kind, &body, version == Version::Http2);
        let response = client.send(request).await.expect("a response");
        response.into_body().collect().await.expect("a whole body");
    }
    let said = tokio::task::block_in_place(|| sidecar.stop());
    let recorded = fs::read_to_string(&file).expect("the recording");
    println!("{said}\n{recorded}");
    for text in [&said, &recorded] {
        let text = text.to_ascii_lowercase();
        assert!(!text.contains(&MARKER.to_ascii_lowercase()), "{text}");
        assert!(
            !text.contains(
                &STANDARD
                    .encode(format!("me:{MARKER}-h3"))
                    .to_ascii_lowercase()
            )
        );
        assert!(!text.contains(&hex::encode(MARKER)), "{text}");
    }
    (recorded, said)
}

/// Replays the recording on both proxies.
fn holds_on_both(folder: &Path) {
    let file = folder.join("recorded.yaml");
    tokio::task::block_in_place(|| {
        replay(&file, &[]);
        replay(&file, &["--on", "envoy"]);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_holds_on_both_proxies_and_no_credential() {
    for version in [Version::Http2, Version::Http1] {
        let folder = tempfile::tempdir().expect("a folder");
        let script = format!(
            "on request_headers\n  get_header_map_value request_headers authorization\n  \
             add_header_map_value request_headers x-kind paid\n  \
             add_header_map_value request_headers x-inner {MARKER}-c1\n  \
             remove_header_map_value request_headers cookie\n  env API_TOKEN\n\
             on response_headers\n  add_header_map_value response_headers x-done yes\n"
        );
        let (text, _) = recorded(folder.path(), version, &script, 4, &[]).await;
        for part in [
            "x-kind: paid",
            "x-done: \"yes\"",
            "cookie: null",
            "item=7",
            "a shop",
            r#"a\":1"#,
            "redacted-",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            text.contains("the values of the variables of filter 1"),
            "{text}"
        );
        holds_on_both(folder.path());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answers_to_a_filters_calls_are_recorded_without_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = format!("auth={}", server().await);
    // The first stream of a VM has the context 2.
    let script = format!(
        "on request_headers\n  http_call auth 5000 :method=POST :path=/check?token={MARKER}-c1 :authority=auth \
         authorization={MARKER}-c2 body=password={MARKER}-c3\n  return 1\n\
         on http_call_response\n  get_header_map_value call_headers :status\n  get_header_map_value call_headers set-cookie\n  \
         set_effective_context 2\n  add_header_map_value request_headers x-checked yes\n  continue_stream request_stream\n"
    );
    let (text, _) = recorded(
        folder.path(),
        Version::Http2,
        &script,
        1,
        &["--cluster", &cluster],
    )
    .await;
    assert!(text.contains("calls:") && text.contains("auth:"), "{text}");
    assert!(text.contains("x-checked: \"yes\""), "{text}");
    holds_on_both(folder.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filters_own_reply_is_recorded_without_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!(
        "on request_headers\n  send_local_response 401 details={MARKER}-c1 \"body={{\\\"token\\\":\\\"{MARKER}-c2\\\"}}\" \
         content-type=application/json set-cookie=a={MARKER}-c3 www-authenticate=Bearer\n  return 1\n"
    );
    let (text, _) = recorded(folder.path(), Version::Http2, &script, 4, &[]).await;
    assert!(
        text.contains("reachesUpstream: false") && text.contains("\"401\""),
        "{text}"
    );
    holds_on_both(folder.path());
}
