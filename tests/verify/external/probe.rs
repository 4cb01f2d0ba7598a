//! Probes through real Envoys: a gateway that lets contexts pass, one that removes them, one that begins anew.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan_envoy::{Cluster, Listener, Node, Protocol, Route};
use sidespan_tests::envoy::filter;
use sidespan_tests::ports::free_address;

use super::mesh::{Mesh, Pod, configuration};
use crate::verify::program::verify_of;

/// Probes an address, and returns the exit code and the answers by format.
fn probe(mesh: &Mesh, to: SocketAddr, more: &[&str]) -> (Option<i32>, Value) {
    let url = format!("http://{to}/front?token=s3cret");
    let from = format!("http://{}", mesh.collector.sink().http_addr());
    let arguments = [
        "--probe",
        &url,
        "--from",
        &from,
        "--json",
        "--header",
        "authorization=Bearer s3cret",
    ];
    let ended = verify_of(&[&arguments, more].concat(), "");
    let said = format!("{}{}", ended.out, ended.errors);
    assert!(!said.contains("s3cret"), "{said}");
    let json: Value =
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {said}"));
    (ended.code, json["probes"].clone())
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_format_survives_where_every_format_is_read() {
    let mut mesh = Mesh::new();
    let pay = mesh.pod(Pod::new("pay"));
    let front = mesh.pod(Pod::new("front").calls("pay", pay));
    let gateway = mesh.gateway(front, |listener| listener);
    let (code, probes) = probe(&mesh, gateway, &[]);
    assert_eq!(code, Some(0), "{probes:#}");
    let all = probes.as_array().expect("a list");
    assert_eq!(all.len(), 9);
    for probe in all {
        assert_eq!(probe["survived"], true, "{probe:#}");
        assert_eq!(
            probe["hops"],
            json!(["probe -> front", "front -> pay"]),
            "{probe:#}"
        );
        assert_eq!(probe["status"], 200);
    }
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_gateway_that_removes_one_format_is_found() {
    let mut mesh = Mesh::new();
    let front = mesh.pod(Pod::new("front"));
    let routes = json!({
        "name": "routes",
        "request_headers_to_remove": ["traceparent", "tracestate"],
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
        ]}],
    });
    let gateway = mesh.gateway(front, |listener| listener.with("route_config", routes));
    let (code, probes) = probe(&mesh, gateway, &["--format", "tracecontext,b3"]);
    assert_eq!(code, Some(1), "{probes:#}");
    let [w3c, b3] = [&probes[0], &probes[1]];
    assert_eq!(
        (&w3c["format"], &w3c["survived"]),
        (&json!("tracecontext"), &json!(false))
    );
    assert_eq!(
        w3c["findings"][0]["hop"],
        json!({"from": "probe", "to": "front"}),
        "{w3c:#}"
    );
    let message = w3c["message"].as_str().expect("text");
    assert!(message.contains("front began a new trace, "), "{message}");
    assert_eq!(
        (&b3["format"], &b3["survived"]),
        (&json!("b3"), &json!(true)),
        "{b3:#}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_gateway_that_trusts_nobody_is_named() {
    let mut mesh = Mesh::new();
    let front = mesh.pod(Pod::new("front"));
    let restart =
        configuration(&json!({"gateway": {"trust": {"context": "restart"}}, "direction": "edge"}));
    let listener = Listener::new("listener")
        .filter(filter(&restart).filter())
        .route(Route::to("front"));
    let clusters = vec![
        Cluster::new("front", front),
        Cluster::new("collector", mesh.collector.sink().grpc_addr()).protocol(Protocol::Http2),
    ];
    let gateway = mesh.proxy_of(
        Node::gateway("edge", "gateway-7d9c5b8f6-x2x4z"),
        listener,
        clusters,
    );
    let (code, probes) = probe(&mesh, gateway, &["--format", "tracecontext"]);
    assert_eq!(code, Some(1), "{probes:#}");
    let message = probes[0]["message"].as_str().expect("text");
    assert!(
        message.starts_with("gateway began trace ") && message.contains("trust.context: restart"),
        "{message}"
    );
}

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn an_address_that_answers_nothing_is_said_so() {
    let mesh = Mesh::new();
    let nobody = free_address();
    let (code, probes) = probe(&mesh, nobody, &["--format", "b3", "--wait", "1s"]);
    assert_eq!(code, Some(1), "{probes:#}");
    assert_eq!(probes[0]["status"], Value::Null);
    let message = probes[0]["message"].as_str().expect("text");
    assert!(message.contains("was not answered"), "{message}");
}
