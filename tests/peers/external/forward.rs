//! The sink forwards to a Collector and to Jaeger, and gets over the Collector's absence.
//!
//! ```text
//! sender ── sink ─┬─ OTLP/gRPC ──── Collector ── sink
//!                 ├─ OTLP/HTTP, gzip ──┘
//!                 └─ OTLP/HTTP ──── Jaeger
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use sidespan_sink::{Destination, Forward, SinkConfig, StoredSpan};
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::{otlp, peers};

use super::corpus;

fn forwarding(destinations: Vec<Destination>) -> Collector {
    Collector::start_with(SinkConfig {
        forward: Forward {
            destinations,
            ..Forward::default()
        },
        ..SinkConfig::default()
    })
}

/// Starts a Collector that exports to a sink, a request as it comes.
fn before(sink: &Collector) -> peers::Collector {
    let endpoint = sink.sink().grpc_addr();
    peers::Collector::start(|_| {
        json!({
            "exporters": {"otlp_grpc": {"endpoint": endpoint, "tls": {"insecure": true}}},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_grpc"]}}},
        })
    })
}

fn destination(url: String) -> Destination {
    url.parse().expect("a destination")
}

/// Waits for this many spans, and returns them by their ids.
fn arrived(sink: &Collector, count: usize) -> BTreeMap<String, Arc<StoredSpan>> {
    sink.wait(|now| {
        let spans = now.spans.iter();
        let by_id: BTreeMap<_, _> = spans.map(|it| (it.span_id.clone(), it.clone())).collect();
        (by_id.len() >= count).then_some(by_id)
    })
}

#[test]
fn a_collector_gets_every_field_also_after_an_absence() {
    let request = corpus::request();
    let count = corpus::count(&request);
    for is_grpc in [true, false] {
        let last = Collector::start();
        let mut through = before(&last);
        let to = destination(match is_grpc {
            true => format!("grpc://{}", through.grpc_addr()),
            false => format!("http://{}", through.http_addr()),
        });
        let first = forwarding(vec![to.gzip(!is_grpc)]);
        through.kill();
        otlp::export(first.sink().grpc_addr(), request.clone());
        through.resume();
        let sent = arrived(&first, count);
        let found = arrived(&last, count);
        for (id, span) in &sent {
            assert_eq!(found.get(id), Some(span), "gRPC: {is_grpc}");
        }
        assert_eq!((sent.len(), found.len()), (count, count));
    }
}

#[test]
fn jaeger_shows_what_is_forwarded() {
    let jaeger = peers::Jaeger::start();
    let first = forwarding(vec![destination(format!("http://{}", jaeger.http_addr()))]);
    let request = corpus::plain();
    otlp::export(first.sink().grpc_addr(), request.clone());
    let trace_id = hex::encode(corpus::TRACE_ID);
    let spans = wait_for(LIMIT, || {
        let (status, answer) = jaeger.get(&format!("/api/traces/{trace_id}?raw=true"));
        let spans = answer["data"][0]["spans"].as_array().map(Vec::len);
        spans.filter(|_| status == 200 && answer["errors"] == Value::Null)
    });
    assert_eq!(spans, Some(corpus::count(&request)));
}
