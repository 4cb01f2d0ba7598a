//! One step of an explanation.

use serde::Serialize;

use super::wording::percent;

/// One step: what it is about, and what becomes of that.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The key that says so, as a path below the configuration.
    pub key: String,
    /// The share of new traces that is kept, where the step is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// The sentence.
    pub sentence: String,
}

/// A step that is not about a percentage.
pub(super) fn step(key: &str, sentence: impl Into<String>) -> Step {
    Step {
        key: key.into(),
        percentage: None,
        sentence: sentence.into(),
    }
}

/// A step that gives a share of the new traces; `what` is of the kind "a new trace in namespace payments".
pub(super) fn share(key: String, what: &str, percentage: f64) -> Step {
    Step {
        sentence: format!("{what}: {}, by {key}", percent(percentage)),
        percentage: Some(percentage),
        key,
    }
}
