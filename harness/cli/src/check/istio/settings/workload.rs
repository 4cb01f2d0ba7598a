//! Workloads: the labels by which resources select them, and the sampling settings of their pods.

use super::collected::{Settings, Workload};
use super::place::{Place, identity, labels};
use super::{mesh, sdk_sampler};
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
    let place = place.named(kind, &namespace, &name);
    let Some(pod) = tree.at(template) else {
        return;
    };
    let at = template
        .iter()
        .fold(place.clone(), |place, key| place.at(&format!(".{key}")));
    let own = labels(pod.at(&["metadata", "labels"]));
    let selector = labels(tree.at(&["spec", "selector", "matchLabels"]));
    let sampling = annotated(settings, &at, pod);
    let workload = Workload {
        namespace,
        selector: if selector.is_empty() {
            own.clone()
        } else {
            selector
        },
        labels: own,
        sampling,
        place,
    };
    for list in ["initContainers", "containers"] {
        let containers = pod.get("spec").map_or(&[][..], |spec| spec.items(list));
        for (index, container) in containers.iter().enumerate() {
            let at = at.at(&format!(".spec.{list}[{index}]"));
            let env = container.items("env");
            mesh::variables(settings, &at, env);
            let name = container
                .get("name")
                .and_then(Document::text)
                .unwrap_or_default();
            // The sidecar has no SDK.
            if name != "istio-proxy" {
                sdk_sampler::container(settings, &workload, &at, name, env);
            }
        }
    }
    settings.workloads.push(workload);
}

fn annotated(settings: &mut Settings, at: &Place, pod: &Document) -> Option<f64> {
    let annotation = pod.at(&["metadata", "annotations", "proxy.istio.io/config"])?;
    let documents = Document::parse("annotation.yaml", annotation.text()?).ok()?;
    let place = at.at(".metadata.annotations[\"proxy.istio.io/config\"]");
    mesh::sampling(settings, &place, documents.first()?.get("tracing"))
}
