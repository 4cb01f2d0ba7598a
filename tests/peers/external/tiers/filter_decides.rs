//! The profile *the filter decides*: all that the sidecars sampled and kept is in Jaeger, whole traces by one gateway each, and the rates are those
//! of all requests.

use std::collections::BTreeSet;

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_sink::Value;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::Jaeger;
use sidespan_tests::{collector, effort};

use super::backend::{dependencies, edges, traces};
use super::scene::{agent, counted, gateway, told_apart};
use super::shop::{self, Load, RECEIVED, SPANS, Shop};

const SIGMAS: f64 = 5.0;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_quarter_is_in_jaeger_with_the_rates_of_all() {
    is_in_jaeger_with_the_rates_of_all(25.0, 2_000);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn one_percent_is_in_jaeger_with_the_rates_of_all() {
    is_in_jaeger_with_the_rates_of_all(1.0, 8_000);
}

fn is_in_jaeger_with_the_rates_of_all(percentage: f64, requests: u64) {
    let jaeger = Jaeger::start();
    let gateways =
        [0, 1].map(|index| gateway("filter-decides", jaeger.grpc_addr(), told_apart(index)));
    let agent = agent(&[gateways[0].grpc_addr(), gateways[1].grpc_addr()]);
    let keep = json!({
        "errors": true,
        "slowerThan": format!("{}ms", shop::SLOWER_THAN.as_millis()),
        "spansPerSecond": 5_000,
    });
    let sampling = json!({"percentage": percentage, "keep": keep});
    let shop = Shop::start(agent.grpc_addr(), &sampling, "none");
    let load = Load {
        requests,
        failing: 40,
        slow: 8,
    };
    let used = shop.cpu();
    shop.send(load);
    let used = (shop.cpu() - used) as f64;
    println!(
        "{percentage} %: {:.1} µs of the proxies' CPU a side",
        used / (requests as f64 * SPANS as f64)
    );
    let exported = shop.exported();

    let traces = traces(&jaeger, exported);
    for (id, trace) in &traces {
        let seen = (trace.spans.len(), trace.roots, trace.gateways.len());
        assert_eq!(seen, (SPANS, 1, 1), "{id}: {trace:#?}");
    }
    let used: BTreeSet<_> = traces.values().flat_map(|it| &it.gateways).collect();
    assert_eq!(used.len(), 2, "one gateway has nothing");
    let number = traces.len() as u64;
    assert_eq!(edges(&traces), shop::edges(number));
    assert_eq!(dependencies(&jaeger), shop::edges(number), "as Jaeger says");
    let all = traces.values();
    let failing = all.clone().filter(|it| it.fails()).count() as u64;
    let slow = all.filter(|it| it.is_slow()).count() as u64;
    assert_eq!((failing, slow), (load.failing, load.slow), "all are kept");

    let p = percentage / 100.0;
    let deviation = (requests as f64 * p * (1.0 - p)).sqrt() / p;
    for (service, times) in RECEIVED {
        let (all, bound) = ((requests * times) as f64, SIGMAS * deviation * times as f64);
        let mut found = 0.0;
        let is_right = wait_for(LIMIT, || {
            found = counted(&gateways, service);
            ((found - all).abs() <= bound).then_some(())
        });
        assert!(
            is_right.is_some(),
            "{service}: {found} of {all} ± {bound:.0}"
        );
        println!("{service}: {found:.0} of {all} ± {bound:.0}");
        // Spans that tell no probability count for one each; then this bound would be missed by far.
        assert!(bound < all * (1.0 - p), "too few requests to tell");
    }
    an_incident_is_kept_whole(&shop, exported, p);
}

/// Lets half of the requests fail: with each of them comes its whole path, and with the others what is sampled.
fn an_incident_is_kept_whole(shop: &Shop, before: u64, p: f64) {
    let requests = effort::requests(400);
    let incident = Load {
        requests,
        failing: requests / 2,
        slow: 0,
    };
    let used = shop.cpu();
    shop.send(incident);
    let used = (shop.cpu() - used) as f64;
    let more = shop.exported() - before;
    let sampled = (more as f64 / SPANS as f64) - incident.failing as f64;
    let healthy = (incident.requests - incident.failing) as f64;
    let bound = SIGMAS * (healthy * p * (1.0 - p)).sqrt();
    println!(
        "half fails: {more} spans of {requests} requests, {:.1} µs of the proxies' CPU a side",
        used / (requests as f64 * SPANS as f64)
    );
    assert_eq!(more % SPANS as u64, 0, "all are whole");
    assert!((sampled - healthy * p).abs() <= bound, "{more} spans");
}

/// Holds what an application sends by Zipkin's protocol to the same way.
#[test]
fn what_an_application_sends_by_zipkin_goes_the_same_way() {
    let sink = collector::Collector::start();
    let gateway = gateway("filter-decides", sink.sink().grpc_addr(), |_| ());
    let agent = agent(&[gateway.grpc_addr()]);
    let span = json!([{
        "traceId": "463ac35c9f6413ad48485a3953bb6124",
        "id": "a2fb4a1d1a96d312",
        "name": "work",
        "timestamp": 1_790_000_000_000_000_u64,
        "duration": 1000,
        "localEndpoint": {"serviceName": "from-zipkin"},
    }]);
    let post = sidespan_tests::http::Request::post("/api/v2/spans", span.to_string())
        .header("content-type", "application/json");
    let answer = sidespan_tests::http::send(agent.address("zipkin"), &post);
    assert_eq!(answer.status, 202);
    let spans = sink.trace("463ac35c9f6413ad48485a3953bb6124", 1);
    let cluster = spans[0].resource.attribute("k8s.cluster.name");
    let cluster = cluster.and_then(Value::as_str);
    assert_eq!(cluster, Some("kubernetes"));
}
