//! The kind of filter that Envoy loads a module as.

use crate::check::input::document::Document;

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
