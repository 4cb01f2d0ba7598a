//! The cost of keeping for a healthy request that was not sampled: guest instructions of all its callbacks and calls to the
//! proxy, compared with `keep` off.
//!
//! Requests and configurations of many lengths are measured, and their mean is taken, because the time to find room in the
//! guest's allocator depends on earlier allocations, and a single measurement may be lucky.
//!
//! The bound is a number and not a share of the request, because the cost of keeping does not fall when a request gets
//! cheaper.

use std::collections::BTreeMap;

use sidespan_core::headers::Name;
use sidespan_host::{Action, EndOfStream, Ending, Headers, Host, StreamProperties};

use super::{Line, context, metered, usual};

#[test]
fn to_be_held_costs_a_healthy_request_little_and_six_calls() {
    for direction in [Direction::Inbound, Direction::Outbound] {
        for received in [Received::Unsampled, Received::Nothing] {
            let of = |keep: &str| cost(keep, direction, received);
            let (off, calls_off) = of(r#"{"errors": false}"#);
            for (what, keep, instructions, calls) in [
                // With `keep` off nothing is left to do behind the request, so that part of this is to have a context at all.
                ("errors", "{}", 2_700, 6),
                ("errors and slow ones", r#"{"slowerThan": "2s"}"#, 3_200, 7),
            ] {
                let (on, calls_on) = of(keep);
                let more: BTreeMap<_, _> = calls_on
                    .iter()
                    .map(|(name, count)| (*name, count - calls_off.get(name).unwrap_or(&0)))
                    .filter(|(_, more)| *more > 0)
                    .collect();
                println!(
                    "{direction:?}, {received:?}, {what} kept: {on} instructions against {off}, {} in a thousand more; calls: {more:?}",
                    on * 1000 / off - 1000
                );
                assert!(on <= off + instructions, "{on} against {off}");
                assert!(more.values().sum::<u64>() <= calls, "{more:?}");
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Inbound,
    Outbound,
}

#[derive(Clone, Copy, Debug)]
enum Received {
    Unsampled,
    Nothing,
}

/// Returns the mean instructions of a whole request, and the calls of each.
fn cost(
    keep: &str,
    direction: Direction,
    received: Received,
) -> (u64, BTreeMap<&'static str, u64>) {
    let costs = LENGTHS.map(|length| cost_in(keep, direction, received, length));
    let sum: u64 = costs.iter().map(|(cost, _)| cost).sum();
    let [(_, calls), ..] = costs;
    (sum / LENGTHS.len() as u64, calls)
}

/// Measures the same in one VM whose configuration and request are longer by `length`.
fn cost_in(
    keep: &str,
    direction: Direction,
    received: Received,
    length: usize,
) -> (u64, BTreeMap<&'static str, u64>) {
    let (direction, number) = match direction {
        Direction::Inbound => ("inbound", 1),
        Direction::Outbound => ("outbound", 2),
    };
    let name = "x".repeat(1 + length);
    let configuration = format!(
        r#"{{"sampling": {{"percentage": 0, "keep": {keep}}}, "spans": {{"serviceName": "{name}"}},
            "export": {{"otlp": {{"cluster": "collector"}}}}, "direction": "{direction}"}}"#
    );
    let mut host = Host::builder(metered())
        .plugin_name("sidespan")
        .plugin_configuration(configuration)
        .cluster("collector")
        .start()
        .unwrap_or_else(|error| panic!("{error}"));
    let mut headers: Vec<Line> = usual();
    if let Received::Unsampled = received {
        let unsampled = |(name, value): Line| (name, value.replace("b7-01", "b7-00"));
        headers.extend(context(&[Name::Traceparent]).into_iter().map(unsampled));
    }
    headers.push(("x-longer".to_owned(), "x".repeat(length)));
    // The fewest of several, because some draw randomness for many requests.
    let costs = (0..10).map(|_| {
        host.clear_transcript();
        let before = host.fuel_used().expect("a metered module");
        healthy(&mut host, number, headers.iter().cloned().collect());
        let after = host.fuel_used().expect("a metered module");
        (after - before, host.transcript().calls())
    });
    let fewest = costs.min_by_key(|(cost, _)| *cost).expect("ten");
    assert_eq!(host.trap(), None);
    fewest
}

/// Runs one request with a good response that has a body.
fn healthy(host: &mut Host, direction: i64, headers: Headers) {
    let stream = host.open_stream(StreamProperties::new().listener_direction(direction));
    let asked = host.request_headers(stream, headers, EndOfStream::Yes);
    let answer = [
        (":status", "200"),
        ("content-type", "text/html"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("server", "envoy"),
        ("x-envoy-upstream-service-time", "1"),
    ];
    let answered = host.response_headers(stream, answer, EndOfStream::No);
    let ended = host.response_body(stream, b"<html>", EndOfStream::Yes);
    assert_eq!([asked, answered, ended], [Action::Continue; 3]);
    host.end(stream, Ending::Complete).expect("one end");
}

const LENGTHS: [usize; 16] = [
    0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98, 105,
];
