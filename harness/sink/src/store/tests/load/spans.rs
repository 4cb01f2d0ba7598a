//! The spans of a load.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::store::golden::pair;
use crate::store::tests::request;

/// Returns a request of 100 spans, about 512 bytes each.
pub(super) fn template() -> ExportTraceServiceRequest {
    let spans = (0..100u8).map(|id| Span {
        trace_id: vec![0xEE; 16],
        span_id: vec![0xEE; 8],
        parent_span_id: vec![id + 1; 8],
        name: format!("GET /orders/{}", id % 20),
        kind: 2,
        start_time_unix_nano: START,
        end_time_unix_nano: START + 1_000 * u64::from(id),
        attributes: (0..11)
            .map(|n| {
                pair(
                    &format!("attribute.number.{n}"),
                    Any::StringValue("a value of some length".into()),
                )
            })
            .collect(),
        status: Some(opentelemetry_proto::tonic::trace::v1::Status {
            code: if id % 50 == 0 { 2 } else { 0 },
            ..Default::default()
        }),
        ..Span::default()
    });
    request("shop", spans.collect())
}

const START: u64 = 1_700_000_000_000_000_000;

/// Finds the ids and the start of each span.
pub(super) fn places(bytes: &[u8]) -> Vec<(usize, usize, usize)> {
    let find = |what: &[u8]| -> Vec<usize> { memchr::memmem::find_iter(bytes, what).collect() };
    let traces = find(&[[0x0A, 16].as_slice(), &[0xEE; 16]].concat());
    let spans = find(&[[0x12, 8].as_slice(), &[0xEE; 8]].concat());
    let starts = find(&[[0x39].as_slice(), &START.to_le_bytes()].concat());
    assert_eq!((traces.len(), spans.len(), starts.len()), (100, 100, 100));
    traces
        .into_iter()
        .zip(spans)
        .zip(starts)
        .map(|((t, s), start)| (t + 2, s + 2, start + 1))
        .collect()
}

/// Writes new ids and times, in the order of time and without any order of ids.
pub(super) fn stamp(bytes: &mut [u8], places: &[(usize, usize, usize)], request: u64, traces: u64) {
    for (at, (trace, span, start)) in (0u64..).zip(places) {
        let number = request * traces + at % traces + 1;
        let random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        bytes[*trace..*trace + 8].copy_from_slice(&random);
        bytes[*trace + 8..*trace + 16].copy_from_slice(&number.to_be_bytes());
        bytes[*span..*span + 8].copy_from_slice(&(request * 100 + at + 1).to_be_bytes());
        let time = START + request * 1_000_000 + at * 1_000;
        bytes[*start..*start + 8].copy_from_slice(&time.to_le_bytes());
        // The end stands right behind the start and its own key.
        let end = time + 1_000 * (at + 1);
        bytes[*start + 9..*start + 17].copy_from_slice(&end.to_le_bytes());
    }
}
