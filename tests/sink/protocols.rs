//! The protocol's own answers, over every transport and in the encoding of each request.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::json;
use sidespan_sink::{Faults, Sink, SinkConfig, SpanKind};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{
    EXPORT, JSON, PROTOBUF, TRACES, call, call_raw, framed, packed, post, unframed,
};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const ZIPKIN: &str = "/api/v2/spans";

async fn sink() -> Sink {
    let config = SinkConfig {
        zipkin: Some(([127, 0, 0, 1], 0).into()),
        ..SinkConfig::default()
    };
    Sink::start(config).await.expect("free ports")
}

async fn bad_sink(faults: &str) -> Sink {
    let config = SinkConfig {
        faults: faults.parse::<Faults>().expect("faults"),
        ..SinkConfig::default()
    };
    Sink::start(config).await.expect("free ports")
}

fn request(ids: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let spans = ids.into_iter().map(|id| Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        ..Span::default()
    });
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

#[tokio::test]
async fn each_port_answers_each_protocol() {
    let sink = sink().await;
    let zipkin = sink.zipkin_addr().expect("an address");
    for (address, id) in [sink.grpc_addr(), sink.http_addr(), zipkin]
        .into_iter()
        .zip(1..)
    {
        let sent = request([id]);
        assert_eq!(call(address, EXPORT, "identity", &sent).await.code, 0);
        let answer = post(address, TRACES, &[PROTOBUF], request([id + 10])).await;
        assert_eq!(answer.status, 200);
        let id = format!("{:016x}", id + 20);
        let span = json!([{"traceId": "7", "id": id}]).to_string();
        assert_eq!(post(address, ZIPKIN, &[JSON], span).await.status, 202);
    }
    assert_eq!(sink.spans().len(), 9);
}

#[tokio::test]
async fn errors_are_in_the_encoding_of_their_request() {
    let sink = sink().await;
    for (body, start) in [
        ("{", "EOF while parsing an object"),
        ("[]x", ""),
        ("{\"resourceSpans\":1}", ""),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}"#,
            "",
        ),
    ] {
        let answer = post(sink.http_addr(), TRACES, &[JSON], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.header("content-type"), "application/json");
        let status: serde_json::Value = serde_json::from_str(&answer.text()).expect("JSON");
        assert_eq!(status["code"], 3, "{body}");
        let message = status["message"].as_str().expect("a message");
        assert!(
            message.starts_with(start) && !message.is_empty(),
            "{message}"
        );
    }
    let answer = call(sink.grpc_addr(), EXPORT, "identity", b"\xff").await;
    assert_eq!(answer.code, 3, "INVALID_ARGUMENT");
    assert!(!answer.headers.contains_key("grpc-status-details-bin"));
    let received = sink.received();
    assert_eq!((received.broken, sink.spans().len()), (5, 0));
}

#[tokio::test]
async fn a_partial_success_counts_what_is_refused() {
    let sink = sink().await;
    let reason = "expected a span id of 8 bytes, not all zero";
    let answer = call(sink.grpc_addr(), EXPORT, "gzip", &request([1, 0])).await;
    let partial = unframed::<ExportTraceServiceResponse>(&answer).partial_success;
    let partial = partial.expect("a partial success");
    assert_eq!(
        (partial.rejected_spans, &*partial.error_message),
        (1, reason)
    );
    let span = |id: &str| json!({"traceId": "07".repeat(16), "spanId": id});
    let spans = json!([span("0000000000000000"), span("0000000000000002")]);
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    let headers = [("content-type", "application/json; charset=utf-8")];
    let answer = post(sink.http_addr(), TRACES, &headers, body.to_string()).await;
    assert_eq!(answer.status, 200);
    let found: serde_json::Value = serde_json::from_str(&answer.text()).expect("JSON");
    let expected = json!({"partialSuccess": {"rejectedSpans": "1", "errorMessage": reason}});
    assert_eq!(found, expected, "64 bits are text");
    assert_eq!(sink.spans().len(), 2);
}

#[tokio::test]
async fn logs_and_metrics_are_taken_counted_and_dropped() {
    let logs = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records: vec![LogRecord::default(); 2],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    };
    let gauge = Gauge {
        data_points: vec![NumberDataPoint::default(); 3],
    };
    let metrics = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![Metric {
                    data: Some(Data::Gauge(gauge)),
                    ..Metric::default()
                }],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    };
    let log_json = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {}]}]}]});
    let points = json!({"gauge": {"dataPoints": [{}, {}, {}]}});
    let metric_json = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [points]}]}]});
    let sink = sink().await;
    for address in [sink.grpc_addr(), sink.http_addr()] {
        for (method, path, body, json) in [
            (LOGS, "/v1/logs", logs.encode_to_vec(), log_json.to_string()),
            (
                METRICS,
                "/v1/metrics",
                metrics.encode_to_vec(),
                metric_json.to_string(),
            ),
        ] {
            let answer = call(address, method, "gzip", &body).await;
            assert_eq!((answer.code, &answer.body[5..]), (0, &[0x0a, 0][..]));
            let answer = post(address, path, &[PROTOBUF], body).await;
            assert_eq!((answer.status, &answer.body[..]), (200, &[0x0a, 0][..]));
            let answer = post(address, path, &[JSON], json).await;
            assert_eq!(answer.text(), r#"{"partialSuccess":{}}"#);
            assert_eq!(post(address, path, &[JSON], "{").await.status, 400);
            assert_eq!(call(address, method, "identity", b"\x0a").await.code, 3);
        }
    }
    let received = sink.received();
    assert_eq!((received.log_records, received.data_points), (12, 18));
    assert_eq!((received.broken, sink.counts().other_signals), (8, 12));
    assert_eq!(sink.requests().len(), 0);
}

#[tokio::test]
async fn a_message_that_can_never_pass_is_not_asked_for_again() {
    let config = SinkConfig {
        limits: sidespan_sink::Limits {
            max_request_bytes: 1_000,
            ..sidespan_sink::Limits::default()
        },
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    let large = vec![0x0a; 2_000];
    for compression in ["identity", "gzip", "zstd", "deflate"] {
        let answer = call(sink.grpc_addr(), EXPORT, compression, &large).await;
        assert_eq!(answer.code, 8, "{compression}");
        let details = answer.headers.get("grpc-status-details-bin");
        assert_eq!(details, None, "no RetryInfo: {compression}");
        let headers = [JSON, ("content-encoding", compression)];
        let body = packed(compression, &large);
        let answer = post(sink.http_addr(), TRACES, &headers, body).await;
        assert_eq!(answer.status, 413, "{compression}");
        assert_eq!(answer.header("retry-after"), "", "{compression}");
        assert!(answer.text().contains("\"code\":8"), "{}", answer.text());
    }
    assert_eq!(sink.received().too_large, 8);
    let unknown = call_raw(sink.grpc_addr(), EXPORT, Some("br"), framed(1, b"x")).await;
    let unknown = unknown.expect("an answer");
    assert_eq!(unknown.code, 12, "UNIMPLEMENTED");
    let accepted = &unknown.headers["grpc-accept-encoding"];
    assert_eq!(accepted, "identity,deflate,gzip,zstd");
    let headers = [JSON, ("content-encoding", "br")];
    let unknown = post(sink.http_addr(), TRACES, &headers, "{}").await;
    assert_eq!(unknown.status, 400);
    assert!(
        unknown
            .text()
            .contains("supported: [gzip, zstd, deflate, identity]")
    );
    for broken in [
        framed(1, b"x"),
        framed(2, b""),
        vec![0; 4],
        framed(0, b"")[..4].into(),
        {
            let mut two = framed(0, b"");
            two.extend(framed(0, b""));
            two
        },
    ] {
        let answer = call_raw(sink.grpc_addr(), EXPORT, None, broken).await;
        assert_eq!(answer.expect("an answer").code, 3, "INVALID_ARGUMENT");
    }
}

#[tokio::test]
async fn a_sink_without_memory_asks_to_come_back_and_still_serves_small_requests() {
    const LARGE: usize = 1 << 20;
    let config = SinkConfig {
        limits: sidespan_sink::Limits {
            max_request_bytes: LARGE,
            ..sidespan_sink::Limits::default()
        },
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: sink\r\ncontent-type: application/x-protobuf\r\ncontent-length: {LARGE}\r\n\r\n"
    );
    let mut hogs = Vec::new();
    let busy = loop {
        let mut hog = TcpStream::connect(sink.http_addr())
            .await
            .expect("a listener");
        hog.write_all(head.as_bytes()).await.expect("it is read");
        hog.write_all(&vec![0; LARGE - 1])
            .await
            .expect("it is read");
        hogs.push(hog);
        let answer = post(sink.http_addr(), TRACES, &[JSON], vec![b' '; LARGE]).await;
        if answer.status == 429 {
            break answer;
        }
        assert!(hogs.len() < 64, "memory without end: {answer:?}");
    };
    assert_eq!(busy.header("retry-after"), "1");
    assert!(busy.text().contains("RetryInfo"), "{}", busy.text());
    let busy = call(sink.grpc_addr(), EXPORT, "identity", &vec![0; LARGE]).await;
    assert_eq!(busy.code, 8);
    assert!(
        busy.headers.contains_key("grpc-status-details-bin"),
        "{busy:?}"
    );
    let small = post(sink.http_addr(), TRACES, &[PROTOBUF], request([1])).await;
    assert_eq!(small.status, 200);
    assert_eq!(sink.received().busy, 2);
    drop(hogs);
    // The memory comes back as soon as the sink sees that they are gone.
    let body = vec![b' '; LARGE];
    for _ in 0..10_000 {
        if post(sink.http_addr(), TRACES, &[JSON], body.clone())
            .await
            .status
            != 429
        {
            return;
        }
    }
    panic!("the memory is not given back");
}

#[tokio::test]
async fn zipkins_spans_are_kept_beside_otlps() {
    let sink = sink().await;
    let zipkin = sink.zipkin_addr().expect("an address");
    let half = |kind: &str, shared: bool| {
        json!({
            "traceId": "5af7183fb1d4cf5f", "id": "352bff9a74ca9ad2", "kind": kind, "shared": shared,
            "timestamp": 1_556_604_172_355_737_u64, "duration": 1_431,
            "localEndpoint": {"serviceName": kind.to_lowercase()},
        })
    };
    let body = json!([half("CLIENT", false)]).to_string();
    let headers = [JSON, ("content-encoding", "gzip")];
    let answer = post(zipkin, ZIPKIN, &headers, packed("gzip", body.as_bytes())).await;
    assert_eq!((answer.status, answer.text().as_str()), (202, ""));
    let spans = sink.trace("00000000000000005af7183fb1d4cf5f");
    assert_eq!(
        (spans[0].kind, spans[0].service()),
        (SpanKind::Client, "client")
    );
    assert_eq!(sink.received().zipkin_spans, 1);
    let body = json!([half("SERVER", true)]).to_string();
    assert_eq!(post(zipkin, ZIPKIN, &[], body).await.status, 202);
    for (headers, body, status, line) in [
        (&[JSON][..], "[{}]", 400, "400 no list of Zipkin spans: "),
        (
            &[JSON],
            r#"[{"traceId":"x","id":"1"}]"#,
            400,
            "400 [0].traceId: expected",
        ),
        (&[PROTOBUF], "", 415, "415 unsupported media type"),
    ] {
        let answer = post(zipkin, ZIPKIN, headers, body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.text().starts_with(line), "{}", answer.text());
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
}

#[tokio::test]
async fn faults_make_it_a_bad_collector() {
    let sink = bad_sink("503:2,429:1,partial=10%,retry=3s").await;
    for _ in 0..2 {
        let answer = post(sink.http_addr(), TRACES, &[JSON], "{}").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "3"));
    }
    let answer = call(sink.grpc_addr(), EXPORT, "identity", &request([1])).await;
    assert_eq!(answer.code, 8);
    assert!(answer.headers.contains_key("grpc-status-details-bin"));
    let answer = call(sink.grpc_addr(), EXPORT, "identity", &request(1..=20)).await;
    let partial = unframed::<ExportTraceServiceResponse>(&answer).partial_success;
    assert_eq!(partial.expect("a partial success").rejected_spans, 2);
    assert_eq!((sink.spans().len(), sink.counts().scripted), (18, 2));

    let sink = bad_sink("503:1").await;
    let answer = call(sink.grpc_addr(), EXPORT, "identity", &request([1])).await;
    assert_eq!(answer.code, 14, "UNAVAILABLE");
    let sink = bad_sink("reset").await;
    let lost = call_raw(sink.grpc_addr(), EXPORT, None, framed(0, &request([1]))).await;
    assert!(lost.is_err());
    assert_eq!(sink.spans().len(), 0);
}
