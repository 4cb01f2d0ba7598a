//! Log lines at a worker's start: the version, the configuration and the service, and environment variables that are
//! missing.

use sidespan_core::config::Config;
use sidespan_core::direction::DirectionSource;
use sidespan_core::node::Node;
use sidespan_core::semconv::resource::Resource;

use crate::node;

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes one line about a configuration that takes effect, and one about each environment variable that the configuration
/// names and the VM does not have.
pub(crate) fn say(
    config: &Config,
    digest: &str,
    node: &Node,
    resource: &Resource,
    source: DirectionSource,
) {
    log::info!(
        "sidespan {VERSION}, configuration {digest}: service {} in namespace {}, node {}, {source}",
        resource.get("service.name").unwrap_or("(none)"),
        node.namespace.as_deref().unwrap_or("(none)"),
        node::id(),
    );
    for name in config.spans.variables() {
        if node.variables.iter().all(|(other, _)| other != name) {
            log::warn!(
                "the environment variable {name} is not there; list it in vmConfig.env of the WasmPlugin, \
                 or in vm_config.environment_variables of Envoy's configuration"
            );
        }
    }
    if node.environment().is_err() {
        log::warn!(
            "OTEL_RESOURCE_ATTRIBUTES is no list of key=value with commas between them; none of it counts"
        );
    }
}
