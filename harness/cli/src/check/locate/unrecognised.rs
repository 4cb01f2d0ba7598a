//! Installations whose kind is missing or misspelt: an API server or a proxy takes none of them, and a stream with other
//! resources in it would be fine without them.

use sidespan_core::config::suggest::nearest;

use super::path::Path;
use super::wasm_filter::{Filter, either};
use crate::check::envelope::kinds::KINDS;
use crate::check::envelope::mentions_sidespan;
use crate::check::input::document::Document;
use crate::check::input::plugin_owner::Names;

type Problem = Option<(String, String)>;

/// Returns the problem with a resource that installs the filter by its text, under a kind that nobody has.
pub(super) fn resource(document: &Document, path: &Path<'_>) -> Problem {
    let text = |key: &str| document.get(key).and_then(Document::text);
    let kind = text("kind").unwrap_or_default();
    let (group, _) = text("apiVersion")?.split_once('/')?;
    let spec = document.get("spec");
    // Others name a resource by its kind, such as `ownerReferences`, and lists hold resources.
    let is_whole = spec.is_some() || document.get("metadata").is_some();
    if !is_whole || kind.ends_with("List") {
        return None;
    }
    let known: Vec<_> = KINDS
        .iter()
        .filter(|kind| kind.group == group)
        .map(|kind| kind.name)
        .chain((group == ENVOY_GATEWAY).then_some("EnvoyExtensionPolicy"))
        .collect();
    let names = Names::of_istio(document, spec.unwrap_or(&Document::Null));
    let is_ours = names.are_ours() || spec.is_some_and(mentions_sidespan);
    // Istio's own kinds with a misspelt name are found before.
    let is_misspelt = !known.contains(&kind) && nearest(kind, &known).is_some();
    let has_other_kinds = group != EXTENSIONS && !kind.is_empty() && !is_misspelt;
    if known.is_empty() || !is_ours || has_other_kinds {
        return None;
    }
    let cause = match kind {
        "" => "missing, so that no API server takes this resource",
        _ => "unknown kind, which no API server takes",
    };
    Some((
        path.key("kind").to_string(),
        format!("{cause}; of {group} expected {}", known.join(" or ")),
    ))
}

/// Returns the problem with a filter of Sidespan's, by its names, whose type is not that of Envoy's wasm filter.
pub(super) fn filter(document: &Document, path: &Path<'_>, entry: Option<&Document>) -> Problem {
    let (key, of_type, wasm) = match ["type_url", "typeUrl"]
        .into_iter()
        .find_map(|key| Some((key, document.get(key)?, document.get("value")?)))
    {
        Some(typed) => typed,
        None => (
            "@type",
            document.get("@type").unwrap_or(&Document::Null),
            document,
        ),
    };
    if Filter::named_by(Some(of_type)).is_some() || !Names::of_envoy(entry, wasm).are_ours() {
        return None;
    }
    let has_plugin = wasm.get("config").is_some_and(|config| {
        [["vm_config", "vmConfig"], ["root_id", "rootId"]]
            .into_iter()
            .any(|names| either(config, names).is_some())
    });
    let cause = match of_type.text() {
        // Of all else that has a name of Sidespan's, none has the type of another filter.
        Some(text) if has_plugin || text.to_ascii_lowercase().contains("wasm") => {
            "no type of Envoy's wasm filter, so that the module is not loaded as one"
        }
        None if has_plugin || path.is_typed_config() => {
            "missing, so that no proxy takes this filter"
        }
        _ => return None,
    };
    Some((
        path.key(key).to_string(),
        format!("{cause}; expected {HTTP_WASM}"),
    ))
}

/// Returns the problems with a list of resources: what in it is no resource.
pub(super) fn list(document: &Document, path: &Path<'_>) -> Vec<(String, String)> {
    let kind = document.get("kind").and_then(Document::text);
    let Some(items) = document
        .get("items")
        .filter(|_| kind.is_some_and(|kind| kind.ends_with("List")))
    else {
        return Vec::new();
    };
    let at = path.key("items");
    let problem = |at: &Path<'_>, found: &Document, expected: &str| {
        let found = match found {
            Document::Null => "null",
            Document::Boolean(_) => "a boolean",
            Document::Number(_) => "a number",
            Document::String(_) => "text",
            Document::List(_) => "a list",
            Document::Object(_) => "an object",
        };
        (
            at.to_string(),
            format!("expected {expected}, found {found}, of which nothing is applied"),
        )
    };
    match items {
        Document::List(items) => items
            .iter()
            .enumerate()
            .filter(|(_, item)| !matches!(item, Document::Object(_)))
            .map(|(index, item)| problem(&Path::Index(&at, index), item, "a resource"))
            .collect(),
        // A list without resources.
        Document::Null => Vec::new(),
        other => vec![problem(
            &at,
            other,
            "a list of resources, each after a dash",
        )],
    }
}

const EXTENSIONS: &str = "extensions.istio.io";
const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io";
const HTTP_WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
