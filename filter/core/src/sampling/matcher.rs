//! The comparison of a request with the matches of the configuration, in rules and exclusions.
//!
//! A match holds where all its conditions hold. Conditions on the workload (namespace, labels) cannot change, so they
//! are compared once, when the configuration is applied: a match that fails there is left out, and a match that holds
//! keeps only its conditions on the request. The conditions on the request are compared in place, from the cheapest to
//! the dearest, and nothing is allocated: each header that the filter does not know by itself costs a walk over the
//! list, and the direction costs a call to the proxy.
//!
//! A missing value matches no pattern, not even `*` or an empty one: no `:path` (CONNECT), no header of that name, no
//! such label. Only a workload without a namespace is matched by `*` alone, as in `sampling.namespaces`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::request_match::{Match, PathMatch};
use crate::direction::Direction;
use crate::headers::{Name, RequestHeaders};
use crate::node::Node;
use crate::pattern::{self, Glob};

/// The conditions of a match that are left to compare on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matcher {
    path: Option<Path>,
    // Empty for all methods.
    methods: Vec<String>,
    user_agent: Option<Glob>,
    headers: Vec<(String, Glob)>,
    direction: Option<Direction>,
}

/// A condition on the path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    Pattern(Glob),
    Template(String),
}

/// A request, as far as a match may read it.
pub(crate) struct Candidate<'a, A, D, O> {
    pub(super) known: &'a RequestHeaders<'a>,
    pub(super) path: Option<&'a [u8]>,
    all: A,
    direction: D,
    operation: O,
}

impl Matcher {
    /// Returns the conditions on the request; `None` where a condition on the workload fails.
    pub(crate) fn new(condition: &Match, node: &Node) -> Option<Self> {
        let is_here = in_namespace(condition, node)
            && condition
                .labels
                .iter()
                .all(|(name, pattern)| has_line(&node.labels, name, pattern));
        is_here.then(|| Self {
            path: condition.path.as_ref().map(Path::new),
            methods: condition.methods.clone(),
            user_agent: condition.user_agent.as_deref().map(Glob::new),
            headers: condition
                .headers
                .iter()
                .map(|(name, pattern)| (name.clone(), Glob::new(pattern)))
                .collect(),
            direction: condition.direction,
        })
    }

    /// Returns true if all conditions hold.
    #[inline]
    pub(crate) fn matches<'a>(
        &self,
        candidate: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
    ) -> bool {
        self.path
            .as_ref()
            .is_none_or(|path| candidate.path.is_some_and(|found| path.describes(found)))
            && self.has_method(candidate.known)
            && self.user_agent.as_ref().is_none_or(|pattern| {
                let mut lines = candidate.known.lines(Name::UserAgent).iter();
                lines.any(|line| pattern.matches(line))
            })
            && self.headers.iter().all(|(name, pattern)| {
                let mut lines = candidate.all.clone();
                lines.any(|(other, line)| other == name.as_bytes() && pattern.matches(line))
            })
            && self
                .direction
                .is_none_or(|direction| candidate.direction() == direction)
    }

    #[inline]
    fn has_method(&self, headers: &RequestHeaders<'_>) -> bool {
        self.methods.is_empty()
            || headers
                .first(Name::Method)
                .is_some_and(|found| self.methods.iter().any(|method| method.as_bytes() == found))
    }
}

impl<'a, A, D: Fn() -> Direction, O: Fn() -> Cow<'static, str>> Candidate<'a, A, D, O> {
    /// Returns the candidate for the request with these headers, of which `all` is the whole list. `direction` may be
    /// called more than once. `operation` returns the name that the request's span would have.
    pub(crate) fn new(known: &'a RequestHeaders<'a>, all: A, direction: D, operation: O) -> Self {
        Self {
            known,
            path: known.has(Name::Path).then(|| known.target().0),
            all,
            direction,
            operation,
        }
    }

    /// Returns the name that the request's span would have.
    #[inline]
    pub(crate) fn operation(&self) -> Cow<'static, str> {
        (self.operation)()
    }

    /// Returns the direction of the request.
    #[inline]
    pub(crate) fn direction(&self) -> Direction {
        (self.direction)()
    }
}

impl Path {
    fn new(condition: &PathMatch) -> Self {
        match condition {
            PathMatch::Pattern(pattern) => Self::Pattern(Glob::new(pattern)),
            PathMatch::Template(template) => Self::Template(template.clone()),
        }
    }

    #[inline]
    fn describes(&self, path: &[u8]) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(path),
            Self::Template(template) => pattern::template_matches(template, path),
        }
    }
}

#[inline]
fn in_namespace(condition: &Match, node: &Node) -> bool {
    let Some(pattern) = &condition.namespace else {
        return true;
    };
    match node.namespace.as_deref() {
        None | Some("") => pattern == "*",
        Some(namespace) => pattern::matches(pattern, namespace.as_bytes()),
    }
}

#[inline]
fn has_line(lines: &[(String, String)], name: &str, pattern: &str) -> bool {
    lines
        .iter()
        .any(|(other, value)| other == name && pattern::matches(pattern, value.as_bytes()))
}

#[cfg(test)]
mod tests;
