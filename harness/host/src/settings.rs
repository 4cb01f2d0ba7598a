//! The settings of a VM and of a plugin in it, which do not change while the VM runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::logs::LogLevel;
use crate::properties::Properties;
use crate::transcript::Detail;

/// The policy for requests after the VM has failed (`failure_policy` and `fail_open` of Envoy's `PluginConfig`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// Every request is answered 503: `FAIL_CLOSED`, and Envoy's default.
    #[default]
    FailClosed,
    /// Requests pass as if there were no filter, except those that were under way when the VM failed, which are answered 503:
    /// `failure_policy: FAIL_OPEN`.
    FailOpen,
    /// Requests pass as if there were no filter, the request in which the VM failed, too: the old field `fail_open: true`.
    FailOpenField,
    /// The next request gets a fresh VM, once `base` and a random part of up to half of it have passed since the VM was
    /// loaded; until then every request is answered 503: `failure_policy: FAIL_RELOAD`. Envoy's default of
    /// `reload_config.backoff.base_interval` is [`FailurePolicy::RELOAD_BASE`].
    FailReload {
        /// The shortest time from one load of the VM to the next.
        base: Duration,
    },
}

impl FailurePolicy {
    /// Envoy's default for the time between two loads of a VM: 1 s.
    pub const RELOAD_BASE: Duration = Duration::from_secs(1);

    /// Returns `FAIL_RELOAD` with Envoy's default, [`FailurePolicy::RELOAD_BASE`].
    pub fn reload() -> Self {
        Self::FailReload {
            base: Self::RELOAD_BASE,
        }
    }
}

/// The version of Envoy whose answers are given where versions differ.
///
/// 1.36 and 1.40 were run beside this host; for 1.32 and 1.33 only their sources were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EnvoyVersion {
    /// Envoy 1.32, from its sources: the last one with the properties `node`, `cluster_name` and their kin beside `xds`.
    V1_32,
    /// Envoy 1.33, from its sources.
    V1_33,
    /// Envoy 1.36.
    V1_36,
    /// Envoy 1.40.
    #[default]
    V1_40,
}

/// The way in which the end of a body comes to a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndOfBody {
    /// With the last bytes, as a DATA frame of HTTP/2 can have it.
    #[default]
    WithLastBytes,
    /// In an empty piece of its own, as Envoy's codec of HTTP/1.1 has it.
    Apart,
}

/// The settings of a VM, which do not change while the VM runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) vm_id: String,
    pub(crate) vm_configuration: Vec<u8>,
    pub(crate) environment: Vec<(String, String)>,
    /// The host calls and callbacks that the module may use; `None` allows all.
    pub(crate) capabilities: Option<BTreeSet<String>>,
    pub(crate) version: EnvoyVersion,
    pub(crate) properties: Properties,
    pub(crate) clusters: Clusters,
    /// The clusters among them that have no hosts.
    pub(crate) clusters_without_hosts: BTreeSet<String>,
    pub(crate) log_level: LogLevel,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) detail: Detail,
    pub(crate) callback_limit: Duration,
    pub(crate) end_of_body: EndOfBody,
    /// The bytes of a body that a filter may hold back.
    pub(crate) buffer_limit: usize,
}

impl Settings {
    /// Returns true if the module may use this host call or callback.
    pub(crate) fn allows(&self, capability: &str) -> bool {
        self.capabilities
            .as_ref()
            .is_none_or(|allowed| allowed.contains(capability))
    }
}

/// One plugin: what Envoy's `PluginConfig` says beside the VM. Several plugins can share a VM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) root_id: String,
    pub(crate) configuration: Arc<[u8]>,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) allow_on_headers_stop_iteration: bool,
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
