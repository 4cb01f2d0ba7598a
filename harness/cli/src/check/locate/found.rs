//! The findings in one document.

use crate::check::input::document::Document;
use crate::check::input::environment::Environment;
use crate::check::istio::plugin_scope::Scope;

/// A configuration of the filter, and its installation.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// JSON path of the configuration.
    pub path: String,
    /// The configuration as JSON; empty where there is none.
    pub json: String,
    /// Problems and risks around the configuration: paths and sentences.
    pub warnings: Vec<(String, String)>,
    /// The environment of the plugin's VM; `None` where the document does not have it.
    pub environment: Option<Environment>,
    /// The workloads that Istio installs the plugin at; `None` outside Istio.
    pub scope: Option<Scope>,
    /// True where Envoy Gateway installs the plugin.
    pub is_in_envoy_gateway: bool,
}

impl Found {
    /// Returns true if the configuration is for one attempt of a request, behind the router.
    pub(super) fn is_attempt(&self) -> bool {
        let tree: serde_json::Value = serde_json::from_str(&self.json).unwrap_or_default();
        tree.get("role").is_some_and(|role| role == "attempt")
    }
}

/// The findings in a document; each sentence comes with its path.
#[derive(Debug, Default)]
pub struct Findings {
    /// The configurations of Sidespan's filter.
    pub found: Vec<Found>,
    /// Reasons why a configuration cannot be read, or cannot work where it is installed.
    pub errors: Vec<(String, String)>,
    /// Reasons why a plugin does nothing where it is installed.
    pub warnings: Vec<(String, String)>,
    /// Plugins of others.
    pub skipped: Vec<(String, String)>,
}

/// Returns the configuration as the filter gets it; empty for null, because Kubernetes and Envoy leave null out.
pub(super) fn json(value: Option<&Document>) -> String {
    value
        .filter(|value| **value != Document::Null)
        .map(Document::to_json)
        .unwrap_or_default()
}
