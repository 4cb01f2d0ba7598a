//! `tracestate`, a header line for each line of the input: the result is legal, has each key once, reads again as itself,
//! and takes one more member.

#![no_main]

use sidespan_core::headers::{Name, RequestHeaders};
use sidespan_core::propagation::tracestate::{self, B3_MEMBER};
use sidespan_core::stats::Stats;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let name = Name::Tracestate.as_str().as_bytes();
    let lines = input.split(|byte| *byte == b'\n').map(|line| (name, line));
    let headers = RequestHeaders::read(lines);
    let mut stats = Stats::default();
    let first = tracestate::read(&headers.lines(Name::Tracestate), &mut stats);
    let text = first.as_bytes().to_vec();
    let headers = RequestHeaders::read([(name, &text[..])]);
    let again = tracestate::read(&headers.lines(Name::Tracestate), &mut stats);
    assert_eq!(again.as_bytes(), text);
    let with = first.with(B3_MEMBER, Some(b"1"), &mut stats);
    assert_eq!(with.member(B3_MEMBER), Some(&b"1"[..]));
    assert_eq!(
        with.with(B3_MEMBER, None, &mut stats).member(B3_MEMBER),
        None
    );
});
