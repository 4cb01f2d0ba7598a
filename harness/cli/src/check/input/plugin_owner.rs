//! The owner of a plugin, found by its names, because a cluster has plugins of others too, with configurations of their
//! own.

use super::document::Document;

/// All names of a plugin, in their order and without repetition.
#[derive(Debug, Default)]
pub(in crate::check) struct Names(Vec<String>);

impl Names {
    /// Reads the names of an Istio resource and of the plugin in it.
    pub(in crate::check) fn of_istio(resource: &Document, plugin: &Document) -> Self {
        let mut names = Self::default();
        names.add(resource.at(&["metadata", "name"]));
        names.add(plugin.get("pluginName"));
        names.add(plugin.get("url"));
        names
    }

    /// Reads the name of an entry in a list of filters, and the names in the wasm filter itself.
    pub(in crate::check) fn of_envoy(entry: Option<&Document>, wasm: &Document) -> Self {
        let mut names = Self::default();
        names.add(entry);
        let Some(config) = wasm.get("config") else {
            return names;
        };
        names.add(config.get("name"));
        for key in ["root_id", "rootId"] {
            names.add(config.get(key));
        }
        for vm in ["vm_config", "vmConfig"] {
            for key in ["vm_id", "vmId"] {
                names.add(config.at(&[vm, key]));
            }
            names.add(config.at(&[vm, "code", "local", "filename"]));
            for uri in ["http_uri", "httpUri"] {
                names.add(config.at(&[vm, "code", "remote", uri, "uri"]));
            }
        }
        names
    }

    fn add(&mut self, name: Option<&Document>) {
        if let Some(name) = name.and_then(Document::text)
            && !name.is_empty()
            && !self.0.iter().any(|known| known == name)
        {
            self.0.push(name.to_owned());
        }
    }

    /// Returns true if one of the names is Sidespan's.
    pub(in crate::check) fn are_ours(&self) -> bool {
        self.0
            .iter()
            .any(|name| name.to_ascii_lowercase().contains("sidespan"))
    }

    /// Returns the sentence on a skipped plugin, with its names.
    pub(in crate::check) fn skipped(&self) -> String {
        let names = if self.0.is_empty() {
            "without a name".to_owned()
        } else {
            self.0.join(", ")
        };
        format!("not Sidespan's ({names}): none of its names contains \"sidespan\"")
    }
}
