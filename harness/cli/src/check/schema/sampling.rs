//! The section `$.sampling`, and `$.gateway.keep`.

use serde_json::json;
use sidespan_core::config::PORTS;
use sidespan_core::config::sections::sampling::{
    MAX_NAMESPACES, MAX_RULES, REMOTE_INTERVAL, REMOTE_PATH, REMOTE_PORT,
};
use sidespan_core::sampling::settings::{Keep, Sampling};

use super::request_match::{default_exclude, exclude, matching};
use super::value::{
    Schema, any_duration, boolean, cluster, host, integer, list, map, non_empty, object,
    percentage, rate, request_path, service_or_cluster, shown,
};

pub(super) fn sampling() -> Schema {
    let defaults = Sampling::default();
    object([
        (
            "percentage",
            percentage().default(defaults.percentage).says(
                "New traces that are recorded, in percent from 0 to 100, as in Istio: 0.1 is one in a thousand.",
            ),
        ),
        (
            "namespaces",
            map(non_empty(), percentage(), MAX_NAMESPACES)
                .example(json!({"payments": 50, "team-*": 10}))
                .says(
                    "Percentages by the workload's own namespace: exact names first, then the pattern with the most letters. Only \
                     * is special.",
                ),
        ),
        ("rules", rules()),
        (
            "exclude",
            exclude(
                "Requests that are not traced at all. A list here replaces the default, which is probes, scrapers and exports of \
                 telemetry.",
            )
            .default(default_exclude()),
        ),
        (
            "rateLimit",
            object([(
                "tracesPerSecond",
                rate().example(10).says(
                    "New traces a second, at most, in each worker of each proxy; 0 lets none begin.",
                ),
            )])
            .says("A limit of new traces, behind all percentages."),
        ),
        (
            "keep",
            keep("What is exported although it was not sampled, once its response is seen."),
        ),
        ("remote", remote()),
        (
            "consistent",
            boolean().default(defaults.consistent).says(
                "Write the probability of a new trace into tracestate (ot=th:…), so that backends can count.",
            ),
        ),
    ])
    .says(
        "Which new traces are recorded. What a caller has decided is followed, whatever stands here (trust.decision). Without \
         sampling and export.otlp nothing is decided.",
    )
}

fn rules() -> Schema {
    let rule = object([
        (
            "match",
            matching("The requests that the rule is for: all of its conditions hold."),
        ),
        (
            "percentage",
            percentage().says("Such new traces that are recorded, in percent from 0 to 100."),
        ),
    ])
    .requires(&["match", "percentage"]);
    list(rule, MAX_RULES)
        .example(vec![
            json!({"match": {"path": "/checkout"}, "percentage": 100}),
        ])
        .says("Percentages by request; the first rule that matches decides, before namespaces.")
}

/// Returns the schema of what is kept after the response.
pub(super) fn keep(meaning: &str) -> Schema {
    let defaults = Keep::default();
    object([
        (
            "errors",
            boolean()
                .default(defaults.errors)
                .says("Keep the spans of exchanges that failed."),
        ),
        (
            "slowerThan",
            any_duration().example("2s").says(
                "Keep the spans of exchanges that took longer: a whole number and ms, s, m or h, from 1ms to 1h. Off by default.",
            ),
        ),
        (
            "spansPerSecond",
            rate()
                .default(defaults.spans_per_second)
                .says("Kept spans a second, at most, in each worker of each proxy."),
        ),
        (
            "tell",
            boolean().default(defaults.tell).says(
                "Tell the caller of a kept span in server-timing, so that the path up to the root is kept; never at an edge.",
            ),
        ),
    ])
    .says(meaning)
}

fn remote() -> Schema {
    service_or_cluster(object([
        (
            "service",
            host()
                .example("jaeger.observability.svc.cluster.local")
                .says("The server's full name; in Istio with namespace and svc.cluster.local."),
        ),
        (
            "port",
            integer(&PORTS)
                .default(REMOTE_PORT)
                .says("The server's port, beside service."),
        ),
        (
            "cluster",
            cluster().says("Envoy's name of the server's cluster, in place of service and port."),
        ),
        (
            "path",
            request_path()
                .default(REMOTE_PATH)
                .says("The path that is asked for."),
        ),
        (
            "interval",
            any_duration().default(shown(REMOTE_INTERVAL)).says(
                "Time between two requests: a whole number and ms, s, m or h, from 1ms to 1h.",
            ),
        ),
    ]))
    .says("A server of Jaeger's sampling strategies, which take the place of percentage and namespaces.")
}
