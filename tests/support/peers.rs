//! OpenTelemetry's Collector and Jaeger, built from pinned Go modules and started on free ports.
//!
//! ```text
//! build ── peer ─┬─ otel_collector   any configuration of the parts in tests/peers/collector
//!                └─ jaeger           all in one, with its store in memory
//! ```

mod build;
mod jaeger;
mod otel_collector;
mod peer;
mod prometheus;

pub use jaeger::Jaeger;
pub use otel_collector::Collector;
pub use peer::Places;
pub use prometheus::Prometheus;

/// Builds both programs unless they are there. A first start does so too, but on the cores of whoever starts it.
///
/// # Panics
/// With the compiler's output, or with what is missing.
pub fn build() {
    otel_collector::program();
    jaeger::program();
}
