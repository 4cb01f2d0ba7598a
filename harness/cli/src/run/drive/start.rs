//! The start of one filter's VM, as the scenario installs it.

use std::path::Path;

use sidespan_host::{ChainStartError, Clock, Entropy, HostBuilder};

use crate::run::answers::Answers;
use crate::run::convert::{level, metadata};
use crate::run::install::install;
use crate::run::modules::Loaded;
use crate::run::scenario::{Filter, Protocol, Scenario};

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
        if let Some(value) = metadata(value) {
            builder = builder.property(["xds", "node", "metadata", name.as_str()], value);
        }
    }
    match &scenario.calls {
        None if scenario.has_collector() => builder = builder.any_cluster(),
        None => {}
        Some(clusters) => {
            let answers = Answers::new(clusters);
            for cluster in clusters.keys() {
                builder = match answers.is_empty(cluster) {
                    true => builder.cluster_without_hosts(cluster.as_str()),
                    false => builder.cluster(cluster.as_str()),
                };
            }
        }
    }
    let limit = scenario.buffer_limit.map(usize::try_from);
    Ok(match (limit, scenario.protocol) {
        (Some(Ok(bytes)), _) => builder.buffer_limit(bytes),
        (_, Protocol::Http1) => builder,
        (_, Protocol::Http2) => builder.buffer_limit(WINDOW),
    })
}

/// Returns the failure of a filter that did not start, with the log so far.
pub(super) fn failed(error: &ChainStartError) -> anyhow::Error {
    let logs: Vec<_> = error.logs.iter().map(|line| line.text.as_str()).collect();
    let reason = &error.reason;
    anyhow::anyhow!("the filter did not start: {reason}\n{}", logs.join("\n"))
}

/// The window of a stream of HTTP/2 in Envoy 1.40, which is also the limit of what filters may hold back.
const WINDOW: usize = 16 << 20;
