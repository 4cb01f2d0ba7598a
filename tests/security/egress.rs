//! An egress: no id and no baggage leaves for the outside where it is told so.

use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{self, Context, State};
use sidespan_tests::worlds::{Guest, Header};

/// The settings of `SECURITY.md`.
const SILENT: &str =
    r#""propagation": {"inject": [], "mirror": false, "baggage": {"deny": ["*"]}}"#;

#[test]
fn an_egress_that_is_told_so_sends_no_id_and_no_baggage_out() {
    let context = Context {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        span_id: "00f067aa0ba902b7".into(),
        state: State::Sampled,
    };
    let mut sent: Vec<Header> = Format::ALL
        .into_iter()
        .flat_map(|format| dialect::write(format, &context))
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    sent.push(("tracestate", b"vendor=secret".to_vec()));
    sent.push(("baggage", b"user=7,tier=gold".to_vec()));
    sent.push(("accept", b"*/*".to_vec()));
    let recorded = r#", "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}"#;
    for (more, spans) in [("", 0), (recorded, 1)] {
        let mut guest = Guest::start(&format!("{{{SILENT}{more}}}"));
        let left = guest.request(Direction::Outbound, &sent, 200);
        assert_eq!(left, [("accept".to_owned(), "*/*".to_owned())], "{more}");
        guest.host.advance(std::time::Duration::from_secs(2));
        assert_eq!(guest.exported().len(), spans, "it is recorded all the same");
    }
    let mut usual = Guest::start("{}");
    let left = usual.request(Direction::Outbound, &sent, 200);
    assert!(
        left.iter().any(|(name, _)| name == "traceparent"),
        "by default"
    );
    assert!(left.iter().any(|(name, _)| name == "baggage"), "by default");
}
