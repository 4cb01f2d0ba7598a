//! The filter's numbers in the proxy's stats: written on the tick, as the difference to what was written before.
//!
//! A gauge is a sum over workers. Each worker adds and takes back its own share, because recording a value would set it
//! for the whole process and the last worker would win. The one exception says the same for all of them: whether the
//! configuration is refused.

use std::cell::OnceCell;
use std::rc::Rc;

use sidespan_abi::hostcalls::{self, MetricId};
use sidespan_abi::types::MetricType;
use sidespan_core::shared_data::queue_ledger::QueuedSpans;
use sidespan_core::stats::{Counter, Gauge, Stats};

/// All numbers, and what this configuration has written of its levels.
pub(crate) struct Metrics {
    ids: Rc<Ids>,
    queue_spans: Level,
    queue_bytes: Level,
}

/// Handles on all numbers, in the order of their declaration.
struct Ids {
    counters: Vec<Option<MetricId>>,
    gauges: [Option<MetricId>; Gauge::ALL.len()],
}

thread_local! {
    // One for the machine and not one for a configuration: the proxy gives a new handle each time and keeps it as long as
    // the machine lives, which was 13 KiB for each configuration of a proxy with two workers.
    static IDS: OnceCell<Rc<Ids>> = const { OnceCell::new() };
}

impl Ids {
    fn define() -> Rc<Self> {
        let define = |kind, name| hostcalls::define_metric(kind, &format!("{PREFIX}{name}"));
        Rc::new(Self {
            counters: Counter::ALL
                .into_iter()
                .map(|counter| define(MetricType::Counter, counter.name()))
                .collect(),
            gauges: Gauge::ALL.map(|gauge| define(MetricType::Gauge, gauge.name())),
        })
    }

    fn gauge(&self, gauge: Gauge) -> Option<MetricId> {
        self.gauges.get(gauge as usize).copied().flatten()
    }
}

struct Level {
    id: Option<MetricId>,
    written: i64,
}

impl Metrics {
    /// Defines every number at once, so that each can be seen at zero, unless it has been done in this machine.
    pub(crate) fn define() -> Self {
        let ids = IDS.try_with(|ids| Rc::clone(ids.get_or_init(Ids::define)));
        let ids = ids.unwrap_or_else(|_| Ids::define());
        let level = |gauge| Level {
            id: ids.gauge(gauge),
            written: 0,
        };
        Self {
            queue_spans: level(Gauge::QueueSpans),
            queue_bytes: level(Gauge::QueueBytes),
            ids,
        }
    }

    /// Adds what was counted since the last time.
    pub(crate) fn write_counters(&self, stats: &mut Stats) {
        for (counter, count) in stats.take() {
            if let Some(Some(id)) = self.ids.counters.get(counter as usize) {
                hostcalls::increment_metric(*id, i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    /// Moves this worker's share of the queue to these values.
    pub(crate) fn write_queue(&mut self, held: QueuedSpans) {
        self.queue_spans.move_to(held.spans);
        self.queue_bytes.move_to(held.bytes);
    }

    /// Takes the share of a worker out of the queue that can no longer do so itself.
    pub(crate) fn take_back(&self, lost: QueuedSpans) {
        self.queue_spans.subtract(lost.spans);
        self.queue_bytes.subtract(lost.bytes);
    }

    /// Another worker has taken this one's share out of the queue.
    pub(crate) fn was_taken_back(&mut self) {
        self.queue_spans.written = 0;
        self.queue_bytes.written = 0;
    }

    /// Says whether the filter stands aside.
    pub(crate) fn write_refused(&self, is_refused: bool) {
        if let Some(id) = self.ids.gauge(Gauge::ConfigRefused) {
            hostcalls::record_metric(id, u64::from(is_refused));
        }
    }
}

impl Level {
    fn subtract(&self, amount: u64) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        if let Some(id) = self.id.filter(|_| amount != 0) {
            hostcalls::increment_metric(id, amount.saturating_neg());
        }
    }

    fn move_to(&mut self, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let by = value.saturating_sub(self.written);
        if let Some(id) = self.id.filter(|_| by != 0) {
            hostcalls::increment_metric(id, by);
            self.written = value;
        }
    }
}

const PREFIX: &str = "sidespan.";
