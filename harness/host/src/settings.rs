//! The settings of a host, which do not change while the host runs.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::logs::LogLevel;
use crate::properties::Properties;
use crate::transcript::Detail;

/// The policy for requests after the VM has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// Every request is answered 503.
    #[default]
    FailClosed,
    /// Requests pass as if there were no filter, except the request in which the VM failed, which is answered 503.
    FailOpen,
}

/// The settings of a host, which do not change while the host runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) plugin_name: String,
    pub(crate) root_id: String,
    pub(crate) vm_id: String,
    pub(crate) vm_configuration: Vec<u8>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) properties: Properties,
    pub(crate) clusters: Clusters,
    pub(crate) log_level: LogLevel,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) detail: Detail,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) callback_limit: Duration,
}

/// The clusters that a guest can call.
#[derive(Clone, Debug)]
pub(crate) enum Clusters {
    Named(BTreeSet<String>),
    Any,
}

impl Clusters {
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.contains(name),
            Self::Any => true,
        }
    }
}
