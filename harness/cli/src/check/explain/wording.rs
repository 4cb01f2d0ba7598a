//! Conditions and numbers in words.

use std::time::Duration;

use sidespan_core::direction::Direction;
use sidespan_core::sampling::request_match::{Match, PathMatch};

/// Returns a percentage as people write it.
pub fn percent(percentage: f64) -> String {
    format!("{percentage} %")
}

/// Returns a duration as the configuration writes it.
pub(super) fn duration(duration: Duration) -> String {
    match duration.as_millis() {
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// Returns `a, b or c`.
pub fn one_of(words: &[impl AsRef<str>]) -> String {
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).into(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// Returns the path that a match asks for.
pub(in crate::check) fn path(path: &PathMatch) -> &str {
    match path {
        PathMatch::Pattern(text) | PathMatch::Template(text) => text,
    }
}

/// Returns the words that follow "a request": `with method POST, with path /checkout, inbound`.
pub fn condition(condition: &Match) -> String {
    let mut parts = Vec::new();
    if !condition.methods.is_empty() {
        parts.push(format!("with method {}", one_of(&condition.methods)));
    }
    if let Some(asked) = &condition.path {
        parts.push(format!("with path {}", path(asked)));
    }
    if let Some(way) = condition.direction {
        parts.push(direction(way).into());
    }
    for (name, pattern) in &condition.headers {
        // Names of headers are the user's, and a value may be a secret between two services.
        parts.push(match pattern.as_str() {
            "*" => format!("with a header {name}"),
            _ => format!("with a header {name} that fits its pattern"),
        });
    }
    if let Some(agent) = &condition.user_agent {
        parts.push(format!("with user-agent {agent}"));
    }
    if let Some(namespace) = &condition.namespace {
        parts.push(format!("in namespace {namespace}"));
    }
    for (name, pattern) in &condition.labels {
        parts.push(format!("of a workload with label {name}={pattern}"));
    }
    parts.join(", ")
}

/// Returns the name of a direction.
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Edge => "at an edge",
    }
}
