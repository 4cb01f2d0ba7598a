//! Envoy Gateway's [EnvoyExtensionPolicy], which has the configuration in `spec.wasm[].config`.
//!
//! [EnvoyExtensionPolicy]: https://gateway.envoyproxy.io/docs/api/extension_types/#envoyextensionpolicy

use sidespan_core::config::suggest::nearest;

use super::found::{Findings, Found, json};
use super::path::Path;
use crate::check::envelope::advice;
use crate::check::input::document::Document;
use crate::check::input::environment::Environment;
use crate::check::input::plugin_owner::Names;

/// Returns true for a policy of Envoy Gateway's.
pub(super) fn is_policy(document: &Document) -> bool {
    let text = |key: &str| document.get(key).and_then(Document::text);
    let group = text("apiVersion").and_then(|version| version.split('/').next());
    text("kind") == Some("EnvoyExtensionPolicy") && group == Some("gateway.envoyproxy.io")
}

impl Findings {
    /// Judges the plugins of a policy.
    pub(super) fn envoy_gateway(&mut self, policy: &Document, path: &Path<'_>) {
        let plugins = policy
            .get("spec")
            .map_or(&[][..], |spec| spec.items("wasm"));
        for (index, plugin) in plugins.iter().enumerate() {
            let at = format!("{path}.spec.wasm[{index}]");
            let names = Names::of_envoy_gateway(policy, plugin);
            if !names.are_ours() {
                self.skipped.push((at, names.skipped()));
                continue;
            }
            self.errors.extend(unknown_keys(plugin, &at));
            let mut warnings = Vec::new();
            if plugin.get("failOpen").and_then(Document::boolean) != Some(true) {
                warnings.push((format!("{at}.failOpen"), FAILS_CLOSED.to_owned()));
            }
            let url = plugin.at(&["code", "image", "url"]);
            if let Some(warning) = url.and_then(Document::text).and_then(advice::registry) {
                warnings.push((format!("{at}.code.image.url"), warning.to_owned()));
            }
            self.found.push(Found {
                path: format!("{at}.config"),
                json: json(plugin.get("config")),
                warnings,
                environment: Some(Environment::of_envoy_gateway(plugin, &at)),
                scope: None,
                is_in_envoy_gateway: true,
            });
        }
    }
}

fn unknown_keys(plugin: &Document, at: &str) -> Vec<(String, String)> {
    let Document::Object(pairs) = plugin else {
        return Vec::new();
    };
    let unknown = pairs
        .iter()
        .filter(|(key, _)| !KEYS.contains(&key.as_str()));
    unknown
        .map(|(key, _)| {
            let cure = match nearest(key, &KEYS) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", KEYS.join(", ")),
            };
            (format!("{at}[{key:?}]"), format!("unknown key; {cure}"))
        })
        .collect()
}

const KEYS: [&str; 6] = ["name", "rootID", "code", "config", "failOpen", "env"];
const FAILS_CLOSED: &str =
    "a filter that cannot be loaded takes the traffic down; set failOpen: true";
