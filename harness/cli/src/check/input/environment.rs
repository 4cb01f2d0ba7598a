//! The environment of the VM that a filter will run in, because WebAssembly sees only the variables that are given to
//! the VM.
//!
//! Istio's resources have it in `vmConfig.env`, Envoy's own configuration in `vm_config.environment_variables`.

use std::collections::BTreeSet;

use sidespan_core::config::Config;
use sidespan_core::semconv::settings::AttributeSource;

use super::document::Document;

/// The variables that a VM will have, and the path of their list.
#[derive(Debug, PartialEq)]
pub struct Environment {
    path: String,
    names: BTreeSet<String>,
    cure: &'static str,
}

impl Environment {
    /// Reads the environment of Istio's plugin, which stands at this path.
    pub(in crate::check) fn of_istio(plugin: &Document, path: &str) -> Self {
        let names = match plugin.at(&["vmConfig", "env"]) {
            Some(Document::List(list)) => list
                .iter()
                .filter_map(|entry| entry.get("name")?.text())
                .map(str::to_owned)
                .collect(),
            _ => BTreeSet::new(),
        };
        Self {
            path: format!("{path}.vmConfig.env"),
            names,
            cure: "add it there, with a value or with valueFrom: HOST",
        }
    }

    /// Reads the environment of a plugin of Envoy Gateway's, which stands at this path.
    pub(in crate::check) fn of_envoy_gateway(plugin: &Document, path: &str) -> Self {
        let keys = plugin
            .get("env")
            .map_or(&[][..], |env| env.items("hostKeys"));
        Self {
            path: format!("{path}.env.hostKeys"),
            names: keys
                .iter()
                .filter_map(Document::text)
                .map(str::to_owned)
                .collect(),
            cure: "add it there, and to the environment of the proxy",
        }
    }

    /// Reads the environment of Envoy's VM, which stands at this path.
    pub(in crate::check) fn of_envoy(vm: Option<&Document>, path: &str) -> Self {
        let variables = vm.and_then(|vm| {
            vm.get("environment_variables")
                .or_else(|| vm.get("environmentVariables"))
        });
        let field = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|name| variables.and_then(|variables| variables.get(name)))
        };
        let mut names = BTreeSet::new();
        if let Some(Document::List(keys)) = field(["host_env_keys", "hostEnvKeys"]) {
            names.extend(keys.iter().filter_map(Document::text).map(str::to_owned));
        }
        if let Some(Document::Object(pairs)) = field(["key_values", "keyValues"]) {
            names.extend(pairs.iter().map(|(name, _)| name.clone()));
        }
        Self {
            path: format!("{path}.vm_config.environment_variables"),
            names,
            cure: "add it there, to host_env_keys or key_values",
        }
    }

    /// Returns the variables that the configuration asks for in vain: path, sentence, and true if there is a default.
    pub(in crate::check) fn lacks(&self, config: &Config) -> Vec<(String, String, bool)> {
        let has_default = |name: &str| {
            let mut asking = config.spans.attributes.iter().filter(|attribute| {
                matches!(&attribute.source, AttributeSource::Environment(asked) if asked == name)
            });
            let is_asked = asking.clone().next().is_some();
            is_asked && asking.all(|attribute| attribute.default.is_some())
        };
        config
            .variables()
            .into_iter()
            .filter(|name| !self.names.contains(*name))
            .map(|name| {
                // A secret that stands where a name belongs is not repeated.
                let is_name = name
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || character == '_');
                let shown = if is_name { name } else { "(no name of a variable)" };
                let message = format!(
                    "the configuration asks for the environment variable {shown}, which the VM will not have; {}",
                    self.cure
                );
                (self.path.clone(), message, has_default(name))
            })
            .collect()
    }
}
