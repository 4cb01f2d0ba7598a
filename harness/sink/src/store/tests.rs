//! The tests of a store through its handle.

mod attributes;
mod bounds;
mod file;
mod kill;
#[cfg(target_os = "linux")]
mod load;
mod migrations;
mod outbox;
mod search;
mod tags;

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::resource::v1::Resource as WireResource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::*;
use crate::store::golden::pair;

/// Returns a request with spans of one service.
fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(WireResource {
                attributes: vec![pair("service.name", Any::StringValue(service.into()))],
                ..WireResource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// Returns a span of the trace `aa…`, whose letter is given, with the id `00…1`, whose digit is given.
fn wire(trace: char, id: u8) -> Span {
    Span {
        trace_id: vec![u8::try_from(u32::from(trace)).unwrap(); 16],
        span_id: vec![0, 0, 0, 0, 0, 0, 0, id],
        name: format!("{trace}{id}"),
        start_time_unix_nano: 1_000 + u64::from(id),
        end_time_unix_nano: 2_000 + u64::from(id),
        ..Span::default()
    }
}

fn batch(spans: Vec<Span>) -> SpanBatch {
    SpanBatch::from_request(&request("shop", spans))
}

async fn keep(store: &Store, spans: Vec<Span>) -> Inserted {
    store.insert(batch(spans), |_| ()).await.unwrap()
}

/// Returns the names of all spans: traces in the order of arrival, and within a trace spans in the order of arrival.
fn kept(store: &Store) -> Vec<String> {
    let (spans, ()) = store.all(|| ()).unwrap();
    spans
        .iter()
        .map(|span: &Arc<StoredSpan>| span.name.clone())
        .collect()
}

#[tokio::test]
async fn keeps_every_byte_of_a_span_and_of_what_stands_around_it() {
    use prost::Message as _;
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let sent = golden::request().encode_to_vec();
    let batch = SpanBatch::from_protobuf(sent.into()).unwrap();
    assert_eq!(store.insert(batch, |_| ()).await.unwrap().kept, 2);
    let data = store.trace_data([0xAB; 16]).await.unwrap().unwrap();
    for span in &golden::request().resource_spans[0].scope_spans[0].spans {
        let bytes = span.encode_to_vec();
        assert!(
            memchr::memmem::find(&data, &bytes).is_some(),
            "byte for byte"
        );
    }
    assert_eq!(
        ExportTraceServiceRequest::decode(data),
        Ok(golden::request())
    );
    assert_eq!(store.trace([0xAB; 16]).await.unwrap().len(), 2);
    assert_eq!(store.trace_data([1; 16]).await.unwrap(), None);
}

#[tokio::test]
async fn keeps_fields_of_a_later_protocol() {
    use prost::Message as _;
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    // Field 1000 with the text "new", in the span, the scope's spans and the resource's spans.
    let unknown: [u8; 6] = [0xC2, 0x3E, 3, b'n', b'e', b'w'];
    let mut span = wire('a', 1).encode_to_vec();
    span.extend(unknown);
    let within = |bytes: &[u8], number: u8| {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend(bytes);
        out
    };
    let mut scope = unknown.to_vec();
    scope.extend(within(&span, 2));
    let mut resource = unknown.to_vec();
    resource.extend(within(&scope, 2));
    let sent = within(&resource, 1);
    let batch = SpanBatch::from_protobuf(sent.clone().into()).unwrap();
    store.insert(batch, |_| ()).await.unwrap();
    assert_eq!(store.trace_data([b'a'; 16]).await.unwrap().unwrap(), sent);
}

#[tokio::test]
async fn announces_the_traces_of_a_request_after_its_commit() {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let mut arrivals = store.arrivals();
    keep(&store, vec![wire('a', 1), wire('a', 2)]).await;
    assert_eq!(arrivals.recv().await.unwrap().as_ref(), [[b'a'; 16]]);
    keep(&store, vec![wire('a', 1)]).await;
    keep(&store, vec![wire('b', 1)]).await;
    assert_eq!(
        arrivals.recv().await.unwrap().as_ref(),
        [[b'b'; 16]],
        "a copy is no news"
    );
}

#[tokio::test]
async fn names_that_no_span_has_any_more_are_gone() {
    let limits = Limits {
        max_spans: 1,
        ..Limits::default()
    };
    let store = Store::open(Place::Memory, limits).unwrap();
    for (service, trace) in [("cart", 'a'), ("shop", 'b')] {
        let batch = SpanBatch::from_request(&request(service, vec![wire(trace, 1)]));
        store.insert(batch, |_| ()).await.unwrap();
    }
    assert_eq!(store.services().await.unwrap(), ["shop"]);
    assert_eq!(store.operations("cart").await.unwrap(), []);
    assert_eq!(store.operations("shop").await.unwrap()[0].name, "b1");
    let contexts = "SELECT count(*) FROM context";
    let left: i64 = store
        .read(move |connection| connection.query_row(contexts, [], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn what_is_not_kept_leaves_no_names_behind() {
    let store = Store::open(
        Place::Memory,
        Limits {
            max_span_bytes: 1_000,
            ..Limits::default()
        },
    )
    .unwrap();
    keep(&store, vec![wire('a', 1)]).await;
    let mut copy = request(
        "shop",
        vec![Span {
            name: "renamed".into(),
            ..wire('a', 1)
        }],
    );
    copy.resource_spans[0].schema_url = "another context".into();
    let huge = request(
        "huge",
        vec![Span {
            name: "x".repeat(1_000),
            ..wire('b', 1)
        }],
    );
    for request in [copy, huge] {
        let answer = store
            .insert(SpanBatch::from_request(&request), |_| ())
            .await
            .unwrap();
        assert_eq!(answer.kept, 0);
    }
    let rows = "SELECT (SELECT count(*) FROM context), (SELECT count(*) FROM service), (SELECT count(*) FROM operation)";
    let left: (i64, i64, i64) = store
        .read(move |connection| {
            connection.query_row(rows, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        })
        .await
        .unwrap();
    assert_eq!(left, (1, 1, 1));
}

#[tokio::test]
async fn asks_a_sender_to_come_back_when_too_much_waits() {
    let limits = Limits {
        max_waiting_bytes: 1,
        ..Limits::default()
    };
    let store = Store::open(Place::Memory, limits).unwrap();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    store
        .inner
        .jobs
        .add(Box::new(move |_| gate.recv().unwrap()));
    let first = store.insert(batch(vec![wire('a', 1)]), |_| ());
    let second = store.insert(batch(vec![wire('b', 1)]), |_| ());
    let open = async { go.send(()).unwrap() };
    let (first, second, ()) = tokio::join!(first, second, open);
    assert_eq!(first.unwrap().kept, 1);
    assert!(
        matches!(second, Err(Refused::Overloaded { .. })),
        "{second:?}"
    );
    assert_eq!(store.counts().refused, 1);
    assert_eq!(kept(&store), ["a1"]);
}

#[tokio::test]
async fn a_panic_on_the_thread_is_an_answer_and_no_silence() {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let answer = store
        .insert(batch(vec![wire('a', 1)]), |_| panic!("on purpose"))
        .await;
    assert!(matches!(answer, Err(Refused::Storage(_))), "{answer:?}");
    let answer = store.insert(batch(vec![wire('a', 1)]), |_| ()).await;
    assert!(matches!(answer, Err(Refused::Storage(_))), "{answer:?}");
    assert!(matches!(
        store.search(Query::default()).await,
        Err(StoreError::Stopped)
    ));
}
