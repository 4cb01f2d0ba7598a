//! Places in files, labels, and notes on a place.

use std::collections::BTreeMap;

use crate::check::input::document::Document;

/// Labels of a workload, or those that a selector asks for.
pub type Labels = BTreeMap<String, String>;

/// A place in a file, and its name for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Index of the file, counted from 0.
    pub file: usize,
    /// Number of the document in the file, counted from 1.
    pub document: usize,
    /// JSON path in that document.
    pub path: String,
    /// Name for people: `Telemetry shop/cart`.
    pub name: String,
}

impl Place {
    /// Returns the place at a key below, with the same name.
    pub fn at(&self, below: &str) -> Self {
        Self {
            path: format!("{}{below}", self.path),
            ..self.clone()
        }
    }

    pub(super) fn named(self, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        let name = match namespace {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        };
        Self { name, ..self }
    }
}

/// The weight of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// A resource that will be refused.
    Error,
    /// A setting that works, but hardly as meant.
    Warning,
    /// A document that was not read.
    Skipped,
}

/// A note: one sentence about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Error, warning or skipped document.
    pub weight: Weight,
    /// Place that the sentence is about.
    pub place: Place,
    /// The sentence.
    pub message: String,
}

/// The label of the pods of a gateway that the Gateway API made, by which Istio finds them for `targetRefs`.
pub const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";

/// Returns a document's namespace and name. A document without a namespace has none, because `-n` of kubectl decides,
/// and `default` would be a guess.
pub(super) fn identity(tree: &Document) -> (Option<String>, String) {
    let of = |key: &str| {
        let text = tree.at(&["metadata", key]).and_then(Document::text);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    (
        of("namespace"),
        of("name").unwrap_or_else(|| "(unnamed)".into()),
    )
}

/// Reads labels from an object, leaving out values that are not text.
pub(in crate::check) fn labels(tree: Option<&Document>) -> Labels {
    let Some(Document::Object(pairs)) = tree else {
        return Labels::new();
    };
    pairs
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned())))
        .collect()
}

/// Reads `matchLabels` of a selector; no labels select everything, and `None` is a selector that Kubernetes refuses.
pub(super) fn selected(selector: Option<&Document>) -> Option<Labels> {
    let keys = match selector {
        None | Some(Document::Null) => return Some(Labels::new()),
        Some(Document::Object(keys)) => keys,
        Some(_) => return None,
    };
    let mut all = Labels::new();
    for (key, value) in keys {
        match (key.as_str(), value) {
            ("matchLabels", Document::Null) => {}
            ("matchLabels", Document::Object(pairs)) => {
                for (name, value) in pairs {
                    all.insert(name.clone(), value.text()?.to_owned());
                }
            }
            _ => return None,
        }
    }
    Some(all)
}

/// Returns a value as messages show it: a number as it is written, and of all else no more than what it is, because a
/// secret may stand in a wrong place.
pub(super) fn shown(value: &Document) -> String {
    match value {
        Document::Number(_) | Document::Boolean(_) | Document::Null => value.to_json(),
        Document::String(text) if text.parse::<f64>().is_ok() => value.to_json(),
        Document::String(_) => "text that is no number".into(),
        Document::List(_) => "a list".into(),
        Document::Object(_) => "an object".into(),
    }
}

/// Returns labels as `app=cart,version=2`.
pub(in crate::check) fn written(labels: &Labels) -> String {
    let pairs: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(",")
}
