//! What spans say of any request and any answer of the proxy: a request, a try of it, and one that is kept, in all
//! conventions, with attributes from every source.
//!
//! Whatever the bytes: each attribute is there once, there are at most 128 of them, and what leaves can be read back.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use sidespan_core::config::Config;
use sidespan_core::id_generator::SequentialBytes;
use sidespan_core::in_memory::stream_record::Record;
use sidespan_core::in_memory::header_list::HeaderList;
use sidespan_core::otlp::span::encode;
use sidespan_core::codec::protobuf;
use sidespan_core::node::Node;
use sidespan_core::span::Span;
use sidespan_core::tracer::state::State;
use sidespan_core::time::Nanos;
use sidespan_core::direction::Direction;
use sidespan_core::tracer::keep::response_header::{ResponsePart, HeaderChange};
use sidespan_core::tracer::decide::Tracer;
use sidespan_fuzz::headers;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (choice, input) = input.split_first().unwrap_or((&0, &[]));
    // The request's headers, the response's, its trailers, and the properties, with an empty line between them.
    let mut parts = split(input).into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let request = headers(next());
    let mut record = Record::default();
    for (name, value) in headers(next()).iter() {
        record = record.header(name, &String::from_utf8_lossy(value));
    }
    for (name, value) in headers(next()).iter() {
        record = record.trailer(name, &String::from_utf8_lossy(value));
    }
    for (name, value) in headers(next()).iter() {
        record = record.property(name, value);
    }
    let direction = match choice % 3 {
        0 => Direction::Inbound,
        1 => Direction::Outbound,
        _ => Direction::Edge,
    };
    let [tracers @ .., tries, keeping] = &*TRACERS;
    let tracer = &tracers[usize::from(choice / 3) % tracers.len()];
    for span in of_request(tracer, direction, &request, &record) {
        check(&span);
    }
    for span in of_try(tries, &request, &record) {
        check(&span);
    }
    for span in kept(keeping, direction, &request, &record) {
        check(&span);
    }
});

fn split(input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = input;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\n\n") {
        parts.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    parts.push(rest);
    parts
}

fn of_request(
    tracer: &Tracer,
    direction: Direction,
    request: &HeaderList,
    record: &Record,
) -> Vec<Span> {
    let mut state = State::new(&Config::default(), SequentialBytes(1));
    let known = request.as_request();
    let all = request.pairs();
    let decided = tracer.decide(&known, all, || direction, || Nanos(1), &mut state);
    let Some(mut request_trace) = decided else {
        return Vec::new();
    };
    let all = request.pairs();
    let active = request_trace.begin(direction, &known, all, Nanos(1), &mut state);
    let mut spans = Vec::new();
    if let Some(active) = active {
        tracer.finish(active, record, Nanos(2), &mut |span| spans.push(span));
    }
    spans
}

fn of_try(tracer: &Tracer, request: &HeaderList, record: &Record) -> Vec<Span> {
    let mut state = State::new(&Config::default(), SequentialBytes(1));
    let mut after = request.clone();
    let known = request.as_request();
    let all = request.pairs();
    let begun = tracer.begin_attempt(&known, all, || None, Nanos(1), &mut state, &mut after);
    let Some((mut active, _)) = begun else {
        return Vec::new();
    };
    tracer.hear_attempt(&mut active, record);
    let mut spans = Vec::new();
    tracer.finish_attempt(active, record, Nanos(2), &mut |span| spans.push(span));
    spans
}

fn kept(tracer: &Tracer, direction: Direction, request: &HeaderList, record: &Record) -> Vec<Span> {
    let (known, now) = (request.as_request(), || Nanos(1));
    let mut state = State::new(&Config::default(), SequentialBytes(1));
    let decided = tracer.decide(&known, request.pairs(), || direction, now, &mut state);
    let Some(mut request_trace) = decided else {
        return Vec::new();
    };
    let held = tracer.hold(&mut request_trace, || direction, &known, now, &mut state);
    let Some(mut held) = held else {
        return Vec::new();
    };
    let notes = &mut BTreeMap::new();
    for part in [ResponsePart::Headers, ResponsePart::Trailers] {
        let word = tracer.hear_held(&mut held, part, record, notes, now, &mut state);
        if let HeaderChange::Set(value) = word {
            assert!(!value.is_empty());
        }
    }
    if !tracer.settle_held(&mut held, record, notes, now, &mut state) {
        return Vec::new();
    }
    let mut spans = Vec::new();
    let active = tracer.open_held(held, known, request.pairs(), Nanos(2), &mut state.stats);
    if let Some(active) = active {
        tracer.finish(active, record, Nanos(2), &mut |span| spans.push(span));
    }
    assert!(!spans.is_empty() && spans.iter().all(|span| span.flags & 1 == 0));
    spans
}

fn check(span: &Span) {
    let bytes = encode(span);
    let mut rest = bytes.as_slice();
    let mut keys = BTreeSet::new();
    while let Some((field, value)) = protobuf::read(&mut rest) {
        if let (9, protobuf::Field::Bytes(mut attribute)) = (field, value) {
            let Some((1, protobuf::Field::Bytes(key))) = protobuf::read(&mut attribute) else {
                panic!("an attribute begins with its key");
            };
            let is_new = keys.insert(key.to_vec());
            assert!(is_new, "{} twice", String::from_utf8_lossy(key));
        }
    }
    assert!(rest.is_empty(), "all of it can be read");
    assert!(keys.len() <= 128);
    assert!(span.start <= span.end && !span.name.is_empty());
}

static TRACERS: LazyLock<[Tracer; 5]> = LazyLock::new(|| {
    let spans = |conventions: &str, omit: &str| {
        format!(
            r#""spans": {{"conventions": "{conventions}", "omit": [{omit}], "routes": ["/a/{{b}}", "/{{c}}"],
                "redactQuery": ["k"], "attributes": [
                    {{"name": "a", "requestHeader": "x-a"}}, {{"name": "b", "responseHeader": "x-b"}},
                    {{"name": "c", "property": "response.size"}}, {{"name": "d", "property": "connection.mtls"}},
                    {{"name": "e", "property": "xds.route_name", "default": "z"}}, {{"name": "f", "baggage": "k"}}
                ]}}, "export": {{"otlp": {{"cluster": "c"}}}}"#
        )
    };
    let all = r#""sampling": {"percentage": 100, "exclude": []}, "trust": {"decision": "ignore"}"#;
    [
        format!("{{{all}, {}}}", spans("stable", "")),
        format!("{{{all}, {}}}", spans("old", "")),
        format!(
            "{{{all}, {}}}",
            spans("both", r#""url.query", "client.address""#)
        ),
        format!(r#"{{"role": "attempt", {}}}"#, spans("both", "")),
        format!(
            r#"{{"sampling": {{"percentage": 0, "exclude": [], "keep": {{"slowerThan": "1ms"}}}},
                "trust": {{"decision": "ignore"}}, {}}}"#,
            spans("stable", "")
        ),
    ]
    .map(|text| {
        let config = Config::parse(text.as_bytes()).expect("a good configuration");
        Tracer::new(&config, &Node::default())
    })
});
