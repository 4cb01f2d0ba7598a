//! istiod's rules once more, each beside the Go function that it was read from.
//!
//! Read in the module `istio.io/istio` v0.0.0-20260827124520-eed52ebb66ad, and never in the code under test: it goes
//! over JSON as istiod goes over its messages, in istiod's order.

use std::cmp::Reverse;

use serde_json::{Value, json};

use crate::check::istio::settings::Mode;
use crate::check::istio::translate::Plugin;

/// A control plane with its resources.
pub(super) struct Istiod {
    mesh: Value,
    trace_sampling: f64,
    // By namespace, then by age.
    telemetries: Vec<Value>,
}

/// A sidecar.
pub(super) struct Proxy<'a> {
    pub(super) namespace: &'a str,
    pub(super) labels: &'a Value,
    /// The annotation `proxy.istio.io/config` of its pod.
    pub(super) annotation: Option<&'a Value>,
}

/// The tracing of one listener class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tracing {
    /// True if spans of Envoy's own leave.
    pub(super) runs: bool,
    /// True if a Telemetry says `disableSpanReporting`.
    pub(super) is_disabled: bool,
    /// True if a Telemetry says `disableContextPropagation`.
    pub(super) is_silent: bool,
    /// `random_sampling`, also where no tracer runs that would ask for it, because the filter takes it over.
    pub(super) percentage: f64,
}

/// `ApplyMeshConfig` of pkg/config/mesh/mesh.go, over `DefaultMeshConfig`.
pub(super) fn apply_mesh_config(yaml: &Value) -> Value {
    let mut mesh = json!({
        "enableTracing": true,
        "rootNamespace": "istio-system",
        "defaultConfig": {},
        "defaultProviders": {},
        "extensionProviders": [
            {"name": "prometheus", "prometheus": {}},
            {"name": "stackdriver", "stackdriver": {}},
            {"name": "envoy", "envoyFileAccessLog": {"path": "/dev/stdout"}},
        ],
    });
    for (key, value) in fields(yaml) {
        match key.as_str() {
            "defaultConfig" => merge_proxy_config(value, &mut mesh["defaultConfig"]),
            "defaultProviders" => apply_json(value, &mut mesh["defaultProviders"]),
            "extensionProviders" => {
                for provider in value.as_array().expect("a list") {
                    let list = mesh["extensionProviders"].as_array_mut().expect("a list");
                    match list
                        .iter_mut()
                        .find(|known| known["name"] == provider["name"])
                    {
                        Some(known) => *known = provider.clone(),
                        None => list.push(provider.clone()),
                    }
                }
            }
            _ => mesh[key] = value.clone(),
        }
    }
    mesh
}

/// `MergeProxyConfig` of pkg/config/mesh/mesh.go, without the metadata and headers that it merges by hand.
fn merge_proxy_config(yaml: &Value, config: &mut Value) {
    apply_json(yaml, config);
}

/// `unmarshalMessage` of jsonpb/decode.go: a field of the text replaces that of the message, a message as a whole,
/// because it is read into `m.NewField`; null is passed over.
fn apply_json(text: &Value, message: &mut Value) {
    for (key, value) in fields(text) {
        message[key] = value.clone();
    }
}

fn fields(message: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields = message.as_object().into_iter().flatten();
    fields.filter(|(_, value)| !value.is_null())
}

/// `unmarshalSingularValue` of jsonpb/decode.go for a double, quoted or not; 0 where there is none.
fn double(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().expect("a double"),
        value => value.as_f64().unwrap_or(0.0),
    }
}

/// `TraceSampling` of pilot/pkg/features/telemetry.go.
fn trace_sampling(variable: Option<&str>) -> f64 {
    let percentage = variable.map_or(Ok(1.0), str::parse).unwrap_or(1.0);
    match (0.0..=100.0).contains(&percentage) {
        true => percentage,
        false => 1.0,
    }
}

/// `env` of templates/deployment.yaml in istiod's chart, with the defaults of its values.yaml: the last of a name counts.
pub(super) fn chart_variable(values: &Value) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let mut variables: Vec<_> = values["env"]
        .get("PILOT_TRACE_SAMPLING")
        .map(text)
        .into_iter()
        .collect();
    let default = json!(1.0);
    let sampling = values.get("traceSampling").unwrap_or(&default);
    // {{- if .Values.traceSampling }}
    if !(sampling == "" || sampling.as_f64() == Some(0.0)) {
        variables.push(text(sampling));
    }
    variables.pop()
}

/// templates/configmap.yaml in istiod's chart: `mergeOverwrite $originalMesh .Values.meshConfig`.
pub(super) fn chart_mesh(values: &Value) -> Value {
    let global = &values["global"];
    let namespace = match &global["istioNamespace"] {
        Value::Null => json!("istio-system"),
        namespace => namespace.clone(),
    };
    let mut mesh = json!({"rootNamespace": namespace, "defaultConfig": {}});
    match global["proxy"]["tracer"].as_str() {
        None | Some("none") => {}
        Some("zipkin") => {
            mesh["defaultConfig"]["tracing"] = json!({"zipkin": {"address": "zipkin:9411"}});
        }
        Some(other) => panic!("{other} is not generated"),
    }
    merge_overwrite(&mut mesh, &values["meshConfig"]);
    mesh
}

fn merge_overwrite(into: &mut Value, from: &Value) {
    for (key, value) in fields(from) {
        match (&mut into[key], value) {
            (Value::Object(_), Value::Object(_)) => merge_overwrite(&mut into[key], value),
            (old, value) => *old = value.clone(),
        }
    }
}

impl Istiod {
    pub(super) fn new(mesh: &Value, variable: Option<&str>, telemetries: &[Value]) -> Self {
        // sortConfigByCreationTime of pilot/pkg/model/config.go.
        let mut telemetries = telemetries.to_vec();
        telemetries.sort_by_key(|resource| {
            let of = |key: &str| resource["metadata"][key].as_str().unwrap_or("").to_owned();
            (of("creationTimestamp"), of("name"), of("namespace"))
        });
        Self {
            mesh: apply_mesh_config(mesh),
            trace_sampling: trace_sampling(variable),
            telemetries,
        }
    }

    pub(super) fn root(&self) -> &str {
        self.mesh["rootNamespace"].as_str().expect("text")
    }

    fn of<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Value> {
        let list = self.telemetries.iter();
        list.filter(move |resource| resource["metadata"]["namespace"] == namespace)
    }

    /// `namespaceWideTelemetryConfig` of pilot/pkg/model/telemetry.go.
    fn namespace_wide(&self, namespace: &str) -> Option<&Value> {
        self.of(namespace).find(|resource| !has_selector(resource))
    }

    /// `applicableTelemetries` of pilot/pkg/model/telemetry.go: the entries of `tracing`, later ones over earlier ones.
    fn applicable(&self, proxy: &Proxy<'_>) -> Vec<&Value> {
        let mut found = Vec::new();
        found.extend(self.namespace_wide(self.root()));
        if proxy.namespace != self.root() {
            found.extend(self.namespace_wide(proxy.namespace));
        }
        for resource in self.of(proxy.namespace) {
            // ShouldAttachPolicy of pilot/pkg/model/policyattachment.go, for a selector.
            let is_subset = fields(&resource["spec"]["selector"]["matchLabels"])
                .all(|(name, value)| proxy.labels.get(name) == Some(value));
            if has_selector(resource) && is_subset {
                found.push(resource);
            }
        }
        let entries = found
            .into_iter()
            .flat_map(|resource| resource["spec"]["tracing"].as_array());
        entries.flatten().collect()
    }

    /// `fetchProvider` of pilot/pkg/model/telemetry.go.
    fn fetch_provider(&self, name: &Value) -> Option<&Value> {
        let name = name.as_str()?;
        let mut list = self.mesh["extensionProviders"].as_array()?.iter();
        list.find(|provider| {
            let own = provider["name"].as_str().expect("a name");
            own.eq_ignore_ascii_case(name)
        })
    }

    /// `Tracing` of pilot/pkg/model/telemetry.go, `configureTracingFromTelemetry` of pilot/pkg/networking/core/tracing.go,
    /// and Envoy, which without a provider takes the tracer of the bootstrap.
    pub(super) fn tracing(&self, proxy: &Proxy<'_>, mode: Mode) -> Tracing {
        let entries = self.applicable(proxy);
        // mesh.ApplyProxyConfig in pkg/kube/inject/webhook.go.
        let mut proxy_config = self.mesh["defaultConfig"].clone();
        merge_proxy_config(proxy.annotation.unwrap_or(&Value::Null), &mut proxy_config);
        let fallback = self.proxy_config_sampling_value(&proxy_config);
        let default = &self.mesh["defaultProviders"]["tracing"][0];
        if entries.is_empty() && default.is_null() {
            return Tracing {
                runs: self.mesh["enableTracing"] == true && has_tracer(&proxy_config),
                is_disabled: false,
                is_silent: false,
                percentage: fallback,
            };
        }
        let mut provider = self.fetch_provider(default);
        let (mut is_disabled, mut is_silent, mut percentage) = (false, false, None);
        for entry in entries {
            match (entry["match"]["mode"].as_str(), mode) {
                (Some("CLIENT"), Mode::Server) | (Some("SERVER"), Mode::Client) => continue,
                _ => {}
            }
            let names = entry["providers"].as_array();
            if let Some(first) = names.and_then(|names| names.first()) {
                provider = self.fetch_provider(&first["name"]);
            }
            is_disabled = entry["disableSpanReporting"]
                .as_bool()
                .unwrap_or(is_disabled);
            is_silent = entry["disableContextPropagation"]
                .as_bool()
                .unwrap_or(is_silent);
            percentage = entry["randomSamplingPercentage"].as_f64().or(percentage);
        }
        Tracing {
            runs: provider.is_some_and(can_trace) && !is_disabled,
            is_disabled,
            is_silent,
            percentage: percentage.unwrap_or(fallback),
        }
    }

    /// `proxyConfigSamplingValue` of pilot/pkg/networking/core/tracing.go.
    fn proxy_config_sampling_value(&self, config: &Value) -> f64 {
        match double(&config["tracing"]["sampling"]) {
            0.0 => self.trace_sampling,
            sampling if sampling > 100.0 => 1.0,
            sampling => sampling,
        }
    }

    /// `TrafficExtensionsByListenerInfo` and `sortByPriority` of pilot/pkg/model/push_context.go, for the plugins of one
    /// phase: the proxy's own namespace and then the root namespace, each by age, then stably by priority.
    pub(super) fn chain<'a>(
        &self,
        proxy: &Proxy<'_>,
        mode: Mode,
        plugins: &'a [Plugin],
    ) -> Vec<(usize, &'a Plugin)> {
        let mut namespaces = vec![proxy.namespace, self.root()];
        namespaces.dedup();
        let mut chain: Vec<_> = namespaces
            .into_iter()
            .flat_map(|namespace| {
                let own = plugins.iter().enumerate();
                let mut own: Vec<_> = own
                    .filter(|(_, plugin)| plugin.namespace == namespace)
                    .collect();
                // All are applied at once.
                own.sort_by_key(|(_, plugin)| &plugin.name);
                own
            })
            .filter(|(_, plugin)| {
                let is_picked = plugin
                    .selector
                    .iter()
                    .all(|(name, value)| proxy.labels[name] == value.as_str());
                is_picked && plugin.mode.is_none_or(|only| only == mode.name())
            })
            .collect();
        chain.sort_by_key(|(_, plugin)| Reverse(plugin.priority));
        // BuildHTTPFilters of pilot/pkg/networking/core/listener_builder.go: AUTHN, AUTHZ, STATS, then those without.
        let phase = |plugin: &Plugin| {
            ["AUTHN", "AUTHZ", "STATS"]
                .iter()
                .position(|phase| *phase == plugin.phase)
        };
        chain.sort_by_key(|(_, plugin)| phase(plugin).unwrap_or(usize::MAX));
        chain
    }
}

fn has_selector(resource: &Value) -> bool {
    fields(&resource["spec"]["selector"]["matchLabels"])
        .next()
        .is_some()
}

/// `getNodeMetadataOptions` of pkg/bootstrap/config.go and envoy_bootstrap.json: a tracer without an address is skipped.
fn has_tracer(config: &Value) -> bool {
    ["zipkin", "lightstep", "datadog"].iter().any(|tracer| {
        let address = config["tracing"][tracer]["address"].as_str();
        address.is_some_and(|address| !address.is_empty())
    })
}

/// `configureFromProviderConfig` of pilot/pkg/networking/core/tracing.go, without Lightstep, which is deprecated there.
fn can_trace(provider: &Value) -> bool {
    ["zipkin", "datadog", "skywalking", "opentelemetry"]
        .iter()
        .any(|kind| provider.get(kind).is_some())
}
