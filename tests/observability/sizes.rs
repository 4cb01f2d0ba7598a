//! Sizes: queues, the tail sampler and memory suffice for the traffic that `collector/sizes.yaml` says.

use serde_json::Value;

use super::collectors::CONFIGURATIONS;
use super::files::{list, read, yaml};

const MIB: u64 = 1 << 20;

#[test]
fn the_tail_sampler_holds_the_traces_of_a_decision_wait() {
    let size = &yaml("collector/sizes.yaml")["gateway-decides"];
    let sampler = &yaml(CONFIGURATIONS[2].1)["processors"]["tail_sampling"];
    let traces = number(&sampler["num_traces"]);
    let waiting = number(&size["traces_per_second"]) * seconds(&sampler["decision_wait"]);
    assert!(
        traces * 2 >= waiting * 3,
        "{traces} traces, {waiting} wait: half more for a burst"
    );
    for cache in ["sampled_cache_size", "non_sampled_cache_size"] {
        assert!(
            number(&sampler["decision_cache"][cache]) >= 10 * traces,
            "{cache}"
        );
    }
    let held = traces * number(&size["spans_per_trace"]) * number(&size["bytes_per_span"]);
    suffices(
        "gateway-decides",
        CONFIGURATIONS[2].1,
        held,
        number(&size["other_mib"]),
    );
}

#[test]
fn a_gateways_queue_fits_into_its_memory() {
    let size = &yaml("collector/sizes.yaml")["filter-decides"];
    let queue = &yaml(CONFIGURATIONS[1].1)["exporters"]["otlp_grpc/backend"]["sending_queue"];
    assert_eq!(queue["sizer"], "items");
    let spans = number(&queue["queue_size"]);
    assert_eq!(
        spans / number(&size["spans_per_second"]),
        100,
        "seconds, as the text says"
    );
    let held = spans * number(&size["bytes_per_span"]);
    suffices(
        "filter-decides",
        CONFIGURATIONS[1].1,
        held,
        number(&size["other_mib"]),
    );
}

#[test]
fn an_agents_queue_outlasts_the_outage_on_its_disk() {
    let size = &yaml("collector/sizes.yaml")["agent"];
    let whole = yaml(CONFIGURATIONS[0].1);
    let queue = &whole["exporters"]["load_balancing"]["sending_queue"];
    assert_eq!(queue["sizer"], "items");
    let outage = number(&size["outage_seconds"]);
    let spans = number(&queue["queue_size"]);
    assert!(
        spans >= number(&size["spans_per_second"]) * outage,
        "{spans}"
    );
    let retried = &whole["exporters"]["load_balancing"]["retry_on_failure"]["max_elapsed_time"];
    assert!(
        seconds(retried) >= outage,
        "a batch is tried for as long as the queue lasts"
    );
    // The volume has room for the queue twice, because its file is compacted late.
    let text = read("collector/base/agent.yaml");
    assert!(text.contains("sizeLimit: 1Gi"));
    assert!(2 * spans * number(&size["bytes_per_span_on_disk"]) <= 1024 * MIB);
}

/// Checks that the limiter lets the process have what it holds, and the container what the limiter lets it have.
fn suffices(profile: &str, configuration: &str, held: u64, other_mib: u64) {
    let limiter = &yaml(configuration)["processors"]["memory_limiter"];
    let limit = number(&limiter["limit_mib"]);
    let soft = limit - number(&limiter["spike_limit_mib"]);
    let need = held.div_ceil(MIB) + other_mib;
    assert!(
        need <= soft,
        "{profile}: {need} MiB are held, {soft} MiB is where it refuses"
    );
    let whole = yaml(&format!("collector/{profile}/kustomization.yaml"));
    let patches = list(&whole["patches"]).iter();
    let patches = patches.filter_map(|it| it["patch"].as_str());
    let container = patches
        .filter_map(|text| serde_saphyr::from_str::<Value>(text).ok())
        .find_map(|patch| {
            let containers = &patch["spec"]["template"]["spec"]["containers"];
            containers.get(0).cloned()
        })
        .expect("a patch of the container");
    let memory = container["resources"]["limits"]["memory"].as_str();
    let memory = memory.and_then(|text| text.strip_suffix("Gi")?.parse::<u64>().ok());
    let memory = memory.expect("a limit in Gi") * 1024;
    assert!(
        limit * 5 <= memory * 4,
        "a fifth is for what is no heap: {limit} of {memory}"
    );
    assert_eq!(
        container["env"][0]["value"],
        format!("{limit}MiB"),
        "GOMEMLIMIT"
    );
    let operator = yaml(&format!("collector/operator/{profile}.yaml"));
    assert_eq!(
        operator["spec"]["resources"], container["resources"],
        "{profile}"
    );
    let mut variables = list(&operator["spec"]["env"]).iter();
    let limit = variables.find(|it| it["name"] == "GOMEMLIMIT");
    assert_eq!(limit.expect("a limit"), &container["env"][0]);
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// Reads `10s` and `10m`.
fn seconds(value: &Value) -> u64 {
    let text = value.as_str().expect("a duration");
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().expect("a number");
    match unit {
        "s" => number,
        "m" => number * 60,
        _ => panic!("{text}"),
    }
}
