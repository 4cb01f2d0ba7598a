//! Orders over Kafka.

use std::time::Duration;

use anyhow::anyhow;
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use sidespan_core::messaging::{MessageSpan, Operation, Received};

use crate::Processed;
use crate::telemetry::{Headers, Telemetry, now};

/// Returns a producer.
///
/// # Errors
/// Where librdkafka refuses the configuration.
pub fn producer(brokers: &str) -> Result<FutureProducer, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
}

/// Returns a consumer of all orders of a topic, also of those that were sent before it was there.
///
/// # Errors
/// Where librdkafka refuses the configuration.
pub fn consumer(brokers: &str, topic: &str) -> Result<StreamConsumer, KafkaError> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", GROUP)
        .set("auto.offset.reset", "earliest")
        .create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// Sends an order in the course of a request.
///
/// # Errors
/// Where the message is not delivered.
pub async fn send(
    telemetry: &mut Telemetry,
    producer: &FutureProducer,
    topic: &str,
    order: &str,
    request: &Headers,
) -> anyhow::Result<()> {
    let current = telemetry.tracer.extract(request);
    let mut span = telemetry
        .tracer
        .produce(operation("send", topic), &current, now());
    let headers = to_kafka(&telemetry.headers(span.as_ref()));
    let record = FutureRecord::to(topic)
        .key(order)
        .payload(order)
        .headers(headers);
    let sent = producer.send(record, Duration::from_secs(30)).await;
    if let Some(span) = &mut span {
        let key = order.as_bytes();
        span.attributes.text("messaging.kafka.message.key", key);
    }
    match (&mut span, &sent) {
        (Some(span), Ok(delivery)) => place(span, delivery.partition, delivery.offset),
        (Some(span), Err((error, _))) => {
            let code = error.rdkafka_error_code();
            span.fail(&code.map_or("_OTHER".into(), |code| format!("{code:?}")));
        }
        (None, _) => {}
    }
    telemetry.end(span);
    sent.map_err(|(error, _)| anyhow!("sending to {topic}: {error}"))?;
    Ok(())
}

/// Processes the next order by itself.
///
/// # Errors
/// Where no message can be received.
pub async fn process(
    telemetry: &mut Telemetry,
    consumer: &StreamConsumer,
) -> anyhow::Result<Processed> {
    let message = consumer.recv().await?;
    let received = telemetry.tracer.extract(&from_kafka(&message));
    let operation = operation("process", message.topic());
    let mut span = telemetry.tracer.process(operation, &received, now());
    if let Some(span) = &mut span {
        if let Some(key) = message.key() {
            span.attributes.text("messaging.kafka.message.key", key);
        }
        place(span, message.partition(), message.offset());
        in_group(span);
    }
    let processed = Processed {
        order: order(&message),
        call: telemetry.headers(span.as_ref()),
    };
    telemetry.end(span);
    Ok(processed)
}

/// Processes the next orders together, `count` of them.
///
/// # Errors
/// Where no message can be received.
pub async fn process_batch(
    telemetry: &mut Telemetry,
    consumer: &StreamConsumer,
    topic: &str,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    let (mut orders, mut contexts) = (Vec::new(), Vec::new());
    while orders.len() < count {
        let message = consumer.recv().await?;
        contexts.push(telemetry.tracer.extract(&from_kafka(&message)));
        orders.push(order(&message));
    }
    let none = Received::default();
    let operation = operation("process", topic);
    let mut span = telemetry
        .tracer
        .process_batch(operation, &none, &contexts, now());
    if let Some(span) = &mut span {
        in_group(span);
    }
    telemetry.end(span);
    Ok(orders)
}

fn operation<'a>(name: &'a str, topic: &'a str) -> Operation<'a> {
    Operation {
        system: "kafka",
        name,
        destination: topic,
    }
}

/// Names the message's place, as OpenTelemetry's conventions for Kafka have it.
fn place(span: &mut MessageSpan, partition: i32, offset: i64) {
    let partition = partition.to_string();
    span.attributes
        .text("messaging.destination.partition.id", partition.as_bytes());
    span.attributes.number("messaging.kafka.offset", offset);
}

fn in_group(span: &mut MessageSpan) {
    span.attributes
        .text("messaging.consumer.group.name", GROUP.as_bytes());
}

const GROUP: &str = "warehouse";

fn order(message: &BorrowedMessage<'_>) -> String {
    String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned()
}

fn to_kafka(headers: &Headers) -> OwnedHeaders {
    headers
        .iter()
        .fold(OwnedHeaders::new(), |all, (name, value)| {
            all.insert(Header {
                key: name,
                value: Some(value),
            })
        })
}

/// Returns the headers that have a value, which in Kafka may be null.
fn from_kafka(message: &BorrowedMessage<'_>) -> Headers {
    let headers = message.headers().into_iter().flat_map(|all| all.iter());
    headers
        .filter_map(|header| Some((header.key.into(), header.value?.into())))
        .collect()
}
