//! `sidespan sink`, as people and scripts start it.

use super::client::{EXPORT, JSON, PROTOBUF, TRACES, call, post};
use super::program::{Program, output};
use prost::Message;
use sidespan_tests::corpus::corpus;

#[tokio::test]
async fn it_says_where_it_listens_and_what_came() {
    let sink = Program::start(&[]);
    let [grpc, http, zipkin] = ["grpc", "http", "zipkin"].map(|name| sink.address(name));
    let started = sink.started();
    assert_eq!(started["tls"], false);
    let endpoint = &started["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"];
    assert_eq!(endpoint, &format!("http://{http}"));
    let body = corpus().encode_to_vec();
    assert_eq!(call(grpc, EXPORT, "identity", &body).await.code, 0);
    assert_eq!(post(http, TRACES, &[PROTOBUF], body).await.status, 200);
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}"#;
    assert_eq!(post(http, "/v1/logs", &[JSON], logs).await.status, 200);
    let span = r#"[{"traceId":"1","id":"2"}]"#;
    assert_eq!(
        post(zipkin, "/api/v2/spans", &[JSON], span).await.status,
        202
    );
    assert_eq!(post(http, TRACES, &[JSON], "{").await.status, 400);
    let ended = sink.end();
    assert_eq!(ended["requests"], 4, "{ended:#}");
    assert_eq!(ended["spans"]["zipkin"], 1, "{ended:#}");
    assert_eq!(ended["spans"]["accepted"], 19, "{ended:#}");
    // A NaN is not equal to itself, so a store that compares values takes its span for another one.
    let [again, other] = ["duplicates", "conflicts"].map(|name| ended["spans"][name].as_u64());
    assert_eq!(
        again.zip(other).map(|(again, other)| again + other),
        Some(18),
        "{ended:#}"
    );
    assert_eq!(ended["refused_requests"]["broken"], 1, "{ended:#}");
    assert_eq!(ended["dropped"]["log_records"], 1, "{ended:#}");
}

#[test]
fn a_signal_right_after_its_start_ends_it_as_told() {
    for _ in 0..10 {
        let ended = Program::start(&[]).end();
        assert_eq!(ended["requests"], 0);
    }
}

#[tokio::test]
async fn it_fails_on_purpose() {
    let sink = Program::start(&["--fail", "503:1"]);
    let http = sink.address("http");
    assert_eq!(post(http, TRACES, &[JSON], "{}").await.status, 503);
    assert_eq!(post(http, TRACES, &[JSON], "{}").await.status, 200);
}

#[test]
fn a_port_in_use_is_named_with_the_cure() {
    let sink = Program::start(&[]);
    for (option, name) in [
        ("--grpc", "grpc"),
        ("--http", "http"),
        ("--zipkin", "zipkin"),
        ("--jaeger", "jaeger"),
        ("--tempo", "tempo"),
    ] {
        let mut arguments = vec!["sink", "--quiet"];
        for other in ["--grpc", "--http", "--zipkin", "--jaeger", "--tempo"] {
            if other != option {
                arguments.extend([other, "0"]);
            }
        }
        let address = sink.address(name);
        let taken = address.to_string();
        arguments.extend([option, &taken]);
        let (code, said) = output(&arguments);
        assert_eq!(code, Some(2), "{said}");
        let port = address.port();
        for part in [
            format!("port {port} is in use"),
            format!("with {option} PORT, where 0 is a free one"),
            format!("cannot listen on {address}"),
        ] {
            assert!(said.contains(&part), "{part}: {said}");
        }
    }
}

#[test]
fn wrong_use_is_told_with_the_place_and_the_cure() {
    for (arguments, part) in [
        (
            &["sink", "--fail", "often"][..],
            "as in 503:3,delay=2s,partial=10%",
        ),
        (&["sink", "--grpc", "http://a:1"], "without a scheme"),
        (&["sink", "--tls-cert", "a.pem"], "--tls-key"),
        (&["sink", "--token-file", "nowhere"], "reading nowhere"),
    ] {
        let (code, said) = output(arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(part), "{said}");
    }
}
