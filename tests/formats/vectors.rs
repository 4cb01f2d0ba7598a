//! The vectors of the rule book (`filter/RULES.md`, appendix A), natively and in the compiled guest.

mod bank;

use sidespan_core::direction::Direction;
use sidespan_tests::worlds::{Outcome, Request};

use bank::{Vector, row};

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TP: &str = "0000000000000000a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const B3: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";
const ROOT: &str = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736";
const TRACE_BIN: &str = "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE";
/// The decisions on A15: kept by a sampler at 20 %, dropped by one at 10 %.
const UNDECIDED: [(u8, bool); 3] = [(10, false), (20, true), (100, true)];

/// Returns a configuration without consistent sampling, because no vector has a probability in `tracestate`.
fn configuration(percentage: u8, trust: &str) -> String {
    format!(
        r#"{{
            "propagation": {{"inject": [{NINE}]}},
            "sampling": {{"percentage": {percentage}, "consistent": false}},
            "trust": {{{trust}}},
            "export": {{"otlp": {{"cluster": "collector", "protocol": "http/protobuf"}}}}
        }}"#
    )
}

const NINE: &str = r#""tracecontext", "b3", "b3multi", "jaeger", "xray", "datadog", "grpc-trace-bin", "ottrace", "gcp""#;

fn request(
    configuration: &str,
    direction: Direction,
    headers: &[(&'static str, String)],
) -> Request {
    let pseudo = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "cart"),
        (":path", "/"),
    ];
    let pseudo = pseudo.map(|(name, value)| (name, value.to_owned()));
    let headers = pseudo.iter().chain(headers);
    Request {
        configuration: configuration.into(),
        direction,
        headers: headers
            .map(|(name, value)| (*name, value.clone().into_bytes()))
            .collect(),
        status: 200,
    }
}

fn value<'o>(outcome: &'o Outcome, name: &str) -> Option<&'o str> {
    let mut lines = outcome.headers.iter().filter(|(other, _)| other == name);
    let value = lines.next().map(|(_, value)| value.as_str());
    assert_eq!(lines.next(), None, "one line of {name}");
    value
}

impl Vector {
    fn check(
        &self,
        direction: Direction,
        percentage: u8,
        trust: &str,
        is_sampled: bool,
    ) -> Outcome {
        let id = self.id;
        let outcome =
            request(&configuration(percentage, trust), direction, &self.headers).exchange();
        let traceparent = value(&outcome, "traceparent").expect(id);
        let fields: Vec<&str> = traceparent.split('-').collect();
        let [_, trace_id, span_id, flags] = fields[..] else {
            panic!("{id}: {traceparent}");
        };
        let expected = if self.trace_id.is_empty() {
            "{new 0}"
        } else {
            self.trace_id
        };
        assert_eq!(trace_id, expected, "{id}");
        assert_ne!(span_id, S, "{id}: a span of our own");
        assert_eq!(
            flags.ends_with(['1', '3']),
            is_sampled,
            "{id} at {percentage} %"
        );
        let count = match (is_sampled, direction) {
            (false, _) => 0,
            (true, Direction::Edge) => 2,
            (true, Direction::Inbound | Direction::Outbound) => 1,
        };
        assert_eq!(outcome.spans.len(), count, "{id}");
        if let Some(span) = outcome.spans.first() {
            assert_eq!(span.parent_span_id, self.parent.as_bytes(), "{id}");
            assert_eq!(span.trace_id, trace_id.as_bytes(), "{id}");
        }
        for (name, expected) in self.leaves {
            let expected = expected.replace('T', T).replace('N', span_id);
            assert_eq!(
                value(&outcome, name).unwrap_or_default(),
                expected,
                "{id}: {name}"
            );
        }
        for counter in self.counts {
            assert_eq!(outcome.counters.get(*counter), Some(&1), "{id}: {counter}");
        }
        outcome
    }
}

#[test]
fn every_vector_comes_out_alike_in_both_worlds() {
    let bank = [
        bank::trace_context(),
        bank::b3(),
        bank::jaeger_and_xray(),
        bank::others(),
        bank::two_formats(),
    ]
    .concat();
    for vector in bank {
        let trust = r#""context": "accept""#;
        for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
            vector.check(direction, 100, trust, vector.sampled.unwrap_or(true));
        }
        if vector.sampled.is_none() {
            for (percentage, is_sampled) in UNDECIDED {
                vector.check(Direction::Inbound, percentage, trust, is_sampled);
            }
        }
    }
}

#[test]
fn a25_jaegers_debug_is_believed_where_it_is_trusted() {
    let vector = row("A25", [("uber-trace-id", &format!("{T}:{S}:0:3"))])
        .leaves(&[("uber-trace-id", "T:N:0:3"), ("b3", "T-N-d")])
        .counts(&["sampled.debug"]);
    vector.check(Direction::Inbound, 100, r#""jaegerDebug": true"#, true);
}

#[test]
fn a36_the_loser_is_a_link() {
    let outcome = bank::two_formats()[0].check(Direction::Inbound, 100, "", true);
    let [link] = &outcome.spans[0].links[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        hex::encode(&link.trace_id),
        "11111111111111111111111111111111"
    );
    assert_eq!(hex::encode(&link.span_id), S);
    assert_eq!(link.attributes[0].key, "link.reason");
}

/// Checks A.4, as far as protobuf has what the table says of JSON.
#[test]
fn a4_the_span_of_a13_says_where_its_parent_is() {
    let outcome = bank::b3()[0].check(Direction::Inbound, 100, "", true);
    let span = &outcome.spans[0];
    assert_eq!((span.flags, span.kind), (0x301, 2));
    assert_eq!(span.status.as_ref().map_or(0, |status| status.code), 0);
}

/// Checks A.2: the headers of each format for the context `T`, `S`. Where nothing is decided, the caller's span id stays.
#[test]
fn a2_every_format_says_the_same_of_one_context() {
    let translate = format!(r#"{{"propagation": {{"inject": [{NINE}]}}}}"#);
    let plain = ("traceparent", W3C.to_owned());
    let unsampled = ("traceparent", W3C.replace("-01", "-00"));
    let debug = ("b3", B3.replace("-1", "-d"));
    let debug_state = format!("b3={}", debug.1);
    // The columns: flags, B3, the two of B3 multi, Jaeger, X-Ray and Google Cloud, priority, options, OpenTracing's
    // `sampled`.
    let rows = [
        (plain, "01 1 1 _ 1 1 1 E true", None),
        (unsampled, "00 0 0 _ 0 0 0 A false", None),
        (debug, "01 d _ 1 3 1 2 E true", Some(debug_state)),
    ];
    for (sent, words, tracestate) in rows {
        let words: Vec<&str> = words
            .split(' ')
            .map(|word| word.trim_matches('_'))
            .collect();
        let [
            flags,
            single,
            sampled,
            debug,
            jaeger,
            bit,
            priority,
            options,
            word,
        ] = words[..]
        else {
            panic!("nine words");
        };
        let wanted = [
            ("traceparent", format!("00-{T}-{S}-{flags}")),
            ("tracestate", tracestate.unwrap_or_default()),
            ("b3", format!("{T}-{S}-{single}")),
            ("x-b3-traceid", T.into()),
            ("x-b3-spanid", S.into()),
            ("x-b3-parentspanid", String::new()),
            ("x-b3-sampled", sampled.into()),
            ("x-b3-flags", debug.into()),
            ("uber-trace-id", format!("{T}:{S}:0:{jaeger}")),
            (
                "x-amzn-trace-id",
                format!("{ROOT};Parent={S};Sampled={bit}"),
            ),
            ("x-datadog-trace-id", "11803532876627986230".into()),
            ("x-datadog-parent-id", "67667974448284343".into()),
            ("x-datadog-sampling-priority", priority.into()),
            ("x-datadog-origin", String::new()),
            ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6".into()),
            (
                "x-cloud-trace-context",
                format!("{T}/67667974448284343;o={bit}"),
            ),
            (
                "grpc-trace-bin",
                TRACE_BIN.replace("AgE", &format!("Ag{options}")),
            ),
            ("ot-tracer-traceid", T[16..].into()),
            ("ot-tracer-spanid", S.into()),
            ("ot-tracer-sampled", word.into()),
        ];
        let outcome =
            request(&translate, Direction::Inbound, std::slice::from_ref(&sent)).exchange();
        for (name, expected) in wanted {
            assert_eq!(
                value(&outcome, name).unwrap_or_default(),
                expected,
                "{sent:?}: {name}"
            );
        }
    }
}

/// Checks A.5: a threshold that can be true stays in its place; one that cannot, and one beside debug, is removed, and a
/// changed member moves to the left end.
#[test]
fn a5_members_keep_their_order_and_ours_comes_first() {
    let state = "foo=1,ot=th:4;rv:6e6d1a75832a2f,bar=2";
    row("A.5", [("traceparent", W3C), ("tracestate", state)])
        .leaves(&[("tracestate", "foo=1,ot=th:4;rv:6e6d1a75832a2f,bar=2")])
        .check(Direction::Inbound, 100, "", true);
    row(
        "A.5",
        [
            ("traceparent", W3C),
            ("tracestate", &state.replace("th:4", "th:8")),
        ],
    )
    .leaves(&[("tracestate", "ot=rv:6e6d1a75832a2f,foo=1,bar=2")])
    .check(Direction::Inbound, 100, "", true);
    let debug = format!("foo=1,b3={T}-{S}-d,ot=th:4;rv:6e6d1a75832a2f");
    row("A.5, debug", [("traceparent", W3C), ("tracestate", &debug)])
        .leaves(&[(
            "tracestate",
            "b3=4bf92f3577b34da6a3ce929d0e0e4736-N-d,ot=rv:6e6d1a75832a2f,foo=1",
        )])
        .check(Direction::Inbound, 100, "", true);
}
