//! The static configuration that an Envoy is started with (its bootstrap): node, listeners, clusters.
//!
//! The types have the fields that tests and the demo vary. The `with` methods set any other field by its name; a wrong name
//! is refused by Envoy itself, at its start.

pub(crate) mod cluster;
mod fields;
pub(crate) mod filter;
pub(crate) mod listener;
pub(crate) mod node;
pub(crate) mod tracer;

use std::path::Path;

use serde_json::{Map, Value, json};

use cluster::Cluster;
use fields::merge;
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
            .map(|listener| listener.to_json(folder))
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

    pub(crate) fn workers(&self) -> u32 {
        self.concurrency
    }

    /// Returns what the command line says about logs.
    pub(crate) fn log_arguments(&self) -> Vec<&str> {
        let levels = ["--component-log-level", self.log_levels.as_str()];
        let format = self.log_format.as_deref();
        let format = format.into_iter().flat_map(|it| ["--log-format", it]);
        levels.into_iter().chain(format).collect()
    }
}
