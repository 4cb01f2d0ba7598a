//! Many spans in a real store: what is left out, and the time that a map takes.

use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::*;
use crate::store::golden::pair;
use crate::store::{Limits, Place, Query, SpanBatch, Store};

/// Returns a trace of ten spans: a request to `front`, and four of it to `cart`, each with the spans of two sidecars.
fn trace(number: u64) -> ExportTraceServiceRequest {
    let span = |id: u64, parent: u64, kind: i32| Span {
        trace_id: [[0xAB; 8], number.to_be_bytes()].concat(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: match parent {
            0 => Vec::new(),
            parent => parent.to_be_bytes().to_vec(),
        },
        name: "GET /api/cart".into(),
        kind,
        start_time_unix_nano: 1_700_000_000_000_000_000 + number * 1_000_000 + id,
        end_time_unix_nano: 1_700_000_000_010_000_000
            + number * 1_000_000
            + number % 97 * 1_000
            + id,
        attributes: [
            "http.request.method",
            "url.path",
            "server.address",
            "network.peer.address",
            "user_agent.original",
            "sidespan.decision",
        ]
        .map(|key| pair(key, Value::StringValue(format!("some {key}"))))
        .to_vec(),
        ..Span::default()
    };
    let of = |service: &str, spans| ResourceSpans {
        resource: Some(WireResource {
            attributes: vec![pair("service.name", Value::StringValue(service.into()))],
            ..WireResource::default()
        }),
        scope_spans: vec![ScopeSpans {
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    };
    let mut front = vec![span(1, 0, 2), span(2, 1, 1)];
    front.extend((0..4).map(|call| span(10 + call, 2, 3)));
    let cart = (0..4).map(|call| span(20 + call, 10 + call, 2)).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![of("front", front), of("cart", cart)],
    }
}

async fn filled(traces: u64) -> Store {
    let limits = Limits {
        max_spans: 1_000_000,
        ..Limits::default()
    };
    let store = Store::open(Place::Memory, limits).unwrap();
    for page in 0..traces.div_ceil(100) {
        let mut all = ExportTraceServiceRequest::default();
        for number in page * 100..traces.min((page + 1) * 100) {
            all.resource_spans.extend(trace(number).resource_spans);
        }
        let batch = SpanBatch::from_request(&all);
        store.insert(batch, |_| ()).await.unwrap();
    }
    store
}

async fn drawn(store: &Store, query: Query) -> Json {
    let text = crate::map::map(store, query).await.unwrap();
    serde_json::from_str(&text).unwrap()
}

fn all() -> Query {
    Query {
        limit: usize::MAX,
        ..Query::default()
    }
}

#[tokio::test]
async fn a_map_takes_the_newest_and_counts_the_rest() {
    let store = filled(450).await;
    let map = drawn(&store, all()).await;
    assert_eq!(edges(&map), ["front > cart ×1800"]);
    assert_eq!(
        (&map["traces"], &map["leftOutTraces"]),
        (&450.into(), &0.into())
    );
    let mut few = all();
    few.limit = 7;
    let map = drawn(&store, few).await;
    assert_eq!(edges(&map), ["front > cart ×28"]);
    assert_eq!(
        (&map["traces"], &map["leftOutTraces"]),
        (&7.into(), &443.into())
    );
    for (max_spans, expected) in [
        (0, 1),
        (10, 1),
        (19, 1),
        (20, 2),
        (4_499, 449),
        (4_500, 450),
    ] {
        let read = store
            .outlines(all(), max_spans, &crate::map::fact::KEYS)
            .await
            .unwrap();
        assert_eq!(read.traces.len(), expected, "{max_spans}");
        assert_eq!(read.left_out, 450 - u64::try_from(expected).unwrap());
        let newest = read.traces[0][0].start;
        assert_eq!(newest, 1_700_000_000_000_000_000 + 449 * 1_000_000 + 1);
    }
    let mut failed = all();
    failed.status = Some(crate::store::StatusCode::Error);
    assert_eq!(
        drawn(&store, failed).await["traces"],
        0,
        "the conditions of a search"
    );
}

#[tokio::test]
async fn a_hundred_thousand_spans_are_a_second_at_most() {
    let store = filled(10_000).await;
    let begun = Instant::now();
    let map = drawn(&store, all()).await;
    let took = begun.elapsed();
    println!("100,000 spans: {took:?}");
    assert_eq!(edges(&map), ["front > cart ×40000"]);
    assert_eq!(map["spans"], 100_000);
    // A build for tests is several times slower, and shares its machine with other tests.
    assert!(
        cfg!(debug_assertions) || took.as_millis() < 1_000,
        "{took:?}"
    );
}
