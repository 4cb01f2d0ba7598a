//! The Collectors' files: what the two tiers and the two profiles owe each other, in the kustomizations and in the Operator's resources.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use super::files::{list, path, read, yaml};

/// The configurations, by the Operator's resource that has each of them, too.
pub(super) const CONFIGURATIONS: [(&str, &str); 3] = [
    ("agent", "collector/base/config/agent.yaml"),
    ("filter-decides", "collector/filter-decides/gateway.yaml"),
    ("gateway-decides", "collector/gateway-decides/gateway.yaml"),
];

#[test]
fn the_operators_resources_have_the_same_configuration() {
    for (name, source) in CONFIGURATIONS {
        let file = format!("collector/operator/{name}.yaml");
        let written = read(&file);
        let (head, _) = written.split_once("\n  config:\n").expect("its head");
        let mut whole = format!("{head}\n  config:\n");
        let text = read(source);
        for line in text.lines().skip_while(|line| line.starts_with('#')) {
            let indent = if line.is_empty() { "" } else { "    " };
            whole += &format!("{indent}{line}\n");
        }
        if env::var_os("SIDESPAN_UPDATE").is_some() {
            fs::write(path(&file), &whole).expect("a file of the project");
        }
        assert!(
            written == whole,
            "{file} differs: SIDESPAN_UPDATE=1 writes it"
        );
    }
}

#[test]
fn memory_is_looked_at_first_and_no_batch_is_held_before_a_queue() {
    for (name, file) in CONFIGURATIONS {
        let whole = yaml(file);
        let pipelines = whole["service"]["pipelines"]
            .as_object()
            .expect("pipelines");
        for (signal, pipeline) in pipelines.iter().filter(|(it, _)| it.starts_with("traces")) {
            let processors = list(&pipeline["processors"]);
            assert_eq!(processors[0], "memory_limiter", "{name}: {signal}");
            let is_batch = |it: &Value| it.as_str().is_some_and(|it| it.starts_with("batch"));
            assert!(!processors.iter().any(is_batch), "{name}: {signal}");
        }
    }
    let balancer = &yaml(CONFIGURATIONS[0].1)["exporters"]["load_balancing"];
    assert_eq!(balancer["sending_queue"]["storage"], "file_storage");
    assert!(balancer["retry_on_failure"].is_object());
    // In memory there, in front of the disk's own.
    for part in ["sending_queue", "retry_on_failure"] {
        assert_eq!(
            balancer["protocol"]["otlp"][part]["enabled"], false,
            "{part}"
        );
    }
    assert_eq!(balancer["routing_key"], "traceID");
}

#[test]
fn the_profiles_exclude_each_other_and_count_alike() {
    let [filter, gateway] = [yaml(CONFIGURATIONS[1].1), yaml(CONFIGURATIONS[2].1)];
    for part in ["receivers", "connectors", "exporters", "extensions"] {
        assert_eq!(filter[part], gateway[part], "{part}");
    }
    let rates = |whole: &Value| whole["service"]["pipelines"]["traces/rates"].clone();
    assert_eq!(rates(&filter), rates(&gateway));
    assert_eq!(
        filter["processors"]["filter/rates"],
        gateway["processors"]["filter/rates"]
    );
    assert!(filter["processors"]["tail_sampling"].is_null());
    assert!(gateway["processors"]["tail_sampling"].is_object());
    // Without the gate a tail sampler chooses by another hash, and lies about what is left.
    let gate = "processor.tailsamplingprocessor.usetracestate";
    for file in [
        "gateway-decides/kustomization.yaml",
        "operator/gateway-decides.yaml",
    ] {
        assert!(read(&format!("collector/{file}")).contains(gate), "{file}");
    }
    // Kustomize makes one Deployment of either, so that one replaces the other.
    for profile in ["filter-decides", "gateway-decides"] {
        let whole = yaml(&format!("collector/{profile}/kustomization.yaml"));
        assert_eq!(list(&whole["resources"]), ["../base"]);
        assert_eq!(whole["configMapGenerator"][0]["name"], "otel-gateway");
    }
}

#[test]
fn the_tail_sampler_has_every_policy_that_is_promised() {
    let whole = yaml(CONFIGURATIONS[2].1);
    let policies = list(&whole["processors"]["tail_sampling"]["policies"]);
    let names: Vec<_> = policies
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    let expected = [
        "probes", "kept", "errors", "slow", "asked", "checkout", "others",
    ];
    assert_eq!(names, expected);
    assert_eq!(policies[0]["type"], "drop", "before all that keep");
    let percents = list(&policies[6]["composite"]["rate_allocation"]).iter();
    let percents: u64 = percents.filter_map(|it| it["percent"].as_u64()).sum();
    assert_eq!(percents, 100);
}

#[test]
fn span_metrics_are_bounded() {
    let metrics = &yaml(CONFIGURATIONS[1].1)["connectors"]["span_metrics"];
    assert!(metrics["aggregation_cardinality_limit"].as_u64() > Some(0));
    let keys = list(&metrics["resource_metrics_key_attributes"]);
    assert_eq!(keys, ["service.name", "service.namespace"]);
    for dimension in list(&metrics["dimensions"]) {
        let name = dimension["name"].as_str().expect("a name");
        let unbounded = [
            "url.path",
            "url.full",
            "client.address",
            "user_agent.original",
        ];
        assert!(!unbounded.contains(&name), "{name}");
    }
}

/// Holds the Service of the agent to the name and the port that the filter's manifests have.
#[test]
fn the_filter_finds_the_agent_and_the_agent_the_gateway() {
    let text = read("collector/base/agent.yaml");
    let resources: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    let service = resources.iter().find(|it| it["kind"] == "Service");
    let service = service.expect("a Service");
    assert_eq!(service["spec"]["internalTrafficPolicy"], "Local");
    let name = service["metadata"]["name"].as_str().expect("a name");
    let host = format!("{name}.observability.svc.cluster.local");
    assert!(
        names(&path(".."), &host),
        "no manifest of the filter names {host}"
    );
    let ports = list(&service["spec"]["ports"]);
    assert_eq!(
        (&ports[0]["name"], &ports[0]["port"]),
        (&"grpc-otlp".into(), &4317.into())
    );
    let agent = read(CONFIGURATIONS[0].1);
    for port in ports {
        let (port, name) = (&port["port"], port["name"].as_str().expect("a name"));
        assert!(agent.contains(&format!("0.0.0.0:{port}")), "{port}");
        // Istio goes by the first word of a port's name.
        assert!(["grpc", "http"].contains(&name.split('-').next().expect("a word")));
    }
    let gateway: Vec<Value> =
        serde_saphyr::from_multiple(&read("collector/base/gateway.yaml")).expect("YAML");
    let headless = gateway.iter().find(|it| it["spec"]["clusterIP"] == "None");
    let name = headless.expect("a headless Service")["metadata"]["name"].clone();
    let name = name.as_str().expect("a name");
    assert!(agent.contains(&format!("{name}.observability.svc.cluster.local")));
}

/// Tells whether a file of a folder, but for those of this one, contains a text.
fn names(folder: &Path, text: &str) -> bool {
    let entries = fs::read_dir(folder).expect("a folder of ours");
    entries
        .map(|entry| entry.expect("an entry").path())
        .any(|path| {
            if path.is_dir() {
                return !path.ends_with("observability") && names(&path, text);
            }
            fs::read_to_string(&path).is_ok_and(|found| found.contains(text))
        })
}
