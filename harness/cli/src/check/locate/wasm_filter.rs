//! Envoy's wasm filters, by their types.

use crate::check::input::document::Document;

/// Returns a field by its name in the protocol or in JSON, because Envoy takes both.
pub(super) fn either<'a>(document: &'a Document, names: [&str; 2]) -> Option<&'a Document> {
    names.iter().find_map(|name| document.get(name))
}

/// The kind of filter that Envoy loads a module as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Http,
    Network,
}

impl Filter {
    pub(super) fn named_by(url: Option<&Document>) -> Option<Self> {
        match url.and_then(Document::text)?.rsplit('/').next()? {
            "envoy.extensions.filters.http.wasm.v3.Wasm" => Some(Self::Http),
            "envoy.extensions.filters.network.wasm.v3.Wasm" => Some(Self::Network),
            _ => None,
        }
    }
}
