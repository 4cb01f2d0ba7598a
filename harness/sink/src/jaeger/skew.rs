//! The skew of clocks that Jaeger looks for: how far a span lies outside of its parent, where the two have no host in common.
//!
//! Jaeger moves spans only where it is told how far it may; by default it does not, and warns, and so does the sink.

use std::collections::HashMap;

use super::go::write_duration;

/// A span, in nanoseconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: u64,
    /// The parent's id; 0 for a root.
    pub(super) parent: u64,
    pub(super) start: i64,
    pub(super) duration: i64,
    /// The host; empty where it is unknown.
    pub(super) host: String,
}

/// Returns the warnings of a trace's spans: the place of the span, and the words. `missing` are the words for an id whose
/// span is not there.
pub(super) fn warnings(nodes: &[Node], missing: fn(u64) -> String) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut places = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if let std::collections::hash_map::Entry::Vacant(place) = places.entry(node.id) {
            place.insert(at);
        } else {
            found.push((at, DUPLICATE.to_owned()));
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut waiting = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        if places.get(&node.id) != Some(&at) {
            continue;
        }
        let parent = places.get(&node.parent).filter(|_| node.parent != 0);
        match parent.and_then(|parent| children.get_mut(*parent)) {
            Some(children) => children.push(at),
            None => {
                if node.parent != 0 {
                    found.push((at, missing(node.parent)));
                }
                waiting.push((at, None, 0));
            }
        }
    }
    // A list and no recursion, because a trace can be as deep as it is long.
    while let Some((at, parent, inherited)) = waiting.pop() {
        let Some(node) = nodes.get(at) else { continue };
        let parent: Option<&Node> = parent;
        let delta = match parent {
            Some(parent) if node.host.is_empty() || node.host != parent.host => delta(node, parent),
            _ => inherited,
        };
        if delta != 0 {
            let delta = write_duration(delta);
            found.push((at, format!("{DISABLED} of {delta}")));
        }
        let below = children.get(at).into_iter().flatten();
        waiting.extend(below.map(|child| (*child, Some(node), delta)));
    }
    found
}

/// Returns what a child would have to be moved by to lie in the middle of its parent; 0 where it lies within.
fn delta(child: &Node, parent: &Node) -> i64 {
    let end = |node: &Node| node.start.saturating_add(node.duration);
    if child.duration > parent.duration {
        // The parent did not wait for it: all that is known is that it cannot have begun before.
        return parent.start.saturating_sub(child.start).max(0);
    }
    if child.start >= parent.start && end(child) <= end(parent) {
        return 0;
    }
    let latency = parent.duration.saturating_sub(child.duration) / 2;
    parent
        .start
        .saturating_add(latency)
        .saturating_sub(child.start)
}

const DUPLICATE: &str = "duplicate span IDs; skipping clock skew adjustment";
const DISABLED: &str = "clock skew adjustment disabled; not applying calculated delta";
