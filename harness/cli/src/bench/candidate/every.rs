//! All candidates, in the order of the tables, Envoy's own tracers among them.

use super::description::{BASELINE, Candidate, Group, Work};
use super::{floors, least, sidespan};

/// Returns all candidates, in the order of the tables.
pub(in crate::bench) fn all() -> Vec<Candidate> {
    let mut all = vec![Candidate {
        name: BASELINE.into(),
        title: "no tracing".into(),
        group: Group::Baseline,
        work: Work::Nothing,
        floor: None,
        own: None,
    }];
    all.extend(native());
    all.extend(least::all());
    all.extend(floors::all());
    all.extend(sidespan::all());
    all
}

fn native() -> [Candidate; 4] {
    let native = |name: &str, title: &str, work| Candidate {
        name: name.into(),
        title: title.into(),
        group: Group::Native,
        work,
        floor: None,
        own: None,
    };
    let opentelemetry = |percentage, min_flush_spans| Work::OpenTelemetry {
        percentage,
        min_flush_spans,
    };
    [
        native(
            "native-otel",
            "OpenTelemetry tracer, 100 %",
            opentelemetry(100.0, None),
        ),
        native(
            "native-otel-512",
            "OpenTelemetry tracer, 100 %, min_flush_spans 512",
            opentelemetry(100.0, Some(512)),
        ),
        native(
            "native-otel-1",
            "OpenTelemetry tracer, 1 %",
            opentelemetry(1.0, None),
        ),
        native(
            "native-zipkin",
            "Zipkin tracer with W3C, 100 %",
            Work::Zipkin,
        ),
    ]
}
