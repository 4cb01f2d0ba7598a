//! Every field of a span, and every odd value, over every protocol and compression: what the store gives back is what was
//! sent, and so is what the API, the export and the file give back.

use std::path::Path;

use hyper::Method;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use sidespan_sink::otlp_json::read_request;
use sidespan_sink::{Place, Sink, SinkConfig};
use tempfile::TempDir;

use super::client::{COMPRESSIONS, EXPORT, JSON, PROTOBUF, TRACES, call, packed, post, send};
use super::corpus::{corpus, json_of, lines_kept, lines_sent};

async fn sink() -> Sink {
    Sink::start(SinkConfig::default())
        .await
        .expect("free ports")
}

/// Compares what a sink has with what was sent.
pub(super) fn compare(sink: &Sink, sent: &ExportTraceServiceRequest, way: &str) {
    let kept = lines_kept(sink.spans().iter().map(|span| &**span));
    let sent = lines_sent(sent);
    assert_eq!(kept.len(), sent.len(), "{way}");
    for (kept, sent) in kept.iter().zip(&sent) {
        assert_eq!(kept, sent, "{way}");
    }
}

#[tokio::test]
async fn protobuf_comes_back_field_by_field() {
    let request = corpus();
    let body = request.encode_to_vec();
    for compression in COMPRESSIONS {
        let sink = sink().await;
        let answer = call(sink.grpc_addr(), EXPORT, compression, &body).await;
        assert_eq!(answer.code, 0, "{compression}: {answer:?}");
        compare(&sink, &request, &format!("gRPC {compression}"));

        let sink = self::sink().await;
        let headers = [PROTOBUF, ("content-encoding", compression)];
        let body = packed(compression, &body);
        let answer = post(sink.http_addr(), TRACES, &headers, body).await;
        assert_eq!(answer.status, 200, "{compression}: {answer:?}");
        assert_eq!(&answer.body[..], [0x0a, 0], "{compression}");
        compare(&sink, &request, &format!("HTTP {compression}"));
    }
}

#[tokio::test]
async fn json_comes_back_field_by_field() {
    let request = corpus();
    let body = json_of(&request).to_string();
    for compression in COMPRESSIONS {
        let sink = sink().await;
        let headers = [JSON, ("content-encoding", compression)];
        let body = packed(compression, body.as_bytes());
        let answer = post(sink.http_addr(), TRACES, &headers, body).await;
        assert_eq!(answer.status, 200, "{compression}: {}", answer.text());
        assert_eq!(answer.text(), r#"{"partialSuccess":{}}"#, "{compression}");
        compare(&sink, &request, &format!("JSON {compression}"));
    }
}

async fn with_file(file: &Path) -> Sink {
    let config = SinkConfig {
        place: Place::File(file.to_owned()),
        ..SinkConfig::default()
    };
    Sink::start(config).await.expect("free ports")
}

/// Returns the spans of a path of the API, whose lines are requests in JSON.
async fn read(sink: &Sink, path: &str) -> ExportTraceServiceRequest {
    let path = format!("/api/sidespan/v1/{path}");
    let answer = send(sink.http_addr(), Method::GET, &path, &[], "").await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let mut whole = ExportTraceServiceRequest::default();
    for line in answer.body.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            let (request, _) = read_request(line).expect("OTLP in JSON");
            whole.resource_spans.extend(request.resource_spans);
        }
    }
    whole
}

#[tokio::test]
async fn the_api_the_export_and_the_file_have_what_each_protocol_brought() {
    let request = corpus();
    let protobuf = request.encode_to_vec();
    for protocol in ["gRPC", "protobuf", "JSON"] {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("spans.db");
        let sink = with_file(&file).await;
        match protocol {
            "gRPC" => {
                let answer = call(sink.grpc_addr(), EXPORT, "identity", &protobuf).await;
                assert_eq!(answer.code, 0, "{answer:?}");
            }
            _ => {
                let (media, body) = match protocol {
                    "JSON" => (JSON, json_of(&request).to_string().into_bytes()),
                    _ => (PROTOBUF, protobuf.clone()),
                };
                let answer = post(sink.http_addr(), TRACES, &[media], body).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        }
        everywhere(&sink, &request, protocol).await;
        sink.stop().await;
        let reopened = with_file(&file).await;
        compare(&reopened, &request, &format!("{protocol}, reopened"));
        everywhere(&reopened, &request, &format!("{protocol}, reopened")).await;
        reopened.stop().await;
    }
}

/// Compares what the API has of each trace, and the export of all, with what was sent.
async fn everywhere(sink: &Sink, request: &ExportTraceServiceRequest, way: &str) {
    let sent = lines_sent(request);
    assert_eq!(lines_sent(&read(sink, "export").await), sent, "{way}");
    let mut all = ExportTraceServiceRequest::default();
    for trace in ["a0", "a1"] {
        let one = read(sink, &format!("traces/{}", trace.repeat(16))).await;
        all.resource_spans.extend(one.resource_spans);
    }
    assert_eq!(lines_sent(&all), sent, "{way}");
}
