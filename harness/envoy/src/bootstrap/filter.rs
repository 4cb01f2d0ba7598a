//! HTTP filters, and the filter that loads a wasm module.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fields::merge;

/// An entry of a chain of HTTP filters.
#[derive(Clone, Debug)]
pub struct HttpFilter(Value);

impl HttpFilter {
    /// Returns any filter, by its name and its typed configuration (with `@type`).
    pub fn new(name: &str, typed_config: Value) -> Self {
        Self(json!({"name": name, "typed_config": typed_config}))
    }

    /// Returns the router, the filter at the end of every chain.
    pub fn router(options: Value) -> Self {
        let mut config =
            json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"});
        if let Value::Object(options) = &options {
            merge(&mut config, options);
        }
        Self::new("envoy.filters.http.router", config)
    }

    /// Returns a filter whose configuration Envoy reads from a file that it watches: extension config discovery, by which
    /// Istio delivers a WasmPlugin.
    pub fn discovered(name: &str, file: &Path) -> Self {
        Self(json!({
            "name": name,
            "config_discovery": {
                "config_source": {"path_config_source": {"path": file}, "resource_api_version": "V3"},
                "type_urls": [WASM_TYPE],
            },
        }))
    }

    pub(crate) fn to_json(&self) -> Value {
        self.0.clone()
    }
}

/// Envoy's policy for requests after the module has trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// A 503 for every request.
    Closed,
    /// A pass for every request, as if the filter were not there.
    Open,
    /// A new VM, after a pause.
    Reload,
}

/// A wasm module as an HTTP filter.
#[derive(Clone, Debug)]
pub struct Wasm {
    name: String,
    module: PathBuf,
    configuration: String,
    root_id: Option<String>,
    vm_id: Option<String>,
    policy: FailurePolicy,
    environment: Vec<(String, String)>,
    // An empty list allows all.
    capabilities: Vec<String>,
    vm_configuration: String,
    fields: serde_json::Map<String, Value>,
}

impl Wasm {
    /// Returns the filter of a module in a file, without a configuration, failing closed as Envoy does by default.
    pub fn new(name: &str, module: &Path) -> Self {
        Self {
            name: name.into(),
            module: module.into(),
            configuration: String::new(),
            root_id: None,
            vm_id: None,
            policy: FailurePolicy::Closed,
            environment: Vec::new(),
            capabilities: Vec::new(),
            vm_configuration: String::new(),
            fields: serde_json::Map::new(),
        }
    }

    /// Sets the plugin's configuration, byte for byte; Istio passes JSON in this way.
    pub fn configuration(mut self, text: &str) -> Self {
        text.clone_into(&mut self.configuration);
        self
    }

    /// Sets the plugin's root id (Istio: `pluginName`), empty by default.
    pub fn root_id(mut self, id: &str) -> Self {
        self.root_id = Some(id.into());
        self
    }

    /// Sets the id by which VMs share data.
    pub fn vm_id(mut self, id: &str) -> Self {
        self.vm_id = Some(id.into());
        self
    }

    /// Sets the policy for requests after the module has trapped.
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Adds an environment variable of the module.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Adds a capability of the module: a host call that it may make, or a callback that it gets. Without any it has all.
    pub fn capability(mut self, name: &str) -> Self {
        self.capabilities.push(name.into());
        self
    }

    /// Sets the configuration of the VM.
    pub fn vm_configuration(mut self, text: &str) -> Self {
        text.clone_into(&mut self.vm_configuration);
        self
    }

    /// Sets a field of the plugin's configuration by its name; null leaves out one that is there by default.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    /// Returns the filter with its configuration in place.
    pub fn filter(&self) -> HttpFilter {
        HttpFilter::new(&self.name, self.to_json())
    }

    pub(crate) fn network_filter(&self) -> Value {
        let mut config = self.to_json();
        config["@type"] = NETWORK_WASM_TYPE_URL.into();
        json!({"name": self.name, "typed_config": config})
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn to_json(&self) -> Value {
        let policy = match self.policy {
            FailurePolicy::Closed => "FAIL_CLOSED",
            FailurePolicy::Open => "FAIL_OPEN",
            FailurePolicy::Reload => "FAIL_RELOAD",
        };
        let variables: serde_json::Map<String, Value> = self
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let mut filter = json!({
            "@type": WASM_TYPE_URL,
            "config": {
                "name": self.name,
                "root_id": self.root_id.as_deref().unwrap_or_default(),
                "failure_policy": policy,
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": self.configuration,
                },
                "vm_config": {
                    "vm_id": self.vm_id.as_deref().unwrap_or_default(),
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": self.module}},
                    "environment_variables": {"key_values": variables},
                },
            },
        });
        if !self.capabilities.is_empty() {
            let allowed = self
                .capabilities
                .iter()
                .map(|name| (name.clone(), json!({})));
            let allowed: serde_json::Map<String, Value> = allowed.collect();
            filter["config"]["capability_restriction_config"] =
                json!({"allowed_capabilities": allowed});
        }
        if !self.vm_configuration.is_empty() {
            filter["config"]["vm_config"]["configuration"] = json!({
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": self.vm_configuration,
            });
        }
        merge(&mut filter["config"], &self.fields);
        if let Some(fields) = filter["config"].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        filter
    }
}

const NETWORK_WASM_TYPE_URL: &str =
    "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm";
const WASM_TYPE: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
const WASM_TYPE_URL: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
