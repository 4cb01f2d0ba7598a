//! The start of a chain with the settings that all filters of a sidecar share.

use anyhow::anyhow;
use sidespan_host::{Clock, Entropy, FilterChain, Shared};

use crate::sidecar::config::SidecarConfig;

/// Starts all filters.
///
/// # Errors
/// When one does not start; the message then has the log.
pub(super) fn start_chain(config: &SidecarConfig, shared: &Shared) -> anyhow::Result<FilterChain> {
    let mut builder = FilterChain::builder().shared(shared);
    for filter in &config.filters {
        let mut filter = filter
            .clone()
            .log_level(config.log_level)
            .buffer_limit(config.buffer_limit)
            .clock(Clock::Real)
            .entropy(Entropy::Os);
        for (path, value) in &config.properties {
            filter = filter.property(path.clone(), value.clone());
        }
        for name in config.clusters.keys() {
            filter = filter.cluster(name);
        }
        if config.any_cluster.is_some() {
            filter = filter.any_cluster();
        }
        builder = builder.plugin(filter);
    }
    builder.start().map_err(|error| {
        let lines = error.logs.iter().map(|line| format!("\n  {}", line.text));
        let logs: String = lines.collect();
        let which = match config.filters.len() {
            1 => "the filter".to_owned(),
            _ => format!("filter {} of the chain", error.filter + 1),
        };
        anyhow!("{which} did not start: {}{logs}", error.reason)
    })
}
