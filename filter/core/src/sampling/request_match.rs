//! The conditions of rules and exclusions on a request, and on the workload that the request passes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::direction::Direction;

/// Conditions that must all hold; a condition that is not set always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The condition on `:path` up to `?` or `#`.
    pub path: Option<PathMatch>,
    /// The methods; empty for all.
    pub methods: Vec<String>,
    /// The direction of the request.
    pub direction: Option<Direction>,
    /// Names of headers, each with a pattern for one of its lines.
    pub headers: Vec<(String, String)>,
    /// A pattern of `user-agent`.
    pub user_agent: Option<String>,
    /// A pattern of the workload's own namespace.
    pub namespace: Option<String>,
    /// Names of the workload's labels, each with a pattern for its value.
    pub labels: Vec<(String, String)>,
}

/// A condition on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// A pattern, in which `*` is any run of characters.
    Pattern(String),
    /// A template, in which `{name}` is one segment.
    Template(String),
}

impl Match {
    /// Returns the matches that are excluded by default: probes, and collectors of metrics.
    pub(crate) fn default_excludes() -> Vec<Self> {
        let agents = ["kube-probe/*", "Prometheus/*"].map(|agent| Self {
            user_agent: Some(agent.into()),
            ..Self::default()
        });
        let paths = ["/health", "/healthz", "/readyz", "/livez", "/metrics"].map(|path| Self {
            path: Some(PathMatch::Pattern(path.into())),
            ..Self::default()
        });
        agents.into_iter().chain(paths).collect()
    }
}
