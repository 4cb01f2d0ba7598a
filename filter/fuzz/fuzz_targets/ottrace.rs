//! The three headers `ot-tracer-*`, a line for each.

#![no_main]

use sidespan_core::propagation::format::Format;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sidespan_fuzz::one_format(
        Format::OtTrace,
        &sidespan_fuzz::lines_of(Format::OtTrace, input),
    );
});
