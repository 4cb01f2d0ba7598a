//! Every field of a span, and every odd value, over every protocol and compression: what the store gives back is what was
//! sent.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use sidespan_sink::{Sink, SinkConfig};

use super::client::{COMPRESSIONS, EXPORT, JSON, PROTOBUF, TRACES, call, packed, post};
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
