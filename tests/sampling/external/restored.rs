//! On real Envoy: applications that drop `tracestate`, in the middle of traces that are sampled at 25 %.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_sink::SpanKind;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy::{self, counter, filter, settle, wait_for_counter};
use sidespan_tests::http::{Reply, Request, Server, send};

const REQUESTS: usize = 200;
const B3: [&str; 3] = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_probability_survives_applications_that_hand_on_no_tracestate() {
    for handed_on in [&B3[..], &["traceparent"]] {
        passes(handed_on);
    }
}

/// Sends requests through a sidecar whose application hands on these headers alone.
fn passes(handed_on: &'static [&'static str]) {
    let collector = Collector::start();
    let behind = Server::ok();
    let way_out = Arc::new(OnceLock::<SocketAddr>::new());
    let application = {
        let way_out = Arc::clone(&way_out);
        Server::start(move |request| {
            let mut call = Request::get(&request.path);
            for name in handed_on {
                call = call.header(name, request.headers.one(name).unwrap_or_default());
            }
            send(*way_out.get().expect("a listener"), &call);
            Reply::status(200)
        })
    };
    let configuration = json!({
        "sampling": {"percentage": 25},
        "export": {"otlp": {"cluster": "collector"}, "batch": {"maxDelay": "20ms"}},
    });
    let listener = |name: &str, direction, cluster: &str| {
        Listener::new(name)
            .direction(direction)
            .route(Route::to(cluster))
            .filter(filter(&configuration).filter())
    };
    let envoy = envoy::start(
        &Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
            .concurrency(2)
            .cluster(Cluster::new("app", application.address()))
            .cluster(Cluster::new("behind", behind.address()))
            .cluster(collector.grpc_cluster("collector"))
            .listener(listener("in", Direction::Inbound, "app"))
            .listener(listener("out", Direction::Outbound, "behind")),
    );
    way_out
        .set(envoy.address("out").expect("a listener"))
        .expect("set once");
    let address = envoy.address("in").expect("a listener");
    let mut sampled = 0;
    for number in 0..REQUESTS {
        let path = format!("/{number}");
        assert_eq!(send(address, &Request::get(&path)).status, 200);
        let headers = behind.only(&path).headers;
        let is_sampled = headers
            .one("traceparent")
            .is_some_and(|context| context.ends_with("-01"));
        sampled += u64::from(is_sampled);
        let state = headers.one("tracestate");
        let expected = is_sampled.then(|| "ot=th:c".to_owned());
        assert_eq!(state, expected, "{handed_on:?} {headers:?}");
    }
    assert!((20..=80).contains(&sampled), "{sampled} of {REQUESTS}");
    wait_for_counter(&envoy, "spans.exported", |count| count >= 2 * sampled);
    settle(&envoy);
    assert_eq!(counter(&envoy, "context.tracestate.restored"), sampled);
    // What counts by `th` counts both sides alike, and as many as there were within the bound of so few samples.
    let spans = collector.wait(|now| {
        let all = now.spans.clone();
        (all.len() as u64 >= 2 * sampled).then_some(all)
    });
    for kind in [SpanKind::Server, SpanKind::Client] {
        let of_kind: Vec<_> = spans.iter().filter(|span| span.kind == kind).collect();
        assert_eq!(of_kind.len() as u64, sampled, "{kind:?}");
        assert!(
            of_kind.iter().all(|span| span.trace_state == "ot=th:c"),
            "{kind:?}"
        );
    }
}
