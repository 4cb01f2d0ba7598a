//! Collectors started from the files that are shipped, on free ports of this machine.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sidespan_tests::peers::{Collector, Places};

use super::backend::WITNESS;
use crate::observability::files::yaml;

/// A gateway of a profile, which sends to this address.
pub(in crate::peers::external) fn gateway(
    profile: &str,
    backend: SocketAddr,
    change: impl Fn(&mut Value),
) -> Collector {
    let parts = |places: &mut Places| {
        let mut whole = here(yaml(&format!("collector/{profile}/gateway.yaml")), places);
        whole["exporters"]["prometheus"]["endpoint"] = text(places.address("rates"));
        whole["exporters"]["otlp_grpc/backend"]["endpoint"] = text(backend);
        whole["exporters"]["otlp_grpc/backend"]["sending_queue"]["batch"]["flush_timeout"] =
            "100ms".into();
        whole["connectors"]["span_metrics"]["metrics_flush_interval"] = "200ms".into();
        change(&mut whole);
        whole
    };
    match profile {
        "gateway-decides" => Collector::start_by_tracestate(parts),
        _ => Collector::start(parts),
    }
}

/// Returns a change of a gateway's configuration by which its spans are known in the backend.
pub(super) fn told_apart(index: usize) -> impl Fn(&mut Value) {
    move |whole| {
        let witness =
            json!({"key": WITNESS, "value": format!("gateway {index}"), "action": "insert"});
        whole["processors"]["resource/witness"] = json!({"attributes": [witness]});
        let processors = &mut whole["service"]["pipelines"]["traces"]["processors"];
        let processors = processors.as_array_mut().expect("a list");
        processors.push("resource/witness".into());
    }
}

/// An agent that knows these gateways.
pub(in crate::peers::external) fn agent(gateways: &[SocketAddr]) -> Collector {
    agent_with(gateways, |_| ())
}

/// An agent as [`agent`], whose configuration is changed.
pub(super) fn agent_with(gateways: &[SocketAddr], change: impl Fn(&mut Value)) -> Collector {
    Collector::start(|places| {
        let mut whole = here(yaml("collector/base/config/agent.yaml"), places);
        whole["receivers"]["zipkin"]["endpoint"] = text(places.address("zipkin"));
        whole["receivers"]["jaeger"]["protocols"]["thrift_http"]["endpoint"] =
            text(places.address("jaeger"));
        whole["extensions"]["file_storage"]["directory"] =
            places.file("queue").display().to_string().into();
        whole["exporters"]["load_balancing"]["resolver"] =
            json!({"static": {"hostnames": gateways}});
        // It asks a cluster, of which there is none here.
        let processors = &mut whole["service"]["pipelines"]["traces"]["processors"];
        let processors = processors.as_array_mut().expect("a list");
        processors.retain(|it| it != "k8s_attributes");
        let settings = whole["processors"].as_object_mut().expect("processors");
        assert!(settings.remove("k8s_attributes").is_some());
        change(&mut whole);
        whole
    })
}

/// Moves what every Collector listens on to free ports of this machine.
fn here(mut whole: Value, places: &mut Places) -> Value {
    // These two have free ports in every Collector of the tests.
    whole["receivers"]["otlp"] = json!({});
    whole["extensions"]["health_check"] = json!({});
    let metrics = &mut whole["service"]["telemetry"]["metrics"];
    metrics["level"] = "normal".into();
    let prometheus = &mut metrics["readers"][0]["pull"]["exporter"]["prometheus"];
    assert!(prometheus.is_object());
    *prometheus = json!({"host": "127.0.0.1", "port": places.address("metrics").port()});
    whole
}

fn text(address: SocketAddr) -> Value {
    address.to_string().into()
}

/// Returns the requests that the gateways counted for a service, all together, as far as they have them.
pub(super) fn counted(gateways: &[Collector], service: &str) -> f64 {
    let pages = gateways.iter().filter_map(|it| it.get("rates", "/metrics"));
    pages
        .map(|page| {
            let page = String::from_utf8_lossy(&page.body).into_owned();
            let lines = page.lines().filter(|line| {
                line.starts_with("traces_span_metrics_calls_total{")
                    && line.contains(&format!("service_name=\"{service}\""))
                    && line.contains("span_kind=\"SPAN_KIND_SERVER\"")
            });
            let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            values.sum::<f64>()
        })
        .sum()
}
