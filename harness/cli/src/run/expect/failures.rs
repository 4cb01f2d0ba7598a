//! The expectations that were not met, as they are collected.

use super::diff;
use crate::run::report::Failure;

/// Expectations that were not met.
#[derive(Debug, Default)]
pub(in crate::run) struct Failures(pub(in crate::run) Vec<Failure>);

impl Failures {
    /// Adds one.
    pub(super) fn add(
        &mut self,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.0.push(Failure {
            at: at.into(),
            expected: expected.into(),
            found: found.into(),
            diff: None,
        });
    }

    /// Adds a text that differs from the expected one, line by line where there are several.
    pub(super) fn add_text(&mut self, at: &str, expected: String, found: String) {
        let diff = diff::lines(&expected, &found);
        self.add(at, expected, found);
        if let Some(failure) = self.0.last_mut() {
            failure.diff = diff;
        }
    }
}

/// Returns items for people.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        "none".into()
    } else {
        items.join(" | ")
    }
}
