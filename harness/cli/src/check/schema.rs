//! The JSON Schema of the filter's configuration, by which editors complete and explain keys.
//!
//! Limits, words and defaults are the parser's own constants; the forms of names, paths and durations are written here
//! once more, as regular expressions. `tests/program/schema.rs` holds schema and parser equal over thousands of
//! configurations. The schema is in this crate because its sentences would double the filter's module.
//!
//! The dialect is 2020-12, of which only what draft 7 has as well is used, because some editors know no later one; for
//! the same reason nothing is shared by `$ref`, beside which draft 7 ignores descriptions.
//!
//! A schema cannot say everything. These rules are the parser's alone:
//!
//! - `propagation.extract`: `b3` stands before `b3multi`
//! - `spans.attributes`: a name comes once
//! - `export.queue.maxSpans` is at least `export.batch.maxSpans`, where both are set
//! - `export.retry.max` is at least `export.retry.initial`, where both are set
//! - no key is repeated, and a configuration has at most 256 KiB, in at most 128 levels

use serde_json::{Value, json};
use sidespan_core::config::{ATTEMPT_SECTIONS, DIRECTIONS, ROLES, SECTIONS};

mod attributes;
mod export;
mod number;
mod propagation;
mod request_match;
mod sampling;
mod spans;
mod value;

use value::{Schema, boolean, object, words};

/// Returns the schema of a configuration.
pub fn schema() -> Value {
    let refused: Vec<_> = SECTIONS
        .into_iter()
        .filter(|section| !ATTEMPT_SECTIONS.contains(section))
        .map(|section| (section.to_owned(), json!(false)))
        .collect();
    let mut attempt: serde_json::Map<_, _> = refused.into_iter().collect();
    attempt.insert(
        "spans".into(),
        json!({"properties": {"accessLog": {"not": {"const": true}}}}),
    );
    attempt.insert(
        "propagation".into(),
        json!({"properties": {"baggage": false, "restoreTracestate": {"not": {"const": true}}}}),
    );
    let whole = object([
        ("propagation", propagation::propagation()),
        ("sampling", sampling::sampling()),
        ("trust", propagation::trust("What is believed of a context that comes in.")),
        (
            "correlation",
            object([(
                "requestId",
                boolean().default(false).says(
                    "An outgoing request without a context continues the trace of the incoming one with the same x-request-id, \
                     for applications that hand on nothing else.",
                ),
            )])
            .says("Contexts for applications that hand on none."),
        ),
        (
            "direction",
            words(&DIRECTIONS).default("auto").says(
                "Which way all requests go: inbound to the workload, outbound from it, edge through a gateway. auto asks the \
                 proxy for each listener, which costs up to 2 µs a request.",
            ),
        ),
        ("gateway", gateway()),
        ("spans", spans::spans()),
        ("export", export::export()),
        (
            "role",
            words(&ROLES).default("request").says(
                "request is an HTTP filter in front of the router, one span a request; attempt stands behind the router, in \
                 upstream_http_filters, one span a try, and takes propagation (but for baggage), spans, export and role alone.",
            ),
        ),
    ])
    .rule(json!({
        "if": {"required": ["role"], "properties": {"role": {"const": "attempt"}}},
        "then": {"properties": attempt},
    }))
    .says("pluginConfig of Sidespan's filter. Empty, the filter only translates: it starts no trace and exports nothing.");
    let mut whole = whole.into_value();
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    whole["title"] = format!("Sidespan {}, pluginConfig", env!("CARGO_PKG_VERSION")).into();
    whole
}

fn gateway() -> Schema {
    object([
        (
            "trust",
            propagation::trust("What is believed of a context from outside; in place of trust."),
        ),
        (
            "exclude",
            request_match::exclude(
                "Requests that are not traced at an edge; in place of sampling.exclude.",
            ),
        ),
        (
            "keep",
            sampling::keep(
                "What is exported although it was not sampled, at an edge; in place of sampling.keep.",
            ),
        ),
    ])
    .says("What holds instead where the direction is edge: gateways, waypoints, listeners without a direction.")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::schema;

    #[test]
    fn every_key_is_explained() {
        fn visit(path: &str, schema: &Value) {
            let Some(properties) = schema["properties"].as_object() else {
                return;
            };
            for (key, value) in properties {
                let path = format!("{path}.{key}");
                let text = value["description"].as_str().unwrap_or_default();
                assert!(text.ends_with('.') && text.len() > 10, "{path}: {text:?}");
                visit(&path, value);
                visit(&format!("{path}[]"), &value["items"]);
                visit(&format!("{path}{{}}"), &value["additionalProperties"]);
            }
        }
        visit("$", &schema());
    }

    #[test]
    fn every_default_is_a_value_of_its_key() {
        fn visit(path: &str, schema: &Value) {
            if let Some(default) = schema.get("default") {
                let is_kind = |kind: &Value| match kind.as_str() {
                    Some("string") => default.is_string(),
                    Some("integer" | "number") => default.is_number(),
                    Some("boolean") => default.is_boolean(),
                    Some("array") => default.is_array(),
                    _ => false,
                };
                let fits = match &schema["type"] {
                    Value::Array(kinds) => kinds.iter().any(is_kind),
                    kind => is_kind(kind),
                };
                assert!(fits, "{path}: {default}");
            }
            for (key, value) in schema["properties"].as_object().into_iter().flatten() {
                visit(&format!("{path}.{key}"), value);
            }
        }
        visit("$", &schema());
    }
}
