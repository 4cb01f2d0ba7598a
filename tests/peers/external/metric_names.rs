//! The metrics that rules and panels ask for, in scrapes of the real programs: both tiers of Collectors from the shipped files, and an Envoy with
//! the filter. What a counter of failures counts has to happen first.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::json;
use sidespan_envoy::{Bootstrap, Listener, Node, Route, wait_for};
use sidespan_tests::envoy::{self, LIMIT, filter};
use sidespan_tests::peers::Collector;
use sidespan_tests::{collector, otlp};

use super::corpus;
use super::tiers::{agent, gateway};
use crate::observability::scraped::{SCRAPED, of_the_filter};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_recorded_name_is_in_a_scrape() {
    let sink = collector::Collector::start();
    let nobody: SocketAddr = sidespan_tests::ports::free_address();
    let whole = gateway("gateway-decides", sink.sink().grpc_addr(), |whole| {
        whole["processors"]["tail_sampling"]["decision_wait"] = "100ms".into();
    });
    let failing = gateway("filter-decides", nobody, |whole| {
        let exporter = &mut whole["exporters"]["otlp_grpc/backend"];
        exporter["retry_on_failure"] = json!({"enabled": false});
        exporter["timeout"] = "200ms".into();
    });
    // One whose queue has no place for a batch.
    let full = gateway("filter-decides", nobody, |whole| {
        let queue = json!({"sizer": "items", "queue_size": 1});
        whole["exporters"]["otlp_grpc/backend"]["sending_queue"] = queue;
    });
    // One that refuses everything.
    let refusing = gateway("filter-decides", nobody, |whole| {
        whole["processors"]["memory_limiter"] =
            json!({"check_interval": "10ms", "limit_mib": 1, "spike_limit_mib": 0});
    });
    let through = agent(&[whole.grpc_addr()]);
    let bootstrap = Bootstrap::new(Node::sidecar("shop", "cart-7d9c5b8f6-x2x4z")).listener(
        Listener::new("in")
            .filter(filter(&json!({"sampling": {"percentage": 100}})).filter())
            .route(Route::answer(200, "")),
    );
    let envoy = envoy::start(&bootstrap);

    let request = corpus::request();
    otlp::export(through.grpc_addr(), request.clone());
    let scrape = |one: &Collector, place: &str| -> String {
        let page = one.get(place, "/metrics");
        page.map(|it| String::from_utf8_lossy(&it.body).into_owned())
            .unwrap_or_default()
    };
    let wanted: BTreeSet<String> = SCRAPED
        .lines()
        .filter(|line| !line.starts_with(['#', 'j']))
        .map(str::to_owned)
        .chain(of_the_filter())
        .collect();
    let mut lacking = BTreeSet::new();
    let found = wait_for(LIMIT, || {
        for one in [&failing, &full, &refusing] {
            // Refused or dropped, as the counters tell.
            let _ = otlp::try_export(one.grpc_addr(), request.clone());
        }
        let pages = [
            scrape(&through, "metrics"),
            scrape(&whole, "metrics"),
            scrape(&whole, "rates"),
            scrape(&failing, "metrics"),
            scrape(&full, "metrics"),
            scrape(&refusing, "metrics"),
            envoy.admin_get("/stats/prometheus").unwrap_or_default(),
        ];
        let lines = pages.iter().flat_map(|page| page.lines());
        let names: BTreeSet<&str> = lines
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        let is_lacking = |name: &&String| !names.contains(name.as_str());
        lacking = wanted.iter().filter(is_lacking).cloned().collect();
        lacking.is_empty().then_some(())
    });
    assert!(found.is_some(), "in no scrape: {lacking:?}");
}
