//! The plugin configuration of every sidecar of the demo, which the demo also prints.

use serde_json::{Value, json};

/// Name of the collector's cluster in every sidecar.
pub(super) const COLLECTOR: &str = "collector";

/// Returns the plugin configuration.
pub(super) fn plugin() -> Value {
    json!({
        // Every format that some service reads, because the demo is about their translation.
        "propagation": {"inject": ["tracecontext", "b3multi", "b3", "jaeger", "datadog"]},
        "sampling": {"percentage": 100},
        "export": {
            "otlp": {"cluster": COLLECTOR, "protocol": "grpc"},
            // Shorter than the default of 1 s, because somebody is waiting.
            "batch": {"maxDelay": "50ms"},
        },
    })
}
