//! Warnings, and the numbers in them.

use crate::check::istio::settings::{Note, Place, Sampler, Weight};

pub(super) fn warn(notes: &mut Vec<Note>, place: Place, message: String) {
    let note = Note {
        weight: Weight::Warning,
        place,
        message,
    };
    // One cause is found once for each side and for each workload.
    if !notes.contains(&note) {
        notes.push(note);
    }
}

/// Returns the ratio in a sampler's argument, if there is one.
pub(super) fn ratio(sampler: &Sampler) -> Option<f64> {
    sampler.argument.as_ref()?.trim().parse().ok()
}

pub(super) fn round(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
}
