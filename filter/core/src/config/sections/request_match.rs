//! The matches of `$.sampling.rules[].match` and of the entries of `exclude`, and the templates of paths.
//!
//! All conditions of a match must hold, and there is at least one, because a match without conditions would match every
//! request by accident.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::cursor::Cursor;
use crate::config::scalars::is_token;
use crate::config::tree::Value;
use crate::direction::Direction;
use crate::sampling::request_match::{Match, PathMatch};

/// Reads a list of matches.
pub(in crate::config) fn exclude(at: Cursor<'_>) -> Vec<Match> {
    let mut matches = Vec::new();
    at.list("matches", MAX_EXCLUDES, |at| matches.push(matching(at)));
    matches
}

/// Reads one match.
pub(in crate::config) fn matching(at: Cursor<'_>) -> Match {
    let mut read = Match::default();
    let is_object = at.object(&CONDITIONS, |key, at| match key {
        "path" => read.path = path(at),
        "method" => read.methods = methods(at),
        "direction" => read.direction = at.choice(&DIRECTIONS),
        "headers" => {
            at.map(MAX_NAMES, |name, at| {
                at.header_name(name);
                let pattern = at.secret("a pattern");
                read.headers
                    .extend(pattern.map(|pattern| (name.into(), pattern.into())));
            });
            at.not_empty();
        }
        "labels" => {
            at.map(MAX_NAMES, |name, at| {
                if name.is_empty() {
                    at.error("expected the name of a label, found an empty key");
                }
                let pattern = at.text_for("a pattern");
                read.labels
                    .extend(pattern.map(|pattern| (name.into(), pattern.into())));
            });
            at.not_empty();
        }
        "namespace" => {
            let pattern = at.non_empty("the name of a namespace or a pattern");
            read.namespace = pattern.map(Into::into);
        }
        _ => read.user_agent = at.text_for("a pattern").map(Into::into),
    });
    if is_object && CONDITIONS.iter().all(|key| at.get(key).is_none()) {
        at.error(format!(
            "expected at least one of {}, found none",
            CONDITIONS.join(", ")
        ));
    }
    read
}

/// Reads a template of a path: `/api/orders/{id}`.
pub(in crate::config) fn template(at: Cursor<'_>) -> Option<String> {
    let text = at.non_empty(TEMPLATE)?;
    if !text.starts_with('/') {
        at.expected(TEMPLATE);
    } else if text.contains(['?', '#']) {
        at.error(NO_QUERY);
    } else if text.contains('*') {
        at.error("`*` is not for templates; write {name} for one segment of the path");
    } else if !text.split('/').all(is_segment) {
        at.error(format!(
            "expected {{name}} to be a whole segment of the path, found {}",
            at.describe()
        ));
    }
    Some(text.into())
}

/// Returns true for text without braces, and for a name in braces.
fn is_segment(segment: &str) -> bool {
    let name = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let is_plain = |text: &str| !text.contains(['{', '}']);
    is_plain(segment) || name.is_some_and(|name| !name.is_empty() && is_plain(name))
}

/// Reads a pattern of a path, or a template where there is a `{`.
fn path(at: Cursor<'_>) -> Option<PathMatch> {
    let text = at.non_empty(PATH)?;
    if text.contains('{') {
        return template(at).map(PathMatch::Template);
    }
    if text.contains(['?', '#']) {
        at.error(NO_QUERY);
    } else if !text.starts_with(['/', '*']) {
        at.expected(PATH);
    }
    Some(PathMatch::Pattern(text.into()))
}

fn methods(at: Cursor<'_>) -> Vec<String> {
    let mut methods = Vec::new();
    if let Value::List(_) = &at.node.value {
        at.not_empty();
        at.list("methods", MAX_METHODS, |at| methods.extend(method(at)));
    } else {
        methods.extend(method(at));
    }
    methods
}

/// Reads a method. Methods are case-sensitive, and no method in use has lower case: `get` would never match.
fn method(at: Cursor<'_>) -> Option<String> {
    let text = at.text_for(METHOD)?;
    if is_token(text) && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        at.error(format!(
            "expected {METHOD}, found {}; did you mean `{}`?",
            at.describe(),
            text.to_ascii_uppercase()
        ));
    } else if !is_token(text) {
        at.expected(METHOD);
    }
    Some(text.into())
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
/// The words of a match's `direction`.
pub const DIRECTIONS: [(&str, Direction); 3] = [
    ("inbound", Direction::Inbound),
    ("outbound", Direction::Outbound),
    ("edge", Direction::Edge),
];
const PATH: &str = "a pattern of paths that begins with / or *";
const TEMPLATE: &str = "a template of a path such as /api/orders/{id}";
const METHOD: &str = "a method such as GET, in upper case";
const NO_QUERY: &str = "paths are compared up to `?` or `#`; leave the query out";
/// Entries of `exclude`, at most.
pub const MAX_EXCLUDES: usize = 32;
/// Entries of a match's `method`, at most.
pub const MAX_METHODS: usize = 64;
/// Names of headers or labels, at most: each is searched for in each request.
pub const MAX_NAMES: usize = 64;
