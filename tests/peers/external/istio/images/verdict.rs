//! One pod, and what becomes of an image in it.

use std::time::Duration;

use serde_json::json;
use sidespan_tests::peers::istio::{Format, Mesh, Registry, Service};

/// The fate of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Envoy has the module.
    Taken,
    /// The agent has put a filter in its place that lets all requests through, for the reason in its log.
    Refused(String),
    /// Envoy has refused what the agent took.
    NotLoaded,
}

/// A mesh with one pod.
pub(super) struct Bed {
    mesh: Mesh,
    service: Service,
}

impl Bed {
    pub(super) fn start() -> Self {
        // An Envoy keeps an extension until the connections are gone that had it.
        let mesh = Mesh::draining_for(Duration::from_secs(1));
        let mut service = mesh.service("shop", "cart", Format::W3c, None);
        service.pod_mut().wait_until_ready();
        Self { mesh, service }
    }

    pub(super) fn registry(&mut self) -> &mut Registry {
        self.mesh.registry()
    }

    /// Installs an image and waits until it is clear what becomes of it. `digest` is that of the manifest with its layers, by
    /// which the agent names the module's file.
    pub(super) fn try_image(&self, url: &str, sha256: Option<&str>, digest: &str) -> Verdict {
        let pod = self.service.pod();
        let plugin = plugin(url, sha256);
        // Away first, so that nothing is left of the one before it.
        if !pod.extensions().is_empty() {
            self.mesh.delete(&plugin);
            pod.wait("removal", || pod.extensions().is_empty().then_some(()));
        }
        let before = self.mesh.control().refusals("ecds");
        let said = pod.log().len();
        self.mesh.apply(&plugin);
        let (_, digits) = digest.split_once(':').expect("sha256:");
        let file = format!("/{digits}.wasm");
        pod.wait(&format!("a verdict on {url}"), || {
            if self.mesh.control().refusals("ecds") > before {
                return Some(Verdict::NotLoaded);
            }
            let log = pod.log();
            let new = log.get(said..).unwrap_or_default();
            let extensions = pod.extensions();
            let mut texts = extensions.iter().map(|(_, filter)| filter.to_string());
            // Envoy shows an extension before it has loaded its module, which says so as soon as it runs.
            if texts.any(|text| text.contains(&file)) && new.contains("wasm log sidespan") {
                return Some(Verdict::Taken);
            }
            // A reason of several parts has several lines.
            let (_, reason) = new.split_once("error in converting the wasm config to local: ")?;
            let (reason, _) = reason.split_once(". applying allow RBAC filter")?;
            Some(Verdict::Refused(reason.to_owned()))
        })
    }
}

fn plugin(url: &str, sha256: Option<&str>) -> String {
    let mut spec = json!({
        "url": url,
        "pluginName": "sidespan",
        "failStrategy": "FAIL_OPEN",
        "phase": "AUTHN",
    });
    if let Some(sha256) = sha256 {
        spec["sha256"] = sha256.into();
    }
    let plugin = json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "sidespan", "namespace": "shop"},
        "spec": spec,
    });
    plugin.to_string()
}
