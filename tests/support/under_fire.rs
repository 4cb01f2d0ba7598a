//! The proofs behind load and faults of any kind: no trap, memory that stays, and books that agree with the collector's.

use std::fmt::{self, Display, Formatter};

use sidespan_envoy::Envoy;

use crate::collector::Collector;
use crate::envoy::{counter, wait_for_counter, wait_until_accounted};

/// Checks that no module of an Envoy has panicked or trapped.
///
/// # Panics
/// With the log, when one has.
pub fn assert_no_trap(envoy: &Envoy) {
    let log = envoy.log();
    // The first line of a panic, and the line of Envoy's that names where a VM ended.
    for sign in ["panicked", "Function: proxy_on_"] {
        assert!(!log.contains(sign), "{log}");
    }
}

/// Returns an Envoy's memory in KiB.
///
/// # Panics
/// When the kernel does not give it.
pub fn memory_kib(envoy: &Envoy) -> u64 {
    envoy.resident_bytes().expect("its memory") >> 10
}

/// Checks that an Envoy has taken no memory from the half of a load to its end.
///
/// # Panics
/// When it has taken more than noise.
pub fn assert_memory_stays(half: u64, end: u64) {
    assert!(
        end <= half + MAX_GROWTH_KIB,
        "{half} KiB of memory at half and {end} at the end"
    );
}

/// The permitted growth: room for the allocator's noise, and the few KiB that Envoy keeps of each configuration.
const MAX_GROWTH_KIB: u64 = 16 << 10;

/// The ends of all spans of some filters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery {
    /// The spans that have ended.
    pub finished: u64,
    /// The spans that the collector has taken, as the filters say.
    pub exported: u64,
    /// The spans whose last answer did not say so.
    pub given_up: u64,
    /// The spans that the collector has.
    pub accepted: u64,
}

impl Display for Delivery {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            finished,
            exported,
            given_up,
            accepted,
        } = self;
        write!(
            formatter,
            "{finished} spans, {exported} exported, {given_up} given up, {accepted} arrived"
        )
    }
}

/// Waits until filters have nothing under way, and checks that each has made so many spans, each of which is in one counter, that the collector has
/// what they call exported, and that none has trapped.
///
/// # Panics
/// When the books do not agree.
pub fn balance(filters: &[(&Envoy, u64)], collector: &Collector) -> Delivery {
    let mut all = Delivery::default();
    for (envoy, finished) in filters {
        // In this order, because an empty queue may be that of the last tick, before the last spans ended.
        wait_until_accounted(envoy, *finished);
        wait_for_counter(envoy, "queue.spans", |waiting| waiting == 0);
        wait_until_accounted(envoy, *finished);
        all.finished += finished;
        all.exported += counter(envoy, "spans.exported");
        for way in ["dropped_export", "dropped_shutdown"] {
            all.given_up += counter(envoy, &format!("spans.{way}"));
        }
        assert_eq!(counter(envoy, "spans.dropped_restart"), 0);
        assert_no_trap(envoy);
    }
    let counts = collector.sink().counts();
    all.accepted = counts.accepted;
    // Where only an answer was lost, the collector has what a filter has given up.
    assert!(
        (all.exported..=all.exported + all.given_up).contains(&counts.accepted),
        "{all}; {counts:?}"
    );
    assert_eq!(counts.conflicts, 0, "{counts:?}");
    all
}
