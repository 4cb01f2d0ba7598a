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
use crate::settings::{Clusters, FailurePolicy, Settings};
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
    module: Module,
    configuration: Arc<[u8]>,
    shared: Shared,
    settings: Settings,
}

impl HostBuilder {
    fn new(module: &Module) -> Self {
        Self {
            module: module.clone(),
            configuration: Arc::default(),
            shared: Shared::new(),
            settings: Settings {
                plugin_name: String::new(),
                root_id: String::new(),
                vm_id: String::new(),
                vm_configuration: Vec::new(),
                environment: Vec::new(),
                properties: Properties::default(),
                clusters: Clusters::Named(BTreeSet::new()),
                log_level: LogLevel::default(),
                clock: Clock::default(),
                entropy: Entropy::default(),
                detail: Detail::default(),
                failure_policy: FailurePolicy::default(),
                callback_limit: callback_deadline::DEFAULT_LIMIT,
            },
        }
    }

    /// Sets the plugin's name, the property `plugin_name`.
    pub fn plugin_name(mut self, name: impl Into<String>) -> Self {
        self.settings.plugin_name = name.into();
        self
    }

    /// Sets the root id, the property `plugin_root_id`.
    pub fn root_id(mut self, id: impl Into<String>) -> Self {
        self.settings.root_id = id.into();
        self
    }

    /// Sets the `vm_id`. Hosts with one `vm_id` on one [`Shared`] see the same shared data.
    pub fn vm_id(mut self, id: impl Into<String>) -> Self {
        self.settings.vm_id = id.into();
        self
    }

    /// Sets the VM configuration.
    pub fn vm_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.settings.vm_configuration = bytes.into();
        self
    }

    /// Sets the plugin configuration.
    pub fn plugin_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.configuration = bytes.into().into();
        self
    }

    /// Adds an environment variable.
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

    /// Sets the policy for requests after the VM has failed.
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.settings.failure_policy = policy;
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
            self.configuration,
        )
    }
}
