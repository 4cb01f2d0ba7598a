//! Names and limits that the parts of a run on Envoy share.

use std::time::Duration;

/// The name of the listener, and of its statistics.
pub(super) const LISTENER: &str = "scenario";
/// The name of the upstream's cluster.
pub(super) const UPSTREAM: &str = "upstream";
/// The limit of everything that Envoy does by itself, within milliseconds as a rule.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The name of the listener that answers by itself.
pub(super) const FENCE: &str = "fence";
