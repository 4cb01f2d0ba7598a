//! A collector's answer: `:status`, `grpc-status` and `retry-after` a line each, and behind them the body.

#![no_main]

use sidespan_core::config::Protocol;
use sidespan_core::export::reply::{Answer, Reply};
use sidespan_core::otlp;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(4, |byte| *byte == b'\n');
    let answer = Answer {
        status: lines.next(),
        grpc_status: lines.next(),
        retry_after: lines.next(),
        body: lines.next().unwrap_or_default(),
    };
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let _ = Reply::read(protocol, &answer);
    }
    let _ = otlp::rejected_spans(answer.body);
    let _ = otlp::grpc_message(answer.body).map(otlp::rejected_spans);
});
