//! A patch of an EnvoyFilter: its parts, as Istio's webhook asks for them, and the place in the chain that istiod gives its
//! filter (`patchHTTPFilters` of `pilot/pkg/networking/core/envoyfilter`).

use crate::check::input::document::Document;
use crate::check::input::plugin_owner::Names;

/// Judges a patch as Istio's webhook does, which takes any for a waypoint.
pub(super) fn incomplete(value: &Document) -> Option<(&'static str, String)> {
    let word = |keys: &[&str]| word(value, keys);
    let is_silent = |word: &str| matches!(word, "" | "INVALID");
    if word(&["match", "context"]) == "WAYPOINT" {
        return None;
    }
    let operation = word(&["patch", "operation"]);
    let missing = |key, message: &str| Some((key, format!("missing; {message}")));
    if is_silent(word(&["applyTo"])) {
        missing(
            "applyTo",
            "Istio refuses a patch without it; a filter is put in with HTTP_FILTER",
        )
    } else if value
        .get("patch")
        .is_none_or(|patch| *patch == Document::Null)
    {
        missing("patch", "Istio refuses an entry without it")
    } else if is_silent(operation) {
        missing(
            "patch.operation",
            "Istio refuses a patch without it; INSERT_FIRST puts a filter in front",
        )
    } else if operation != "REMOVE" && word(&["patch", "value"]).is_empty() {
        missing("patch.value", "only operation REMOVE goes without it")
    } else {
        None
    }
}

/// Returns the key and the sentence on a patch after which Envoy refuses the listener, or has no filter more than before.
pub(super) fn installs_nowhere(value: &Document) -> Option<(&'static str, String)> {
    let word = |keys: &[&str]| word(value, keys);
    if word(&["applyTo"]) != "HTTP_FILTER" {
        return None;
    }
    let filter = value
        .at(&["match", "listener", "filterChain", "filter"])
        .or_else(|| value.at(&["match", "waypoint", "filter"]));
    let neighbour = filter
        .and_then(|filter| filter.at(&["subFilter", "name"]))
        .and_then(Document::text);
    let is_router = neighbour.is_some_and(|name| ROUTERS.contains(&name));
    let is_own = neighbour.is_some_and(|name| name.to_ascii_lowercase().contains("sidespan"));
    let problem = match (word(&["patch", "operation"]), neighbour) {
        ("ADD", _) => BEHIND_THE_ROUTER,
        ("INSERT_AFTER", None) => BEHIND_THE_ROUTER,
        ("INSERT_AFTER", _) if is_router => BEHIND_THE_ROUTER,
        ("REPLACE", _) if is_router => {
            "takes the router out, and Envoy refuses a listener without one"
        }
        ("REPLACE", None) => "replaces nothing without a `subFilter`, and so installs nothing",
        ("MERGE" | "MERGE_AND_REPLACE_LIST", _) if is_ours(value) && !is_own => {
            "changes a filter that is there, and installs none"
        }
        ("REMOVE", _) if is_ours(value) => "takes a filter out, and installs none",
        _ => return None,
    };
    Some((
        "patch.operation",
        format!(
            "{problem}; write INSERT_FIRST, or INSERT_BEFORE with subFilter: {{name: envoy.filters.http.router}}"
        ),
    ))
}

const BEHIND_THE_ROUTER: &str =
    "puts the filter behind the router, and Envoy refuses a listener whose router is not last";

/// The router's names: Envoy's, and the one that Envoy had for it before.
const ROUTERS: [&str; 2] = ["envoy.filters.http.router", "envoy.router"];

/// Returns true if the value of a patch is Sidespan's filter itself, and not another filter with ours inside.
fn is_ours(value: &Document) -> bool {
    let entry = value.at(&["patch", "value"]);
    let wasm = ["typed_config", "typedConfig"]
        .iter()
        .find_map(|key| entry?.get(key));
    let kind = wasm
        .and_then(|wasm| wasm.get("@type"))
        .and_then(Document::text);
    let is_wasm = kind.is_some_and(|kind| kind.ends_with(".http.wasm.v3.Wasm"));
    let name = entry.and_then(|entry| entry.get("name"));
    is_wasm && wasm.is_some_and(|wasm| Names::of_envoy(name, wasm).are_ours())
}

fn word<'a>(value: &'a Document, keys: &[&str]) -> &'a str {
    match value.at(keys) {
        None | Some(Document::Null) => "",
        Some(Document::String(word)) => word.as_str(),
        Some(_) => "of another type",
    }
}
