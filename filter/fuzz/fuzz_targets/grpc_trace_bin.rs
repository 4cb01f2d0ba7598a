//! `grpc-trace-bin`, as its base64 text.

#![no_main]

use sidespan_core::propagation::format::Format;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sidespan_fuzz::one_format(
        Format::GrpcTraceBin,
        &sidespan_fuzz::lines_of(Format::GrpcTraceBin, input),
    );
});
