//! The memory of a real Envoy with the filter, beside one without: what is no file, because pages of Envoy's own program are
//! shared by all Envoys of a machine. `filter/README.md` says what it consists of.

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_tests::collector::Collector;
use sidespan_tests::effort;
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Server, load};

const MIB: u64 = 1 << 20;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_proxy_takes_forty_mebibytes_more_at_most_however_many_workers_it_has() {
    let (collector, upstream) = (Collector::start(), Server::ok());
    let configuration = json!({
        "sampling": {"percentage": 100},
        "export": {"otlp": {"cluster": "collector"}},
    });
    for workers in [1, 4] {
        let start = |listener: Listener| {
            let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
                .concurrency(workers)
                .cluster(Cluster::new("app", upstream.address()))
                .cluster(collector.grpc_cluster("collector"))
                .listener(
                    listener
                        .direction(Direction::Inbound)
                        .route(Route::to("app")),
                );
            let envoy = envoy::start(&bootstrap);
            let fresh = envoy.anonymous_bytes().expect("a process");
            load(
                envoy.address("in").expect("a listener"),
                effort::requests(20_000),
            );
            (fresh, envoy.anonymous_bytes().expect("a process"))
        };
        let without = start(Listener::new("in"));
        let with = start(Listener::new("in").filter(filter(&configuration).filter()));
        let more = (
            with.0.saturating_sub(without.0),
            with.1.saturating_sub(without.1),
        );
        println!(
            "{workers} workers: {} KiB more when it starts, {} after requests",
            more.0 >> 10,
            more.1 >> 10
        );
        assert!(more.0 > MIB, "the filter runs");
        assert!(more.0 <= 40 * MIB && more.1 <= 40 * MIB, "{more:?}");
    }
}
