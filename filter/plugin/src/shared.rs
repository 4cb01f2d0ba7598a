//! What a root context and its streams have in common, whatever became of the configuration.

use sidespan_core::config::ConfigError;
use sidespan_core::stats::{Counter, Stats};
use sidespan_core::time::Nanos;
use sidespan_core::tracer::Active;

use crate::metrics::Metrics;
use crate::running;
use crate::worker::Worker;

pub(crate) struct Shared {
    pub(crate) mode: Mode,
    metrics: Option<Metrics>,
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
        }
    }

    /// The numbers in the proxy, defined when they are first asked for.
    pub(crate) fn metrics(&mut self) -> &mut Metrics {
        self.metrics.get_or_insert_with(Metrics::define)
    }

    /// Treats the headers of the current request.
    pub(crate) fn begin(&mut self) -> Option<Active> {
        match &mut self.mode {
            Mode::Working(worker) => worker.begin(),
            Mode::New | Mode::Aside { .. } => None,
        }
    }

    /// Listens to the response of the current stream.
    pub(crate) fn hear(&self, active: &mut Active) {
        if let Mode::Working(worker) = &self.mode {
            worker.hear(active);
        }
    }

    /// Ends the spans of the current stream.
    pub(crate) fn finish(&mut self, active: Active) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.finish(active);
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
                metrics.write_counters(&mut worker.stats);
                let (spans, bytes) = worker
                    .exporter()
                    .map_or((0, 0), |exporter| (exporter.spans(), exporter.bytes()));
                metrics.write_queue(spans, bytes);
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
