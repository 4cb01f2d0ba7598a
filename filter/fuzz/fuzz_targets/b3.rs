//! `b3`, and the five headers `x-b3-*` from the same lines.

#![no_main]

use sidespan_core::propagation::format::Format;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    for format in [Format::B3, Format::B3Multi] {
        sidespan_fuzz::one_format(format, &sidespan_fuzz::lines_of(format, input));
    }
});
