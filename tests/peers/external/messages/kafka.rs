//! Messages across Kafka.

use example_messages::kafka::{consumer, process, process_batch, producer, send};
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureRecord};
use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::collector::{Collector, runtime};
use sidespan_tests::envoy::LIMIT;

use super::{CALLER, TRACE, calls_on_from, export, joined, links_to, request, says, services};

const TOPIC: &str = "orders";

/// Three brokers, and a topic of one partition, in which messages keep their order.
fn cluster() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(3).expect("brokers");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    cluster
}

#[test]
fn a_message_continues_the_trace_of_the_request_that_sent_it() {
    let (cluster, collector) = (cluster(), Collector::start());
    let (mut shop, mut warehouse) = services(&collector);
    let brokers = cluster.bootstrap_servers();
    let (seen, processed) = runtime().block_on(async {
        let producer = producer(&brokers).expect("a producer");
        let request = request(TRACE);
        let sent = send(&mut shop, &producer, TOPIC, "a hat", &request).await;
        sent.expect("it is delivered");
        let reader = consumer(&brokers, TOPIC).expect("a consumer");
        let processed = tokio::time::timeout(LIMIT, process(&mut warehouse, &reader));
        let processed = processed.await.expect("a message").expect("no error");
        // A second reader, of another group, sees what is in the topic itself.
        let seen = tokio::time::timeout(LIMIT, names(&brokers));
        (seen.await.expect("a message"), processed)
    });
    assert_eq!(seen, ["b3"], "the shop writes B3 alone");
    assert_eq!(processed.order, "a hat");
    export([&mut shop, &mut warehouse]);
    let (producer, consumer) = joined(&collector.trace(TRACE, 2), "kafka");
    assert_eq!(producer.name, "send orders");
    assert_eq!(consumer.name, "process orders");
    for span in [&producer, &consumer] {
        says(
            span,
            &[
                ("messaging.kafka.offset", "0"),
                ("messaging.kafka.message.key", "a hat"),
                ("messaging.destination.partition.id", "0"),
            ],
        );
    }
    says(&consumer, &[("messaging.consumer.group.name", "warehouse")]);
    calls_on_from(&consumer, &processed.call);
}

#[test]
fn a_batch_of_messages_is_one_span_with_a_link_to_each() {
    let (cluster, collector) = (cluster(), Collector::start());
    let (mut shop, mut warehouse) = services(&collector);
    let brokers = cluster.bootstrap_servers();
    let traces = ["1", "2", "3"].map(|digit| digit.repeat(32));
    let orders = runtime().block_on(async {
        let producer = producer(&brokers).expect("a producer");
        for trace in &traces {
            let request = request(trace);
            let sent = send(&mut shop, &producer, TOPIC, trace, &request).await;
            sent.expect("it is delivered");
        }
        let reader = consumer(&brokers, TOPIC).expect("a consumer");
        let processed = process_batch(&mut warehouse, &reader, TOPIC, traces.len());
        let processed = tokio::time::timeout(LIMIT, processed);
        processed.await.expect("three messages").expect("no error")
    });
    assert_eq!(orders, traces);
    export([&mut shop, &mut warehouse]);
    let consumer = collector.wait(|now| {
        let mut spans = now.spans.iter();
        spans
            .find(|span| span.kind == SpanKind::Consumer)
            .map(|span| StoredSpan::clone(span))
    });
    assert_eq!(consumer.parent_span_id, None);
    assert!(!traces.contains(&consumer.trace_id), "a trace of its own");
    assert_eq!(consumer.links.len(), traces.len());
    says(
        &consumer,
        &[
            ("messaging.batch.message_count", "3"),
            ("messaging.consumer.group.name", "warehouse"),
        ],
    );
    for trace in &traces {
        links_to(&consumer, &collector.trace(trace, 1)[0]);
    }
}

#[test]
fn a_message_of_another_library_is_read_whatever_the_case_of_its_headers() {
    let (cluster, collector) = (cluster(), Collector::start());
    let (_, mut warehouse) = services(&collector);
    let brokers = cluster.bootstrap_servers();
    runtime().block_on(async {
        let producer = producer(&brokers).expect("a producer");
        // The spelling of B3's specification, and a header without a value.
        let headers = [
            ("X-B3-TraceId", Some(TRACE)),
            ("X-B3-SpanId", Some(CALLER)),
            ("X-B3-Sampled", Some("1")),
            ("tenant", None),
        ];
        let headers = headers
            .into_iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header { key, value })
            });
        let record = FutureRecord::to(TOPIC)
            .key("key")
            .payload("a scarf")
            .headers(headers);
        let sent = producer.send(record, LIMIT).await;
        sent.expect("it is delivered");
        let reader = consumer(&brokers, TOPIC).expect("a consumer");
        let processed = tokio::time::timeout(LIMIT, process(&mut warehouse, &reader));
        processed.await.expect("a message").expect("no error");
        warehouse.export().await.expect("the sink takes the span");
    });
    let [consumer] = &collector.trace(TRACE, 1)[..] else {
        panic!("one span");
    };
    assert_eq!(consumer.parent_span_id.as_deref(), Some(CALLER));
    assert_eq!(consumer.links[0].span_id, CALLER);
}

/// Returns the names of the first message's headers.
async fn names(brokers: &str) -> Vec<String> {
    use rdkafka::consumer::{Consumer, StreamConsumer};
    let reader: StreamConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "auditors")
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer");
    reader.subscribe(&[TOPIC]).expect("a topic");
    let message: BorrowedMessage<'_> = reader.recv().await.expect("a message");
    let headers = message.headers().into_iter().flat_map(|all| all.iter());
    headers.map(|header| header.key.into()).collect()
}
