//! The tree that parent ids make of a trace's spans, whatever the spans are.
//!
//! Spans arrive in any order, some never arrive, and a broken sender can make circles. Here every span has exactly one
//! place, so that a drawing is complete and every walk ends: roots first, then spans whose parent is missing, then circles,
//! entered at their earliest span. Children are ordered by their start.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::store::StoredSpan;

/// The reason for which a span has no span above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Top {
    /// A span without a parent id.
    Root,
    /// A span whose parent is missing.
    Orphan,
    /// A span that is its own ancestor.
    Circle,
}

/// One span and its place in the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place<'a> {
    /// The span.
    pub(crate) span: &'a StoredSpan,
    /// The number of spans above this span.
    pub(crate) depth: usize,
    /// True if no sibling follows.
    pub(crate) is_last: bool,
    /// The reason for depth 0; `None` at any other depth.
    pub(crate) top: Option<Top>,
}

/// Returns the spans of one trace in the order of a walk from the roots down; each span comes once.
pub(crate) fn arrange<'a>(spans: &[&'a StoredSpan]) -> Vec<Place<'a>> {
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for (index, span) in spans.iter().enumerate() {
        by_id.entry(span.span_id.as_str()).or_insert(index);
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut tops: Vec<(Top, usize)> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        match span.parent_span_id.as_deref().map(|id| by_id.get(id)) {
            None => tops.push((Top::Root, index)),
            Some(None) => tops.push((Top::Orphan, index)),
            Some(Some(parent)) => {
                if let Some(siblings) = children.get_mut(*parent) {
                    siblings.push(index);
                }
            }
        }
    }
    let start = |index: &usize| {
        spans
            .get(*index)
            .map(|s| (s.start_unix_nanos, s.span_id.as_str()))
    };
    for siblings in &mut children {
        siblings.sort_by_key(|index| start(index));
    }
    tops.sort_by_key(|(top, index)| (*top == Top::Orphan, start(index)));

    let mut walk = Walk {
        spans,
        children: &children,
        seen: vec![false; spans.len()],
        places: Vec::with_capacity(spans.len()),
    };
    for (top, index) in tops {
        walk.down_from(index, top);
    }
    // Spans that no top leads to are on a circle, or below one.
    let mut rest: Vec<usize> = (0..spans.len()).collect();
    rest.sort_by_key(|index| start(index));
    for index in rest {
        if !walk.has_seen(index) {
            let entry = walk.circle_above(index, &by_id);
            walk.down_from(entry, Top::Circle);
        }
    }
    walk.places
}

struct Walk<'w, 'a> {
    spans: &'w [&'a StoredSpan],
    children: &'w [Vec<usize>],
    seen: Vec<bool>,
    places: Vec<Place<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn has_seen(&self, index: usize) -> bool {
        self.seen.get(index).copied().unwrap_or(true)
    }

    /// Places a span and everything below it, with a stack of its own because a chain may be too deep for the thread's.
    fn down_from(&mut self, index: usize, top: Top) {
        let mut stack = vec![(index, 0, true)];
        while let Some((index, depth, is_last)) = stack.pop() {
            let (Some(span), Some(seen)) = (self.spans.get(index), self.seen.get_mut(index)) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            self.places.push(Place {
                span,
                depth,
                is_last,
                top: (depth == 0).then_some(top),
            });
            let below = self.children.get(index).map_or(&[][..], Vec::as_slice);
            let unseen: Vec<usize> = below
                .iter()
                .copied()
                .filter(|i| !self.has_seen(*i))
                .collect();
            for (nth, child) in unseen.iter().enumerate().rev() {
                stack.push((*child, depth + 1, nth + 1 == unseen.len()));
            }
        }
    }

    /// Climbs until a span comes twice, and returns the earliest span of that circle: a branch that hangs on a circle is
    /// shown below the circle, not above it.
    fn circle_above(&self, from: usize, by_id: &HashMap<&str, usize>) -> usize {
        let mut path: Vec<usize> = Vec::new();
        let mut on_path = vec![false; self.spans.len()];
        let mut index = from;
        while let (Some(mark), Some(span)) = (on_path.get_mut(index), self.spans.get(index)) {
            if std::mem::replace(mark, true) {
                break;
            }
            path.push(index);
            match span.parent_span_id.as_deref().and_then(|id| by_id.get(id)) {
                Some(parent) => index = *parent,
                None => break,
            }
        }
        let circle = path.iter().skip_while(|step| **step != index);
        let start = |i: &usize| self.spans.get(*i).map(|s| Reverse(s.start_unix_nanos));
        circle.copied().max_by_key(|i| start(i)).unwrap_or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::span;

    fn refs(spans: &[StoredSpan]) -> Vec<&StoredSpan> {
        spans.iter().collect()
    }

    fn drawn(spans: &[StoredSpan]) -> Vec<String> {
        let short = |place: &Place<'_>| {
            let id = place.span.span_id.trim_start_matches('0');
            let top = place.top.map(|top| format!("{top:?} ")).unwrap_or_default();
            format!("{top}{}{id}", "-".repeat(place.depth))
        };
        arrange(&refs(spans)).iter().map(short).collect()
    }

    #[test]
    fn finds_parents_that_arrive_after_their_children() {
        let spans = [span("3", Some("2")), span("2", Some("1")), span("1", None)];
        assert_eq!(drawn(&spans), ["Root 1", "-2", "--3"]);
    }

    #[test]
    fn orders_siblings_by_their_start() {
        let spans = [span("1", None), span("9", Some("1")), span("4", Some("1"))];
        assert_eq!(drawn(&spans), ["Root 1", "-4", "-9"]);
        let last: Vec<bool> = arrange(&refs(&spans))
            .iter()
            .map(|place| place.is_last)
            .collect();
        assert_eq!(last, [true, false, true]);
    }

    #[test]
    fn shows_spans_without_their_parent_after_the_roots() {
        let spans = [span("2", Some("f")), span("3", Some("2")), span("8", None)];
        assert_eq!(drawn(&spans), ["Root 8", "Orphan 2", "-3"]);
    }

    #[test]
    fn shows_circles_once_and_what_hangs_on_them_below() {
        let rows: [(&str, Vec<StoredSpan>, &[&str]); 3] = [
            ("itself", vec![span("1", Some("1"))], &["Circle 1"]),
            (
                "two",
                vec![span("2", Some("1")), span("1", Some("2"))],
                &["Circle 1", "-2"],
            ),
            (
                "a branch earlier than its circle",
                vec![
                    span("1", Some("5")),
                    span("5", Some("6")),
                    span("6", Some("5")),
                ],
                &["Circle 5", "-1", "-6"],
            ),
        ];
        for (name, spans, expected) in rows {
            assert_eq!(drawn(&spans), expected, "{name}");
        }
    }

    #[test]
    fn gives_every_span_of_a_repeated_id_a_place() {
        let spans = [span("1", None), span("2", Some("1")), span("2", Some("1"))];
        assert_eq!(drawn(&spans).len(), 3);
    }

    #[test]
    fn walks_a_chain_that_is_deeper_than_a_thread_stack() {
        let chain: Vec<StoredSpan> = (1..50_000u32)
            .map(|n| {
                span(
                    &format!("{n:x}"),
                    (n > 1).then(|| format!("{:x}", n - 1)).as_deref(),
                )
            })
            .collect();
        let chain = refs(&chain);
        let places = arrange(&chain);
        assert_eq!(places.last().map(|place| place.depth), Some(49_998));
    }
}
