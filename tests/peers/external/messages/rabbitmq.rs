//! Messages across a real RabbitMQ.

use example_messages::rabbitmq::Broker;
use sidespan_tests::collector::{Collector, runtime};
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::RabbitMq;

use super::{TRACE, calls_on_from, export, joined, request, says, services};

#[test]
fn a_message_continues_the_trace_of_the_request_that_sent_it() {
    let (broker, collector) = (RabbitMq::start(), Collector::start());
    let (mut shop, mut warehouse) = services(&collector);
    let (host, port) = broker.place();
    let processed = runtime().block_on(async {
        let sender = Broker::connect((&host, port), RabbitMq::USER, "orders").await;
        let sender = sender.expect("a broker");
        let sent = sender.publish(&mut shop, "a hat", &request(TRACE)).await;
        sent.expect("it is sent");
        let receiver = Broker::connect((&host, port), RabbitMq::USER, "orders").await;
        let receiver = receiver.expect("a broker");
        let mut orders = receiver.orders().await.expect("a queue");
        let processed = receiver.process(&mut warehouse, &mut orders);
        let processed = tokio::time::timeout(LIMIT, processed).await;
        processed.expect("a message").expect("no error")
    });
    assert_eq!(processed.order, "a hat");
    export([&mut shop, &mut warehouse]);
    let (producer, consumer) = joined(&collector.trace(TRACE, 2), "rabbitmq");
    assert_eq!(producer.name, "publish orders");
    assert_eq!(consumer.name, "process orders");
    for span in [&producer, &consumer] {
        says(
            span,
            &[
                ("messaging.rabbitmq.destination.routing_key", "orders"),
                ("server.address", &host),
                ("server.port", &port.to_string()),
            ],
        );
    }
    let delivery = [("messaging.rabbitmq.message.delivery_tag", "1")];
    says(&consumer, &delivery);
    calls_on_from(&consumer, &processed.call);
}
