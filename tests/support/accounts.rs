//! The equation of the filter's counters: at every moment, each finished span is in one of them or in the queue.

use sidespan_host::Shared;

/// Checks that each finished span is in exactly one of the counters of exported, rejected, dropped and lost spans, or in
/// the queue.
///
/// # Panics
/// With all counters, when the sum is wrong.
pub fn assert_accounted(process: &Shared) {
    let counters = process.counters();
    let is_end = |name: &str| name.starts_with("sidespan.spans.") && !name.ends_with(".finished");
    let ends = counters.iter().filter(|(name, _)| is_end(name));
    let gone: u64 = ends.map(|(_, count)| count).sum();
    let here = process.gauge("sidespan.queue.spans").unwrap_or(0);
    let finished = process.counter("sidespan.spans.finished").unwrap_or(0);
    assert_eq!(finished, gone + here, "{here} wait: {counters:?}");
}
