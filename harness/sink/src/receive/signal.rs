//! The signals of OTLP, and the paths that they are exported to.

/// A signal of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Spans, which are kept.
    Traces,
    /// Log records, which are counted and dropped.
    Logs,
    /// Data points of metrics, which are counted and dropped.
    Metrics,
}

impl Signal {
    /// Returns the signal that is exported to a path of OTLP/HTTP.
    pub(crate) fn of_http_path(path: &str) -> Option<Self> {
        match path {
            "/v1/traces" => Some(Self::Traces),
            "/v1/logs" => Some(Self::Logs),
            "/v1/metrics" => Some(Self::Metrics),
            _ => None,
        }
    }

    /// Returns the signal that is exported to a method of OTLP/gRPC.
    pub(crate) fn of_grpc_path(path: &str) -> Option<Self> {
        match path {
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Self::Traces),
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Self::Logs),
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
                Some(Self::Metrics)
            }
            _ => None,
        }
    }
}
