//! Jaeger takes OTLP, and answers by the query APIs that readers of the sink use.

use std::collections::BTreeSet;

use serde_json::Value;
use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::otlp;
use sidespan_tests::peers::Jaeger;

use super::corpus;

#[test]
fn what_it_is_sent_it_knows_by_service_and_by_trace() {
    let jaeger = Jaeger::start();
    let (status, before) = jaeger.get("/api/services");
    assert_eq!((status, &before["data"]), (200, &Value::Null), "{before}");

    let request = corpus::plain();
    otlp::export(jaeger.grpc_addr(), request.clone());

    let services = wait_for(LIMIT, || {
        let (_, answer) = jaeger.get("/api/services");
        let names = answer["data"].as_array()?.iter();
        let names: BTreeSet<_> = names
            .filter_map(|it| Some(it.as_str()?.to_owned()))
            .collect();
        (names.len() >= corpus::SERVICES.len()).then_some(names)
    });
    assert_eq!(services, Some(corpus::SERVICES.map(str::to_owned).into()));

    let trace_id = hex::encode(corpus::TRACE_ID);
    let (status, answer) = jaeger.get(&format!("/api/traces/{trace_id}?raw=true"));
    assert_eq!(status, 200, "{answer}");
    let spans = answer["data"][0]["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), corpus::count(&request));
    let tags = spans.iter().flat_map(|span| span["tags"].as_array());
    let has_state = |tags: &Vec<Value>| tags.iter().any(|tag| tag["key"] == "w3c.tracestate");
    assert_eq!(tags.filter(|tags| has_state(tags)).count(), spans.len());
}
