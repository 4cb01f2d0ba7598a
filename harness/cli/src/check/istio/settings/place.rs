//! Places in files, labels, and sentences about a place.

use std::collections::BTreeMap;

use crate::check::input::document::Document;

/// Labels of a workload, or those that a selector asks for.
pub type Labels = BTreeMap<String, String>;

/// Where something stands, and what people call it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which file, counted from 0.
    pub file: usize,
    /// Which document of the file, counted from 1.
    pub document: usize,
    /// JSON path in that document.
    pub path: String,
    /// `Telemetry shop/cart`
    pub name: String,
}

impl Place {
    /// The same thing, at a key below.
    pub fn at(&self, below: &str) -> Self {
        Self {
            path: format!("{}{below}", self.path),
            ..self.clone()
        }
    }

    pub(super) fn named(self, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            name: format!("{kind} {namespace}/{name}"),
            ..self
        }
    }
}

/// How much a sentence weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It will be refused.
    Error,
    /// It works, but hardly as meant.
    Warning,
    /// It was not read.
    Skipped,
}

/// One sentence about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether it is an error.
    pub weight: Weight,
    /// What it is about.
    pub place: Place,
    /// The sentence.
    pub message: String,
}

/// The label of the pods of a gateway that the Gateway API made, by which Istio finds them for `targetRefs`.
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// A document's name and namespace; what says no namespace goes into the one of whoever applies it.
pub(super) fn identity(tree: &Document) -> (String, String) {
    let of = |key: &str, other: &str| {
        let text = tree.at(&["metadata", key]).and_then(Document::text);
        text.unwrap_or(other).to_owned()
    };
    (of("namespace", "default"), of("name", "(unnamed)"))
}

/// An object of texts.
pub(super) fn labels(tree: Option<&Document>) -> Labels {
    let Some(Document::Object(pairs)) = tree else {
        return Labels::new();
    };
    pairs
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned())))
        .collect()
}

/// `app=cart,version=2`
pub(in crate::check) fn written(labels: &Labels) -> String {
    let pairs: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(",")
}
