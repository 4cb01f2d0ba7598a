//! The filter's numbers in the proxy's stats: written on the tick, as the difference to what was written before.
//!
//! A gauge is a sum over workers. Each worker adds and takes back its own share, because recording a value would set it
//! for the whole process and the last worker would win. The one exception says the same for all of them: whether the
//! configuration is refused.

use sidespan_core::ledger::Holding;
use sidespan_core::stats::{Counter, Gauge, Stats};

use crate::host::{self, MetricId, MetricKind};

/// Handles on all numbers, in the order of their declaration.
pub(crate) struct Metrics {
    counters: Vec<Option<MetricId>>,
    queue_spans: Level,
    queue_bytes: Level,
    config_refused: Option<MetricId>,
}

struct Level {
    id: Option<MetricId>,
    written: i64,
}

impl Metrics {
    /// Defines every number at once, so that each can be seen at zero.
    pub(crate) fn define() -> Self {
        let gauge = |gauge: Gauge| {
            host::define_metric(MetricKind::Gauge, &format!("{PREFIX}{}", gauge.name()))
        };
        let level = |which| Level {
            id: gauge(which),
            written: 0,
        };
        Self {
            counters: Counter::ALL
                .into_iter()
                .map(|counter| {
                    let name = format!("{PREFIX}{}", counter.name());
                    host::define_metric(MetricKind::Counter, &name)
                })
                .collect(),
            queue_spans: level(Gauge::QueueSpans),
            queue_bytes: level(Gauge::QueueBytes),
            config_refused: gauge(Gauge::ConfigRefused),
        }
    }

    /// Adds what was counted since the last time.
    pub(crate) fn write_counters(&self, stats: &mut Stats) {
        for (counter, count) in stats.take() {
            if let Some(Some(id)) = self.counters.get(counter as usize) {
                host::increment_metric(*id, i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    /// Moves this worker's share of the queue to these values.
    pub(crate) fn write_queue(&mut self, held: Holding) {
        self.queue_spans.move_to(held.spans);
        self.queue_bytes.move_to(held.bytes);
    }

    /// Takes the share of a worker out of the queue that can no longer do so itself.
    pub(crate) fn take_back(&self, lost: Holding) {
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
        if let Some(id) = self.config_refused {
            host::record_metric(id, u64::from(is_refused));
        }
    }
}

impl Level {
    fn subtract(&self, amount: u64) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        if let Some(id) = self.id.filter(|_| amount != 0) {
            host::increment_metric(id, amount.saturating_neg());
        }
    }

    fn move_to(&mut self, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        let by = value.saturating_sub(self.written);
        if let Some(id) = self.id.filter(|_| by != 0) {
            host::increment_metric(id, by);
            self.written = value;
        }
    }
}

const PREFIX: &str = "sidespan.";
