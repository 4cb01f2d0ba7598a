use super::*;
use crate::id_generator::SequentialBytes;
use crate::messaging::{MessageTracer, Operation, Propagator, Received};
use crate::sampling::threshold::Threshold;
use alloc::string::ToString;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

const PROCESS: Operation<'_> = Operation {
    system: "rabbitmq",
    name: "process",
    destination: "orders",
};

fn tracer(percentage: f64) -> MessageTracer<SequentialBytes> {
    let roots = Threshold::of_percentage(percentage);
    MessageTracer::new(Propagator::new(&[]), roots, SequentialBytes(1))
}

fn text(attributes: &[KeyValue], key: &str) -> Option<alloc::string::String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[test]
fn writes_what_other_peoples_code_reads() {
    let mut tracer = tracer(100.0);
    let none = Received::default();
    let sent = tracer.produce(PROCESS, &none, Nanos(5)).unwrap();
    let message = Received::from(sent.context().clone());
    let messages = [message.clone(), message.clone()];
    let mut batch = SpanBatch::new("shop", &[("service.version", "1.2.3")]);
    let mut span = tracer
        .process_batch(PROCESS, &none, &messages, Nanos(7))
        .unwrap();
    span.fail("timeout");
    let context = span.context().clone();
    batch.end(span, Nanos(9));
    batch.end(sent, Nanos(1));
    assert_eq!(batch.len(), 2);
    let body = batch.take_request().unwrap();
    assert_eq!(batch.take_request(), None);
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let [resource] = &request.resource_spans[..] else {
        panic!("{request:?}");
    };
    let attributes = &resource.resource.as_ref().unwrap().attributes;
    assert_eq!(text(attributes, "service.name").unwrap(), "shop");
    assert_eq!(text(attributes, "service.version").unwrap(), "1.2.3");
    let [scope] = &resource.scope_spans[..] else {
        panic!("{request:?}");
    };
    assert_eq!(scope.scope.as_ref().unwrap().name, "sidespan-core");
    assert_eq!(scope.schema_url, SCHEMA_URL);
    let [consumer, producer] = &scope.spans[..] else {
        panic!("{request:?}");
    };
    assert_eq!((producer.kind, consumer.kind), (4, 5));
    assert_eq!(producer.end_time_unix_nano, producer.start_time_unix_nano);
    assert_eq!((producer.flags, consumer.flags), (0x101, 0x101));
    assert_eq!(producer.trace_state, "ot=th:0");
    assert_eq!(consumer.trace_id, context.span.trace_id.to_bytes());
    assert_eq!(consumer.name, "process orders");
    assert_eq!(consumer.status.as_ref().unwrap().code, 2);
    for (key, expected) in [
        ("messaging.system", "rabbitmq"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "orders"),
        ("messaging.batch.message_count", "2"),
        ("error.type", "timeout"),
    ] {
        let found = text(&consumer.attributes, key);
        assert_eq!(found.as_deref(), Some(expected), "{key}");
    }
    assert_eq!(consumer.links.len(), 2);
    let link = &consumer.links[0];
    assert_eq!(link.trace_id, producer.trace_id);
    assert_eq!(link.span_id, producer.span_id);
    assert_eq!(link.trace_state, producer.trace_state);
    assert_eq!(link.flags, 0x301);
}

#[test]
fn says_of_a_parent_whether_it_came_from_elsewhere() {
    let mut tracer = tracer(100.0);
    let here = tracer
        .produce(PROCESS, &Received::default(), Nanos(1))
        .unwrap();
    let within = Received::from(here.context().clone());
    let mut headers = alloc::vec![];
    MessageTracer::new(
        Propagator::new(&[crate::propagation::format::Format::TraceContext]),
        Threshold::ALL,
        SequentialBytes(1),
    )
    .inject(&here, &mut headers);
    let from_elsewhere = tracer.extract(&headers);
    for (parent, expected) in [(within, 0x101), (from_elsewhere, 0x301)] {
        let mut batch = SpanBatch::new("shop", &[]);
        let span = tracer.produce(PROCESS, &parent, Nanos(1)).unwrap();
        batch.end(span, Nanos(2));
        let body = batch.take_request().unwrap();
        let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.flags, expected);
        assert_eq!(span.parent_span_id.len(), 8);
    }
}

#[test]
fn waits_with_no_more_bytes_than_a_collector_takes() {
    let mut tracer = tracer(100.0);
    let none = Received::default();
    let mut message = Received::from(
        tracer
            .produce(PROCESS, &none, Nanos(1))
            .unwrap()
            .context()
            .clone(),
    );
    message.context.as_mut().unwrap().tracestate = alloc::vec![b'a'; 4_000];
    let messages: alloc::vec::Vec<_> = core::iter::repeat_n(message, 128).collect();
    let mut batch = SpanBatch::new("shop", &[]);
    for _ in 0..20 {
        let span = tracer
            .process_batch(PROCESS, &none, &messages, Nanos(1))
            .unwrap();
        batch.end(span, Nanos(2));
    }
    assert_eq!((batch.len(), batch.dropped()), (16, 4));
    assert!(batch.take_request().unwrap().len() < SpanBatch::MAX_BYTES + 1_000);
    let small = tracer.produce(PROCESS, &none, Nanos(1)).unwrap();
    batch.end(small, Nanos(2));
    assert_eq!(batch.len(), 1, "there is room again");
}

#[test]
fn exports_nothing_that_is_not_sampled_and_counts_what_is_too_much() {
    let none = Received::default();
    let mut batch = SpanBatch::new("shop", &[]);
    let unsampled = tracer(0.0).process(PROCESS, &none, Nanos(1)).unwrap();
    batch.end(unsampled, Nanos(2));
    assert!(batch.is_empty());
    let mut tracer = tracer(100.0);
    for _ in 0..SpanBatch::MAX_SPANS + 3 {
        let span = tracer.process(PROCESS, &none, Nanos(1)).unwrap();
        batch.end(span, Nanos(2));
    }
    assert_eq!((batch.len(), batch.dropped()), (SpanBatch::MAX_SPANS, 3));
}
