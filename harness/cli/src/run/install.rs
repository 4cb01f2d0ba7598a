//! A filter of a scenario or a chain file, as a plugin of the built-in host.

use std::path::Path;

use sidespan_host::{FailurePolicy, Host, HostBuilder};

use super::modules::Loaded;
use super::scenario::{Filter, Policy};

/// Returns the plugin that a filter says; its files are beside `file`.
///
/// # Errors
/// When a file of its configuration cannot be read.
pub(super) fn install(
    filter: &Filter,
    module: &Loaded,
    file: &Path,
) -> anyhow::Result<HostBuilder> {
    let policy = match filter.failure_policy {
        Policy::Closed => FailurePolicy::FailClosed,
        Policy::Open => FailurePolicy::FailOpen,
        Policy::Reload => FailurePolicy::reload(),
        Policy::OldOpen => FailurePolicy::FailOpenField,
    };
    let mut builder = Host::builder(&module.module)
        .plugin_name(filter.name.as_deref().unwrap_or(module.name))
        .root_id(filter.root_id.as_deref().unwrap_or(module.root_id))
        .vm_id(filter.vm_id.as_str())
        .plugin_configuration(filter.configuration(file)?)
        .vm_configuration(filter.vm_configuration(file)?)
        .failure_policy(policy)
        .allow_on_headers_stop_iteration(filter.allow_on_headers_stop_iteration);
    for (name, value) in &filter.environment {
        builder = builder.environment(name.as_str(), value.0.as_str());
    }
    for name in &filter.capabilities {
        builder = builder.capability(name.as_str());
    }
    Ok(builder)
}
