//! The section `$.export`.

use serde_json::json;
use sidespan_core::config::ANY_DURATION;
use sidespan_core::config::PORTS;
use sidespan_core::config::sections::export::{
    ATTEMPTS, BATCH_SPANS, COMPRESSIONS, DELAYS, GRPC_PORT, HTTP_PATH, HTTP_PORT, MAX_HEADERS,
    PROTOCOLS, QUEUE_BYTES, QUEUE_SPANS, TAKEN, TIMEOUT,
};
use sidespan_core::export::settings::Export;

use super::value::{
    Schema, any_duration, authority, cluster, duration, either, form, header_name, host, integer,
    map, non_empty, object, request_path, service_or_cluster, shown, size, words,
};

pub(super) fn export() -> Schema {
    let defaults = Export::default();
    // Beside a default of the other key, a schema can compare: within the limits, with one of the two fixed.
    let spans = QUEUE_SPANS;
    let enough = integer(&(defaults.batch_max_spans as u64..=*spans.end()));
    object([
        ("otlp", otlp()),
        (
            "batch",
            object([
                (
                    "maxSpans",
                    integer(&BATCH_SPANS)
                        .default(defaults.batch_max_spans)
                        .says("Spans in one request, at most."),
                ),
                (
                    "maxDelay",
                    duration(&DELAYS)
                        .default(shown(defaults.batch_max_delay))
                        .says("Time that a span waits for others, at most: a whole number and ms, s or m, from 10ms to 1m."),
                ),
            ])
            .says("How many spans go in one request."),
        ),
        (
            "queue",
            object([
                (
                    "maxSpans",
                    integer(&spans)
                        .default(defaults.queue_max_spans)
                        .says("Spans that wait in each worker, at most; at least batch.maxSpans. The oldest go first."),
                ),
                (
                    "maxBytes",
                    size(&QUEUE_BYTES).default("8MiB").says(
                        "Bytes that wait in each worker, at most: a number, or a whole number and B, KiB or MiB, from 1KiB to \
                         128MiB.",
                    ),
                ),
            ])
            .says("What waits while the collector is away."),
        ),
        ("retry", retry(&defaults)),
    ])
    .rule(json!({
        "if": {"not": {"required": ["batch"], "properties": {"batch": {"required": ["maxSpans"]}}}},
        "then": {"properties": {"queue": {"properties": {"maxSpans": enough.into_value()}}}},
    }))
    .says("Where spans go, and how.")
}

fn otlp() -> Schema {
    let otlp = object([
        (
            "service",
            host()
                .example("otel-collector.observability.svc.cluster.local")
                .says("The collector's full name; in Istio with namespace and svc.cluster.local."),
        ),
        (
            "port",
            integer(&PORTS).says(&format!(
                "The collector's port, beside service; by default {GRPC_PORT} with grpc, {HTTP_PORT} with http/protobuf."
            )),
        ),
        (
            "cluster",
            cluster().says(
                "Envoy's name of the collector's cluster, in place of service and port; in Istio outbound|4317||HOST.",
            ),
        ),
        (
            "authority",
            authority().example("otlp.example.com").says(
                "The host that requests name, with a port if there is one, where it is not the cluster's own name.",
            ),
        ),
        (
            "protocol",
            words(&PROTOCOLS)
                .default("grpc")
                .says("OTLP over gRPC, or over HTTP with protobuf."),
        ),
        (
            "path",
            request_path().says(&format!(
                "The path of requests with http/protobuf, by default {HTTP_PATH}; that of grpc is fixed."
            )),
        ),
        (
            "compression",
            words(&COMPRESSIONS)
                .default("none")
                .says("gzip pays across zones or to a hosted collector, not on the same node."),
        ),
        (
            "timeout",
            any_duration().default(shown(TIMEOUT)).says(
                "Time that the collector has for an answer: a whole number and ms, s, m or h, from 1ms to 1h.",
            ),
        ),
        ("headers", headers()),
    ])
    .rule(json!({
        "if": {"properties": {"protocol": {"const": "grpc"}}},
        "then": {"properties": {"path": false}},
    }));
    service_or_cluster(otlp).says(
        "The OpenTelemetry collector, by service or by cluster. Without it nothing is exported.",
    )
}

fn headers() -> Schema {
    let variable = object([(
        "environment",
        non_empty()
            .example("OTLP_KEY")
            .says("A variable of the VM's environment (vmConfig.env in Istio)."),
    )])
    .requires(&["environment"]);
    let literal = form(
        r"^[^\u0000-\u0008\u000A-\u001F\u007F]*$",
        "a value without line ends and control characters",
    );
    map(
        header_name().with("not", json!({"enum": TAKEN})),
        either(literal, variable),
        MAX_HEADERS,
    )
    .example(json!({"x-tenant": "shop", "x-api-key": {"environment": "OTLP_KEY"}}))
    .says("Headers of every request, or metadata of gRPC: text as it is, or {environment: NAME} for secrets.")
}

fn retry(defaults: &Export) -> Schema {
    let most = duration(&(*ANY_DURATION.start()..=defaults.retry_max));
    let least = duration(&(defaults.retry_initial..=*ANY_DURATION.end()));
    object([
        (
            "initial",
            any_duration().default(shown(defaults.retry_initial)).says(
                "The delay before the second attempt, which doubles from then on, at most max.",
            ),
        ),
        (
            "max",
            any_duration()
                .default(shown(defaults.retry_max))
                .says("The longest delay between two attempts; at least initial."),
        ),
        (
            "attempts",
            integer(&ATTEMPTS)
                .default(defaults.retry_attempts)
                .says("Attempts in all, before a batch is dropped."),
        ),
    ])
    .rule(json!({
        "if": {"not": {"required": ["max"]}},
        "then": {"properties": {"initial": most.into_value()}},
    }))
    .rule(json!({
        "if": {"not": {"required": ["initial"]}},
        "then": {"properties": {"max": least.into_value()}},
    }))
    .says("What happens when the collector does not answer, or asks to be left alone for a while.")
}
