//! Messages: each that is received is one.

use super::*;

fn sent(id: u64, parent: u64) -> Sent {
    span(id, parent, Producer, "front")
        .with("messaging.system", "kafka")
        .with("messaging.destination.name", "orders")
}

fn received(id: u64, parent: u64, service: &str) -> Sent {
    span(id, parent, Consumer, service)
        .with("messaging.system", "kafka")
        .with("messaging.destination.name", "orders")
}

#[test]
fn every_receiver_of_a_message_counts() {
    let map = map([vec![
        span(1, 0, Server, "front"),
        sent(2, 1).takes(10, 1),
        received(3, 2, "ship").takes(100, 70),
        received(4, 2, "ship").takes(100, 90).fails(),
        received(5, 2, "bill"),
    ]]);
    assert_eq!(edges(&map), ["front > bill", "front > ship ×2 !1"]);
    assert_eq!(map["edges"][1]["p50Nano"], "70", "of the receiver");
    assert_eq!(nodes(&map), ["bill ×1", "front ×1", "ship ×2 !1"]);
}

#[test]
fn a_message_that_nobody_received_is_in_its_queue() {
    let taken = vec![sent(2, 0), received(3, 2, "ship")];
    let map = map([taken, vec![sent(2, 0)]]);
    assert_eq!(edges(&map), ["front > kafka orders", "front > ship"]);
    assert_eq!(
        nodes(&map),
        ["front ×2", "kafka orders ×1 queue", "ship ×1"]
    );
}

#[test]
fn a_message_without_its_sender_comes_out_of_its_queue() {
    let map = map([vec![received(1, 0, "ship")], vec![received(1, 9, "ship")]]);
    assert_eq!(edges(&map), ["kafka orders > ship ×2"]);
    assert_eq!(nodes(&map), ["kafka orders ×0 queue", "ship ×2"]);
}

#[test]
fn the_request_that_carries_a_message_to_its_broker_is_no_second_one() {
    let http = span(3, 2, Client, "front").with("server.address", "broker");
    let map = map([vec![sent(2, 0), http, received(4, 2, "ship")]]);
    assert_eq!(edges(&map), ["front > ship"]);
}

#[test]
fn steps_of_one_receiver_are_one_message() {
    let map = map([vec![
        sent(2, 0),
        received(3, 2, "ship"),
        received(4, 3, "ship"),
    ]]);
    assert_eq!(edges(&map), ["front > ship"]);
    assert_eq!(nodes(&map), ["front ×1", "ship ×1"]);
}
