//! Messages across Kafka and RabbitMQ with the services of `examples/messages`: PRODUCER, CONSUMER and their link, read from the
//! sink.
//!
//! Kafka's brokers are those that librdkafka mocks, over real sockets; RabbitMQ is a real one.

mod kafka;
mod rabbitmq;

use example_messages::{Headers, Telemetry};
use sidespan_core::propagation::format::Format;
use sidespan_sink::{SpanKind, StoredSpan, Value};
use sidespan_tests::collector::Collector;

/// The context of the request in whose course a message is sent, in B3, which is all that the shop speaks.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn request(trace: &str) -> Headers {
    let value = format!("{trace}-{CALLER}-1");
    vec![("b3".into(), value.into())]
}

/// The two services: one writes B3, the other W3C Trace Context.
fn services(collector: &Collector) -> (Telemetry, Telemetry) {
    let address = collector.sink().http_addr().to_string();
    (
        Telemetry::new("shop", &[Format::B3], &address),
        Telemetry::new("warehouse", &[Format::TraceContext], &address),
    )
}

fn export(services: [&mut Telemetry; 2]) {
    for service in services {
        sidespan_tests::collector::runtime()
            .block_on(service.export())
            .expect("the sink takes the spans");
    }
}

/// Asserts that one message's spans are one trace, and returns that of the producer and that of the consumer.
fn joined(spans: &[StoredSpan], system: &str) -> (StoredSpan, StoredSpan) {
    let of_kind = |kind| {
        let mut found = spans.iter().filter(|span| span.kind == kind);
        let one = found
            .next()
            .unwrap_or_else(|| panic!("{kind:?}: {spans:#?}"));
        assert!(found.next().is_none(), "two of {kind:?}: {spans:#?}");
        one.clone()
    };
    let (producer, consumer) = (of_kind(SpanKind::Producer), of_kind(SpanKind::Consumer));
    assert_eq!(producer.service(), "shop");
    assert_eq!(producer.parent_span_id.as_deref(), Some(CALLER));
    assert_eq!(consumer.service(), "warehouse");
    assert_eq!(consumer.parent_span_id.as_ref(), Some(&producer.span_id));
    links_to(&consumer, &producer);
    assert_eq!(consumer.links.len(), 1);
    for span in [&producer, &consumer] {
        let expected = Value::String(system.into());
        assert_eq!(span.attribute("messaging.system"), Some(&expected));
    }
    (producer, consumer)
}

/// Asserts that a span has these attributes, whose numbers are whole.
fn says(span: &StoredSpan, expected: &[(&str, &str)]) {
    for (key, expected) in expected {
        let found = match span.attribute(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Int(number)) => number.to_string(),
            other => panic!("{key} is {other:?}: {span:#?}"),
        };
        assert_eq!(found, *expected, "{key}");
    }
}

fn links_to(consumer: &StoredSpan, producer: &StoredSpan) {
    let mut links = consumer.links.iter();
    assert!(
        links.any(|link| link.trace_id == producer.trace_id && link.span_id == producer.span_id),
        "no link to {producer:#?} of {consumer:#?}"
    );
}

/// Asserts that what is called while the message is processed is told of the consumer's span, in W3C Trace Context.
fn calls_on_from(consumer: &StoredSpan, call: &Headers) {
    let expected = format!("00-{}-{}-01", consumer.trace_id, consumer.span_id);
    let found = call.iter().find(|(name, _)| name == "traceparent");
    let value = found.map(|(_, value)| String::from_utf8_lossy(value));
    assert_eq!(value.as_deref(), Some(expected.as_str()));
}
