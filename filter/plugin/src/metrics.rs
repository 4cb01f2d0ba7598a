//! The filter's metrics in the proxy's stats, written on the tick as differences from the last write.
//!
//! A gauge is a sum over workers. Each worker adds and subtracts its own share, because recording a value sets it for the
//! whole process, and the last worker would win. The one recorded gauge is `config.refused`, which is equal in all workers.

use std::cell::OnceCell;
use std::rc::Rc;

use sidespan_abi::hostcalls::{self, MetricId};
use sidespan_abi::types::MetricType;
use sidespan_core::shared_data::queue_ledger::QueuedSpans;
use sidespan_core::stats::{Counter, Gauge, Stats};

/// All metrics, and this configuration's share of each gauge.
pub(crate) struct Metrics {
    ids: Rc<Ids>,
    queue_spans: Level,
    queue_bytes: Level,
}

/// Handles on all metrics, in the order of their declaration.
struct Ids {
    counters: Vec<Option<MetricId>>,
    gauges: [Option<MetricId>; Gauge::ALL.len()],
}

thread_local! {
    // One for the VM and not one for each configuration, because the proxy makes a new handle at each definition and keeps
    // it as long as the VM lives (`tests/worker/reconfiguration.rs`).
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
    /// Defines every metric at once, so that each can be seen at zero, unless this VM has defined them.
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

    /// Adds the counts since the last write.
    pub(crate) fn write_counters(&self, stats: &mut Stats) {
        for (counter, count) in stats.take() {
            if let Some(Some(id)) = self.ids.counters.get(counter as usize) {
                hostcalls::increment_metric(*id, i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    /// Sets this worker's share of the queue gauges.
    pub(crate) fn write_queue(&mut self, held: QueuedSpans) {
        self.queue_spans.move_to(held.spans);
        self.queue_bytes.move_to(held.bytes);
    }

    /// Subtracts a lost worker's share from the queue gauges.
    pub(crate) fn take_back(&self, lost: QueuedSpans) {
        self.queue_spans.subtract(lost.spans);
        self.queue_bytes.subtract(lost.bytes);
    }

    /// Notes that another worker has subtracted this worker's share from the queue gauges.
    pub(crate) fn was_taken_back(&mut self) {
        self.queue_spans.written = 0;
        self.queue_bytes.written = 0;
    }

    /// Writes `config.refused`: 1 while the filter stands aside, or a newer configuration than the running one is refused.
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
