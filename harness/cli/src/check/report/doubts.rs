//! Doubts about a configuration that is valid, from itself alone.

use sidespan_core::config::Config;

/// Returns the doubts: paths and sentences.
pub(super) fn doubts(config: &Config) -> Vec<(&'static str, String)> {
    let mut doubts = Vec::new();
    let propagation = &config.propagation;
    let unwritten: Vec<_> = propagation
        .extract
        .iter()
        .filter(|format| !propagation.mirror && !propagation.inject.contains(format))
        .map(|format| format.name())
        .collect();
    if !unwritten.is_empty() {
        doubts.push((
            "$.propagation.inject",
            format!(
                "read but never written: with mirror false, the headers of {} are removed; add those that a service here reads",
                unwritten.join(", ")
            ),
        ));
    }
    if config.sampling.is_some() && config.export.otlp.is_none() {
        doubts.push((
            "$.sampling",
            "traces are decided here, and spans are exported nowhere; set export.otlp".into(),
        ));
    }
    doubts
}
