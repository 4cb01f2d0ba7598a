//! Conditions on a request and on the workload that it passes, as rules and exclusions are configured with.

use alloc::string::String;
use alloc::vec::Vec;

use crate::direction::Direction;

/// Conditions on a request and on the workload that it passes, all of which must hold; what is not set holds always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// What `:path` is up to `?` or `#`.
    pub path: Option<PathMatch>,
    /// The methods; none of them stands for all.
    pub methods: Vec<String>,
    /// Which way the request goes.
    pub direction: Option<Direction>,
    /// Names of headers, and the pattern of one line of each.
    pub headers: Vec<(String, String)>,
    /// A pattern of `user-agent`.
    pub user_agent: Option<String>,
    /// A pattern of the workload's own namespace.
    pub namespace: Option<String>,
    /// Names of the workload's labels, and the pattern of each value.
    pub labels: Vec<(String, String)>,
}

/// What a path is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// `*` is any run of characters.
    Pattern(String),
    /// `{name}` is one segment.
    Template(String),
}

impl Match {
    /// What is excluded unless something else is configured: probes, and whoever collects metrics.
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
