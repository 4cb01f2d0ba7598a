//! The filter that Istio's agent puts in the place of a plugin whose module it could not fetch.
//!
//! An RBAC filter without rules, which allows all, where the plugin fails open, else one with empty rules, which
//! denies all: [the agent's convert.go].
//!
//! [the agent's convert.go]: https://github.com/istio/istio/blob/master/pkg/wasm/convert.go

use super::document::Document;

/// A filter in the place of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) struct StandIn<'a> {
    /// Key by which it is known.
    pub(in crate::check) key: &'a str,
    /// True if it refuses every request.
    pub(in crate::check) denies: bool,
}

impl<'a> StandIn<'a> {
    /// Returns the filter in a document, if it is one of the agent's.
    pub(in crate::check) fn of(document: &'a Document) -> Option<Self> {
        let kind = document.get("@type").and_then(Document::text)?;
        if !kind.ends_with(".rbac.v3.RBAC") {
            return None;
        }
        [
            "rules_stat_prefix",
            "rulesStatPrefix",
            "stat_prefix",
            "statPrefix",
        ]
        .into_iter()
        .find_map(|key| match document.get(key)?.text()? {
            "wasm-default-allow" => Some(Self { key, denies: false }),
            "wasm-default-deny" => Some(Self { key, denies: true }),
            _ => None,
        })
    }

    /// Returns the sentence on it, with the plugin's name where the dump has one.
    pub(in crate::check) fn told(self, plugin: Option<&str>) -> String {
        let plugin = plugin.map_or_else(
            || "a plugin".to_owned(),
            |name| format!("the plugin {name}"),
        );
        let effect = match self.denies {
            true => "refuses every request with 403, because the plugin fails closed",
            false => "does nothing",
        };
        format!(
            "in the place of {plugin} stands a filter of the agent's that {effect}: it could not fetch the module; see \
             istio_agent_wasm_remote_fetch_count at :15020/stats/prometheus of the pod and the log of istio-proxy, and mend \
             url, imagePullSecret or the way to the registry; it is fetched anew when the resource changes"
        )
    }
}
