//! The mesh: `MeshConfig` in all resources that can hold it, and its providers and tracers.

use super::chart::Chart;
use super::collected::{Mesh, Provider, ProxyTracing, Settings};
use super::pilot;
use super::place::{Place, Weight, identity, shown};
use crate::check::input::document::Document;

/// Reads the ConfigMap `istio`, or `istio-REVISION`, whose `data.mesh` is YAML.
pub(super) fn config_map(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let text = tree.at(&["data", "mesh"]).and_then(Document::text);
    let (Some(text), true) = (text, name == "istio" || name.starts_with("istio-")) else {
        return;
    };
    let place = place
        .named("ConfigMap", namespace.as_deref(), &name)
        .at(".data.mesh");
    match Document::parse("mesh.yaml", text) {
        Ok(documents) => {
            let empty = Document::Null;
            let tree = documents.first().unwrap_or(&empty);
            mesh(settings, place, tree, &Chart::default());
        }
        Err(message) => settings.note(Weight::Error, place, message),
    }
}

/// Reads an IstioOperator, or an Istio of the Sail operator.
pub(super) fn operator(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let kind = tree
        .get("kind")
        .and_then(Document::text)
        .unwrap_or_default();
    let place = place.named(kind, namespace.as_deref(), &name);
    let Some(spec) = tree.get("spec") else {
        return;
    };
    let values = spec.get("values");
    let at = place.at(".spec.values");
    let chart = values.map_or_else(Chart::default, |values| Chart::of(&at, values));
    let config = spec.get("meshConfig");
    if let Some(config) = config {
        mesh(settings, place.at(".spec.meshConfig"), config, &chart);
    }
    let env = spec
        .at(&["components", "pilot", "k8s"])
        .map_or(&[][..], |k8s| k8s.items("env"));
    // The operator lays these over what the chart has written.
    pilot::variables(settings, &place.at(".spec.components.pilot.k8s"), env);
    if let Some(tree) = values {
        // The operator has merged the two.
        let is_told = config.is_some();
        helm(settings, &at, tree, &chart, is_told);
    }
}

/// Reads a document without a kind: a MeshConfig, or the values of Istio's Helm charts.
pub(super) fn bare(settings: &mut Settings, place: Place, tree: &Document) {
    // The chart's own values.yaml has them one key below.
    for key in ["_internal_defaults_do_not_set", "defaults"] {
        if let Some(tree) = tree.get(key)
            && Chart::is_one(tree)
        {
            return bare(settings, place.at(&format!(".{key}")), tree);
        }
    }
    if MESH_KEYS.iter().any(|key| tree.get(key).is_some()) {
        let name = "MeshConfig".into();
        mesh(settings, Place { name, ..place }, tree, &Chart::default());
    } else if Chart::is_one(tree) {
        let name = "Helm values".into();
        let place = Place { name, ..place };
        helm(settings, &place, tree, &Chart::of(&place, tree), false);
    }
}

fn helm(settings: &mut Settings, place: &Place, tree: &Document, chart: &Chart, is_told: bool) {
    if settings.istio_namespace.is_none() {
        settings.istio_namespace.clone_from(&chart.istio_namespace);
    }
    match tree.get("meshConfig") {
        Some(config) => mesh(settings, place.at(".meshConfig"), config, chart),
        // Without a meshConfig the chart still writes one with its tracer.
        None if !is_told && chart.tracer.is_some() => {
            mesh(settings, place.at(".meshConfig"), &Document::Null, chart);
        }
        None => {}
    }
    pilot::helm(settings, place, tree);
}

/// Reads a MeshConfig over what the chart writes by itself.
fn mesh(settings: &mut Settings, place: Place, tree: &Document, chart: &Chart) {
    let text = |keys: &[&str]| {
        let text = tree.at(keys).and_then(Document::text);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let at = place.at(".defaultConfig.tracing");
    let own = tracing(settings, at.clone(), tree.at(&["defaultConfig", "tracing"]));
    let mut tracing = own.unwrap_or(ProxyTracing {
        place: at,
        ..ProxyTracing::default()
    });
    if let Some(tracer) = chart.tracer.as_ref().filter(|_| !tracing.has_tracer) {
        tracing.place = tracer.clone();
        tracing.has_tracer = true;
    }
    let defaults = tree.get("defaultProviders");
    let default = defaults.and_then(|list| list.items("tracing").first());
    settings.meshes.push(Mesh {
        root_namespace: text(&["rootNamespace"]).or_else(|| chart.istio_namespace.clone()),
        enable_tracing: tree
            .get("enableTracing")
            .and_then(Document::boolean)
            .unwrap_or(true),
        tracing,
        default_provider: default.and_then(Document::text).map(Into::into),
        providers: providers(tree.items("extensionProviders")),
        place,
    });
}

/// Returns the providers that every mesh has, and those of the list; an entry replaces an earlier one of its name.
fn providers(list: &[Document]) -> Vec<Provider> {
    let of = |name: &str, kind: &str, has_sampler| Provider {
        name: name.to_owned(),
        kind: kind.to_owned(),
        has_sampler,
    };
    let mut all: Vec<_> = BUILT_IN
        .into_iter()
        .map(|(name, kind)| of(name, kind, false))
        .collect();
    for entry in list {
        let Document::Object(pairs) = entry else {
            continue;
        };
        let Some(name) = entry.get("name").and_then(Document::text) else {
            continue;
        };
        let is_kind = |(key, value): &&(String, Document)| {
            key != "name" && matches!(value, Document::Object(_))
        };
        let found = match pairs.iter().find(is_kind) {
            Some((kind, Document::Object(keys))) => {
                let is_sampler = |(key, value): &(String, Document)| {
                    key.ends_with("Sampler") && *value != Document::Null
                };
                let has_sampler = kind == "opentelemetry" && keys.iter().any(is_sampler);
                of(name, kind, has_sampler)
            }
            _ => of(name, "", false),
        };
        match all.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = found,
            None => all.push(found),
        }
    }
    all
}

/// Reads `tracing` of a ProxyConfig; `None` where there is none, so that the mesh's holds.
pub(super) fn tracing(
    settings: &mut Settings,
    place: Place,
    tracing: Option<&Document>,
) -> Option<ProxyTracing> {
    let tracing = tracing.filter(|tracing| matches!(tracing, Document::Object(_)))?;
    let tracer = |key: &&str| {
        let tracer = tracing.get(key);
        let address = tracer.and_then(|tracer| tracer.get("address"));
        // Those of older Istios need no address.
        let is_old = ["stackdriver", "openCensusAgent"].contains(key);
        tracer.is_some_and(|tracer| is_old && *tracer != Document::Null)
            || address
                .and_then(Document::text)
                .is_some_and(|text| !text.is_empty())
    };
    let at = place.at(".sampling");
    Some(ProxyTracing {
        sampling: sampling(settings, &at, tracing.get("sampling")),
        has_tracer: TRACERS.iter().any(tracer),
        place,
    })
}

/// Reads `tracing.sampling` of a ProxyConfig, which may be quoted: Istio takes 0 for unset, and a number above 100 for
/// 1.
fn sampling(settings: &mut Settings, place: &Place, value: Option<&Document>) -> Option<f64> {
    let value = value.filter(|value| **value != Document::Null)?;
    let percentage = match value {
        Document::String(text) => serde_json::from_str(text).ok(),
        value => value.number(),
    };
    let effect = match percentage {
        Some(0.0) => {
            settings.note(
                Weight::Warning,
                place.clone(),
                "for Istio 0 here is the same as no value, and PILOT_TRACE_SAMPLING holds; for 0 % set \
                 randomSamplingPercentage: 0 in a Telemetry",
            );
            return None;
        }
        Some(percentage) if (0.0..=100.0).contains(&percentage) => return Some(percentage),
        Some(percentage) if percentage > 100.0 => "Istio takes 1 instead",
        Some(_) => "Envoy refuses every listener with it",
        None => "Istio refuses the whole text",
    };
    settings.note(
        Weight::Error,
        place.clone(),
        format!(
            "expected a percentage from 0 to 100, found {}; {effect}",
            shown(value)
        ),
    );
    percentage
        .is_some_and(|percentage| percentage > 100.0)
        .then_some(1.0)
}

/// The providers of `DefaultMeshConfig` in Istio: names and kinds.
const BUILT_IN: [(&str, &str); 3] = [
    ("prometheus", "prometheus"),
    ("stackdriver", "stackdriver"),
    ("envoy", "envoyFileAccessLog"),
];
const TRACERS: [&str; 5] = [
    "zipkin",
    "lightstep",
    "datadog",
    "stackdriver",
    "openCensusAgent",
];
/// Keys that MeshConfig has and no configuration of the filter.
const MESH_KEYS: [&str; 9] = [
    "defaultConfig",
    "defaultProviders",
    "extensionProviders",
    "enableTracing",
    "rootNamespace",
    "trustDomain",
    "accessLogFile",
    "discoverySelectors",
    "outboundTrafficPolicy",
];
