//! The section `$.propagation`.

use super::{accepts, parse, refuses};
use crate::propagation::format::Format;
use crate::propagation::format::Format::{B3, B3Multi, TraceContext};
use crate::propagation::settings::{Baggage, BaggageSource};
use alloc::format;

#[test]
fn lists_replace_defaults() {
    for (list, expected) in [
        ("[]", &[][..]),
        (r#"["b3multi"]"#, &[B3Multi]),
        (
            r#"["b3", "b3multi", "tracecontext"]"#,
            &[B3, B3Multi, TraceContext],
        ),
        (
            r#"["tracecontext", "b3", "b3multi", "jaeger", "xray", "datadog", "grpc-trace-bin", "ottrace", "gcp"]"#,
            &Format::ALL,
        ),
    ] {
        let extract = parse(&format!(r#"{{"propagation": {{"extract": {list}}}}}"#))
            .propagation
            .extract;
        assert_eq!(extract, expected, "{list}");
    }
    assert_eq!(
        parse(r#"{"propagation": {"inject": ["b3"]}}"#)
            .propagation
            .inject,
        [B3]
    );
    assert_eq!(
        parse(r#"{"propagation": {"inject": []}}"#)
            .propagation
            .inject,
        []
    );
}

#[test]
fn reads_the_switches() {
    let propagation = parse(
        r#"{"propagation": {"mirror": false, "keep64bit": true, "restoreTracestate": false}}"#,
    )
    .propagation;
    assert!(!propagation.mirror);
    assert!(propagation.keep64bit && !propagation.restore_tracestate);
}

#[test]
fn refuses_at_its_path() {
    const FORMATS: &str =
        "tracecontext, b3, b3multi, jaeger, xray, datadog, grpc-trace-bin, ottrace or gcp";
    refuses(&[
        (
            "/propagation/extract",
            "\"b3\"",
            "$.propagation.extract: expected a list of formats, found \"b3\"",
        ),
        (
            "/propagation/extract/2",
            "\"b3\"",
            "$.propagation.extract[2]: repeats entry 1 of the list",
        ),
        (
            "/propagation/extract",
            r#"["b3multi", "tracecontext", "b3"]"#,
            "$.propagation.extract[2]: b3 is read before b3multi; put it before entry 0",
        ),
        (
            "/propagation/extract/1",
            "\"b3-multi\"",
            &format!(
                "$.propagation.extract[1]: expected {FORMATS}, found \"b3-multi\"; did you mean `b3multi`?"
            ),
        ),
        (
            "/propagation/inject/0",
            "\"w3c\"",
            &format!("$.propagation.inject[0]: expected {FORMATS}, found \"w3c\""),
        ),
        (
            "/propagation/inject/0",
            "3",
            &format!("$.propagation.inject[0]: expected {FORMATS}, found 3; quote it"),
        ),
        (
            "/propagation/inject/1",
            "\"tracecontext\"",
            "$.propagation.inject[1]: repeats entry 0 of the list",
        ),
        (
            "/propagation/mirror",
            "1",
            "$.propagation.mirror: expected true or false, found 1",
        ),
        (
            "/propagation/keep64bit",
            "\"false\"",
            "$.propagation.keep64bit: expected true or false, found \"false\"; leave the quotes out",
        ),
        (
            "/propagation/baggage/maxBytes",
            "0",
            "$.propagation.baggage.maxBytes: expected a size from 1 to 8388608 bytes such as \"8MiB\", found 0",
        ),
        (
            "/propagation/baggage/from",
            "[\"b3\"]",
            "$.propagation.baggage.from[0]: expected jaeger or ottrace, found \"b3\"",
        ),
        (
            "/propagation/baggage/deny",
            "\"*\"",
            "$.propagation.baggage.deny: expected a list of patterns, found \"*\"",
        ),
        (
            "/propagation/strict",
            "true",
            "$.propagation.strict: unknown key; known here: extract, inject, mirror, baggage, keep64bit, restoreTracestate",
        ),
    ]);
}

#[test]
fn the_order_of_b3_matters_only_for_reading() {
    accepts(&[("/propagation/inject", r#"["b3multi", "b3"]"#)]);
}

#[test]
fn reads_every_format_by_its_name() {
    for format in Format::ALL {
        let list = format!(r#"{{"propagation": {{"inject": ["{}"]}}}}"#, format.name());
        assert_eq!(parse(&list).propagation.inject, [format]);
    }
}

#[test]
fn reads_what_becomes_of_baggage() {
    let text = r#"{"propagation": {"baggage": {"deny": ["secret-*"], "maxBytes": "4KiB", "from": ["ottrace", "jaeger"]}}}"#;
    assert_eq!(
        parse(text).propagation.baggage,
        Baggage {
            deny: ["secret-*".into()].into(),
            max_bytes: Some(4096),
            from: [BaggageSource::OtTrace, BaggageSource::Jaeger].into(),
        }
    );
}
