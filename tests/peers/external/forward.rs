//! The sink forwards to a Collector and to Jaeger, and gets over the Collector's absence.
//!
//! ```text
//! sender ── sink ─┬─ OTLP/gRPC ──── Collector ── sink
//!                 ├─ OTLP/HTTP, gzip ──┘
//!                 └─ OTLP/HTTP ──── Jaeger
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::{Value, json};
use sidespan_envoy::wait_for;
use sidespan_sink::{Destination, Forward, SinkConfig, StoredSpan};
use sidespan_tests::collector::{Collector, runtime};
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

/// A real minute, with the sink's own times between attempts, which by then are half a minute.
#[test]
fn collectors_that_are_away_for_a_minute_get_everything_once() {
    let (last, other) = (Collector::start(), Collector::start());
    let (mut by_grpc, mut by_http) = (before(&last), before(&other));
    let first = forwarding(vec![
        destination(format!("grpc://{}", by_grpc.grpc_addr())),
        destination(format!("http://{}", by_http.http_addr())),
    ]);
    by_grpc.kill();
    by_http.kill();
    let away = Instant::now();
    let mut sent = 0;
    while away.elapsed() < MINUTE {
        otlp::export(first.sink().grpc_addr(), numbered(sent));
        sent += 1;
        let failures = runtime().block_on(first.sink().forwarding());
        let failures = failures.expect("the state");
        assert!(
            failures.iter().all(|it| it.delivered_spans == 0),
            "{failures:?}"
        );
        sleep(Duration::from_millis(500));
    }
    by_grpc.resume();
    by_http.resume();
    for sink in [&last, &other] {
        let count = usize::try_from(sent).expect("a small number");
        // The next attempt is up to 36 seconds away.
        let all = sink.sink().wait_for_spans(count, 2 * MINUTE);
        let spans = runtime()
            .block_on(all)
            .unwrap_or_else(|timeout| panic!("{timeout}"));
        let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
        let expected: Vec<String> = (0..sent).map(|number| number.to_string()).collect();
        assert_eq!(names, expected, "in order");
        let counts = sink.sink().counts();
        assert_eq!((counts.accepted, counts.duplicates), (sent, 0));
    }
    let state = runtime()
        .block_on(first.sink().forwarding())
        .expect("the state");
    for one in state {
        assert_eq!(
            (one.delivered_spans, one.backlog.messages),
            (sent, 0),
            "{one:?}"
        );
        assert!(one.failed_attempts >= 5, "{one:?}");
    }
}

fn numbered(number: u64) -> ExportTraceServiceRequest {
    let span = Span {
        trace_id: [[5; 8], number.to_be_bytes()].concat(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: number.to_string(),
        ..Span::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

const MINUTE: Duration = Duration::from_secs(60);

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
