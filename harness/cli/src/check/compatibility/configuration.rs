//! The filter's configurations among the files.

use sidespan_core::config::Config;

use crate::check::istio::plugin_scope::Scope;

/// A configuration of ours among the files.
#[derive(Clone, Copy, Debug)]
pub struct SidespanConfig<'a> {
    /// Where it stands.
    pub file: usize,
    /// Which document of the file.
    pub document: usize,
    /// JSON path of the configuration.
    pub path: &'a str,
    /// What it says.
    pub config: &'a Config,
    /// Which workloads it is for, where Istio installs it.
    pub scope: Option<&'a Scope>,
}
