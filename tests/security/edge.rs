//! Outsiders at an edge: they force decisions, bring ids and hide, by default, and do not where the gateway is told so.

use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{self, Context, State, can_say};
use sidespan_tests::worlds::{Guest, Header};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Returns a configuration that writes every format, with this percentage and these settings of the gateway.
fn configuration(percentage: u8, gateway: &str) -> String {
    let inject = Format::ALL.map(|format| format!("{:?}", format.name()));
    format!(
        r#"{{
            "propagation": {{"inject": [{}]}},
            "sampling": {{"percentage": {percentage}}},
            "gateway": {gateway},
            "export": {{"otlp": {{"cluster": "collector", "protocol": "http/protobuf"}}}}
        }}"#,
        inject.join(", ")
    )
}

/// Returns what an outsider sends in a format, and beside it a member of `tracestate` where the format has one.
fn outside(format: Format, state: State) -> Vec<Header> {
    let context = Context {
        trace_id: TRACE.into(),
        span_id: SPAN.into(),
        state,
    };
    let lines = dialect::write(format, &context).into_iter();
    let mut lines: Vec<_> = lines
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    if format == Format::TraceContext {
        lines.push(("tracestate", b"outsider=poison".to_vec()));
    }
    lines
}

/// The outcome of one request at an edge.
struct Seen {
    headers: Vec<(String, String)>,
    spans: Vec<opentelemetry_proto::tonic::trace::v1::Span>,
}

impl Seen {
    fn of(guest: &mut Guest, headers: &[Header]) -> Self {
        let headers = guest.request(Direction::Edge, headers, 200);
        guest.host.advance(std::time::Duration::from_secs(2));
        Self {
            headers,
            spans: guest.exported(),
        }
    }

    /// Returns the context that a service reads which speaks only this format.
    fn read(&self, format: Format) -> Option<Context> {
        dialect::read(format, |wanted| {
            let mut found = self.headers.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.clone())
        })
    }
}

#[test]
fn no_format_forces_a_trace_where_the_gateway_decides_itself() {
    let mut trusting = Guest::start(&configuration(0, "{}"));
    let mut deciding = Guest::start(&configuration(0, r#"{"trust": {"decision": "ignore"}}"#));
    for format in Format::ALL {
        for state in [State::Sampled, State::Debug] {
            if !can_say(format, state) {
                continue;
            }
            let forced = outside(format, state);
            let seen = Seen::of(&mut trusting, &forced);
            assert_eq!(seen.spans.len(), 2, "{format:?} {state:?}: by default");
            let seen = Seen::of(&mut deciding, &forced);
            assert_eq!(seen.spans.len(), 0, "{format:?} {state:?}");
            for written in Format::ALL {
                let context = seen.read(written).expect("every format is written");
                assert_eq!(context.state, State::Unsampled, "{format:?} to {written:?}");
            }
        }
    }
}

#[test]
fn no_format_brings_an_id_where_the_gateway_takes_none() {
    let mut trusting = Guest::start(&configuration(100, "{}"));
    let settings = [("restart", true), ("ignore", false)];
    let mut guarded = settings.map(|(word, is_linked)| {
        let gateway = format!(r#"{{"trust": {{"context": "{word}"}}}}"#);
        (Guest::start(&configuration(100, &gateway)), is_linked)
    });
    for format in Format::ALL {
        let poison = outside(format, State::Sampled);
        let is_poisoned = |seen: &Seen, written| {
            let right = |id: &str| id[16..].to_owned();
            let context = seen.read(written).expect("every format is written");
            right(&context.trace_id) == right(TRACE)
        };
        let seen = Seen::of(&mut trusting, &poison);
        assert!(is_poisoned(&seen, Format::TraceContext), "{format:?}");
        for (guest, is_linked) in &mut guarded {
            let seen = Seen::of(guest, &poison);
            for written in Format::ALL {
                assert!(!is_poisoned(&seen, written), "{format:?} to {written:?}");
            }
            let said = format!("{:?}", seen.headers);
            assert!(!said.contains("poison"), "{said}");
            for span in &seen.spans {
                assert_ne!(hex::encode(&span.trace_id)[16..], TRACE[16..]);
                assert_ne!(hex::encode(&span.parent_span_id), SPAN);
            }
            let links: usize = seen.spans.iter().map(|span| span.links.len()).sum();
            assert_eq!(links > 0, *is_linked, "{format:?}");
        }
    }
}

#[test]
fn nobody_hides_as_a_probe_where_the_gateway_excludes_nothing() {
    let hiding: [Header; 3] = [
        (":method", b"GET".to_vec()),
        (":path", b"/admin".to_vec()),
        ("user-agent", b"kube-probe/1.36".to_vec()),
    ];
    for (gateway, spans) in [("{}", 0), (r#"{"exclude": []}"#, 2)] {
        let mut guest = Guest::start(&configuration(100, gateway));
        assert_eq!(
            Seen::of(&mut guest, &hiding).spans.len(),
            spans,
            "{gateway}"
        );
    }
}
