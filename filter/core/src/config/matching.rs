//! What a request must be like: `$.sampling.rules[].match` and the entries of `exclude`; and the templates of paths.
//!
//! All conditions of one match must hold, and there is at least one, because none would match everything by accident.

use alloc::format;

use super::node::Value;
use super::value::is_token;
use super::walk::At;

/// Reads a list of matches.
pub(super) fn exclude(at: At<'_>) {
    at.list("matches", MAX_EXCLUDES, matching);
}

/// Reads one match.
pub(super) fn matching(at: At<'_>) {
    let is_object = at.object(&CONDITIONS, |key, at| match key {
        "path" => path(at),
        "method" => methods(at),
        "direction" => {
            at.choice(&[("inbound", ()), ("outbound", ()), ("edge", ())]);
        }
        "headers" => {
            at.names(MAX_NAMES, |name, at| {
                at.header_name(name);
                at.secret("a pattern");
            });
            at.not_empty();
        }
        "labels" => {
            at.names(MAX_NAMES, |name, at| {
                if name.is_empty() {
                    at.error("expected the name of a label, found an empty key");
                }
                at.text_for("a pattern");
            });
            at.not_empty();
        }
        "namespace" => {
            at.filled("the name of a namespace or a pattern");
        }
        _ => {
            at.text_for("a pattern");
        }
    });
    if is_object && CONDITIONS.iter().all(|key| at.get(key).is_none()) {
        at.error(format!(
            "expected at least one of {}, found none",
            CONDITIONS.join(", ")
        ));
    }
}

/// Reads a template of a path: `/api/orders/{id}`.
pub(super) fn template(at: At<'_>) {
    let Some(text) = at.filled(TEMPLATE) else {
        return;
    };
    if !text.starts_with('/') {
        at.expected(TEMPLATE);
    } else if text.contains(['?', '#']) {
        at.error(NO_QUERY);
    } else if text.contains('*') {
        at.error("`*` is not for templates; write {name} for one segment of the path");
    } else {
        for segment in text.split('/') {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            let is_plain = |text: &str| !text.contains(['{', '}']);
            if !(is_plain(segment) || name.is_some_and(|name| !name.is_empty() && is_plain(name))) {
                at.error(format!(
                    "expected {{name}} to be a whole segment of the path, found {}",
                    at.found()
                ));
                return;
            }
        }
    }
}

/// Reads a pattern of a path, or a template where there is a `{`.
fn path(at: At<'_>) {
    let Some(text) = at.filled(PATH) else { return };
    if text.contains('{') {
        template(at);
    } else if text.contains(['?', '#']) {
        at.error(NO_QUERY);
    } else if !text.starts_with(['/', '*']) {
        at.expected(PATH);
    }
}

fn methods(at: At<'_>) {
    if let Value::List(_) = &at.node.value {
        at.not_empty();
        at.list("methods", MAX_METHODS, method);
    } else {
        method(at);
    }
}

/// Methods are case-sensitive, and none of those in use has lower case: `get` would never match.
fn method(at: At<'_>) {
    let Some(text) = at.text_for(METHOD) else {
        return;
    };
    if is_token(text) && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        at.error(format!(
            "expected {METHOD}, found {}; did you mean `{}`?",
            at.found(),
            text.to_ascii_uppercase()
        ));
    } else if !is_token(text) {
        at.expected(METHOD);
    }
}

const CONDITIONS: [&str; 7] = [
    "path",
    "method",
    "direction",
    "headers",
    "userAgent",
    "namespace",
    "labels",
];
const PATH: &str = "a pattern of paths that begins with / or *";
const TEMPLATE: &str = "a template of a path such as /api/orders/{id}";
const METHOD: &str = "a method such as GET, in upper case";
const NO_QUERY: &str = "paths are compared up to `?` or `#`; leave the query out";
const MAX_EXCLUDES: usize = 32;
const MAX_METHODS: usize = 64;
/// Each is looked for in each request.
const MAX_NAMES: usize = 64;
