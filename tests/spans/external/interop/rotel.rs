//! A collector (rotel) between the filter and the sink, and beside it the same requests without one.
//!
//! ```text
//! filter ── tap ─┬─ rotel ── sink
//!                └─────────── sink    a copy of the request, byte for byte
//! ```
//!
//! The tap is an Envoy that sends each request to both. Rotel receives by gRPC and by HTTP, and exports by gRPC and by
//! HTTP: all four combinations.

use std::collections::BTreeMap;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Listener, Node, Protocol, Route};
use sidespan_sink::Transport;
use sidespan_tests::collector::Collector;
use sidespan_tests::envoy;
use sidespan_tests::rotel::Rotel;

use super::traffic::{Export, SPANS, Traffic};

/// The combinations: rotel's protocols in and out, and the filter's setting for the first.
const WAYS: [(&str, &str, &str); 4] = [
    ("grpc-grpc", "grpc", "grpc"),
    ("grpc-http", "grpc", "http"),
    ("http-grpc", "http/protobuf", "grpc"),
    ("http-http", "http/protobuf", "http"),
];

#[test]
#[cfg_attr(
    any(no_envoy, no_rotel),
    ignore = "a real Envoy, Python 3.10 to 3.13 with venv and its shared library, and glibc 2.34 are needed"
)]
fn what_goes_through_a_collector_is_what_the_filter_sent() {
    let (direct, behind) = (Collector::start(), Collector::start());
    let rotels = [
        ("grpc", Rotel::start("grpc", behind.sink().grpc_addr())),
        ("http", Rotel::start("http", behind.sink().http_addr())),
    ];
    let rotels = BTreeMap::from(rotels);

    let mut tap = Bootstrap::new(Node::plain("tap", "tap"))
        .cluster(direct.grpc_cluster("direct-grpc"))
        .cluster(direct.http_cluster("direct-http/protobuf"));
    for (way, receives, exports) in WAYS {
        let copied = format!("direct-{receives}");
        let route = Route::to(way).with("request_mirror_policies", json!([{"cluster": copied}]));
        let cluster = match receives {
            "grpc" => Cluster::new(way, rotels[exports].grpc).protocol(Protocol::Http2),
            _ => Cluster::new(way, rotels[exports].http),
        };
        tap = tap
            .cluster(cluster)
            .listener(Listener::new(way).route(route));
    }
    let tap = envoy::start(&tap);
    let exports = WAYS.map(|(way, receives, _)| {
        let cluster = Cluster::new(way, tap.address(way).expect("a listener"));
        Export {
            name: way,
            protocol: receives,
            cluster: match receives {
                "grpc" => cluster.protocol(Protocol::Http2),
                _ => cluster,
            },
        }
    });
    Traffic::start(exports.into()).flow();

    let [direct_spans, behind_spans] = [&direct, &behind].map(|collector| {
        collector.wait(|now| {
            let by_id = now
                .spans
                .iter()
                .map(|span| (span.span_id.clone(), span.clone()));
            let by_id: BTreeMap<_, _> = by_id.collect();
            (by_id.len() == WAYS.len() * SPANS).then_some(by_id)
        })
    });
    for (id, span) in &direct_spans {
        assert_eq!(behind_spans.get(id), Some(span));
    }
    for (collector, sender, encodings) in [
        (direct, "sidespan/", [None, None]),
        (behind, "Rotel ", [Some("gzip"); 2]),
    ] {
        let requests = collector.sink().requests();
        let senders = requests.iter().map(|it| it.header("user-agent"));
        for agent in senders {
            assert!(agent.is_some_and(|it| it.starts_with(sender)), "{agent:?}");
        }
        let encoding = |transport, header| {
            let mut requests = requests.iter().filter(|it| it.transport == transport);
            requests
                .next()
                .expect("one by each protocol")
                .header(header)
        };
        let found = [
            encoding(Transport::Grpc, "grpc-encoding"),
            encoding(Transport::Http, "content-encoding"),
        ];
        assert_eq!(found, encodings, "{sender}");
    }
}
