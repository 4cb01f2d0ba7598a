//! A collector's answer: one line each for `:status`, `grpc-status`, `grpc-message`, `grpc-status-details-bin`,
//! `retry-after` and `content-type`, and then the body.

#![no_main]

use sidespan_core::export::answer::{Answer, Grpc};
use sidespan_core::export::grpc_frame::grpc_message;
use sidespan_core::export::response::{ExportOutcome, message};
use sidespan_core::export::settings::Protocol;
use sidespan_core::otlp::response::rejected_spans;
use sidespan_core::time::Nanos;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(7, |byte| *byte == b'\n');
    let status = lines.next();
    let grpc = Grpc {
        status: lines.next(),
        message: lines.next(),
        details: lines.next(),
    };
    let retry_after = lines.next();
    let content_type = lines.next();
    let body = lines.next().unwrap_or_default();
    let answer = Answer {
        status,
        grpc,
        content_type,
        retry_after,
        body,
        body_bytes: body.len(),
    };
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let _ = ExportOutcome::read(protocol, &answer, Nanos(1_785_240_000_000_000_000));
        if let Some(line) = message(protocol, &answer, ["secret"]) {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
    let _ = rejected_spans(answer.body);
    let _ = grpc_message(answer.body).map(rejected_spans);
});
