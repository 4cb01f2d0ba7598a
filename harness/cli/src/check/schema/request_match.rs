//! The matches of `$.sampling.rules`, `$.sampling.exclude` and `$.gateway.exclude`, and the templates of paths.

use serde_json::{Value, json};
use sidespan_core::config::sections::request_match::{
    DIRECTIONS, MAX_EXCLUDES, MAX_METHODS, MAX_NAMES,
};
use sidespan_core::sampling::request_match::{Match, PathMatch};
use sidespan_core::sampling::settings::Sampling;

use super::value::{Schema, either, form, header_name, list, map, non_empty, object, text, words};

/// Returns the schema of a list of requests that are not traced.
pub(super) fn exclude(meaning: &str) -> Schema {
    list(
        matching("A request that is not traced: all of its conditions hold."),
        MAX_EXCLUDES,
    )
    .example(vec![json!({"path": "/health"})])
    .says(meaning)
}

/// Returns the entries that are excluded where no list is configured.
pub(super) fn default_exclude() -> Vec<Value> {
    let entry = |entry: Match| {
        let mut written = serde_json::Map::new();
        if let Some(PathMatch::Pattern(path) | PathMatch::Template(path)) = entry.path {
            written.insert("path".into(), path.into());
        }
        match &entry.methods[..] {
            [] => {}
            [method] => drop(written.insert("method".into(), json!(method))),
            methods => drop(written.insert("method".into(), json!(methods))),
        }
        if !entry.headers.is_empty() {
            let headers: serde_json::Map<_, _> = entry
                .headers
                .into_iter()
                .map(|(name, pattern)| (name, pattern.into()))
                .collect();
            written.insert("headers".into(), headers.into());
        }
        if let Some(agent) = entry.user_agent {
            written.insert("userAgent".into(), agent.into());
        }
        Value::Object(written)
    };
    Sampling::default().exclude.into_iter().map(entry).collect()
}

/// Returns the schema of one match.
pub(super) fn matching(meaning: &str) -> Schema {
    object([
        (
            "path",
            form(
                &format!("^([/*][^?#{{]*|{TEMPLATE})$"),
                "a pattern of paths that begins with / or *, or a template such as /api/orders/{id}, without the query",
            )
            .example("/api/*")
            .says(
                ":path up to ? or #: a pattern, in which * is any run of characters, or a template such as /orders/{id}. It is \
                 no regular expression.",
            ),
        ),
        (
            "method",
            either(method(), list(method(), MAX_METHODS).with("minItems", 1))
                .example("GET")
                .says("One of these methods, in upper case."),
        ),
        (
            "direction",
            words(&DIRECTIONS).says("Which way the request goes."),
        ),
        (
            "headers",
            map(header_name(), text(), MAX_NAMES)
                .with("minProperties", 1)
                .example(json!({"x-canary": "*"}))
                .says("Header names and patterns; one line of each header is like its pattern."),
        ),
        (
            "userAgent",
            text()
                .example("kube-probe/*")
                .says("A pattern that user-agent is like."),
        ),
        (
            "namespace",
            non_empty()
                .example("team-*")
                .says("A pattern that the workload's own namespace is like."),
        ),
        (
            "labels",
            map(non_empty(), text(), MAX_NAMES)
                .with("minProperties", 1)
                .example(json!({"app": "cart"}))
                .says("Names and patterns of the workload's own labels."),
        ),
    ])
    .with("minProperties", 1)
    .says(meaning)
}

/// Returns the schema of a template of a path.
pub(super) fn template() -> Schema {
    form(
        &format!("^{TEMPLATE}$"),
        "a template of a path such as /api/orders/{id}, each {name} a whole segment, without * and the query",
    )
}

fn method() -> Schema {
    form(
        r"^[!#$%&'*+.^_`|~0-9A-Z-]+$",
        "a method such as GET, in upper case",
    )
}

/// Segments without braces, and names in braces.
const TEMPLATE: &str = r"(/([^/?#*{}]*|\{[^/?#*{}]+\}))+";
