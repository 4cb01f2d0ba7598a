//! Each kind of expectation, met and missed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Failures;
use crate::run::passed::{Call, Fields, Message, Outcome, Passed};
use crate::run::pattern::Known;
use crate::run::scenario::{End, Exchange};
use crate::run::span::Span;

fn yaml<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn headers(fields: &[(&str, &[u8])]) -> Fields {
    fields
        .iter()
        .map(|(name, value)| ((*name).into(), value.to_vec()))
        .collect()
}

fn span(kind: &str, span_id: &str, parent: Option<&str>) -> Span {
    let attributes: BTreeMap<String, Value> = [
        ("url.path".into(), json!("/a")),
        ("code".into(), json!(503)),
    ]
    .into_iter()
    .collect();
    Span {
        name: "GET".into(),
        kind: kind.into(),
        trace_id: "aa".into(),
        span_id: span_id.into(),
        parent_span_id: parent.map(Into::into),
        service: "cart".into(),
        status: "error".into(),
        trace_state: String::new(),
        flags: 0x101,
        start: 1,
        end: 2,
        attributes,
        resource: BTreeMap::from([("service.name".into(), json!("cart"))]),
    }
}

fn told(failures: Failures) -> Vec<String> {
    let line = |failure: crate::run::report::Failure| {
        format!(
            "{}: expected {}, found {}",
            failure.at, failure.expected, failure.found
        )
    };
    failures.0.into_iter().map(line).collect()
}

#[test]
fn headers_are_compared_line_by_line() {
    let found = headers(&[
        ("a", b"1"),
        ("b", b"x"),
        ("b", b"z"),
        ("c", b"\xff"),
        ("t", b"00-4b-01"),
    ]);
    for (expected, told_of) in [
        ("{}", &[][..]),
        (r#"{a: "1", b: [x, z], c: {hex: ff}, d: null}"#, &[]),
        (r#"{A: "1"}"#, &[]),
        (r#"{a: "*"}"#, &[]),
        (r#"{t: "00-{t}-01"}"#, &[]),
        (r#"{a: "2"}"#, &["at.a: expected 2, found 1"]),
        ("{b: [x]}", &["at.b: expected x, found x | z"]),
        ("{b: [z, x]}", &["at.b: expected z | x, found x | z"]),
        ("{c: {hex: fe}}", &["at.c: expected hex fe, found hex ff"]),
        ("{c: text}", &["at.c: expected text, found hex ff"]),
        ("{d: x}", &["at.d: expected x, found none"]),
        (
            r#"{a: null, b: null}"#,
            &[
                "at.a: expected none, found 1",
                "at.b: expected none, found x | z",
            ],
        ),
    ] {
        let mut failures = Failures::default();
        failures.headers("at", &yaml(expected), Some(&found), &mut Known::new());
        assert_eq!(told(failures), told_of, "{expected}");
    }
    let mut failures = Failures::default();
    failures.headers("at", &yaml("{a: x}"), None, &mut Known::new());
    assert_eq!(
        told(failures),
        ["at: expected headers, found none: it never came so far"]
    );
}

#[test]
fn what_one_header_captures_binds_the_next() {
    let found = headers(&[("a", b"4b"), ("b", b"4c")]);
    let mut known = Known::new();
    let mut failures = Failures::default();
    failures.headers(
        "at",
        &yaml("{a: \"{t}\", b: \"{t}\"}"),
        Some(&found),
        &mut known,
    );
    assert_eq!(told(failures), ["at.b: expected 4b, found 4c"]);
    assert_eq!(known.get("t").map(String::as_str), Some("4b"));
}

#[test]
fn unchanged_tells_the_lines_that_differ() {
    let before = headers(&[("a", b"1"), ("b", b"2")]);
    let after = headers(&[("a", b"1"), ("b", b"3"), ("c", b"4")]);
    let mut failures = Failures::default();
    failures.unchanged("at", &before, Some(&before));
    failures.unchanged("at", &before, Some(&after));
    failures.unchanged("at", &before, None);
    assert_eq!(
        told(failures),
        [
            "at: expected b: 2, found b: 3 | c: 4",
            "at: expected the request as it came, found none: it did not reach the upstream",
        ]
    );
}

fn end(expected: &str, spans: &[Span]) -> Vec<String> {
    let expected: End = yaml(expected);
    let mut failures = Failures::default();
    let call = Call {
        cluster: "auth".into(),
        message: Message {
            headers: headers(&[(":path", b"/check")]),
            body: b"who?".to_vec(),
            trailers: Fields::new(),
        },
    };
    let outcome = Outcome {
        logs: vec!["info: trace 4b of all".into(), "warn: second".into()],
        counters: BTreeMap::from([("c".into(), 3)]),
        calls: vec![call],
        spans: spans.to_vec(),
        ..Outcome::default()
    };
    failures.end(&expected, &outcome, &mut Known::new());
    told(failures)
}

#[test]
fn spans_are_all_that_there_are_in_any_order() {
    let both = [span("client", "02", Some("01")), span("server", "01", None)];
    for (expected, told_of) in [
        ("{}", &[][..]),
        (
            r#"spans: [{kind: server, span: "{s}", parent: null}, {kind: client, parent: "{s}"}]"#,
            &[],
        ),
        (
            "spans: [{name: G*, trace: aa, service: cart, status: error, tracestate: ''}, {attributes: {code: 503, url.path: /*, x: null}, resource: {service.name: cart}}]",
            &[],
        ),
        (
            "spans: [{kind: server}]",
            &["expect.spans: expected 1 spans, found also client GET 02"],
        ),
        (
            "spans: []",
            &["expect.spans: expected 0 spans, found also client GET 02 | server GET 01"],
        ),
        (
            "spans: [{}, {}, {}]",
            &["expect.spans[2]: expected a span, found no more spans"],
        ),
        (
            "spans: [{kind: server}, {kind: client, parent: null, attributes: {code: \"503\", x: 1}}]",
            &[
                "expect.spans[1].parent: expected none, found 01",
                "expect.spans[1].attributes.code: expected \"503\", found 503",
                "expect.spans[1].attributes.x: expected 1, found none",
            ],
        ),
    ] {
        assert_eq!(end(expected, &both), told_of, "{expected}");
    }
}

#[test]
fn logs_and_counters_are_compared() {
    for (expected, told_of) in [
        (
            "logs: {contain: [\"trace {t} of\"], lack: [panicked]}",
            &[][..],
        ),
        (
            "logs: {contain: [panicked]}",
            &["expect.logs.contain: expected panicked, found no such line in 2"],
        ),
        (
            "logs: {lack: [\"of all\"]}",
            &["expect.logs.lack: expected no line with of all, found one"],
        ),
        (
            "logs: {lines: [\"info: trace {t} of *\", \"warn: second\"]}",
            &[],
        ),
        (
            "logs: {lines: [\"warn: second\"]}",
            &[
                "expect.logs.lines: expected warn: second, found info: trace 4b of all\nwarn: second",
            ],
        ),
        (
            "calls: [{cluster: a*, headers: {':path': /check}, body: who*}]",
            &[],
        ),
        (
            "calls: [{cluster: b, headers: {':path': /}, body: me}]",
            &[
                "expect.calls[0].cluster: expected b, found auth",
                "expect.calls[0].headers.:path: expected /, found /check",
                "expect.calls[0].body: expected me, found who?",
            ],
        ),
        ("calls: []", &["expect.calls: expected 0, found 1: auth"]),
        ("counters: {c: 3, d: 0}", &[]),
        (
            "counters: {c: 2, d: 1}",
            &[
                "expect.counters.c: expected 2, found 3",
                "expect.counters.d: expected 1, found 0, not defined",
            ],
        ),
    ] {
        assert_eq!(end(expected, &[]), told_of, "{expected}");
    }
}

#[test]
fn an_exchange_is_compared_at_both_ends() {
    let passed = Passed {
        upstream: Some(Message {
            body: b"one\ntwo\nthree".to_vec(),
            trailers: headers(&[("x-end", b"1")]),
            ..Message::default()
        }),
        details: Some("denied".into()),
        flags: "DC".into(),
        is_reset: true,
        ..Passed::default()
    };
    for (expected, told_of) in [
        (
            r#"{reachesUpstream: true, upstreamBody: "one*", upstreamTrailers: {x-end: "1"}, details: d*, flags: DC, reset: true}"#,
            &[][..],
        ),
        (
            "{reachesUpstream: false, upstreamTrailers: {x-end: null}, details: x, flags: '', reset: false}",
            &[
                "at.reachesUpstream: expected false, found true",
                "at.upstreamTrailers.x-end: expected none, found 1",
                "at.reset: expected false, found true",
                "at.details: expected x, found denied",
                "at.flags: expected , found DC",
            ],
        ),
        (
            "{downstreamBody: x, upstreamBody: ''}",
            &[
                "at.upstreamBody: expected , found one\ntwo\nthree",
                "at.downstreamBody: expected a body, found none: it never came so far",
            ],
        ),
    ] {
        let expected: Exchange = yaml(expected);
        let mut failures = Failures::default();
        failures.exchange("at", &expected, &passed, &mut Known::new());
        assert_eq!(told(failures), told_of);
    }
    let mut failures = Failures::default();
    let expected: Exchange = yaml("{upstreamBody: \"one\\n2\\nthree\"}");
    failures.exchange("at", &expected, &passed, &mut Known::new());
    let diff = failures.0[0].diff.as_deref().unwrap();
    assert!(diff.contains(" one\n-2\n+two\n three"), "{diff}");
}
