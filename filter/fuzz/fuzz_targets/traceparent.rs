//! `traceparent` and `tracestate`, line by line in turn: all of W3C Trace Context.

#![no_main]

use sidespan_core::propagation::format::Format;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sidespan_fuzz::one_format(
        Format::TraceContext,
        &sidespan_fuzz::lines_of(Format::TraceContext, input),
    );
});
