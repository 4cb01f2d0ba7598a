//! The static configuration that an Envoy is started with (its bootstrap): node, listeners, clusters.
//!
//! The types have the fields that tests and the demo vary. The `with` methods set any other field by its name; a wrong name
//! is refused by Envoy itself, at its start.

pub(crate) mod cluster;
mod fields;
pub(crate) mod filter;
pub(crate) mod hot_restart;
pub(crate) mod listener;
pub(crate) mod node;
pub(crate) mod tracer;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde_json::{Map, Value, json};

use cluster::Cluster;
use fields::merge;
use hot_restart::{Handover, HotRestart};
use listener::Listener;
use node::Node;

/// A static configuration of an Envoy.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    node: Node,
    listeners: Vec<Listener>,
    clusters: Vec<Cluster>,
    concurrency: u32,
    log_levels: String,
    log_format: Option<String>,
    hot_restart: HotRestart,
    arguments: Vec<String>,
    variables: Vec<(String, OsString)>,
    fields: Map<String, Value>,
}

impl Bootstrap {
    /// Returns an Envoy with one worker, no listener and no cluster.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            listeners: Vec::new(),
            clusters: Vec::new(),
            concurrency: 1,
            log_levels: "wasm:info".into(),
            log_format: None,
            hot_restart: HotRestart::default(),
            arguments: Vec::new(),
            variables: Vec::new(),
            fields: Map::new(),
        }
    }

    /// Adds a listener.
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Adds a cluster.
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// Sets the number of worker threads, 1 by default.
    pub fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// Sets the log levels of components, in the form of `--component-log-level`; `wasm:info` by default.
    pub fn log_levels(mut self, levels: &str) -> Self {
        levels.clone_into(&mut self.log_levels);
        self
    }

    /// Sets the form of a log line, as `--log-format` takes it, in place of Envoy's own.
    pub fn log_format(mut self, format: &str) -> Self {
        self.log_format = Some(format.into());
        self
    }

    /// Lets another Envoy take over from this one by hot restart: one whose bootstrap has been through `Envoy::hands_over_to`.
    pub fn hot_restart(mut self) -> Self {
        self.hot_restart = HotRestart::First;
        self
    }

    pub(crate) fn takes_over(mut self, handover: Handover) -> Self {
        self.hot_restart = HotRestart::Next(handover);
        self
    }

    /// Adds arguments of the command line.
    pub fn with_arguments(mut self, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string);
        self.arguments.extend(arguments);
        self
    }

    /// Sets a variable of the process's environment.
    pub fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets a field of the bootstrap by its name.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    /// Returns the configuration as Envoy reads it, with access logs in `folder`.
    pub fn to_json(&self, folder: &Path) -> Value {
        let listeners: Vec<Value> = self
            .listeners
            .iter()
            .map(|listener| listener.to_json(folder, self.hot_restart.port(listener.name())))
            .collect();
        let clusters: Vec<Value> = self.clusters.iter().map(Cluster::to_json).collect();
        let mut root = json!({
            "node": self.node.to_json(),
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {"listeners": listeners, "clusters": clusters},
        });
        merge(&mut root, &self.fields);
        root
    }

    /// Returns the arguments of the command line, but for those of every Envoy.
    pub(crate) fn arguments(&self, folder: &Path) -> Vec<OsString> {
        let workers = self.concurrency.to_string();
        let mut all: Vec<&str> = vec!["--concurrency", &workers];
        all.extend(["--component-log-level", &self.log_levels]);
        if let Some(format) = &self.log_format {
            all.extend(["--log-format", format]);
        }
        all.extend(self.arguments.iter().map(String::as_str));
        let all = all.into_iter().map(OsString::from);
        all.chain(self.hot_restart.arguments(folder)).collect()
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        let variables = self.variables.iter();
        variables.map(|(name, value)| (name.as_str(), value.as_os_str()))
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.hot_restart.epoch()
    }
}
