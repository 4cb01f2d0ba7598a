//! The settings of a host, each with a default, and the start of the host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::callback_deadline;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::host::{Host, StartError};
use crate::logs::LogLevel;
use crate::module::Module;
use crate::properties::{Path, Properties};
use crate::settings::{Clusters, EndOfBody, EnvoyVersion, FailurePolicy, Plugin, Settings};
use crate::shared::Shared;
use crate::transcript::Detail;
use crate::value::Value;

impl Host {
    /// Returns a builder of a host for a module.
    pub fn builder(module: &Module) -> HostBuilder {
        HostBuilder::new(module)
    }
}

/// A builder of a [`Host`]. Every setting has a default, and the defaults give the same run each time.
#[derive(Clone, Debug)]
#[must_use]
pub struct HostBuilder {
    pub(crate) module: Module,
    pub(crate) plugin: Plugin,
    pub(crate) shared: Shared,
    pub(crate) settings: Settings,
}

impl HostBuilder {
    fn new(module: &Module) -> Self {
        Self {
            module: module.clone(),
            plugin: Plugin::default(),
            shared: Shared::new(),
            settings: Settings {
                vm_id: String::new(),
                vm_configuration: Vec::new(),
                environment: Vec::new(),
                capabilities: None,
                version: EnvoyVersion::default(),
                properties: Properties::default(),
                clusters: Clusters::Named(BTreeSet::new()),
                clusters_without_hosts: Default::default(),
                log_level: LogLevel::default(),
                clock: Clock::default(),
                entropy: Entropy::default(),
                detail: Detail::default(),
                callback_limit: callback_deadline::DEFAULT_LIMIT,
                end_of_body: EndOfBody::default(),
                buffer_limit: Self::BUFFER_LIMIT,
            },
        }
    }

    /// Sets the plugin's name, the property `plugin_name`; empty by default.
    pub fn plugin_name(mut self, name: impl Into<String>) -> Self {
        self.plugin.name = name.into();
        self
    }

    /// Sets the root id, the property `plugin_root_id`; empty by default, as in Envoy. The C++ SDK finds its factories by
    /// it, so that a C++ filter does nothing under a root id that it has not registered.
    pub fn root_id(mut self, id: impl Into<String>) -> Self {
        self.plugin.root_id = id.into();
        self
    }

    /// Sets the `vm_id`, empty by default. Hosts with one `vm_id` on one [`Shared`] see the same shared data, and plugins
    /// with one `vm_id`, one VM configuration and one module share a VM in a [`FilterChain`](crate::FilterChain).
    pub fn vm_id(mut self, id: impl Into<String>) -> Self {
        self.settings.vm_id = id.into();
        self
    }

    /// Sets the VM configuration, empty by default.
    pub fn vm_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.settings.vm_configuration = bytes.into();
        self
    }

    /// Sets the plugin configuration, empty by default.
    pub fn plugin_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.plugin.configuration = bytes.into().into();
        self
    }

    /// Adds an environment variable; there is none by default.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.environment.push((name.into(), value.into()));
        self
    }

    /// Sets a property of all streams, mostly below `xds`. Root contexts see only properties below `xds.node`.
    pub fn property(mut self, path: impl Into<Path>, value: impl Into<Value>) -> Self {
        self.settings.properties.set(path, value);
        self
    }

    /// Adds a cluster that the guest can call. A call to any other cluster is BAD_ARGUMENT.
    pub fn cluster(mut self, name: impl Into<String>) -> Self {
        match &mut self.settings.clusters {
            Clusters::Named(names) => drop(names.insert(name.into())),
            Clusters::Any => {}
        }
        self
    }

    /// Adds a cluster without hosts. A call to it is INTERNAL_FAILURE as in Envoy, which reports the failure of a gRPC call
    /// all the same.
    pub fn cluster_without_hosts(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.settings.clusters_without_hosts.insert(name.clone());
        self.cluster(name)
    }

    /// Lets the guest call every cluster.
    pub fn any_cluster(mut self) -> Self {
        self.settings.clusters = Clusters::Any;
        self
    }

    /// Sets the lowest level of log lines that are kept.
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.settings.log_level = level;
        self
    }

    /// Sets the source of time.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Sets the source of randomness.
    pub fn entropy(mut self, entropy: Entropy) -> Self {
        self.settings.entropy = entropy;
        self
    }

    /// Sets the detail of the transcript.
    pub fn transcript(mut self, detail: Detail) -> Self {
        self.settings.detail = detail;
        self
    }

    /// Sets the policy for requests after the VM has failed, [`FailurePolicy::FailClosed`] by default, as in Envoy.
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.plugin.failure_policy = policy;
        self
    }

    /// Allows a capability: a host function, a WASI function or a callback, by its name. Without any, everything is allowed,
    /// as in Envoy without `capability_restriction_config`.
    ///
    /// With any, a call of another host function is INTERNAL_FAILURE (of WASI: 76) with Envoy's line in the log, and
    /// another callback is not called.
    pub fn capability(mut self, name: impl Into<String>) -> Self {
        let allowed = self.settings.capabilities.get_or_insert_default();
        allowed.insert(name.into());
        self
    }

    /// Sets the version of Envoy whose answers are given, 1.40 by default.
    pub fn envoy_version(mut self, version: EnvoyVersion) -> Self {
        self.settings.version = version;
        self
    }

    /// Sets the bytes of a body that a filter may hold back; 1 MiB by default
    /// ([`HostBuilder::BUFFER_LIMIT`]), as in Envoy (`per_connection_buffer_limit_bytes`).
    ///
    /// A filter that buffers more of a request is answered 413, more of a response 500 or a reset; what waits below a
    /// watermark beyond the limit stays unread.
    pub fn buffer_limit(mut self, bytes: usize) -> Self {
        self.settings.buffer_limit = bytes;
        self
    }

    /// Envoy's default limit on the bytes of a body that a filter holds back: 1 MiB.
    pub const BUFFER_LIMIT: usize = 1024 * 1024;

    /// Lets the answer `StopIteration` (1) of a headers callback hold back the headers alone, so that body callbacks follow
    /// (`allow_on_headers_stop_iteration`); false by default, as in Envoy, where body and trailers then wait, too.
    pub fn allow_on_headers_stop_iteration(mut self, allow: bool) -> Self {
        self.plugin.allow_on_headers_stop_iteration = allow;
        self
    }

    /// Sets the way in which the end of a body comes to the filter; with the last bytes by default.
    pub fn end_of_body(mut self, end: EndOfBody) -> Self {
        self.settings.end_of_body = end;
        self
    }

    /// Sets the real time that one callback may take, 10 s by default and measured in tenths of a second. A callback that
    /// takes longer is a trap here; Envoy would wait for ever.
    pub fn callback_limit(mut self, limit: Duration) -> Self {
        self.settings.callback_limit = limit;
        self
    }

    /// Shares data and metrics with the other hosts on `shared`, as the workers of one Envoy do.
    pub fn shared(mut self, shared: &Shared) -> Self {
        self.shared = shared.clone();
        self
    }

    /// Returns true if Envoy runs both plugins in one VM: one `vm_id`, one VM configuration, and clones of one [`Module`].
    pub(crate) fn has_vm_of(&self, other: &Self) -> bool {
        self.module.is(&other.module)
            && self.settings.vm_id == other.settings.vm_id
            && self.settings.vm_configuration == other.settings.vm_configuration
    }

    /// Starts a VM: `_initialize`, then the root context with `proxy_on_context_create`, `proxy_on_vm_start` and
    /// `proxy_on_configure`.
    ///
    /// # Errors
    /// [`StartError`] if the guest traps or a callback answers false. The error keeps the host, so that the host's logs and
    /// metrics can be read; requests to a failed host are answered as its [`FailurePolicy`] says.
    pub fn start(self) -> Result<Host, StartError> {
        Host::start(
            &self.module,
            Arc::new(self.settings),
            self.shared,
            self.plugin.into(),
        )
    }
}
