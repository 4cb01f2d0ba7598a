//! One step of an explanation.

use serde::Serialize;

use super::wording::percent;

/// One step: the key that decides, and its effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The key that decides, as a path below the configuration.
    pub key: String,
    /// The percentage of new traces that is sampled, where the step is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage: Option<f64>,
    /// The sentence.
    pub sentence: String,
}

/// Makes a step that is not about a percentage.
pub(super) fn step(key: &str, sentence: impl Into<String>) -> Step {
    Step {
        key: key.into(),
        percentage: None,
        sentence: sentence.into(),
    }
}

/// Makes a step on a percentage of new traces; `what` is of the kind "a new trace in namespace payments".
pub(super) fn share(key: String, what: &str, percentage: f64) -> Step {
    Step {
        sentence: format!("{what}: {}, by {key}", percent(percentage)),
        percentage: Some(percentage),
        key,
    }
}
