//! The start of one filter's VM, as the scenario installs it.

use std::path::Path;

use sidespan_host::{ChainStartError, Clock, Entropy, HostBuilder};

use crate::run::convert::{level, property};
use crate::run::install::install;
use crate::run::modules::Loaded;
use crate::run::scenario::{Filter, Scenario};

/// Returns a filter as the scenario installs it.
///
/// # Errors
/// When a file of its configuration cannot be read.
pub(super) fn plugin(
    filter: &Filter,
    module: &Loaded,
    scenario: &Scenario,
    file: &Path,
) -> anyhow::Result<HostBuilder> {
    let node = &scenario.node;
    let mut builder = install(filter, module, file)?
        .clock(Clock::default())
        .entropy(Entropy::Seeded(scenario.seed.unwrap_or(1)))
        .log_level(level(scenario.log_level))
        .property("xds.node.id", node.id.as_deref().unwrap_or("sidespan-run"))
        .property(
            "xds.node.cluster",
            node.cluster.as_deref().unwrap_or_default(),
        );
    for (name, value) in &node.metadata {
        if let Some(value) = property(value) {
            builder = builder.property(["xds", "node", "metadata", name.as_str()], value);
        }
    }
    match &scenario.calls {
        None => builder = builder.any_cluster(),
        Some(clusters) => {
            for cluster in clusters.keys() {
                builder = builder.cluster(cluster.as_str());
            }
        }
    }
    let limit = scenario.buffer_limit.map(usize::try_from);
    Ok(match limit {
        Some(Ok(bytes)) => builder.buffer_limit(bytes),
        Some(Err(_)) | None => builder,
    })
}

/// Returns the failure of a filter that did not start, with the log so far.
pub(super) fn failed(error: &ChainStartError) -> anyhow::Error {
    let logs: Vec<_> = error.logs.iter().map(|line| line.text.as_str()).collect();
    let reason = &error.reason;
    anyhow::anyhow!("the filter did not start: {reason}\n{}", logs.join("\n"))
}
