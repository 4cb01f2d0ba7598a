//! The plugin configuration that every sidecar of the demo has, and that the demo prints.

use serde_json::{Value, json};

/// The name under which a sidecar knows the collector.
pub(super) const COLLECTOR: &str = "collector";

/// Returns the configuration.
pub(super) fn plugin() -> Value {
    json!({
        // Every format that some service reads: the translation that the demo is about.
        "propagation": {"inject": ["tracecontext", "b3multi", "b3", "jaeger", "datadog"]},
        "sampling": {"percentage": 100},
        "export": {
            "otlp": {"cluster": COLLECTOR, "protocol": "grpc"},
            // Not 1 s as by default: somebody is waiting.
            "batch": {"maxDelay": "50ms"},
        },
    })
}
