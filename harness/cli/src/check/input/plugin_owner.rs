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

    /// Reads the names of a plugin of Envoy Gateway's, and that of its policy where the plugin is the only one.
    pub(in crate::check) fn of_envoy_gateway(policy: &Document, plugin: &Document) -> Self {
        let mut names = Self::default();
        let plugins = policy
            .get("spec")
            .map_or(&[][..], |spec| spec.items("wasm"));
        if plugins.len() == 1 {
            names.add(policy.at(&["metadata", "name"]));
        }
        names.add(plugin.get("name"));
        names.add(plugin.get("rootID"));
        for kind in ["image", "http"] {
            names.add(plugin.at(&["code", kind, "url"]));
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
            let names: Vec<_> = self.0.iter().map(|name| without_password(name)).collect();
            names.join(", ")
        };
        format!("not Sidespan's ({names}): none of its names contains \"sidespan\"")
    }
}

/// Returns the name without user and password, which stand before the host of a URL, and without a query.
fn without_password(name: &str) -> String {
    let name = name.split(['?', '#']).next().unwrap_or_default();
    match name.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_url_is_told_without_its_secrets() {
        for (url, told) in [
            (
                "oci://user:pass@here:5000/a@sha256:1",
                "oci://here:5000/a@sha256:1",
            ),
            ("https://token@here/a.wasm?sig=1", "https://here/a.wasm"),
            ("oci://here", "oci://here"),
            ("basic-auth", "basic-auth"),
        ] {
            assert_eq!(without_password(url), told);
        }
    }
}
