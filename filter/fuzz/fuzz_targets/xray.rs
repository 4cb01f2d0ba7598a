//! `x-amzn-trace-id`.

#![no_main]

use sidespan_core::propagation::format::Format;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sidespan_fuzz::one_format(Format::XRay, &sidespan_fuzz::lines_of(Format::XRay, input));
});
