//! What a context takes from the same trace's context in another format.

use crate::ids::TraceId;
use crate::propagation::context::{SamplingState, SpanContext};
use crate::propagation::vector::{T64, context};

#[test]
fn a_short_id_becomes_the_whole_one_that_another_format_has() {
    let whole = context(SamplingState::Accept);
    let short = SpanContext {
        trace_id: TraceId::from_short_hex(T64.as_bytes()).unwrap(),
        short_trace_id: true,
        ..whole
    };
    let merged = |mut own: SpanContext, other: SpanContext| {
        own.merge(&other);
        own
    };
    assert_eq!(merged(short, whole), whole);
    assert_eq!(merged(whole, short), whole);
    assert_eq!(merged(short, short), short);
}
