//! The configuration of the least filter (`filter/least`) beside which the filter is measured: the bytes that Sidespan's
//! filter learns from the node, given as they are, because a measuring rod learns nothing.

/// A kind of work of the least filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeastWork {
    /// The map of headers is read, `traceparent` written, and a SERVER span exported.
    Sampled,
    /// The map of headers is read, and a `traceparent` written that says that nothing is recorded.
    Unsampled,
    /// `traceparent` is read by its name in place of the map, and written likewise.
    UnsampledByName,
    /// `traceparent` likewise, and the status of the response is looked at, because a failure becomes a span.
    Keep,
}

impl LeastWork {
    /// Returns the configuration of a filter that stands in the proxy of the bench's node and exports to this cluster.
    pub fn configuration(self, cluster: &str) -> String {
        let work = match self {
            Self::Sampled => "sampled",
            Self::Unsampled => "unsampled",
            Self::UnsampledByName => "unsampled-by-name",
            Self::Keep => "keep",
        };
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "{work}\ncluster {cluster}\nscope sidespan {version}\n{RESOURCE}\
             resource telemetry.sdk.version {version}\n\
             resource sidespan.configuration {DIGEST}\n\
             scope-attribute sidespan.configuration {DIGEST}\n{ATTRIBUTES}{SCHEMA}"
        )
    }
}

/// The namespace of the bench's node.
pub const NAMESPACE: &str = "payments";
/// The pod of the bench's node.
pub const POD: &str = "cart-7d9c5b8f6-x2x4z";

/// A text of the length of a configuration's digest.
const DIGEST: &str = "00000000";
/// The resource of that node, as the filter makes it (`filter/core/src/semconv/resource.rs`).
const RESOURCE: &str = "\
resource service.name cart
resource service.namespace payments
resource k8s.namespace.name payments
resource k8s.pod.name cart-7d9c5b8f6-x2x4z
resource k8s.pod.ip 10.0.0.7
resource k8s.node.name worker-1
resource k8s.cluster.name Kubernetes
resource k8s.deployment.name cart
resource telemetry.sdk.language rust
resource telemetry.sdk.name sidespan
";
/// The attributes that Istio's dashboards ask for, on every span of that node.
const ATTRIBUTES: &str = "\
attribute istio.canonical_service cart
attribute istio.canonical_revision v1
attribute istio.mesh_id cluster.local
attribute istio.namespace payments
attribute istio.cluster_id Kubernetes
";
const SCHEMA: &str = "schema https://opentelemetry.io/schemas/1.44.0\n";
