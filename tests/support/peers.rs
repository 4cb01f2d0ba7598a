//! OpenTelemetry's Collector, Jaeger, Istio and Kubernetes' API server, built from pinned Go modules and started on free ports; and kustomize and Helm.
//!
//! ```text
//! build ─┬─ peer ─┬─ otel_collector   any configuration of the parts in tests/peers/collector
//!        │        ├─ jaeger           Jaeger 2, all in one, with its store in memory or elsewhere
//!        │        └─ jaeger_one       Jaeger 1, all in one, with its store elsewhere
//!        ├─ kubernetes                an API server over an etcd, and kubectl
//!        ├─ istio                     a mesh of Istio's own parts
//!        ├─ grafana                   Grafana's types of a dashboard, without Grafana
//!        └─ manifests                 kustomize and Helm
//! prometheus, rabbitmq              the machine's own
//! authority                         certificates of a test's own
//! ```

mod authority;
mod build;
mod grafana;
pub mod istio;
mod jaeger;
mod jaeger_one;
mod kubernetes;
mod manifests;
mod otel_collector;
mod peer;
mod prometheus;
mod rabbitmq;

pub use authority::{Authority, Signed};
pub use grafana::check_dashboards;
pub use jaeger::Jaeger;
pub use jaeger_one::JaegerOne;
pub use manifests::{copy_manifests, envoy_gateway, helm, kustomize};
pub use otel_collector::{Collector, lay_over};
pub use peer::Places;
pub use prometheus::Prometheus;
pub use rabbitmq::RabbitMq;

/// Builds the programs that run as peers unless they are there. A first start does so too, but on the cores of whoever starts it.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn build() {
    otel_collector::program();
    jaeger::program();
    jaeger_one::program();
}
