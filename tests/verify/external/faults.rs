//! One fault each, with Sidespan on both sides of the hop.

use serde_json::{Value, json};
use sidespan_envoy::Listener;
use sidespan_sink::verify::{by_trace, verify};
use sidespan_tests::collector::Collector;
use sidespan_tests::http::{Request, send};

use super::mesh::{B3, Mesh, Pod, found, lua};

/// Every header of a context that a pod writes by default.
const WRITTEN: [&str; 6] = [
    "traceparent",
    "tracestate",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "b3",
];

/// Sends a request through front, something between, and pay, and compares what is found.
fn between(name: &str, spans: usize, change: impl FnOnce(Listener) -> Listener, expected: &str) {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay"));
    let gateway = mesh.gateway(pay, change);
    let front = mesh.pod(Pod::new("front").calls("pay", gateway));
    mesh.request(front);
    let verdicts = mesh.verdicts(spans);
    assert_eq!(found(&verdicts), [expected], "{name}: {verdicts:#?}");
    assert!(verdicts.iter().all(|verdict| !verdict.is_whole()), "{name}");
}

fn gateway_routes(fields: &Value) -> Value {
    let mut routes = json!({
        "name": "routes",
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
        ]}],
    });
    for (key, value) in fields.as_object().into_iter().flatten() {
        routes[key] = value.clone();
    }
    routes
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_service_that_knows_b3_alone_is_told_w3c_alone() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay"));
    let w3c = json!({"propagation": {"inject": ["tracecontext"], "mirror": false}});
    let front = Pod::new("front")
        .forwards(B3)
        .configured(&w3c)
        .calls("pay", pay);
    let front = mesh.pod(front);
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    assert_eq!(
        found(&verdicts),
        ["broken_hop format_not_forwarded front->pay"],
        "{verdicts:#?}"
    );
    assert_eq!(verdicts.len(), 2);
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_gateway_removes_the_headers() {
    let routes = gateway_routes(&json!({"request_headers_to_remove": WRITTEN}));
    let change = |listener: Listener| listener.with("route_config", routes);
    between(
        "stripped",
        3,
        change,
        "broken_hop header_stripped front->pay",
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_filter_writes_another_parent() {
    let rewrite = r#"
        local headers = handle:headers()
        local id = string.match(headers:get("traceparent"), "^00%-(%x+)%-")
        headers:replace("traceparent", "00-" .. id .. "-00f067aa0ba902b7-01")"#;
    let change = |listener: Listener| listener.filter(lua(rewrite));
    between(
        "rewritten",
        3,
        change,
        "broken_hop context_rewritten front->pay",
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_parents_id_is_lost_on_the_way() {
    let root_only = format!(
        r#"
        local headers = handle:headers()
        local id = string.match(headers:get("traceparent"), "^00%-(%x+)%-")
        for _, name in ipairs({{"{}"}}) do headers:remove(name) end
        headers:add("x-amzn-trace-id", "Root=1-" .. id:sub(1, 8) .. "-" .. id:sub(9) .. ";Sampled=1")"#,
        WRITTEN.join("\", \"")
    );
    let change = |listener: Listener| listener.filter(lua(&root_only));
    between(
        "two roots",
        3,
        change,
        "broken_hop context_rewritten front->pay",
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn one_trace_id_is_used_for_two_requests() {
    let mut mesh = Mesh::new();
    let front = mesh.pod(Pod::new("front"));
    for _ in 0..2 {
        let root = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1";
        send(front, &Request::get("/").header("x-amzn-trace-id", root));
    }
    let verdicts = mesh.verdicts(2);
    assert_eq!(found(&verdicts), ["several_roots - -"], "{verdicts:#?}");
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_service_between_decides_by_itself() {
    let mut mesh = Mesh::new();
    let ignoring = |percentage: u8| json!({"trust": {"decision": "ignore"}, "sampling": {"percentage": percentage}});
    let pay = mesh.pod(Pod::new("pay").configured(&ignoring(100)));
    let cart = mesh.pod(Pod::new("cart").configured(&ignoring(0)).calls("pay", pay));
    let front = mesh.pod(Pod::new("front").calls("cart", cart));
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    assert_eq!(
        found(&verdicts),
        ["broken_hop sampled_here_not_there front->cart"],
        "{verdicts:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn the_spans_of_a_sidecar_never_arrive() {
    let mut mesh = Mesh::new();
    let nowhere = mesh.nowhere();
    let pay = mesh.pod(Pod::new("pay"));
    let cart = mesh.pod(Pod::new("cart").exports_to(nowhere).calls("pay", pay));
    let front = mesh.pod(Pod::new("front").calls("cart", cart));
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    assert_eq!(
        found(&verdicts),
        ["broken_hop not_exported front->cart"],
        "{verdicts:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_format_of_64_bits_cuts_the_id() {
    let mut mesh = Mesh::new();
    let read = json!({"propagation": {"extract": ["ottrace"]}});
    let pay = mesh.pod(Pod::new("pay").inbound_configured(&read));
    let written = json!({"propagation": {"inject": ["ottrace"], "mirror": false}});
    let front = Pod::new("front")
        .outbound_configured(&written)
        .calls("pay", pay);
    let front = mesh.pod(front);
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    assert_eq!(
        found(&verdicts),
        ["broken_hop trace_id_cut front->pay"],
        "{verdicts:#?}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_clock_is_seven_seconds_fast() {
    let mut mesh = Mesh::new();
    let fast = Collector::start();
    let pay = mesh.pod(Pod::new("pay").exports_to(fast.sink().grpc_addr()));
    let front = mesh.pod(Pod::new("front").calls("pay", pay));
    mesh.request(front);
    let late = fast.wait(|now| now.spans.first().map(|span| (**span).clone()));
    let mut spans = mesh.spans(2);
    for shift in [0, 7_000_000_000, 5_000_000] {
        let mut span = late.clone();
        span.start_unix_nanos += shift;
        span.end_unix_nanos += shift;
        spans.truncate(2);
        spans.push(span);
        let verdicts = verify(&by_trace(spans.clone()));
        // What NTP leaves of a difference is passed over.
        let expected: &[&str] = match shift {
            7_000_000_000 => &["clock_skew clock_skew front->pay"],
            _ => &[],
        };
        assert_eq!(found(&verdicts), expected, "{shift}: {verdicts:#?}");
        assert!(verdicts[0].is_whole(), "skew misleads, and breaks nothing");
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_trace_begun_anew_on_purpose_is_whole() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay").configured(&json!({"trust": {"context": "restart"}})));
    let front = mesh.pod(Pod::new("front").calls("pay", pay));
    mesh.request(front);
    let verdicts = mesh.verdicts(3);
    assert_eq!(verdicts.len(), 2, "{verdicts:#?}");
    assert_eq!(found(&verdicts), Vec::<String>::new(), "{verdicts:#?}");
}
