//! Senders that are broken or mean: each gets a clear answer, others are served meanwhile, and memory stays bounded.

mod bodies;
mod connections;

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::client::{EXPORT, PROTOBUF, TRACES, call, post};
use super::program::Program;

/// The most memory that a sink may ever have used here: the program, its pools of 128 MiB and 256 MiB, and as much again
/// because a growing body is copied.
const MOST_KIB: u64 = 700 << 10;

/// Returns a request of one span.
fn one_span(id: u8) -> Vec<u8> {
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
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
    request.encode_to_vec()
}

/// Sends a span over each transport, and expects that it is kept.
async fn is_served(sink: &Program) {
    let (grpc, http): (SocketAddr, SocketAddr) = (sink.address("grpc"), sink.address("http"));
    let answer = call(grpc, EXPORT, "gzip", &one_span(1)).await;
    assert_eq!((answer.code, &answer.body[5..]), (0, &[0x0a, 0][..]));
    let answer = post(http, TRACES, &[PROTOBUF], one_span(2)).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &[0x0a, 0][..]));
}

fn is_bounded(sink: &Program) {
    if let Some(peak) = sink.peak_kib() {
        assert!(peak < MOST_KIB, "{peak} KiB");
    }
}
