//! The spans of one trace, with their parents and children at hand.

use std::collections::HashMap;

use super::span_facts::{is_called, is_caller};
use crate::store::StoredSpan;

/// One trace.
#[derive(Debug)]
pub(super) struct TraceIndex<'a> {
    pub(super) id: &'a str,
    pub(super) spans: Vec<&'a StoredSpan>,
    /// The places of the spans with each id; more than one where ids are not unique.
    by_id: HashMap<&'a str, Vec<usize>>,
    children: HashMap<&'a str, Vec<usize>>,
}

/// A span without a span above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// A span without a parent id; true if an earlier one is there.
    Root(bool),
    /// A span whose parent is missing.
    Orphan,
}

impl<'a> TraceIndex<'a> {
    /// Returns the index of the spans of one trace, in the order of their start.
    pub(super) fn of(spans: &'a [StoredSpan]) -> Self {
        let mut spans: Vec<&StoredSpan> = spans.iter().collect();
        spans.sort_by_key(|span| (span.start_unix_nanos, span.span_id.as_str()));
        let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut children: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, span) in spans.iter().enumerate() {
            by_id.entry(span.span_id.as_str()).or_default().push(at);
            if let Some(parent) = &span.parent_span_id {
                children.entry(parent.as_str()).or_default().push(at);
            }
        }
        Self {
            id: spans.first().map_or("", |span| span.trace_id.as_str()),
            spans,
            by_id,
            children,
        }
    }

    /// Returns the spans that have no span above them, in the order of their start.
    pub(super) fn tops(&self) -> Vec<(&'a StoredSpan, Top)> {
        let mut has_root = false;
        let mut tops = Vec::new();
        for span in &self.spans {
            match span.parent_span_id.as_deref() {
                None => {
                    // A link says where a trace comes from, as a parent does.
                    let is_linked = has_root && !span.links.is_empty();
                    if !is_linked {
                        tops.push((*span, Top::Root(has_root)));
                    }
                    has_root = true;
                }
                Some(parent) if !self.by_id.contains_key(parent) => tops.push((*span, Top::Orphan)),
                Some(_) => {}
            }
        }
        tops
    }

    /// Returns the spans with this id.
    pub(super) fn with_id(&self, id: &str) -> impl Iterator<Item = &'a StoredSpan> {
        self.at(self.by_id.get(id))
    }

    /// Returns the spans whose ids several spans have, by id.
    pub(super) fn repeated(&self) -> Vec<Vec<&'a StoredSpan>> {
        let several = self.by_id.values().filter(|places| places.len() > 1);
        let mut found: Vec<Vec<&StoredSpan>> = several
            .map(|places| self.at(Some(places)).collect())
            .collect();
        found.sort_by_key(|spans| spans.first().map(|span| span.start_unix_nanos));
        found
    }

    /// Returns the parent of a span. Among spans with one id it is the one that asks.
    pub(super) fn parent(&self, span: &StoredSpan) -> Option<&'a StoredSpan> {
        let id = span.parent_span_id.as_deref()?;
        let mut all = self.with_id(id);
        let first = all.next()?;
        Some(if is_caller(first) {
            first
        } else {
            all.find(|span| is_caller(span)).unwrap_or(first)
        })
    }

    /// Returns the children of a span.
    pub(super) fn children(&self, span: &StoredSpan) -> impl Iterator<Item = &'a StoredSpan> {
        self.at(self.children.get(span.span_id.as_str()))
    }

    /// Returns true if a span has no child, and no other half that a Zipkin tracer gave the same id.
    pub(super) fn is_leaf(&self, span: &StoredSpan) -> bool {
        let shared = || {
            self.with_id(&span.span_id)
                .any(|other| !std::ptr::eq(other, span) && is_called(other))
        };
        self.children(span).next().is_none() && !(is_caller(span) && shared())
    }

    fn at(&self, places: Option<&Vec<usize>>) -> impl Iterator<Item = &'a StoredSpan> {
        let found: Vec<&StoredSpan> = places
            .into_iter()
            .flatten()
            .filter_map(|at| self.spans.get(*at).copied())
            .collect();
        found.into_iter()
    }
}
