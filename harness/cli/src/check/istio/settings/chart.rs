//! The values of Istio's Helm chart that end in the MeshConfig, as its [template] writes them.
//!
//! [template]: https://github.com/istio/istio/blob/master/manifests/charts/istio-control/istio-discovery/templates/configmap.yaml

use super::pilot::PILOT;
use super::place::Place;
use crate::check::input::document::Document;

/// The parts of the MeshConfig that the chart writes by itself.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// `global.istioNamespace`, the root namespace where the MeshConfig names none.
    pub(super) istio_namespace: Option<String>,
    /// Place of `global.proxy.tracer`, where it names a tracer that gets an address.
    pub(super) tracer: Option<Place>,
}

impl Chart {
    /// Returns true if the document holds values of Istio's chart.
    pub(super) fn is_one(tree: &Document) -> bool {
        ["meshConfig", "pilot", "traceSampling"]
            .iter()
            .any(|key| tree.get(key).is_some())
            || [
                &["env", PILOT][..],
                &["global", "istioNamespace"],
                &["global", "proxy", "tracer"],
            ]
            .iter()
            .any(|keys| tree.at(keys).is_some())
    }

    pub(super) fn of(place: &Place, tree: &Document) -> Self {
        let text = |keys: &[&str]| {
            let text = tree.at(keys).and_then(Document::text);
            text.filter(|text| !text.is_empty())
        };
        let has_tracer = match text(&["global", "proxy", "tracer"]) {
            // The chart has an address for these.
            Some("zipkin" | "datadog" | "stackdriver") => true,
            Some("lightstep") => text(&["global", "tracer", "lightstep", "address"]).is_some(),
            _ => false,
        };
        Self {
            istio_namespace: text(&["global", "istioNamespace"]).map(Into::into),
            tracer: has_tracer.then(|| place.at(".global.proxy.tracer")),
        }
    }
}
