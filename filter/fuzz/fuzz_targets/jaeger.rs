//! `uber-trace-id`.

#![no_main]

use sidespan_core::propagation::format::Format;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sidespan_fuzz::one_format(
        Format::Jaeger,
        &sidespan_fuzz::lines_of(Format::Jaeger, input),
    );
});
