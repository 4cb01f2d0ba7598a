//! Envoy's own tracer in a connection manager: from its provider, or else from the bootstrap.

use crate::check::input::document::Document;

/// Returns true if the bootstrap of an Envoy, by itself or in a dump, has a tracer for all connection managers.
pub(super) fn is_in_bootstrap(document: &Document) -> bool {
    let dumped = document
        .items("configs")
        .iter()
        .filter_map(|config| config.get("bootstrap"));
    [document]
        .into_iter()
        .chain(document.get("bootstrap"))
        .chain(dumped)
        .any(|bootstrap| bootstrap.at(&["tracing", "http"]).is_some())
}

/// Returns true if the connection manager has a tracer that writes headers. Without a provider it takes the tracer of the
/// bootstrap, where there is one.
pub(super) fn writes_headers(manager: &Document, has_bootstrap: bool) -> bool {
    let Some(tracing) = manager
        .get("tracing")
        .filter(|tracing| **tracing != Document::Null)
    else {
        return false;
    };
    let is_manager = ["http_filters", "httpFilters"]
        .iter()
        .any(|name| manager.get(name).is_some());
    let is_silent = ["no_context_propagation", "noContextPropagation"]
        .iter()
        .any(|name| tracing.get(name) == Some(&Document::Boolean(true)));
    let has_tracer = tracing.get("provider").is_some() || has_bootstrap && is_manager;
    has_tracer && !is_silent
}
