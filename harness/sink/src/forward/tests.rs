//! Forwarding from one sink to another, and to servers that answer as no sink does.

mod answers;
mod outage;
mod tls;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::*;
use crate::store::{Place, SpanBatch};
use crate::{Reply, Sink, SinkConfig};

/// Longer than anything takes that works.
const LIMIT: Duration = Duration::from_secs(20);
/// No test lasts that long: what is sent again before was asked for.
const NEVER: Duration = Duration::from_secs(3_600);

fn soon() -> Retry {
    Retry {
        initial: Duration::from_millis(5),
        max: Duration::from_millis(20),
        max_asked: Duration::from_millis(20),
    }
}

fn to(destinations: Vec<Destination>) -> Forward {
    Forward {
        destinations,
        retry: soon(),
        max_request_bytes: 0,
        ..Forward::default()
    }
}

fn grpc(sink: &Sink) -> Destination {
    format!("grpc://{}", sink.grpc_addr()).parse().unwrap()
}

fn http(sink: &Sink) -> Destination {
    format!("http://{}", sink.http_addr()).parse().unwrap()
}

async fn sink() -> Sink {
    Sink::start(SinkConfig::default()).await.unwrap()
}

async fn forwarding(forward: Forward) -> Sink {
    let config = SinkConfig {
        forward,
        ..SinkConfig::default()
    };
    Sink::start(config).await.unwrap()
}

async fn keeping(place: Place, forward: Forward) -> Sink {
    let config = SinkConfig {
        place,
        forward,
        ..SinkConfig::default()
    };
    Sink::start(config).await.unwrap()
}

/// Keeps a request of spans with these numbers, each a trace of its own.
async fn keep(sink: &Sink, numbers: impl IntoIterator<Item = u64>) {
    let spans = numbers.into_iter().map(|number| Span {
        trace_id: [[1; 8], number.to_be_bytes()].concat(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: format!("span {number}"),
        ..Span::default()
    });
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let batch = SpanBatch::from_request(&request);
    sink.store().insert(batch, |_| ()).await.unwrap();
}

/// Waits for this many spans, and returns their numbers in the order of their arrival.
async fn arrived(sink: &Sink, count: usize) -> Vec<u64> {
    let spans = sink.wait_for_spans(count, LIMIT).await.unwrap();
    let number = |span: &Arc<crate::StoredSpan>| span.name.trim_start_matches("span ").parse();
    spans.iter().map(|span| number(span).unwrap()).collect()
}

/// Waits until the state of the only destination satisfies a condition, and returns it.
async fn state(sink: &Sink, is_met: impl Fn(&Forwarding) -> bool) -> Forwarding {
    let met = async {
        loop {
            let [only] = sink.forwarding().await.unwrap().try_into().unwrap();
            if is_met(&only) {
                return only;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LIMIT, met).await.unwrap()
}

#[tokio::test]
async fn a_destination_that_is_named_twice_is_an_error() {
    let one: Destination = "http://a".parse().unwrap();
    let config = SinkConfig {
        forward: to(vec![one.clone(), one]),
        ..SinkConfig::default()
    };
    let error = Sink::start(config).await.unwrap_err();
    assert_eq!(error.to_string(), "http://a/v1/traces is named twice");
}
