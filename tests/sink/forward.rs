//! `sidespan sink --forward`, from the program to a sink of the test. That sink answers on a thread of its own while a
//! test waits for the program's end.

use std::fs::{self, File};
use std::time::Duration;

use hyper::Method;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value, json};
use sidespan_sink::{Reply, Sink, SinkConfig};
use tempfile::TempDir;

use super::client::{self, PROTOBUF, TRACES, post};
use super::corpus::corpus;
use super::golden::compare;
use super::program::{Program, command};

const LIMIT: Duration = Duration::from_secs(60);

async fn sink() -> Sink {
    Sink::start(SinkConfig::default())
        .await
        .expect("free ports")
}

fn grpc(sink: &Sink) -> String {
    format!("grpc://{}", sink.grpc_addr())
}

fn http(sink: &Sink) -> String {
    format!("http://{}", sink.http_addr())
}

/// Sends a request with one span to a program, and waits until it is acknowledged.
async fn send(program: &Program, number: u64) {
    let span = Span {
        trace_id: [[1; 8], number.to_be_bytes()].concat(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: number.to_string(),
        ..Span::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let address = program.address("http");
    let answer = post(address, TRACES, &[PROTOBUF], request.encode_to_vec()).await;
    assert_eq!(answer.status, 200);
}

/// Waits for this many spans, and asserts that they are the first ones, in order and each once.
async fn arrived(sink: &Sink, count: u64) {
    let length = usize::try_from(count).expect("a small number");
    let spans = sink.wait_for_spans(length, LIMIT).await;
    let spans = spans.expect("all spans");
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    let expected: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    assert_eq!(names, expected);
}

fn forwarded(ended: &Value, name: &str) -> Value {
    ended["forwarded"][0][name].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_comes_through() {
    let request = corpus();
    let body = request.encode_to_vec();
    for gzip in [&[][..], &["--forward-gzip"]] {
        let (second, third) = (sink().await, sink().await);
        let urls = [grpc(&second), http(&third)];
        let mut arguments = vec!["--forward", &urls[0], "--forward", &urls[1]];
        arguments.extend(gzip);
        let first = Program::start(&arguments);
        let destinations = json!([urls[0], format!("{}{TRACES}", urls[1])]);
        assert_eq!(first.started()["forward"], destinations);
        let answer = post(first.address("http"), TRACES, &[PROTOBUF], body.clone()).await;
        assert_eq!(answer.status, 200);
        for sink in [&second, &third] {
            sink.wait_for_spans(18, LIMIT).await.expect("all spans");
            compare(sink, &request, &format!("{gzip:?}"));
        }
        let ended = first.end();
        for place in [0, 1] {
            let one = &ended["forwarded"][place];
            assert_eq!(one["delivered_spans"], 18, "{ended:#}");
            assert_eq!(one["waiting_spans"], 0, "{ended:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_kill_arrives_once() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("spans.db");
    let second = sink().await;
    let url = grpc(&second);
    let arguments = ["--data", file.to_str().expect("text"), "--forward", &url];
    let mut sent = 0;
    for round in 1..=6 {
        let program = Program::start(&arguments);
        for _ in 0..round * 5 {
            send(&program, sent).await;
            sent += 1;
        }
        // At one moment or another of a delivery.
        program.kill();
    }
    let program = Program::start(&arguments);
    arrived(&second, sent).await;
    assert_eq!(forwarded(&program.end(), "waiting_spans"), 0);
    assert_eq!(second.counts().accepted, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_away_gets_everything_when_it_is_back() {
    let folder = TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let second = sink().await;
    let url = http(&second);
    let header = "authorization=Bearer ${env:BACKEND_TOKEN}";
    let program = Program::start_with(
        command()
            .env("BACKEND_TOKEN", "s3cret")
            .stderr(File::create(&log).expect("a file")),
        &["--forward", &url, "--forward-header", header],
    );
    send(&program, 0).await;
    arrived(&second, 1).await;
    let requests = second.requests();
    assert!(requests[0].headers.has("authorization", "Bearer s3cret"));
    assert!(!format!("{requests:?}").contains("s3cret"));
    second.pause().await;
    for number in 1..20 {
        send(&program, number).await;
    }
    second.resume().await.expect("the same address");
    arrived(&second, 20).await;
    let before = second.requests().len();
    assert!(before < 20, "what waited was joined: {before}");
    second.script([Reply::Status(400, None), Reply::Unavailable]);
    send(&program, 20).await;
    // Else the next is joined to it.
    let refused = second.wait_for_requests(before + 1, LIMIT).await;
    refused.expect("the request that is refused");
    for number in 21..30 {
        send(&program, number).await;
    }
    second.wait_for_spans(29, LIMIT).await.expect("the others");
    let ended = program.end();
    assert_eq!(forwarded(&ended, "delivered_spans"), 29, "{ended:#}");
    assert_eq!(forwarded(&ended, "refused_spans"), 1, "{ended:#}");
    assert_eq!(forwarded(&ended, "requests_set_aside"), 1, "{ended:#}");
    let log = fs::read_to_string(log).expect("a log");
    for (line, count) in [
        ("takes no spans, which wait: ", 2),
        ("answers again, after ", 2),
        ("has refused 1 requests for good", 1),
        ("HTTP 400 Bad Request: ", 1),
        ("lost, because they are in memory alone: 0 spans", 1),
        ("s3cret", 0),
    ] {
        assert_eq!(log.matches(line).count(), count, "{line}: {log}");
    }
}

async fn api(program: &Program, method: Method, path: &str) -> (u16, Value) {
    let path = format!("/api/sidespan/v1/{path}");
    let answer = client::send(program.address("http"), method, &path, &[], "").await;
    let answer = answer.expect("an answer");
    let json = serde_json::from_slice(&answer.body).expect("JSON");
    (answer.status, json)
}

/// Waits until a destination has refused a request for good, and returns its state.
async fn set_aside(program: &Program) -> Value {
    let shown = async {
        loop {
            let (_, status) = api(program, Method::GET, "status").await;
            let one = status["forwarding"][0].clone();
            if one["setAside"]["requests"] != 0 {
                return one;
            }
        }
    };
    tokio::time::timeout(LIMIT, shown).await.expect("a refusal")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_shown_and_sent_again_when_it_is_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("spans.db");
    let second = sink().await;
    let url = grpc(&second);
    let arguments = ["--data", file.to_str().expect("text"), "--forward", &url];
    let program = Program::start(&arguments);
    second.script([Reply::Status(400, None)]);
    send(&program, 0).await;
    let state = set_aside(&program).await;
    assert_eq!(state["destination"], url);
    assert_eq!(state["setAside"]["spans"], 1, "{state:#}");
    let cause = state["setAside"]["lastCause"].as_str().expect("a cause");
    assert!(cause.starts_with("gRPC InvalidArgument"), "{cause}");
    assert_eq!(state["waiting"], json!({"requests": 0, "spans": 0}));

    let (status, answer) = api(&program, Method::GET, "forward/resend").await;
    assert_eq!(status, 405, "{answer}");
    let elsewhere = "forward/resend?destination=grpc://elsewhere:1";
    let (status, answer) = api(&program, Method::POST, elsewhere).await;
    assert_eq!(status, 404, "{answer}");
    assert!(answer["error"].as_str().expect("a cause").contains(&url));
    let (status, answer) = api(&program, Method::POST, "forward/resend").await;
    let one = json!({"destination": url, "requests": 1, "spans": 1});
    assert_eq!((status, &answer["resent"][0]), (200, &one));
    arrived(&second, 1).await;

    // And by the next sink, which finds it in the file.
    second.script([Reply::Status(401, None)]);
    send(&program, 1).await;
    set_aside(&program).await;
    assert_eq!(forwarded(&program.end(), "requests_set_aside"), 1);
    let program = Program::start(&[&arguments[..], &["--resend-set-aside"]].concat());
    arrived(&second, 2).await;
    assert_eq!(forwarded(&program.end(), "requests_set_aside"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_memory_is_told_at_the_end() {
    let folder = TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let second = sink().await;
    second.pause().await;
    let url = grpc(&second);
    let program = Program::start_with(
        command().stderr(File::create(&log).expect("a file")),
        &["--forward", &url],
    );
    send(&program, 0).await;
    let ended = program.end();
    assert_eq!(forwarded(&ended, "waiting_spans"), 1, "{ended:#}");
    assert_ne!(forwarded(&ended, "failure"), Value::Null, "{ended:#}");
    let log = fs::read_to_string(log).expect("a log");
    let told = format!("lost, because they are in memory alone: 1 spans for {url}");
    assert!(log.contains(&told), "{log}");
}
