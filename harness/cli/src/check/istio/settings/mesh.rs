//! The mesh: `MeshConfig` in all resources that can hold it, and the environment of istiod.

use super::collected::{Mesh, Pilot, Settings};
use super::place::{Place, Weight, identity};
use crate::check::input::document::Document;

pub(super) const PILOT: &str = "PILOT_TRACE_SAMPLING";

/// Reads the ConfigMap `istio`, or `istio-REVISION`, whose `data.mesh` is YAML.
pub(super) fn config_map(settings: &mut Settings, place: Place, tree: &Document) {
    let (namespace, name) = identity(tree);
    let text = tree.at(&["data", "mesh"]).and_then(Document::text);
    let (Some(text), true) = (text, name == "istio" || name.starts_with("istio-")) else {
        return;
    };
    let place = place.named("ConfigMap", &namespace, &name).at(".data.mesh");
    match Document::parse("mesh.yaml", text) {
        Ok(documents) => {
            let empty = Document::Null;
            mesh(settings, place, documents.first().unwrap_or(&empty));
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
    let place = place.named(kind, &namespace, &name);
    let Some(spec) = tree.get("spec") else {
        return;
    };
    if let Some(config) = spec.get("meshConfig") {
        mesh(settings, place.at(".spec.meshConfig"), config);
    }
    let env = spec
        .at(&["components", "pilot", "k8s"])
        .map_or(&[][..], |k8s| k8s.items("env"));
    variables(settings, &place.at(".spec.components.pilot.k8s"), env);
    if let Some(tree) = spec.get("values") {
        values(settings, &place.at(".spec.values"), tree);
    }
}

/// Reads a document without a kind: a MeshConfig, or the values of Istio's Helm charts.
pub(super) fn bare(settings: &mut Settings, place: Place, tree: &Document) {
    if MESH_KEYS.iter().any(|key| tree.get(key).is_some()) {
        let name = "MeshConfig".into();
        mesh(settings, Place { name, ..place }, tree);
    } else if tree.get("meshConfig").is_some() || tree.get("pilot").is_some() {
        let name = "Helm values".into();
        values(settings, &Place { name, ..place }, tree);
    }
}

fn values(settings: &mut Settings, place: &Place, tree: &Document) {
    if let Some(config) = tree.get("meshConfig") {
        mesh(settings, place.at(".meshConfig"), config);
    }
    for (keys, at) in [
        (&["pilot", "traceSampling"][..], ".pilot.traceSampling"),
        (&["pilot", "env", PILOT], ".pilot.env.PILOT_TRACE_SAMPLING"),
    ] {
        if let Some(value) = tree.at(keys) {
            pilot(settings, place.at(at), &plain(value));
        }
    }
}

/// Reads the environment of a container, because istiod's has a percentage.
pub(super) fn variables(settings: &mut Settings, place: &Place, env: &[Document]) {
    for (index, entry) in env.iter().enumerate() {
        let name = entry.get("name").and_then(Document::text);
        if let (Some(PILOT), Some(value)) = (name, entry.get("value")) {
            pilot(
                settings,
                place.at(&format!(".env[{index}].value")),
                &plain(value),
            );
        }
    }
}

/// Reads `PILOT_TRACE_SAMPLING`, which is text.
pub(super) fn pilot(settings: &mut Settings, place: Place, text: &str) {
    let found = text.trim().parse().ok();
    let percentage = found.filter(|percentage| (0.0..=100.0).contains(percentage));
    if percentage.is_none() {
        settings.note(
            Weight::Warning,
            place.clone(),
            format!(
                "{PILOT} is {text:?}, expected a percentage from 0 to 100; istiod takes 1 instead"
            ),
        );
    }
    settings.pilots.push(Pilot {
        place,
        percentage: percentage.unwrap_or(1.0),
    });
}

fn mesh(settings: &mut Settings, place: Place, tree: &Document) {
    let text = |keys: &[&str]| tree.at(keys).and_then(Document::text).map(Into::into);
    let tracing = tree.at(&["defaultConfig", "tracing"]);
    let at = place.at(".defaultConfig.tracing.sampling");
    let defaults = tree.get("defaultProviders");
    let default = defaults.and_then(|list| list.items("tracing").first());
    let has_sampler = |provider: &Document| {
        let Some(Document::Object(pairs)) = provider.get("opentelemetry") else {
            return false;
        };
        pairs.iter().any(|(key, _)| key.ends_with("Sampler"))
    };
    let providers = tree.get("extensionProviders").map(|_| {
        let list = tree.items("extensionProviders").iter();
        list.filter_map(|provider| {
            Some((
                provider.get("name")?.text()?.to_owned(),
                has_sampler(provider),
            ))
        })
        .collect()
    });
    let mesh = Mesh {
        root_namespace: text(&["rootNamespace"]),
        sampling: sampling(settings, &at, tracing),
        enable_tracing: tree.get("enableTracing").and_then(Document::boolean),
        has_tracer: tracing
            .is_some_and(|tracing| TRACERS.iter().any(|key| tracing.get(key).is_some())),
        default_provider: default.and_then(Document::text).map(Into::into),
        providers,
        place,
    };
    settings.meshes.push(mesh);
}

/// Reads `tracing.sampling` of a ProxyConfig: Istio takes 0 for unset, and a number above 100 for 1.
pub(super) fn sampling(
    settings: &mut Settings,
    place: &Place,
    tracing: Option<&Document>,
) -> Option<f64> {
    let value = tracing?.get("sampling")?;
    let percentage = value.number()?;
    if percentage == 0.0 {
        settings.note(
            Weight::Warning,
            place.clone(),
            "for Istio 0 here is the same as no value, and PILOT_TRACE_SAMPLING holds; for 0 % set \
             randomSamplingPercentage: 0 in a Telemetry",
        );
        return None;
    }
    if percentage > 100.0 {
        settings.note(
            Weight::Warning,
            place.clone(),
            format!(
                "expected a percentage from 0 to 100, found {percentage}; Istio takes 1 instead"
            ),
        );
        return Some(1.0);
    }
    Some(percentage)
}

/// Returns a value as it would be written without quotes.
fn plain(value: &Document) -> String {
    value.text().map_or_else(|| value.to_json(), Into::into)
}

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
