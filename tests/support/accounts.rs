//! The one equation of the filter's numbers: what has ended is somewhere, at every moment.

use sidespan_host::Shared;

/// Checks that each span that has ended is in exactly one counter of what became of it, or still waits.
///
/// # Panics
/// With all counters, when that is not so.
pub fn assert_accounted(process: &Shared) {
    let counters = process.counters();
    let is_end = |name: &str| name.starts_with("sidespan.spans.") && !name.ends_with(".finished");
    let ends = counters.iter().filter(|(name, _)| is_end(name));
    let gone: u64 = ends.map(|(_, count)| count).sum();
    let here = process.gauge("sidespan.queue.spans").unwrap_or(0);
    let finished = process.counter("sidespan.spans.finished").unwrap_or(0);
    assert_eq!(finished, gone + here, "{here} wait: {counters:?}");
}
