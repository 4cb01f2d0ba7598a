//! Whether a request is one that a match of the configuration describes.
//!
//! All conditions of a match hold, or it does not match. Those on the workload (namespace, labels) cannot change, so they
//! are resolved once, when the configuration is put to work: a match that fails there is left out, and of one that holds
//! only the conditions on the request are left. These are compared in place, from the cheapest to the dearest, and
//! nothing is allocated: headers that the filter does not know by itself cost a walk over the list for each that is named,
//! and the direction a call to the proxy.
//!
//! What is not there matches nothing, not even `*` or an empty pattern: no `:path` (CONNECT), no header of that name, no
//! such label. Only a workload without a namespace is matched by `*` alone, as in `sampling.namespaces`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::request_match::{Match, PathMatch};
use crate::direction::Direction;
use crate::headers::target;
use crate::headers::{Name, RequestHeaders};
use crate::node::Node;
use crate::pattern::{self, Glob};

/// What is left of a match on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matcher {
    path: Option<Path>,
    // None of them stands for all.
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

/// A request, as far as a match may ask.
pub(crate) struct Candidate<'a, A, D, O> {
    known: &'a RequestHeaders<'a>,
    path: Option<&'a [u8]>,
    all: A,
    direction: D,
    operation: O,
}

impl Matcher {
    /// Those of a list that can match on this node, in order.
    #[inline]
    pub(crate) fn of_list(matches: &[Match], node: &Node) -> Vec<Self> {
        matches
            .iter()
            .filter_map(|condition| Self::new(condition, node))
            .collect()
    }

    /// The conditions on the request; `None` where those on the workload fail.
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

    /// Whether all conditions hold.
    #[inline]
    pub(crate) fn matches<'a>(
        &self,
        subject: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
    ) -> bool {
        self.path
            .as_ref()
            .is_none_or(|path| subject.path.is_some_and(|found| path.describes(found)))
            && self.has_method(subject.known)
            && self.user_agent.as_ref().is_none_or(|pattern| {
                let mut lines = subject.known.lines(Name::UserAgent).iter();
                lines.any(|line| pattern.matches(line))
            })
            && self.headers.iter().all(|(name, pattern)| {
                let mut lines = subject.all.clone();
                lines.any(|(other, line)| other == name.as_bytes() && pattern.matches(line))
            })
            && self
                .direction
                .is_none_or(|direction| subject.direction() == direction)
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
    /// The request with these headers, of which `all` are all. The direction may be asked for more than once. `operation` is
    /// the name that its span would have.
    pub(crate) fn new(known: &'a RequestHeaders<'a>, all: A, direction: D, operation: O) -> Self {
        Self {
            known,
            path: known
                .first(Name::Path)
                .map(|target| target::split_target(target).0),
            all,
            direction,
            operation,
        }
    }

    /// What its span would be called.
    #[inline]
    pub(crate) fn operation(&self) -> Cow<'static, str> {
        (self.operation)()
    }

    /// Which way it goes.
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
