//! What a root context and its streams have in common, whatever became of the configuration.

use sidespan_core::config::ConfigError;
use sidespan_core::shared_data::queue_ledger::{QueueLedger, QueuedSpans};
use sidespan_core::stats::{Counter, Stats};
use sidespan_core::time::Nanos;
use sidespan_core::tracer::keep::response_header::ResponsePart;

use crate::begun::{Begun, Spans};
use crate::metrics::Metrics;
use crate::queues::{self, Noted};
use crate::running;
use crate::worker::Worker;

pub(crate) struct Shared {
    pub(crate) mode: Mode,
    metrics: Option<Metrics>,
    // None where there is no randomness to tell workers apart.
    ledger: Option<QueueLedger>,
}

/// What became of the configuration.
pub(crate) enum Mode {
    /// There is none yet.
    New,
    /// A good one is at work.
    Working(Box<Worker>),
    /// A bad one came first: nothing is touched.
    Aside {
        errors: Vec<ConfigError>,
        said_at: Nanos,
    },
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            mode: Mode::New,
            metrics: None,
            ledger: None,
        }
    }

    /// Puts a worker to work under this name.
    pub(crate) fn work(&mut self, worker: Worker, identity: [u8; 8]) {
        self.ledger = (identity != [0; 8]).then(|| QueueLedger::new(identity));
        self.mode = Mode::Working(Box::new(worker));
    }

    /// The numbers in the proxy, defined when they are first asked for.
    pub(crate) fn metrics(&mut self) -> &mut Metrics {
        self.metrics.get_or_insert_with(Metrics::define)
    }

    /// Treats the headers of the current request.
    #[inline]
    pub(crate) fn begin(&mut self, begun: &mut Begun) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.begin(begun);
        }
    }

    /// Listens to a part of the response of the current stream.
    #[inline]
    pub(crate) fn hear(&mut self, begun: &mut Begun, part: ResponsePart) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.hear(begun, part);
        }
    }

    /// Ends the spans of the current stream.
    #[inline]
    pub(crate) fn finish(&mut self, spans: Spans) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.finish(spans);
            if worker
                .exporter()
                .is_some_and(|exporter| exporter.is_closed())
            {
                // No tick comes any more, and what is counted now would be lost.
                self.write_metrics();
            }
        }
    }

    /// Whether the last spans may still go until then.
    pub(crate) fn is_draining(&self, until: Nanos) -> bool {
        matches!(&self.mode, Mode::Working(worker) if worker.is_draining(until))
    }

    /// Ends for good: everything counted is written, and what was left in shared places is taken back.
    pub(crate) fn end(&mut self, identity: &[u8; 8]) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.close();
            running::take_back(identity);
        }
        self.write_metrics();
        if let Mode::Aside { .. } = self.mode {
            self.metrics().write_refused(false);
        }
    }

    /// Writes what was counted, and the levels.
    pub(crate) fn write_metrics(&mut self) {
        let Some(metrics) = &mut self.metrics else {
            return;
        };
        match &mut self.mode {
            Mode::Working(worker) => {
                let held = worker.held();
                // Counters, gauges and the note move together or not at all: whoever counts what a trapped VM held knows
                // the note alone.
                let noted = match &mut self.ledger {
                    Some(ledger) => queues::note(ledger, held),
                    None => Some(Noted::default()),
                };
                let Some(Noted { lost, reclaimed }) = noted else {
                    return;
                };
                let stats = &mut worker.state.stats;
                stats.add_many(Counter::SpansDroppedRestart, as_usize(lost.spans));
                metrics.take_back(lost);
                if reclaimed != QueuedSpans::default() {
                    // They were counted as lost and go on nevertheless; ended a second time, the sum stays right.
                    stats.add_many(Counter::SpansFinished, as_usize(reclaimed.spans));
                    metrics.was_taken_back();
                }
                metrics.write_counters(stats);
                metrics.write_queue(held);
            }
            Mode::Aside { .. } => {
                let mut stats = Stats::default();
                stats.add(Counter::WorkerTicks);
                metrics.write_counters(&mut stats);
                // Said again each time, for the end of another refused configuration takes it back for all; but not
                // over a good one, beside which only the last streams of this one go on.
                if !running::is_noted() {
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
