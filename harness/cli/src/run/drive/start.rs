//! The start of one filter's VM, as the scenario installs it.

use std::path::Path;

use sidespan_host::{ChainStartError, Clock, Entropy, FailurePolicy, Host, HostBuilder};

use crate::run::answers::Answers;
use crate::run::convert::{level, metadata};
use crate::run::modules::Loaded;
use crate::run::scenario::{Filter, Policy, Protocol, RELOAD_BASE, Scenario};

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
    let name = filter.name.as_deref().unwrap_or(module.name);
    let root_id = filter.root_id.as_deref().unwrap_or(module.root_id);
    let node = &scenario.node;
    let builder = Host::builder(&module.module)
        .plugin_name(name)
        .root_id(root_id)
        .vm_id(filter.vm_id.as_str())
        .plugin_configuration(filter.configuration(file)?)
        .vm_configuration(filter.vm_configuration(file)?)
        .clock(Clock::default())
        .entropy(Entropy::Seeded(scenario.seed.unwrap_or(1)))
        .log_level(level(scenario.log_level))
        .property("xds.node.id", node.id.as_deref().unwrap_or("sidespan-run"))
        .property(
            "xds.node.cluster",
            node.cluster.as_deref().unwrap_or_default(),
        );
    let mut builder = policies(builder, filter, scenario);
    for (name, value) in &node.metadata {
        if let Some(value) = metadata(value) {
            builder = builder.property(["xds", "node", "metadata", name.as_str()], value);
        }
    }
    for (name, value) in &filter.environment {
        builder = builder.environment(name.as_str(), value.0.as_str());
    }
    match &scenario.calls {
        None => builder = builder.any_cluster(),
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
    Ok(builder)
}

/// Returns the failure of a filter that did not start, with the log so far.
pub(super) fn failed(error: &ChainStartError) -> anyhow::Error {
    let logs: Vec<_> = error.logs.iter().map(|line| line.text.as_str()).collect();
    let reason = &error.reason;
    anyhow::anyhow!("the filter did not start: {reason}\n{}", logs.join("\n"))
}

/// The window of a stream of HTTP/2 in Envoy 1.40, which is also the limit of what filters may hold back.
const WINDOW: usize = 16 << 20;

fn policies(builder: HostBuilder, filter: &Filter, scenario: &Scenario) -> HostBuilder {
    let policy = match filter.failure_policy {
        Policy::Closed => FailurePolicy::FailClosed,
        Policy::Open => FailurePolicy::FailOpen,
        Policy::Reload => FailurePolicy::FailReload { base: RELOAD_BASE },
        Policy::OldOpen => FailurePolicy::FailOpenField,
    };
    let mut builder = builder
        .failure_policy(policy)
        .allow_on_headers_stop_iteration(filter.allow_on_headers_stop_iteration);
    for name in &filter.capabilities {
        builder = builder.capability(name.as_str());
    }
    let limit = scenario.buffer_limit.map(usize::try_from);
    match (limit, scenario.protocol) {
        (Some(Ok(bytes)), _) => builder.buffer_limit(bytes),
        (_, Protocol::Http1) => builder,
        (_, Protocol::Http2) => builder.buffer_limit(WINDOW),
    }
}
