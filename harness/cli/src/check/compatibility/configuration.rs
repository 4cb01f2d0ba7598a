//! The filter's configurations among the files.

use sidespan_core::config::Config;

use crate::check::input::document::Document;
use crate::check::istio::plugin_scope::Scope;

/// A configuration of Sidespan's filter among the files.
#[derive(Clone, Copy, Debug)]
pub struct SidespanConfig<'a> {
    /// Index of the file, counted from 0.
    pub file: usize,
    /// Number of the document in the file, counted from 1.
    pub document: usize,
    /// JSON path of the configuration.
    pub path: &'a str,
    /// The configuration as it is written, in JSON.
    pub json: &'a str,
    /// The parsed configuration.
    pub config: &'a Config,
    /// The workloads that Istio installs the plugin at; `None` outside Istio.
    pub scope: Option<&'a Scope>,
}

impl SidespanConfig<'_> {
    /// Returns the configuration as it is written, to tell a value from a default.
    pub(in crate::check) fn document(&self) -> Option<Document> {
        Document::parse("configuration.json", self.json).ok()?.pop()
    }
}
