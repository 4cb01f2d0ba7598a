//! Names of metrics that exist, and where they were seen.

use sidespan_core::stats::{Counter, Gauge};

/// Names that a test beside the peers finds in a scrape of both tiers of real Collectors, of span metrics and of an Envoy
/// (`tests/peers/external/metric_names.rs`); those of Jaeger were read off a scrape of the version that is named there.
pub(crate) const SCRAPED: &str = include_str!("scraped.txt");

/// Names that no program of the tests exposes, each with its source.
pub(super) const CITED: [(&str, &str); 5] = [
    (
        "tempo_discarded_spans_total",
        "https://grafana.com/docs/tempo/latest/troubleshooting/send-traces/max-trace-limit-reached/",
    ),
    (
        "tempo_distributor_ingester_append_failures_total",
        "https://grafana.com/docs/tempo/latest/troubleshooting/send-traces/unable-to-see-trace/",
    ),
    (
        "tempo_request_duration_seconds_bucket",
        "https://github.com/grafana/tempo/tree/main/operations/tempo-mixin",
    ),
    (
        "istio_agent_wasm_remote_fetch_count",
        "https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/",
    ),
    (
        "pilot_total_xds_rejects",
        "https://istio.io/latest/docs/reference/commands/pilot-discovery/#metrics",
    ),
];

/// Names that Prometheus makes itself.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];

/// Returns the name that Envoy's `/stats/prometheus` gives a metric of the filter.
pub(crate) fn in_prometheus(name: &str) -> String {
    format!("sidespan_{}", name.replace(['.', '-'], "_"))
}

/// Returns the filter's metrics by their names in Prometheus.
pub(crate) fn of_the_filter() -> impl Iterator<Item = String> {
    let counters = Counter::ALL.into_iter().map(Counter::name);
    let gauges = Gauge::ALL.into_iter().map(Gauge::name);
    counters.chain(gauges).map(in_prometheus)
}

/// Returns all names that exist.
pub(super) fn all() -> Vec<String> {
    let scraped = SCRAPED.lines().filter(|line| !line.starts_with('#'));
    let cited = CITED.iter().map(|(name, _)| *name);
    let others = scraped.chain(cited).chain(OF_PROMETHEUS);
    of_the_filter().chain(others.map(str::to_owned)).collect()
}
