//! The parents of the spans of a trace, whatever the spans are: every walk up ends.

use std::collections::HashMap;

use super::fact::{Fact, Side};

/// The parent of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// None: the span is a root.
    Root,
    /// A span that is not here, or that is below the span itself.
    Missing,
    /// The span with this index.
    At(usize),
}

/// Returns the parent of each span, and their indexes in an order in which parents come before children.
pub(super) fn family(spans: &[Fact]) -> (Vec<Parent>, Vec<usize>) {
    let ids = ids(spans);
    let mut parents: Vec<Parent> = spans
        .iter()
        .enumerate()
        .map(|(index, span)| parent(index, span, &ids))
        .collect();
    cut_circles(spans, &mut parents);
    let order = order(&parents);
    (parents, order)
}

/// The spans of one id: with Zipkin's shared spans the two sides of a request have one.
#[derive(Clone, Copy, Debug, Default)]
struct Bearers {
    outgoing: Option<usize>,
    other: Option<usize>,
}

fn ids(spans: &[Fact]) -> HashMap<u64, Bearers> {
    let mut ids: HashMap<u64, Bearers> = HashMap::new();
    for (index, span) in spans.iter().enumerate() {
        let bearers = ids.entry(span.id).or_default();
        let bearer = match span.side {
            Side::Outgoing => &mut bearers.outgoing,
            Side::Incoming | Side::Inner => &mut bearers.other,
        };
        bearer.get_or_insert(index);
    }
    ids
}

fn parent(index: usize, span: &Fact, ids: &HashMap<u64, Bearers>) -> Parent {
    if span.side == Side::Incoming
        && let Some(Bearers {
            outgoing: Some(caller),
            ..
        }) = ids.get(&span.id)
    {
        return Parent::At(*caller);
    }
    let Some(parent) = span.parent else {
        return Parent::Root;
    };
    // The children of a shared id are the callee's.
    let bearers = ids.get(&parent).copied().unwrap_or_default();
    match bearers.other.or(bearers.outgoing) {
        Some(parent) if parent != index => Parent::At(parent),
        _ => Parent::Missing,
    }
}

/// Makes an orphan of the earliest span of each circle.
fn cut_circles(spans: &[Fact], parents: &mut [Parent]) {
    // 0: not seen; a walk's number: seen on that walk, which is the first if it is a lower one.
    let mut walks = vec![0_usize; parents.len()];
    for from in 0..parents.len() {
        let walk = from + 1;
        let mut index = from;
        while let Some(seen) = walks.get_mut(index) {
            if *seen != 0 {
                if *seen == walk {
                    cut(spans, parents, index);
                }
                break;
            }
            *seen = walk;
            match parents.get(index) {
                Some(Parent::At(parent)) => index = *parent,
                _ => break,
            }
        }
    }
}

/// Cuts the circle that a span is on.
fn cut(spans: &[Fact], parents: &mut [Parent], on: usize) {
    let start = |index: usize| spans.get(index).map(|span| (span.start, index));
    let (mut earliest, mut index) = (on, on);
    while let Some(Parent::At(parent)) = parents.get(index) {
        if start(*parent) < start(earliest) {
            earliest = *parent;
        }
        index = *parent;
        if index == on {
            break;
        }
    }
    if let Some(parent) = parents.get_mut(earliest) {
        *parent = Parent::Missing;
    }
}

fn order(parents: &[Parent]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut order = Vec::with_capacity(parents.len());
    for (index, parent) in parents.iter().enumerate() {
        match parent {
            Parent::Root | Parent::Missing => order.push(index),
            Parent::At(parent) => {
                if let Some(siblings) = children.get_mut(*parent) {
                    siblings.push(index);
                }
            }
        }
    }
    let mut next = 0;
    while let Some(index) = order.get(next) {
        if let Some(below) = children.get(*index) {
            order.extend_from_slice(below);
        }
        next += 1;
    }
    order
}
