//! The tracers that Envoy brings along, for comparison with a filter.

use serde_json::{Map, Value, json};

use super::fields::merge;

/// The formats that the Zipkin tracer reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZipkinContext {
    /// B3 alone.
    B3,
    /// B3 first, then W3C; both are written.
    B3AndW3c,
}

/// The `tracing` block of a connection manager.
#[derive(Clone, Debug)]
pub struct Tracer {
    provider: &'static str,
    config: Map<String, Value>,
    fields: Map<String, Value>,
}

impl Tracer {
    /// Returns the OpenTelemetry tracer: W3C alone; spans go to a cluster that speaks HTTP/2.
    pub fn opentelemetry(cluster: &str, service: &str) -> Self {
        Self::new(
            "envoy.tracers.opentelemetry",
            json!({
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "grpc_service": {"envoy_grpc": {"cluster_name": cluster}, "timeout": "1s"},
                "service_name": service,
            }),
        )
    }

    /// Returns the Zipkin tracer, with 128-bit ids and separate spans for the two sides, as Istio sets it up.
    pub fn zipkin(cluster: &str, context: ZipkinContext) -> Self {
        let option = match context {
            ZipkinContext::B3 => "USE_B3",
            ZipkinContext::B3AndW3c => "USE_B3_WITH_W3C_PROPAGATION",
        };
        Self::new(
            "envoy.tracers.zipkin",
            json!({
                "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
                "collector_cluster": cluster,
                "collector_endpoint": "/api/v2/spans",
                "collector_endpoint_version": "HTTP_JSON",
                "trace_id_128bit": true,
                "shared_span_context": false,
                "trace_context_option": option,
            }),
        )
    }

    /// Sets the share of new traces that are sampled, in percent.
    pub fn random_sampling(self, percentage: f64) -> Self {
        self.with("random_sampling", json!({"value": percentage}))
    }

    /// Sets a field of the provider's configuration by its name, `sampler` for example.
    pub fn provider(mut self, field: &str, value: Value) -> Self {
        self.config.insert(field.into(), value);
        self
    }

    /// Sets a field of the `tracing` block by its name.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut block = json!({"provider": {"name": self.provider, "typed_config": self.config}});
        merge(&mut block, &self.fields);
        block
    }

    fn new(provider: &'static str, config: Value) -> Self {
        let Value::Object(config) = config else {
            unreachable!("both callers hand over an object")
        };
        Self {
            provider,
            config,
            fields: Map::new(),
        }
    }
}
