//! OpenTelemetry's Collector and Jaeger, built from pinned Go modules and started on free ports.
//!
//! ```text
//! build ── peer ─┬─ otel_collector   any configuration of the parts in tests/peers/collector
//!                ├─ jaeger           Jaeger 2, all in one, with its store in memory or elsewhere
//!                ├─ jaeger_one       Jaeger 1, all in one, with its store elsewhere
//!                └─ grafana          Grafana's types of a dashboard, without Grafana
//! ```

mod build;
mod grafana;
mod jaeger;
mod jaeger_one;
mod otel_collector;
mod peer;
mod prometheus;

pub use grafana::check_dashboards;
pub use jaeger::Jaeger;
pub use jaeger_one::JaegerOne;
pub use otel_collector::Collector;
pub use peer::Places;
pub use prometheus::Prometheus;

/// Builds the programs unless they are there. A first start does so too, but on the cores of whoever starts it.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn build() {
    otel_collector::program();
    jaeger::program();
    jaeger_one::program();
}
