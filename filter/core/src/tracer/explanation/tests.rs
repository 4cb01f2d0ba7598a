use alloc::string::{String, ToString};

use crate::config::Config;
use crate::direction::Direction;
use crate::id_generator::Random;
use crate::in_memory::header_list::HeaderList;
use crate::node::Node;
use crate::time::Nanos;
use crate::tracer::decide::Tracer;
use crate::tracer::request_trace::RequestTrace;
use crate::tracer::state::State;

struct Ones;

impl Random for Ones {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        bytes.fill(1);
        true
    }
}

fn explained(config: &str, headers: &[(&str, &str)]) -> String {
    let config = Config::parse(config.as_bytes()).unwrap();
    let tracer = Tracer::new(&config, &Node::default());
    let list = HeaderList::new(headers.iter().copied());
    let request = list.as_request();
    let mut state = State::new(&config, Ones);
    let mut trace = RequestTrace::silent();
    let decision = tracer.decide(
        &request,
        list.pairs(),
        || Direction::Inbound,
        || Nanos(1),
        |_| None,
        &mut state,
        &mut trace,
    );
    tracer.explain(&request, decision, &trace).to_string()
}

#[test]
fn says_what_was_read_decided_and_written() {
    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const ALL: &str = r#"{"sampling": {"percentage": 100}}"#;
    const NEW: &str = "trace_id 01010101010101010101010101010101 span_id 0101010101010101";
    const HERE: &str = "trace_id 4bf92f3577b34da6a3ce929d0e0e4736 span_id 0101010101010101 parent 00f067aa0ba902b7";
    const THERE: &str = "trace_id 4bf92f3577b34da6a3ce929d0e0e4736 span_id 00f067aa0ba902b7 parent 00f067aa0ba902b7";
    for (config, headers, expected) in [
        (
            ALL,
            &[][..],
            alloc::format!(
                "extracted nothing; decision sampled (default); injected tracecontext, b3multi; {NEW}"
            ),
        ),
        (
            r#"{"sampling": {"percentage": 0}}"#,
            &[],
            alloc::format!(
                "extracted nothing; decision dropped (default); injected tracecontext, b3multi; {NEW}"
            ),
        ),
        (
            ALL,
            &[("traceparent", W3C), ("b3", "zz-1-1")],
            alloc::format!(
                "extracted tracecontext, b3 (malformed: trace_id); decision sampled (received); injected tracecontext, b3, b3multi; {HERE}"
            ),
        ),
        (
            ALL,
            &[("b3", "0")],
            alloc::format!(
                "extracted b3 (no ids); decision dropped (received); injected tracecontext, b3, b3multi; {NEW}"
            ),
        ),
        (
            ALL,
            &[(":path", "/healthz"), ("traceparent", W3C)],
            "extracted nothing (excluded); decision dropped (exclude); injected nothing"
                .to_string(),
        ),
        (
            "{}",
            &[("traceparent", W3C)],
            alloc::format!(
                "extracted tracecontext; decision passed on as it came; injected tracecontext, b3multi; {THERE}"
            ),
        ),
        (
            "{}",
            &[],
            "extracted nothing; decision none; injected nothing".to_string(),
        ),
        (
            "{}",
            &[
                ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
                ("x-b3-spanid", "00f067aa0ba902b7"),
            ],
            alloc::format!("extracted b3multi; decision none; injected b3multi; {THERE}"),
        ),
    ] {
        assert_eq!(explained(config, headers), expected, "{headers:?}");
    }
}
