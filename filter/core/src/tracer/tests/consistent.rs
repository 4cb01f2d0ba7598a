//! What becomes of OpenTelemetry's member of `tracestate`: rules TH-10 to TH-21, tables 6.4.3 to 6.4.5.

use super::*;
use crate::direction::Direction;

fn config(percentage: u32, consistent: bool) -> String {
    format!(
        r#"{{"sampling": {{"percentage": {percentage}, "consistent": {consistent}}}, {EXPORT}}}"#
    )
}

/// The `tracestate` that goes on, and the one on the span.
fn states(config: &str, headers: &[(&str, &str)]) -> (Option<String>, Option<String>) {
    let done = exchange(config, Direction::Inbound, headers);
    let span = done.spans.first();
    let on_span = span.map(|span| String::from_utf8(span.trace_state.clone()).unwrap());
    (done.value("tracestate"), on_span)
}

#[test]
fn th_10_a_root_that_is_kept_tells_its_threshold() {
    for (percentage, expected) in [(100, Some("ot=th:0")), (0, None)] {
        let (sent, on_span) = states(&config(percentage, true), &[]);
        assert_eq!(sent.as_deref(), expected, "{percentage}");
        assert_eq!(on_span.as_deref(), expected, "TH-21");
    }
    let (sent, _) = states(&config(100, false), &[]);
    assert_eq!(sent, None, "not told where that is switched off");
}

#[test]
fn section_6_4_4_follows_the_flag_and_believes_a_threshold_that_can_be_true() {
    let sampled = format!("00-{T}-{S}-01");
    let unsampled = format!("00-{T}-{S}-00");
    for (traceparent, received, expected) in [
        (&sampled, "ot=th:c", "ot=th:c"),
        (&sampled, "ot=th:cf", ""),
        (&sampled, "ot=th:cf;p:8", "ot=p:8"),
        (
            &sampled,
            "ot=rv:6e6d1a75832a2f;th:6e",
            "ot=rv:6e6d1a75832a2f;th:6e",
        ),
        (
            &sampled,
            "ot=th:6f;rv:6e6d1a75832a2f",
            "ot=rv:6e6d1a75832a2f",
        ),
        (&sampled, "ot=rv:6e6d1a75832a2f", "ot=rv:6e6d1a75832a2f"),
        (&sampled, "ot=th:x,a=1", "a=1"),
        (&sampled, "a=1", "a=1"),
        (&sampled, "ot=th:c;th:c", "ot=th:c;th:c"),
        (&unsampled, "ot=th:c", ""),
        (
            &unsampled,
            "ot=th:c;rv:6e6d1a75832a2f,a=1",
            "ot=rv:6e6d1a75832a2f,a=1",
        ),
        (&unsampled, "ot=th:c;", "ot=th:c;"),
    ] {
        for consistent in [true, false] {
            let headers = [
                ("traceparent", traceparent.as_str()),
                ("tracestate", received),
            ];
            let (sent, on_span) = states(&config(100, consistent), &headers);
            assert_eq!(
                sent.unwrap_or_default(),
                expected,
                "{traceparent} {received}"
            );
            assert!(on_span.is_none_or(|on_span| on_span == expected));
        }
    }
}

#[test]
fn an_undecided_context_is_decided_by_its_own_randomness_and_told() {
    // Kept by the randomness that is told, and not by that of the id.
    let decide = |rv: &str, percentage| {
        let trace_state = format!("ot=rv:{rv};th:0");
        let sampled = format!("00-{T}-{S}-01");
        let headers = [
            ("traceparent", sampled.as_str()),
            ("tracestate", &trace_state),
        ];
        let config = format!(
            r#"{{"sampling": {{"percentage": {percentage}}}, "trust": {{"decision": "ignore"}}, {EXPORT}}}"#
        );
        states(&config, &headers).0
    };
    assert_eq!(
        decide("ffffffffffffff", 1).as_deref(),
        Some("ot=th:fd70a;rv:ffffffffffffff")
    );
    assert_eq!(
        decide("00000000000000", 50).as_deref(),
        Some("ot=rv:00000000000000")
    );
}

#[test]
fn th_12_debug_and_a_decision_without_ids_tell_no_probability() {
    for value in ["d", "1"] {
        let (sent, _) = states(&config(100, true), &[("b3", value)]);
        let sent = sent.unwrap_or_default();
        assert!(!sent.contains("ot="), "{value}: {sent}");
    }
    let debug = format!("{T}-{S}-d");
    let traceparent = format!("00-{T}-{S}-01");
    let headers = [
        ("b3", debug.as_str()),
        ("traceparent", &traceparent),
        ("tracestate", "ot=th:c"),
    ];
    let (sent, _) = states(&config(100, true), &headers);
    assert!(!sent.unwrap_or_default().contains("th:"));
}

#[test]
fn one_that_only_translates_leaves_the_member_as_it_is() {
    let sampled = format!("00-{T}-{S}-01");
    let headers = [
        ("traceparent", sampled.as_str()),
        ("tracestate", "ot=th:ff"),
    ];
    assert_eq!(states("{}", &headers).0.as_deref(), Some("ot=th:ff"));
}
