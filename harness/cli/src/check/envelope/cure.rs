//! Cures: what was meant by an unknown key, by a word that is none of a list, by a value of another type.
//!
//! No sentence here repeats a value, because none of these keys is Sidespan's, and a value in the wrong place may be a
//! secret.

use sidespan_core::config::SECTIONS;
use sidespan_core::config::suggest::nearest;

use super::kinds::Kind;
use super::schema::{Field, Schema, Shape};
use crate::check::input::document::Document;

/// Returns the sentence on an unknown key of the object at these keys.
pub(super) fn unknown(kind: &Kind, at: &[&str], known: &[Field], key: &str) -> String {
    let names: Vec<_> = known.iter().map(|field| field.name).collect();
    let cure = habit(kind, at, key)
        .or_else(|| section(kind, key))
        .or_else(|| nearest(key, &names).map(|name| format!("did you mean `{name}`?")))
        .or_else(|| elsewhere(kind, at, key).map(|place| format!("it belongs into `{place}`")))
        .unwrap_or_else(|| format!("known here: {}", names.join(", ")));
    format!("unknown key; {cure}")
}

/// Returns the cure of a key that people know from elsewhere.
fn habit(kind: &Kind, at: &[&str], key: &str) -> Option<String> {
    let is_plugin = match kind.name {
        "WasmPlugin" => at == ["spec"],
        "TrafficExtension" => at == ["spec", "wasm"] || at == ["spec"],
        _ => false,
    };
    let plain = plain(key);
    let cure = match (at, plain.as_str()) {
        ([.., "selector"], "labels") => "did you mean `matchLabels`?",
        ([.., "workloadSelector"], "matchlabels") => "did you mean `labels`?",
        ([.., "selector"], "matchexpressions") => "Istio's selector takes `matchLabels` alone",
        ([.., "selector"], _) => {
            return Some(format!(
                "a label belongs into matchLabels: `selector: {{matchLabels: {{{key}: …}}}}`"
            ));
        }
        ([.., "workloadSelector"], _) => {
            return Some(format!(
                "a label belongs into labels: `workloadSelector: {{labels: {{{key}: …}}}}`"
            ));
        }
        (["spec"], "selector") if kind.name == "EnvoyFilter" => {
            "write `workloadSelector: {labels: {…}}`, for without it every pod gets the patches"
        }
        (["spec"], "workloadselector") if kind.name != "EnvoyFilter" => {
            "write `selector: {matchLabels: {…}}`, for without it every workload is meant"
        }
        (["spec"], "wasm") if kind.name == "WasmPlugin" => {
            "in a WasmPlugin its keys stand directly under `spec`"
        }
        (_, "config" | "configuration" | "pluginconfiguration" | "settings") if is_plugin => {
            match (kind.name, at) {
                ("TrafficExtension", ["spec"]) => "write `wasm: {pluginConfig: …}`",
                _ => "did you mean `pluginConfig`?",
            }
        }
        (_, "failurepolicy" | "failopen") if is_plugin => "write `failStrategy: FAIL_OPEN`",
        (_, "imagepullsecrets") if is_plugin => {
            "write `imagePullSecret: NAME`, one name and no list"
        }
        (_, "image") if is_plugin => "write `url: oci://…`",
        (_, "rootid" | "name") if is_plugin => "write `pluginName`",
        (_, "environment") if is_plugin => "write `vmConfig: {env: [{name: …, value: …}]}`",
        (["spec", "tracing"], "sampling" | "samplingpercentage" | "percentage") => {
            "write `randomSamplingPercentage`"
        }
        (["spec", "tracing"], "disabled" | "disabletracing") => "write `disableSpanReporting`",
        _ => return None,
    };
    Some(cure.into())
}

/// Returns the place of a section of the filter's own configuration.
fn section(kind: &Kind, key: &str) -> Option<String> {
    let place = match kind.name {
        "WasmPlugin" => "spec.pluginConfig",
        "TrafficExtension" => "spec.wasm.pluginConfig",
        _ => return None,
    };
    SECTIONS
        .contains(&key)
        .then(|| format!("it belongs into `{place}`"))
}

/// Returns the place of the same key in another object of the resource: the one with the longest way in common, or else
/// the shortest.
fn elsewhere(kind: &Kind, at: &[&str], key: &str) -> Option<String> {
    if ["name", "namespace", "kind", "labels", "value"].contains(&key) {
        return None;
    }
    let mut places = Vec::new();
    search(&kind.resource, &plain(key), &mut Vec::new(), &mut places);
    let common = |place: &[Step]| {
        let steps = place.iter().zip(at);
        steps.take_while(|(step, name)| step.name == **name).count()
    };
    let best = places
        .iter()
        .filter(|place| !place.is_empty())
        .min_by_key(|place| (usize::MAX - common(place), place.len()))?;
    let steps: Vec<_> = best
        .iter()
        .map(|step| format!("{}{}", step.name, if step.is_list { "[]" } else { "" }))
        .collect();
    Some(steps.join("."))
}

/// One key of a way through a schema.
#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    is_list: bool,
}

fn search(schema: &Schema, key: &str, way: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match &schema.shape {
        Shape::Object(fields) => {
            if fields.iter().any(|field| plain(field.name) == key) {
                found.push(way.clone());
            }
            for field in *fields {
                way.push(Step {
                    name: field.name,
                    is_list: matches!(field.schema.shape, Shape::List { .. }),
                });
                search(&field.schema, key, way, found);
                way.pop();
            }
        }
        Shape::List { items, .. } => search(items, key, way, found),
        Shape::Map { values, .. } => search(values, key, way, found),
        _ => {}
    }
}

/// Returns a key without case, `-` and `_`.
fn plain(key: &str) -> String {
    let letters = key.chars().filter(|letter| !matches!(letter, '-' | '_'));
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Returns the sentence on a text that is none of these words.
pub(super) fn other_word(key: &str, text: &str, words: &[&'static str]) -> String {
    let meant = match (key, plain(text).as_str()) {
        ("mode", "inbound") => Some("SERVER"),
        ("mode", "outbound") => Some("CLIENT"),
        ("mode", "both" | "any" | "all") => Some("CLIENT_AND_SERVER"),
        ("context", "inbound" | "anyinbound") => Some("SIDECAR_INBOUND"),
        ("context", "outbound" | "anyoutbound") => Some("SIDECAR_OUTBOUND"),
        ("imagePullPolicy", "never") => Some("IfNotPresent"),
        ("failStrategy", "open" | "ignore") => Some("FAIL_OPEN"),
        ("operation", "prepend" | "first") => Some("INSERT_FIRST"),
        _ => nearest(text, words),
    };
    let meant = meant.filter(|word| words.contains(word));
    let cure = meant.map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
    format!("expected {}{cure}", one_of(words))
}

/// Returns words as `A, B or C`, without those that say nothing.
pub(super) fn one_of(words: &[&str]) -> String {
    let silent = ["UNSPECIFIED", "UNDEFINED", "INVALID"];
    let told: Vec<_> = words
        .iter()
        .filter(|word| !silent.iter().any(|silent| word.starts_with(silent)))
        .copied()
        .collect();
    match told.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => told.join(", "),
    }
}

/// Returns the sentence on a value of another type.
pub(super) fn other_type(key: &str, schema: &Schema, value: &Document) -> String {
    let expected = match &schema.shape {
        Shape::Object(_) | Shape::Free | Shape::Map { .. } => "an object".into(),
        Shape::List { .. } => "a list".into(),
        Shape::Text { .. } => "a string".into(),
        Shape::Word(words) => one_of(words),
        Shape::Integer { .. } => "an integer".into(),
        Shape::Number { .. } => "a number".into(),
        Shape::Boolean => "true or false".into(),
    };
    let found = match value {
        Document::Null => "null",
        Document::Boolean(_) => "a boolean",
        Document::Number(_) => "a number",
        Document::String(_) => "a string",
        Document::List(_) => "a list",
        Document::Object(_) => "an object",
    };
    let cure = match (&schema.shape, value) {
        (Shape::Word(_), Document::Object(_)) if key == "valueFrom" => {
            "; Istio reads no Secret here, and HOST takes the variable from the proxy's own environment"
                .into()
        }
        (Shape::Text { .. } | Shape::Word(_), Document::Number(_) | Document::Boolean(_)) => {
            "; quote it".into()
        }
        (Shape::Integer { .. } | Shape::Number { .. }, Document::String(text))
            if text.trim().parse::<f64>().is_ok() =>
        {
            "; leave the quotes out".into()
        }
        (Shape::Boolean, Document::String(text)) if matches!(text.as_str(), "true" | "false") => {
            "; leave the quotes out".into()
        }
        (Shape::Free, Document::String(_)) => {
            "; write its keys below it, without quotes and without |".into()
        }
        (Shape::List { items, .. }, Document::Object(_)) => match only_key(items) {
            Some(name) => format!("; write `[{{{name}: …}}]`"),
            None => "; put `- ` in front of its first key".into(),
        },
        (Shape::List { items, .. }, _) if matches!(items.shape, Shape::Object(_)) => {
            only_key(items).map_or_else(String::new, |name| format!("; write `[{{{name}: …}}]`"))
        }
        (Shape::Object(_), _) => {
            only_key(schema).map_or_else(String::new, |name| format!("; write `{{{name}: …}}`"))
        }
        _ => String::new(),
    };
    format!("expected {expected}, found {found}{cure}")
}

/// Returns the key of an object that has one key alone, or requires one alone.
fn only_key(schema: &Schema) -> Option<&'static str> {
    let Shape::Object(fields) = schema.shape else {
        return None;
    };
    let required: Vec<_> = fields.iter().filter(|field| field.is_required).collect();
    match (fields, required.as_slice()) {
        ([only], _) => Some(only.name),
        (_, [only]) => Some(only.name),
        _ => None,
    }
}

/// Returns the sentence on a key that must be there.
pub(super) fn missing(key: &str) -> String {
    let cure = match key {
        "url" => "write the image's place, as `url: oci://registry.example.com/sidespan-filter:1`",
        "spec" => "all settings stand below it",
        _ => "an API server refuses the resource without it",
    };
    format!("missing; {cure}")
}
