//! Workloads: the labels by which resources select them, and the sampling settings of their pods.

use super::collected::{ProxyTracing, Settings, Workload};
use super::place::{Place, Weight, identity, labels};
use super::{mesh, pilot, propagators, sdk_sampler};
use crate::check::input::document::Document;

/// Reads a workload; `template` leads to the pod's template.
pub(super) fn read(
    settings: &mut Settings,
    place: Place,
    kind: &str,
    tree: &Document,
    template: &[&str],
) {
    let (namespace, name) = identity(tree);
    let place = place.named(kind, namespace.as_deref(), &name);
    let Some(pod) = tree.at(template) else {
        return;
    };
    let at = template
        .iter()
        .fold(place.clone(), |place, key| place.at(&format!(".{key}")));
    let own = labels(pod.at(&["metadata", "labels"]));
    let selector = labels(tree.at(&["spec", "selector", "matchLabels"]));
    let tracing = annotated(settings, &at, pod);
    if namespace.is_none() && tracing.is_some() {
        settings.note(
            Weight::Warning,
            place.at(".metadata.namespace"),
            "no namespace, so kubectl's -n decides where these pods run; name one, and the plugin for them is printed as well",
        );
    }
    let workload = Workload {
        namespace,
        selector: if selector.is_empty() {
            own.clone()
        } else {
            selector
        },
        labels: own,
        tracing,
        place,
    };
    for list in ["initContainers", "containers"] {
        let containers = pod.get("spec").map_or(&[][..], |spec| spec.items(list));
        for (index, container) in containers.iter().enumerate() {
            let at = at.at(&format!(".spec.{list}[{index}]"));
            let env = container.items("env");
            pilot::variables(settings, &at, env);
            let name = container
                .get("name")
                .and_then(Document::text)
                .unwrap_or_default();
            // The sidecar has no SDK.
            if name != "istio-proxy" {
                sdk_sampler::container(settings, &workload, &at, name, env);
                propagators::container(settings, &workload, &at, name, env);
            }
        }
    }
    settings.workloads.push(workload);
}

fn annotated(settings: &mut Settings, at: &Place, pod: &Document) -> Option<ProxyTracing> {
    let annotation = pod.at(&["metadata", "annotations", "proxy.istio.io/config"])?;
    let place = at.at(".metadata.annotations[\"proxy.istio.io/config\"]");
    let Ok(documents) = Document::parse("annotation.yaml", annotation.text()?) else {
        settings.note(
            Weight::Error,
            place,
            "expected a ProxyConfig in YAML; Istio injects no sidecar into such a pod",
        );
        return None;
    };
    mesh::tracing(settings, place, documents.first()?.get("tracing"))
}
