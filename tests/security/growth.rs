//! What callers choose, and what does not grow with it: names of spans, metrics, shared data, memory.

use std::collections::BTreeSet;
use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_core::shared_data::request_ids::SLOTS;
use sidespan_tests::effort;
use sidespan_tests::worlds::{Guest, Header};

const EVERYTHING: &str = r#"{
    "sampling": {"percentage": 100, "keep": {"slowerThan": "1s"}},
    "correlation": {"requestId": true},
    "export": {"otlp": {"cluster": "collector", "protocol": "http/protobuf"}}
}"#;

fn headers(lines: &[(&'static str, String)]) -> Vec<Header> {
    let lines = lines.iter().cloned();
    lines
        .map(|(name, value)| (name, value.into_bytes()))
        .collect()
}

#[test]
fn no_path_and_no_method_of_callers_is_the_name_of_a_span() {
    let mut guest = Guest::start(EVERYTHING);
    let mut names = BTreeSet::new();
    for number in 0..300_u16 {
        let path = (":path", format!("/orders.v{number}/Get{number}"));
        let get = (":method", "GET".to_owned());
        let grpc = ("content-type", "application/grpc".to_owned());
        let post = (":method", "POST".to_owned());
        for (request, status) in [
            (vec![get, path.clone()], 200),
            (
                vec![(":method", format!("METHOD{number}")), path.clone()],
                405,
            ),
            // A server of plain HTTP that is asked as if it were one of gRPC.
            (vec![post.clone(), path.clone(), grpc.clone()], 404),
            (vec![post, path, grpc], 200),
        ] {
            guest.request(Direction::Inbound, &headers(&request), status);
        }
        guest.host.advance(Duration::from_secs(2));
        names.extend(guest.exported().into_iter().map(|span| span.name));
    }
    assert_eq!(Vec::from_iter(names), ["GET", "HTTP", "grpc"]);
}

#[test]
fn nothing_that_callers_choose_takes_more_room_than_there_is() {
    let mut guest = Guest::start(EVERYTHING);
    let requests = u32::try_from(effort::share(20_000, 5_000)).expect("a few");
    let mut metrics = None;
    for number in 0..requests {
        // Spread over the right half, which decides on a slot and on what is kept.
        let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let trace_id = format!("{number:016x}{spread:016x}");
        let sampled = number % 2;
        let state = format!("ot=th:8;rv:f0000000000000,v={}", "s".repeat(200));
        let request = headers(&[
            (":method", "GET".into()),
            (":path", format!("/{number}?{}", "q".repeat(100))),
            (
                "traceparent",
                format!("00-{trace_id}-{:016x}-0{sampled}", number + 1),
            ),
            ("tracestate", [state.as_str(), &"x".repeat(250)].join(",w=")),
            ("x-request-id", format!("{number:0>128}")),
            ("user-agent", format!("agent {number}")),
            ("baggage", format!("k{number}=v")),
        ]);
        let direction = match number % 4 {
            0 | 1 => Direction::Inbound,
            _ => Direction::Outbound,
        };
        guest.request(direction, &request, 503);
        if number % 100 == 0 {
            guest.host.advance(Duration::from_secs(1));
            guest.exported();
        }
        // By then every kind of request was there.
        if number == 1_000 {
            metrics = Some(guest.host.shared().counters().len());
        }
    }
    let memory = guest.host.memory_bytes();
    let shared = guest.host.shared();
    let (keys, bytes) = shared.data_size("");
    println!(
        "{requests} requests: {keys} keys, {bytes} bytes of shared data, {memory} bytes of memory"
    );
    assert_eq!(Some(shared.counters().len()), metrics, "metrics");
    // Notes of request ids, of kept traces and of lists, and a handful of the worker's own.
    assert!(keys <= 3 * usize::from(SLOTS) + 8, "{keys} keys");
    assert!(bytes <= 5 << 20, "{bytes} bytes");
    assert!(memory <= 12 << 20, "{memory} bytes");
}
