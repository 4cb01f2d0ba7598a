//! The places in a document where the filter's configuration stands.
//!
//! An Istio WasmPlugin has the configuration in `spec.pluginConfig`, a TrafficExtension in `spec.wasm.pluginConfig`,
//! Envoy Gateway's EnvoyExtensionPolicy in `spec.wasm[].config`; a document with Envoy's own configuration (a bootstrap,
//! an EnvoyFilter, an answer of ECDS) has it in the wasm filter, as text. [`envelope`](super::envelope) judges all that
//! stands around it. As a network filter the module cannot work at all, so a network filter is an error wherever it
//! stands. A plugin without any of Sidespan's names belongs to others and is skipped. Any other document that is neither
//! Kubernetes' nor Envoy's is the configuration itself.

mod chain_end;
mod envoy_gateway;
mod found;
mod kept_route;
mod native_tracer;
mod path;
mod unrecognised;
mod wasm_filter;

use super::envelope::{Kind, advice, foreign, mentions_sidespan, plugin_config};
use super::input::document::Document;
use super::input::environment::Environment;
use super::input::foreign as others;
use super::input::plugin_owner::Names;
use super::input::stand_in::StandIn;
use super::istio::plugin_scope::Scope;
use found::json;
pub use found::{Findings, Found};
use path::Path;
use wasm_filter::{Filter, either};

/// Finds all configurations of a document.
pub fn configurations(document: &Document) -> Findings {
    let mut finder = Findings::default();
    let root = Path::Root {
        has_tracer: native_tracer::is_in_bootstrap(document),
    };
    finder.visit(document, &root, None);
    let is_foreign = FOREIGN.iter().any(|key| document.get(key).is_some())
        || others::foreign(document).is_some();
    let is_empty = finder.found.is_empty()
        && [&finder.errors, &finder.warnings, &finder.skipped]
            .iter()
            .all(|list| list.is_empty());
    if is_empty && !is_foreign {
        finder.found.push(Found {
            path: "$".into(),
            json: json(Some(document)),
            warnings: Vec::new(),
            environment: None,
            scope: None,
            is_in_envoy_gateway: false,
        });
    }
    finder
}

impl Findings {
    /// Looks below a document; `entry` is the name next to it, which an entry in a list of filters has.
    fn visit(&mut self, document: &Document, path: &Path<'_>, entry: Option<&Document>) {
        match document {
            Document::Object(pairs) => {
                if let Some(kind) = Kind::of(document) {
                    return self.istio(document, path, kind);
                }
                if envoy_gateway::is_policy(document) {
                    return self.envoy_gateway(document, path);
                }
                if let Some(problem) = unrecognised::resource(document, path) {
                    return self.errors.push(problem);
                }
                self.errors.extend(unrecognised::list(document, path));
                if let Some(filter) = StandIn::of(document) {
                    return self.stand_in(filter, path, entry);
                }
                if let Some(problem) = unrecognised::filter(document, path, entry) {
                    return self.errors.push(problem);
                }
                if let Some(filter) = Filter::named_by(document.get("@type")) {
                    let at = path.key("@type");
                    return self.envoy(document, path, entry, filter, &at);
                }
                for key in ["type_url", "typeUrl"] {
                    if let Some(filter) = Filter::named_by(document.get(key))
                        && let Some(value) = document.get("value")
                    {
                        return self.envoy(
                            value,
                            &path.key("value"),
                            entry,
                            filter,
                            &path.key(key),
                        );
                    }
                }
                let before = self.found.len();
                for (key, value) in pairs {
                    self.visit(value, &path.key(key), document.get("name"));
                }
                self.native_tracing(document, path, before);
                self.places(document, path, before);
            }
            Document::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.visit(value, &Path::Index(path, index), None);
                }
            }
            _ => {}
        }
    }

    /// Tells of a filter that Istio's agent put in the place of a plugin.
    fn stand_in(&mut self, filter: StandIn<'_>, path: &Path<'_>, entry: Option<&Document>) {
        let name = entry.and_then(Document::text);
        let told = (path.key(filter.key).to_string(), filter.told(name));
        let is_of_others = name.is_some_and(|name| !name.to_ascii_lowercase().contains("sidespan"));
        match (is_of_others, filter.denies) {
            (true, _) => self.skipped.push(told),
            (false, true) => self.errors.push(told),
            (false, false) => self.warnings.push(told),
        }
    }

    /// Judges a resource of Istio's, or skips the one of another product with a kind of the same name.
    fn istio(&mut self, document: &Document, path: &Path<'_>, kind: &Kind) {
        if let Some(sentence) = foreign(kind, document) {
            return self.skipped.push((path.to_string(), sentence));
        }
        match kind.name {
            "EnvoyFilter" => self.envoy_filter(document, path, kind),
            "Telemetry" => self.errors.extend(kind.errors(document, &path.to_string())),
            _ => self.plugin(document, path, kind),
        }
    }

    /// Looks for filters in the patches, and judges what has Sidespan's.
    fn envoy_filter(&mut self, document: &Document, path: &Path<'_>, kind: &Kind) {
        let (found, errors) = (self.found.len(), self.errors.len());
        if let Document::Object(pairs) = document {
            for (key, value) in pairs {
                self.visit(value, &path.key(key), None);
            }
        }
        self.patched(document, path, found);
        let has_ours = self.found.len() > found || self.errors.len() > errors;
        if has_ours || Names::of_istio(document, &Document::Null).are_ours() {
            let around = kind.errors(document, &path.to_string());
            self.errors.splice(errors..errors, around);
        }
    }

    fn plugin(&mut self, document: &Document, path: &Path<'_>, kind: &Kind) {
        let nothing = Document::Null;
        let spec = document.get("spec").unwrap_or(&nothing);
        let mut at = format!("{path}.spec");
        let mut plugin = spec;
        if kind.name == "TrafficExtension" {
            match (spec.get("wasm"), spec.get("lua")) {
                (Some(wasm), _) => {
                    plugin = wasm;
                    at.push_str(".wasm");
                }
                // A script by itself is no installation of the filter, whatever its name.
                (None, Some(_)) => return,
                // All under `spec`, as in a WasmPlugin: an error, and yet Sidespan's.
                (None, None) => {}
            }
        }
        let names = Names::of_istio(document, plugin);
        if !names.are_ours() && !mentions_sidespan(spec) {
            return self.skipped.push((at, names.skipped()));
        }
        self.errors.extend(kind.errors(document, &path.to_string()));
        if plugin.get("type").and_then(Document::text) == Some("NETWORK") {
            self.refuse_network(Filter::Network, || format!("{at}.type"));
        }
        let config = plugin.get("pluginConfig");
        let mut found = Found {
            path: format!("{at}.pluginConfig"),
            // A value of another type has its error already.
            json: json(config.filter(|config| matches!(config, Document::Object(_)))),
            warnings: advice::warnings(&path.to_string(), spec, &at, plugin),
            environment: Some(Environment::of_istio(plugin, &at)),
            scope: Some(Scope::of(document)),
            is_in_envoy_gateway: false,
        };
        if found.is_attempt() {
            found.warnings.push((
                format!("{at}.pluginConfig.role"),
                "Istio installs plugins in front of the router; role attempt belongs behind it, \
                 into the router's upstream_http_filters, which an EnvoyFilter can merge"
                    .into(),
            ));
        }
        self.found.push(found);
    }

    /// Adds an error for a network filter, because all filters of a module share a VM and one that runs as a network
    /// filter traps.
    fn refuse_network(&mut self, filter: Filter, at: impl FnOnce() -> String) {
        if filter == Filter::Network {
            self.errors.push((
                at(),
                "as a network filter the module traps at the first connection and takes its HTTP filters with it; \
                 install it as an HTTP filter (Istio: leave `type` out; Envoy: envoy.filters.http.wasm)"
                    .into(),
            ));
        }
    }

    fn envoy(
        &mut self,
        wasm: &Document,
        path: &Path<'_>,
        entry: Option<&Document>,
        filter: Filter,
        kind_at: &Path<'_>,
    ) {
        let names = Names::of_envoy(entry, wasm);
        if !names.are_ours() {
            return self.skipped.push((path.to_string(), names.skipped()));
        }
        self.refuse_network(filter, || kind_at.to_string());
        let config = wasm.get("config");
        let field = |names: [&str; 2]| config.and_then(|config| either(config, names));
        let judged =
            plugin_config::judge(config, &format!("{path}.config"), path.is_in_envoy_filter());
        self.errors.extend(judged.errors);
        let vm = field(["vm_config", "vmConfig"]);
        let environment = Environment::of_envoy(vm, &format!("{path}.config"));
        let mut found = Found {
            path: format!("{path}.config.configuration"),
            json: String::new(),
            warnings: judged.warnings,
            environment: Some(environment),
            scope: None,
            is_in_envoy_gateway: false,
        };
        let Some(configuration) = field(["configuration"; 2]) else {
            return self.found.push(found);
        };
        let of_type = configuration.get("@type").and_then(Document::text);
        let kind = of_type.and_then(|kind| kind.rsplit('/').next());
        found.path.push_str(".value");
        found.json = match (kind, configuration.get("value")) {
            (_, None) => String::new(),
            (Some("google.protobuf.StringValue"), Some(Document::String(text))) => text.clone(),
            (Some("google.protobuf.Struct"), Some(value)) => json(Some(value)),
            _ => {
                return self.errors.push((
                    found.path,
                    "expected google.protobuf.StringValue with the JSON as text".into(),
                ));
            }
        };
        self.found.push(found);
    }

    /// Notes for which workloads the patches of an EnvoyFilter install what was found in them.
    fn patched(&mut self, resource: &Document, path: &Path<'_>, before: usize) {
        let patches = resource
            .get("spec")
            .map_or(&[][..], |spec| spec.items("configPatches"));
        for (index, patch) in patches.iter().enumerate() {
            let at = format!("{path}.spec.configPatches[{index}].");
            for found in self.found.iter_mut().skip(before) {
                if found.path.starts_with(&at) {
                    found.scope = Some(Scope::of_patch(resource, patch));
                }
            }
        }
    }

    /// Judges the place of each filter in its chain: what stands in front, and what the chain ends with.
    fn places(&mut self, manager: &Document, path: &Path<'_>, before: usize) {
        let base = path.to_string();
        for found in self.found.iter_mut().skip(before) {
            let warnings = kept_route::warnings(manager, &base, &found.path);
            found.warnings.extend(warnings);
            let is_patch = path.is_in_envoy_filter();
            let error = chain_end::error(manager, &base, &found.path, is_patch);
            self.errors.extend(error);
        }
    }

    /// Warns of Envoy's own tracer, which writes its headers after all filters, over those of the filter.
    fn native_tracing(&mut self, manager: &Document, path: &Path<'_>, before: usize) {
        if !native_tracer::writes_headers(manager, path.has_tracer()) {
            return;
        }
        // A filter for attempts runs behind the router, after Envoy's tracer.
        let first = self
            .found
            .iter_mut()
            .skip(before)
            .find(|found| !found.is_attempt());
        if let Some(found) = first {
            found.warnings.push((
                format!("{path}.tracing"),
                "Envoy's own tracer overwrites the headers that the filter writes; \
                 remove it, set no_context_propagation: true, or install the filter with role attempt as well"
                    .into(),
            ));
        }
    }
}

/// Keys that no configuration of the filter has.
const FOREIGN: [&str; 9] = [
    "typed_config",
    "typedConfig",
    "apiVersion",
    "kind",
    "@type",
    "resources",
    "static_resources",
    "staticResources",
    "dynamic_resources",
];
