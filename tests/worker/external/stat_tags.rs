//! The labels of counters in Prometheus, by the lines that the documentation gives for Envoy's bootstrap.

use serde_json::{Value, json};
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_tests::caller::Caller;
use sidespan_tests::envoy::{self, LIMIT, filter};
use sidespan_tests::http::{Request, Server, send};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_documented_tag_makes_two_families_of_the_formats() {
    let readme = include_str!("../../../filter/README.md");
    let (_, block) = readme.split_once("stats_config:\n").expect("the block");
    let (block, _) = block.split_once("```").expect("its end");
    let stats_config: Value = serde_saphyr::from_str(block).expect("YAML");
    let upstream = Server::ok();
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .listener(
            Listener::new("in")
                .direction(Direction::Inbound)
                .filter(filter(&json!({"sampling": {"percentage": 100}})).filter())
                .route(Route::to("app")),
        )
        .cluster(Cluster::new("app", upstream.address()))
        .with("stats_config", stats_config);
    let envoy = envoy::start(&bootstrap);
    let caller = Caller::fresh();
    let request = Request::get("/")
        .header("b3", caller.b3())
        .header("x-b3-traceid", "none")
        .header("traceparent", caller.traceparent());
    assert_eq!(
        send(envoy.address("in").expect("the listener"), &request).status,
        200
    );
    let wanted = [
        "sidespan_context_valid{format=\"b3\"} 1",
        "sidespan_context_valid{format=\"tracecontext\"} 1",
        "sidespan_context_malformed{format=\"b3multi\"} 1",
        "sidespan_context_valid{format=\"grpc-trace-bin\"} 0",
    ];
    let mut seen = String::new();
    let found = sidespan_envoy::wait_for(LIMIT, || {
        seen = envoy.admin_get("/stats/prometheus").ok()?;
        let has = |line: &&str| seen.lines().any(|other| other == *line);
        wanted.iter().all(has).then_some(())
    });
    let ours: Vec<_> = seen
        .lines()
        .filter(|line| line.contains("sidespan_context"))
        .collect();
    assert!(found.is_some(), "{ours:#?}");
    assert!(!seen.contains("sidespan_context_b3_valid"), "{ours:#?}");
}
