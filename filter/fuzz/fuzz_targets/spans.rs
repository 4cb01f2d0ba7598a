//! What spans say of any request and any answer of the proxy: a request, a try of it, and one that is kept, in all
//! conventions, with attributes from every source.
//!
//! Whatever the bytes: each attribute is there once, there are at most 128 of them, and what leaves can be read back.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use sidespan_core::codec::protobuf;
use sidespan_core::config::Config;
use sidespan_core::direction::Direction;
use sidespan_core::in_memory::stream_record::Record;
use sidespan_core::otlp::span::encode;
use sidespan_core::span::Span;
use sidespan_fuzz::{headers, pass};

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
    let [requests @ .., attempt, keeping] = &*CONFIGURATIONS;
    let config = &requests[usize::from(choice / 3) % requests.len()];
    let has_trailers = choice / 9 % 2 == 1;
    for config in [config, attempt] {
        let passed = pass(config, direction, &request, &record, has_trailers);
        passed.exporter.iter().flatten().for_each(check);
    }
    let passed = pass(keeping, direction, &request, &record, has_trailers);
    let kept = passed.exporter.as_deref().unwrap_or_default();
    kept.iter().for_each(check);
    assert!(kept.iter().all(|span| span.flags & 1 == 0));
    let notes = passed.proxy.shared_keys(b"sidespan.keep.");
    assert!(notes.is_empty() || !kept.is_empty(), "a note of nothing");
    for (_, value) in passed.proxy.response_changes.take() {
        assert!(value.is_none_or(|value| !value.is_empty()));
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

static CONFIGURATIONS: LazyLock<[Config; 5]> = LazyLock::new(|| {
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
    .map(|text| Config::parse(text.as_bytes()).expect("a good configuration"))
});
