//! Headers as printed in guides that people learn from, and their reading by the core and by the compiled guest.
//!
//! Some guides print illegal headers. Those rows have the counters that a reader of the guide will see.

mod examples;

use sidespan_core::direction::Direction;
use sidespan_tests::worlds::{Outcome, Request};

use examples::{DENIED, EXAMPLES, Example};

#[test]
fn every_header_of_the_guides_comes_out_as_they_lead_to_expect() {
    let mut wrong = String::new();
    for Example {
        guide,
        headers,
        outcome: expected,
    } in EXAMPLES
    {
        let outcome = exchange(headers);
        let traceparent = value(&outcome, "traceparent").expect("one is always written");
        let trace_id = traceparent.split('-').nth(1).expect("four fields");
        let span = outcome.spans.first();
        let parent = span.map(|span| String::from_utf8_lossy(&span.parent_span_id).into_owned());
        let mut counters: Vec<_> = expected
            .counters
            .iter()
            .map(|name| format!("context.{name}"))
            .collect();
        counters.push(expected.decision.into());
        let moved: Vec<_> = outcome.counters.keys().cloned().collect();
        let new = if expected.trace_id.is_empty() {
            "{new 0}"
        } else {
            expected.trace_id
        };
        let is_dropped = expected.decision == DENIED;
        let wanted = (
            new,
            (!is_dropped).then(|| expected.parent.to_owned()),
            counters,
        );
        let found = (trace_id, parent, moved);
        if found != wanted {
            wrong += &format!("{guide}\n  {found:?}\n  {wanted:?}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_is_no_context_goes_on_as_it_came() {
    for example in EXAMPLES {
        let outcome = exchange(example.headers);
        for (name, sent) in example.headers {
            let is_state =
                *name == "tracestate" && example.outcome.counters == ["tracecontext.valid"];
            if is_state
                || [
                    "x-request-id",
                    "x-client-trace-id",
                    "x-ot-span-context",
                    "jaeger-debug-id",
                ]
                .contains(name)
            {
                assert_eq!(value(&outcome, name), Some(*sent), "{}", example.guide);
            }
        }
    }
}

#[test]
fn a_member_that_is_not_legal_takes_the_whole_tracestate_with_it() {
    let headers = [
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("tracestate", "congo=t61rcWkgMzE,jaeger=sampled=1"),
    ];
    let outcome = exchange(&headers);
    assert_eq!(value(&outcome, "tracestate"), None);
    assert_eq!(outcome.counters["context.tracestate.malformed"], 1);
}

fn exchange(headers: &[(&'static str, &'static str)]) -> Outcome {
    let pseudo = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "shop"),
        (":path", "/"),
    ];
    let headers = pseudo.iter().chain(headers);
    Request {
        configuration: CONFIGURATION.into(),
        direction: Direction::Inbound,
        headers: headers
            .map(|(name, value)| (*name, (*value).into()))
            .collect(),
        status: 200,
    }
    .exchange()
}

fn value<'o>(outcome: &'o Outcome, name: &str) -> Option<&'o str> {
    let line = outcome.headers.iter().find(|(other, _)| other == name);
    line.map(|(_, value)| value.as_str())
}

const CONFIGURATION: &str = r#"{
    "sampling": {"percentage": 100},
    "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}
}"#;
