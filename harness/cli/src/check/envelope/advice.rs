//! Warnings on a WasmPlugin or a TrafficExtension that an API server takes, and that is hardly meant so.

use super::url::broken;
use crate::check::input::document::Document;

/// Returns the warnings on the strategy, the image and the phase of a plugin, which stands at `at` in the resource at
/// `path`: paths and sentences.
pub(in crate::check) fn warnings(
    path: &str,
    spec: &Document,
    at: &str,
    plugin: &Document,
) -> Vec<(String, String)> {
    let mut warnings = Vec::new();
    let mut warn = |path: String, message: &str| warnings.push((path, message.to_owned()));
    match chosen(plugin.get("failStrategy")) {
        Some("UNSPECIFIED" | "FAIL_CLOSE") => warn(format!("{at}.failStrategy"), FAIL_CLOSE),
        Some("FAIL_RELOAD") => warn(format!("{at}.failStrategy"), FAIL_RELOAD),
        _ => {}
    }
    let url = plugin
        .get("url")
        .and_then(Document::text)
        .unwrap_or_default();
    if let Some(message) = registry(url) {
        warn(format!("{at}.url"), message);
    }
    if !url.is_empty() && !url.contains("://") && broken(url).is_none() {
        warn(format!("{at}.url"), NO_SCHEME);
    }
    let phase = spec.get("phase").or_else(|| plugin.get("phase"));
    if let Some("UNSPECIFIED" | "UNSPECIFIED_PHASE") = chosen(phase) {
        warn(format!("{path}.spec.phase"), NO_PHASE);
    }
    warnings
}

/// Returns the warning on an image whose registry nobody has filled in.
pub(in crate::check) fn registry(url: &str) -> Option<&'static str> {
    url.split('/')
        .any(|part| part == "REGISTRY")
        .then_some(REGISTRY)
}

/// Returns the word that a key has. Null is a key that is left out, and a value of another type has its error.
fn chosen(value: Option<&Document>) -> Option<&str> {
    match value {
        None | Some(Document::Null) => Some("UNSPECIFIED"),
        Some(value) => value.text(),
    }
}

const FAIL_CLOSE: &str =
    "with FAIL_CLOSE a registry that is down takes the traffic down; set FAIL_OPEN";
const FAIL_RELOAD: &str =
    "with FAIL_RELOAD a registry that is down takes the traffic down; set FAIL_OPEN";
const REGISTRY: &str =
    "REGISTRY stands for a registry of yours; put the one there that the image was pushed to";
const NO_SCHEME: &str = "without a scheme Istio takes an image of a registry, and none at all where the host has a port; \
    write oci:// in front";
const NO_PHASE: &str = "without a phase the filter runs behind Istio's authentication, authorization and statistics, \
    whatever its priority, and sees no request that is refused there; set phase: AUTHN";
