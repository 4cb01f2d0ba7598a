//! The order of each folder's rooms, lowest first.

/// Folders, and their rooms: each may use those before it.
pub(super) const LAYERS: &[(&str, &[&str])] = &[
    (
        "filter/core/src",
        &[
            "headers",
            "time",
            "ids",
            "exchange",
            "envoy_flags",
            "pattern",
            "threshold",
            "binary_header",
            "entropy",
            "json",
            "lease",
            "unsent",
            "decimal",
            "gzip",
            "notes",
            "server_timing",
            "ledger",
            "roster",
            "span",
            "stats",
            "conventions",
            "grpc",
            "http",
            "propagation",
            "correlation",
            "config",
            "limit",
            "baggage",
            "resource",
            "otlp",
            "attributes",
            "queue",
            "export",
            "remote",
            "state",
            "trust",
            "describe",
            "matching",
            "sampler",
            "tracer",
            "facing",
        ],
    ),
    (
        "filter/abi/src",
        &[
            "context_table",
            "types",
            "traits",
            "contexts",
            "hostcalls",
            "exports",
        ],
    ),
    (
        "filter/plugin/src",
        &[
            "host",
            "node",
            "shared_data",
            "stream_state",
            "collector",
            "startup_log",
            "logging",
            "metrics",
            "sampling_server",
            "worker",
            "instance",
            "root",
            "stream",
        ],
    ),
    (
        "harness/host/src",
        &[
            "logs",
            "clock",
            "limit",
            "pairs",
            "headers",
            "value",
            "shared",
            "entropy",
            "transcript",
            "stream",
            "properties",
            "world",
            "guest",
            "memory",
            "abi",
            "wasi",
            "module",
            "builder",
            "host",
            "testing",
        ],
    ),
    (
        "harness/sink/src",
        &[
            "record",
            "script",
            "value",
            "model",
            "store",
            "status",
            "tree",
            "wait",
            "decode",
            "intake",
            "cut",
            "grpc",
            "web",
            "listen",
            "sink",
            "waterfall",
            "whole",
        ],
    ),
    (
        "harness/envoy/src",
        &[
            "bootstrap",
            "wait",
            "admin",
            "leash",
            "process",
            "extension",
            "install",
        ],
    ),
    (
        "harness/cli/src",
        &[
            "output",
            "envoy",
            "interrupt",
            "check",
            "sidecar",
            "bench",
            "demo",
            "run",
        ],
    ),
];

/// Imports that still go up. The list may only shrink.
pub(super) const OFFENDERS: &str = "\
filter/core/src: config/matching -> tracer
filter/core/src: conventions -> config
filter/core/src: describe -> sampler
filter/core/src: matching -> tracer
filter/core/src: propagation -> config
filter/core/src: sampler -> tracer
filter/core/src: span -> otlp
filter/core/src: stats -> propagation
filter/core/src/config: propagation -> its face
filter/core/src/config: spans -> its face
filter/core/src/exchange: record -> its face
filter/core/src/exchange: told -> its face
filter/core/src/export/reply: details -> its face
filter/core/src/headers: list -> its face
filter/core/src/json: number -> its face
filter/core/src/json: text -> its face
filter/core/src/otlp: envelope -> its face
filter/core/src/propagation: b3 -> its face
filter/core/src/propagation: datadog -> its face
filter/core/src/propagation: datadog/facts -> its face
filter/core/src/propagation: gcp -> its face
filter/core/src/propagation: grpc_trace_bin -> its face
filter/core/src/propagation: jaeger -> its face
filter/core/src/propagation: ottrace -> its face
filter/core/src/propagation: vector -> its face
filter/core/src/propagation: w3c -> its face
filter/core/src/propagation: xray -> its face
filter/core/src/tracer: attempt -> its face
filter/core/src/tracer: correlated -> its face
filter/core/src/tracer: request_trace -> its face
filter/core/src/tracer: explanation -> its face
filter/core/src/tracer: keeping -> its face
harness/cli/src: bench/envoy -> its face
harness/cli/src: bench/inside -> its face
harness/cli/src: demo/sidecar -> its face
harness/cli/src: run -> its face
harness/cli/src: sidecar/arguments -> its face
harness/cli/src/bench: envoy -> its face
harness/cli/src/bench: report -> its face
harness/cli/src/bench/candidate: ours -> its face
harness/cli/src/check: ask/question -> its face
harness/cli/src/check: equivalent/groups -> its face
harness/cli/src/check: outcome -> report
harness/cli/src/check: report -> outcome
harness/cli/src/check/beside: sdk -> its face
harness/cli/src/check/explain: beyond -> its face
harness/cli/src/check/settings: mesh -> its face
harness/cli/src/check/settings: sampler -> its face
harness/cli/src/check/settings: telemetry -> its face
harness/cli/src/check/settings: variables -> its face
harness/cli/src/check/settings: workload -> its face
harness/cli/src/run: scenario/expectation -> its face
harness/cli/src/sidecar: accept -> exchange
harness/cli/src/sidecar: accept -> its face
harness/cli/src/sidecar: arguments -> its face
harness/cli/src/sidecar: call -> its face
harness/cli/src/sidecar: exchange -> accept
harness/cli/src/sidecar: vm -> its face
harness/envoy/src/bootstrap: cluster -> its face
harness/envoy/src/bootstrap: filter -> its face
harness/envoy/src/bootstrap: listener -> its face
harness/envoy/src/bootstrap: tracer -> its face
harness/envoy/src/process: observe -> its face
harness/host/src: builder -> host
harness/host/src: guest -> abi
harness/host/src: memory -> abi
harness/host/src: stream/known -> properties
harness/host/src: transcript -> abi
harness/host/src: world -> abi
harness/host/src: world -> builder
harness/host/src/abi: calls -> its face
harness/host/src/abi: data -> its face
harness/host/src/abi: data/buffers -> its face
harness/host/src/abi: data/properties -> its face
harness/host/src/abi: data/shared -> its face
harness/host/src/abi: expressions -> its face
harness/host/src/abi: imports -> its face
harness/host/src/abi: maps -> its face
harness/host/src/abi: metrics -> its face
harness/host/src/abi: stream -> its face
harness/host/src/abi: system -> its face
harness/host/src/host: calls -> its face
harness/host/src/host: exchange -> its face
harness/host/src/host: life -> its face
harness/host/src/host: reply -> its face
harness/host/src/host: roots -> its face
harness/host/src/host: time -> its face
harness/sink/src/waterfall: branch -> its face
harness/sink/src/waterfall: column -> its face
";
