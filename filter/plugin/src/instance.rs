//! The state that a root context shares with its streams: the filter at work, or the errors of a refused configuration.

use std::cell::RefCell;
use std::rc::Rc;

use sidespan_abi::traits::HttpContext;
use sidespan_core::config::ConfigError;
use sidespan_core::filter::StreamState;
use sidespan_core::shared_data::queue_ledger::{QueueLedger, QueuedSpans};
use sidespan_core::stats::{Counter, Stats};
use sidespan_core::time::Nanos;

use crate::metrics::Metrics;
use crate::shared_data::queue_ledger::{self, Noted};
use crate::shared_data::{config_lease, config_refusal};
use crate::worker::Worker;

/// A handle on the state that a root context shares with its streams.
#[derive(Clone)]
pub struct Sharing(pub(crate) Rc<RefCell<Instance>>);

/// A function that treats the headers of a new stream's request, and makes the stream's context where they leave anything to
/// do.
pub type NewStream = fn(&Sharing) -> Option<Box<dyn HttpContext>>;

pub(crate) struct Instance {
    pub(crate) mode: Mode,
    metrics: Option<Metrics>,
    // `None` where the proxy has no randomness, without which workers have no identities.
    ledger: Option<QueueLedger>,
}

/// The state of the configuration.
pub(crate) enum Mode {
    /// No configuration yet.
    New,
    /// A valid configuration, at work.
    Working(Box<Worker>),
    /// An invalid first configuration: requests pass untouched.
    Aside {
        errors: Vec<ConfigError>,
        logged_at: Nanos,
    },
}

impl Instance {
    pub(crate) fn new() -> Self {
        Self {
            mode: Mode::New,
            metrics: None,
            ledger: None,
        }
    }

    /// Starts a worker under this identity; zeros are no identity.
    pub(crate) fn work(&mut self, worker: Worker, identity: [u8; 8]) {
        self.ledger = (identity != [0; 8]).then(|| QueueLedger::new(identity));
        self.mode = Mode::Working(Box::new(worker));
    }

    /// Returns the proxy's metrics, which the first call defines.
    pub(crate) fn metrics(&mut self) -> &mut Metrics {
        self.metrics.get_or_insert_with(Metrics::define)
    }

    /// Returns the filter, where a configuration is at work.
    #[inline]
    pub(crate) fn worker(&mut self) -> Option<&mut Worker> {
        match &mut self.mode {
            Mode::Working(worker) => Some(worker),
            Mode::New | Mode::Aside { .. } => None,
        }
    }

    /// Finishes the current stream.
    #[inline]
    pub(crate) fn on_end(&mut self, stream: &mut StreamState) {
        if let Some(worker) = self.worker() {
            worker.on_end(stream);
            if worker
                .exporter()
                .is_some_and(|exporter| exporter.is_closed())
            {
                // No tick follows that would write these counts.
                self.write_metrics();
            }
        }
    }

    /// Returns true if spans are still on their way and `until` is not past.
    pub(crate) fn is_draining(&self, until: Nanos) -> bool {
        matches!(&self.mode, Mode::Working(worker) if worker.is_draining(until))
    }

    /// Ends the instance: writes all counts, and removes the configuration's lease.
    pub(crate) fn end(&mut self, identity: [u8; 8]) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.close();
            config_lease::take_back(identity);
        }
        self.write_metrics();
        if let Mode::Aside { .. } = self.mode
            && !config_refusal::is_noted()
        {
            self.metrics().write_refused(false);
        }
    }

    /// Writes counters and gauges.
    pub(crate) fn write_metrics(&mut self) {
        let Some(metrics) = &mut self.metrics else {
            return;
        };
        match &mut self.mode {
            Mode::Working(worker) => {
                let queued = worker.queued_spans();
                // Counters, gauges and the ledger entry change together or not at all, because the worker that counts the
                // spans of a trapped VM knows the entry alone.
                let noted = match &mut self.ledger {
                    Some(ledger) => queue_ledger::note(ledger, queued),
                    None => Some(Noted::default()),
                };
                let Some(Noted { lost, reclaimed }) = noted else {
                    return;
                };
                let stats = &mut worker.state.stats;
                stats.add_many(Counter::SpansDroppedRestart, as_usize(lost.spans));
                metrics.take_back(lost);
                if reclaimed != QueuedSpans::default() {
                    // Another worker has counted these spans as lost; counted as finished once more, they keep the sum
                    // right.
                    stats.add_many(Counter::SpansFinished, as_usize(reclaimed.spans));
                    metrics.was_taken_back();
                }
                metrics.write_counters(stats);
                metrics.write_queue(queued);
            }
            Mode::Aside { .. } => {
                let mut stats = Stats::default();
                stats.add(Counter::WorkerTicks);
                metrics.write_counters(&mut stats);
                // Written at each tick, because the end of another refused configuration resets the gauge for all; but not
                // while a valid configuration runs, beside which only the last streams of this one go on.
                if !config_lease::is_noted() {
                    metrics.write_refused(true);
                }
            }
            Mode::New => {}
        }
    }
}

fn as_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
