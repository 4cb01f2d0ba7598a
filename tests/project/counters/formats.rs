//! Counters of baggage and of the formats beside W3C's and B3.

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_tests::worlds::Guest;

use super::{EXPORTING, S, T, bytes, moved};

#[test]
fn every_other_format_is_counted_valid_and_malformed() {
    let jaeger = |value: &str| ("uber-trace-id", value.to_owned());
    let xray = |version| format!("Root={version}-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1");
    let datadog = |parent: &str| {
        vec![
            ("x-datadog-trace-id", "11803532876627986230".into()),
            ("x-datadog-parent-id", parent.into()),
            ("x-datadog-sampling-priority", "1".into()),
        ]
    };
    let bin = |value: &str| vec![("grpc-trace-bin", value.to_owned())];
    let ottrace = |span_id: &str| {
        vec![
            ("ot-tracer-traceid", T[16..].into()),
            ("ot-tracer-spanid", span_id.into()),
            ("ot-tracer-sampled", "true".into()),
        ]
    };
    let gcp = |value| vec![("x-cloud-trace-context", value)];
    for (headers, format, refusal) in [
        (
            vec![jaeger(&format!("{T}:{S}:0:1"))],
            "context.jaeger.valid",
            "",
        ),
        (
            vec![jaeger(&format!("{T}:{S}:0"))],
            "context.jaeger.malformed",
            "context.refused.delimiter",
        ),
        (
            vec![jaeger(&format!("{T}%3A{S}%3A0%3A%"))],
            "context.jaeger.malformed",
            "context.refused.encoding",
        ),
        (
            vec![("x-amzn-trace-id", xray("1"))],
            "context.xray.valid",
            "",
        ),
        (
            vec![("x-amzn-trace-id", xray("2"))],
            "context.xray.malformed",
            "context.refused.version",
        ),
        (datadog("67667974448284343"), "context.datadog.valid", ""),
        (
            datadog("-1"),
            "context.datadog.malformed",
            "context.refused.span_id",
        ),
        (
            bin("AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE"),
            "context.grpc-trace-bin.valid",
            "",
        ),
        (
            bin("!"),
            "context.grpc-trace-bin.malformed",
            "context.refused.encoding",
        ),
        (
            bin("AABL"),
            "context.grpc-trace-bin.malformed",
            "context.refused.length",
        ),
        (ottrace("f067aa0ba902b7"), "context.ottrace.valid", ""),
        (
            ottrace("0"),
            "context.ottrace.malformed",
            "context.refused.span_id_zero",
        ),
        (gcp(format!("{T}/1;o=1")), "context.gcp.valid", ""),
        (
            gcp(format!("{T}/1;o=x")),
            "context.gcp.malformed",
            "context.refused.flags",
        ),
    ] {
        let sent: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut expected = vec![format];
        if refusal.is_empty() {
            expected.push("sampled.received");
        } else {
            expected.push(refusal);
            expected.push("sampled.default");
        }
        expected.sort_unstable();
        assert_eq!(moved(EXPORTING, &sent), expected, "{headers:?}");
    }
}

#[test]
fn members_of_baggage_that_are_denied_are_counted_one_by_one() {
    let mut guest = Guest::start(r#"{"propagation": {"baggage": {"deny": ["secret*"]}}}"#);
    let baggage = bytes(&[("baggage", "secretA=1,kept=2,secretB=3")]);
    let headers = guest.request(Direction::Inbound, &baggage, 200);
    assert_eq!(headers, [("baggage".to_owned(), "kept=2".to_owned())]);
    guest.host.advance(Duration::from_secs(2));
    assert_eq!(guest.counters()["baggage.dropped"], 2);
}
