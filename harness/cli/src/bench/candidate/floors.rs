//! Floors of the SDK: filters on proxy-wasm's SDK that make the same calls as Sidespan's and do no tracing.

use sidespan_core::stream_info::attributes::AttributeSet;

use super::description::{Candidate, Group, Work};

/// Returns the floors, in their order.
pub(super) fn all() -> [Candidate; 7] {
    let ask = format!("ask {}\n", AttributeSet::Server.expression());
    let floor = |name: &str, title: &str, steps: &[&str]| Candidate {
        name: name.into(),
        title: title.into(),
        group: Group::Floor,
        work: Work::Floor(steps.concat()),
        floor: None,
        own: None,
    };
    [
        floor("no-op", "a filter that does nothing", &[]),
        floor("floor-w3c", "reads, writes W3C", &[READ, WRITE_W3C]),
        floor(
            "floor-default",
            "reads, writes W3C and B3",
            &[READ, WRITE_W3C, WRITE_B3],
        ),
        floor(
            "floor-w3c-keep",
            "reads, writes W3C, looks at the response",
            &[READ, WRITE_W3C, RESPOND],
        ),
        floor(
            "floor-default-keep",
            "reads, writes W3C and B3, looks at the response",
            &[READ, WRITE_W3C, WRITE_B3, RESPOND],
        ),
        floor(
            "floor-w3c-span",
            "reads, writes W3C, asks what a span says",
            &[READ, WRITE_W3C, &ask],
        ),
        floor(
            "floor-default-span",
            "reads, writes W3C and B3, asks what a span says",
            &[READ, WRITE_W3C, WRITE_B3, &ask],
        ),
    ]
}

const READ: &str = "read\n";
/// Steps that write the filter's headers for a new trace that is not sampled.
const WRITE_W3C: &str =
    "write traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\n";
const WRITE_B3: &str = "\
write x-b3-traceid 4bf92f3577b34da6a3ce929d0e0e4736
write x-b3-spanid 00f067aa0ba902b7
write x-b3-sampled 0
";
const RESPOND: &str = "respond\n";
