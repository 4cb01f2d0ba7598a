//! Envoy's own envelope, `envoy.extensions.wasm.v3.PluginConfig`: its failure policy, its configuration, its keys.

use sidespan_core::config::suggest::nearest;

use super::cure::{one_of, other_type, other_word};
use super::judge::below;
use super::schema::{BOOLEAN, word};
use crate::check::input::document::Document;

/// Keys of a plugin and of its VM, by their names in protobuf.
const KEYS: [&str; 9] = [
    "name",
    "root_id",
    "vm_config",
    "configuration",
    "fail_open",
    "failure_policy",
    "reload_config",
    "capability_restriction_config",
    "allow_on_headers_stop_iteration",
];
/// Envoy's runtimes for modules; `null` is for code that is compiled into Envoy.
const RUNTIMES: [&str; 3] = [
    "envoy.wasm.runtime.v8",
    "envoy.wasm.runtime.wasmtime",
    "envoy.wasm.runtime.wamr",
];
const POLICIES: [&str; 4] = ["UNSPECIFIED", "FAIL_RELOAD", "FAIL_CLOSED", "FAIL_OPEN"];

/// The verdict on a plugin: paths and sentences.
#[derive(Debug, Default)]
pub(in crate::check) struct Verdict {
    /// Reasons why Envoy or the filter refuses it.
    pub(in crate::check) errors: Vec<(String, String)>,
    /// Risks of a plugin that Envoy takes.
    pub(in crate::check) warnings: Vec<(String, String)>,
}

/// Judges a plugin at a path.
pub(in crate::check) fn judge(
    config: Option<&Document>,
    path: &str,
    is_in_envoy_filter: bool,
) -> Verdict {
    let mut verdict = Verdict::default();
    let policy = FailurePolicy::of(config);
    for (key, message) in policy.errors() {
        verdict.errors.push((below(path, key), message));
    }
    let configuration = config.and_then(|config| config.at(&["configuration", "@type"]));
    let kind = configuration.and_then(Document::text).unwrap_or_default();
    if kind.rsplit('/').next() == Some("google.protobuf.Struct") {
        verdict.errors.push((
            below(path, "configuration"),
            "as google.protobuf.Struct it reaches the filter as bytes of protobuf, whatever Envoy's documentation says; \
             give it as google.protobuf.StringValue, with the JSON as text in value"
                .into(),
        ));
    }
    let vm = config.and_then(|config| either(config, ["vm_config", "vmConfig"]));
    if let Some((key, vm)) = vm {
        let errors = vm_errors(vm).into_iter();
        let at = below(path, key);
        verdict
            .errors
            .extend(errors.map(|(key, message)| (below(&at, key), message)));
    }
    let mut warn = |key: &str, message: String| verdict.warnings.push((below(path, key), message));
    if let Some(key) = policy.closes() {
        let cause = match vm.and_then(|(_, vm)| vm.at(&["code", "local"])) {
            // Envoy refuses a listener whose module is missing or broken, whatever the policy.
            Some(_) => "a filter that traps takes the traffic down",
            None => "a filter that cannot be loaded takes the traffic down",
        };
        let cure = match key {
            "fail_open" | "failOpen" => "set fail_open: true",
            _ => "write fail_open: true in its place",
        };
        warn(key, format!("{cause}; {cure}"));
    }
    if let Some(key) = policy.newer_than_istio().filter(|_| is_in_envoy_filter) {
        warn(
            key,
            "Istio before 1.25 drops this key, and the filter then fails closed; write fail_open: true in its place"
                .into(),
        );
    }
    // No errors, because Envoy takes unknown keys from a control plane.
    for (key, message) in unknown_keys(config) {
        warn(key, message);
    }
    verdict
}

/// Returns a field with the name that it is written by, because Envoy takes the names of protobuf and of JSON.
fn either<'a>(
    value: &'a Document,
    names: [&'static str; 2],
) -> Option<(&'static str, &'a Document)> {
    names
        .into_iter()
        .find_map(|name| Some((name, value.get(name)?)))
}

/// Returns the errors of a VM, for which Envoy refuses the listener whatever the policy: keys and sentences.
fn vm_errors(vm: &Document) -> Vec<(&'static str, String)> {
    let mut errors = Vec::new();
    let is_nothing = |code: &Document| {
        matches!(code, Document::Null) || matches!(code, Document::Object(keys) if keys.is_empty())
    };
    if matches!(vm, Document::Object(_)) && vm.get("code").is_none_or(is_nothing) {
        errors.push((
            "code",
            "missing, and Envoy refuses a filter without a module; write code: {local: {filename: …}} with its file".into(),
        ));
    }
    if let Some(runtime) = vm.get("runtime").and_then(Document::text)
        && !runtime.is_empty()
        && !RUNTIMES.contains(&runtime)
    {
        errors.push(("runtime", other_word("runtime", runtime, &RUNTIMES)));
    }
    errors
}

/// The failure policy of a plugin: `fail_open` and `failure_policy`, each with the name that it is written by.
struct FailurePolicy<'a> {
    fail_open: Option<(&'static str, &'a Document)>,
    policy: Option<(&'static str, &'a Document)>,
}

impl<'a> FailurePolicy<'a> {
    /// Reads the failure policy of a plugin.
    fn of(config: Option<&'a Document>) -> Self {
        let find = |names: [&'static str; 2]| {
            let value = |name| Some((name, config?.get(name)?));
            let found = names.into_iter().find_map(value);
            found.filter(|(_, value)| **value != Document::Null)
        };
        Self {
            fail_open: find(["fail_open", "failOpen"]),
            policy: find(["failure_policy", "failurePolicy"]),
        }
    }

    /// Returns the policy in force, `FAIL_CLOSED` where nothing is said; `None` where Envoy refuses it.
    fn in_force(&self) -> Option<&'a str> {
        let policy = match self.policy {
            None => "UNSPECIFIED",
            Some((_, value)) => value.text().filter(|text| POLICIES.contains(text))?,
        };
        let is_open = match self.fail_open {
            None => false,
            Some((_, value)) => value.boolean()?,
        };
        match (policy, is_open) {
            ("UNSPECIFIED", true) => Some("FAIL_OPEN"),
            ("UNSPECIFIED", false) => Some("FAIL_CLOSED"),
            (_, true) => None,
            (policy, false) => Some(policy),
        }
    }

    /// Returns the key that decides, where traffic stops with the filter.
    fn closes(&self) -> Option<&'static str> {
        let is_closed = self.in_force().is_some_and(|policy| policy != "FAIL_OPEN");
        is_closed.then_some(match (self.policy, self.fail_open) {
            (Some((name, _)), _) | (None, Some((name, _))) => name,
            (None, None) => "fail_open",
        })
    }

    /// Returns the errors: keys and sentences.
    fn errors(&self) -> Vec<(&'static str, String)> {
        let mut errors = Vec::new();
        if let Some((name, value)) = self.fail_open
            && value.boolean().is_none()
        {
            errors.push((name, other_type(name, &BOOLEAN, value)));
        }
        if let Some((name, value)) = self.policy {
            match value.text() {
                Some(text) if POLICIES.contains(&text) => {}
                Some(text) => errors.push((name, other_word(name, text, &POLICIES))),
                None => errors.push((name, other_type(name, &word(&POLICIES), value))),
            }
        }
        if errors.is_empty()
            && let (None, Some((name, _))) = (self.in_force(), self.policy)
        {
            errors.push((
                name,
                "not beside fail_open: true, with which Envoy refuses it; leave it out".into(),
            ));
        }
        errors
    }

    /// Returns the key that Istio before 1.25 drops, and then fails closed, because its Envoy protobufs lack it.
    fn newer_than_istio(&self) -> Option<&'static str> {
        let (name, value) = self.policy?;
        let is_open = self.in_force() == Some("FAIL_OPEN");
        (is_open && value.text() != Some("UNSPECIFIED")).then_some(name)
    }
}

/// Returns the unknown keys of a plugin, with sentences.
fn unknown_keys(config: Option<&Document>) -> Vec<(&str, String)> {
    let Some(Document::Object(pairs)) = config else {
        return Vec::new();
    };
    pairs
        .iter()
        .map(|(key, _)| key.as_str())
        .filter(|key| {
            !KEYS
                .iter()
                .any(|known| known == key || camel(known) == **key)
        })
        .map(|key| {
            let cure = match nearest(key, &KEYS) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known here: {}", one_of(&KEYS)),
            };
            (
                key,
                format!(
                    "unknown key, which Istio drops and Envoy refuses in its own files; {cure}"
                ),
            )
        })
        .collect()
}

/// Returns the name of a field in the JSON of protobuf.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1);
        name + &head.to_ascii_uppercase() + tail
    })
}
