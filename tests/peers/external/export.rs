//! A Collector exports to the sink: by every protocol, encoding and compression that its exporters have.
//!
//! ```text
//! sender ─┬─ Collector ─┬─ otlp_grpc/gzip ───── sink
//!         │             ├─ otlp_http/proto ──── sink
//!         │             └─ …
//!         └─ sink                                       the same request without a Collector
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sidespan_sink::StoredSpan;
use sidespan_tests::{collector, otlp, peers};

use super::corpus;

/// An exporter's name, its other settings, and the headers that show that its request was as set.
type Way = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const WAYS: [Way; 10] = [
    ("otlp_grpc/none", r#"{"compression": "none"}"#, &[]),
    (
        "otlp_grpc/gzip",
        r#"{"compression": "gzip"}"#,
        &[("grpc-encoding", "gzip")],
    ),
    (
        "otlp_grpc/zstd",
        r#"{"compression": "zstd"}"#,
        &[("grpc-encoding", "zstd")],
    ),
    (
        "otlp_http/proto",
        r#"{"compression": "none"}"#,
        &[("content-type", "application/x-protobuf")],
    ),
    (
        "otlp_http/proto-gzip",
        r#"{"compression": "gzip"}"#,
        &[
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "gzip"),
        ],
    ),
    (
        "otlp_http/proto-default",
        "{}",
        &[
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "gzip"),
        ],
    ),
    (
        "otlp_http/proto-zstd",
        r#"{"compression": "zstd"}"#,
        &[
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "zstd"),
        ],
    ),
    (
        "otlp_http/json-none",
        r#"{"encoding": "json", "compression": "none"}"#,
        &[("content-type", "application/json")],
    ),
    (
        "otlp_http/json-gzip",
        r#"{"encoding": "json", "compression": "gzip"}"#,
        &[
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ],
    ),
    (
        "otlp_http/json-zstd",
        r#"{"encoding": "json", "compression": "zstd"}"#,
        &[
            ("content-type", "application/json"),
            ("content-encoding", "zstd"),
        ],
    ),
];

#[test]
fn every_span_arrives_whole_by_every_way() {
    let request = corpus::request();
    let direct = collector::Collector::start();
    otlp::export(direct.sink().grpc_addr(), request.clone());
    let sent = arrived(&direct, corpus::count(&request));

    let sinks = WAYS.map(|_| collector::Collector::start());
    let through = peers::Collector::start(|_| {
        let mut exporters = Map::new();
        for ((name, settings, _), sink) in WAYS.iter().zip(&sinks) {
            exporters.insert((*name).into(), exporter(name, settings, sink));
        }
        let names: Vec<_> = exporters.keys().cloned().collect();
        json!({
            "exporters": exporters,
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": names}}},
        })
    });
    otlp::export(through.grpc_addr(), request.clone());

    for ((name, _, headers), sink) in WAYS.iter().zip(&sinks) {
        let found = arrived(sink, corpus::count(&request));
        for (id, span) in &sent {
            assert_eq!(found.get(id), Some(span), "{name}");
        }
        assert_eq!(found.len(), sent.len(), "{name}");
        let requests = sink.sink().requests();
        let [record] = requests.as_slice() else {
            panic!("{name}: {requests:#?}");
        };
        for (header, value) in *headers {
            assert_eq!(record.header(header), Some(*value), "{name}: {header}");
        }
        let agent = record.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("OpenTelemetry Collector"), "{agent}");
    }
}

/// Returns the settings of an exporter to a sink.
fn exporter(name: &str, settings: &str, sink: &collector::Collector) -> Value {
    let sink = sink.sink();
    let mut whole: Value = serde_json::from_str(settings).expect("JSON");
    whole["endpoint"] = match name.starts_with("otlp_grpc") {
        true => sink.grpc_addr().to_string().into(),
        false => format!("http://{}", sink.http_addr()).into(),
    };
    whole["tls"] = json!({"insecure": true});
    whole
}

/// Waits for this many spans, and returns them by their ids.
fn arrived(sink: &collector::Collector, count: usize) -> BTreeMap<String, Arc<StoredSpan>> {
    sink.wait(|now| {
        let spans = now.spans.iter();
        let by_id: BTreeMap<_, _> = spans.map(|it| (it.span_id.clone(), it.clone())).collect();
        (by_id.len() >= count).then_some(by_id)
    })
}
