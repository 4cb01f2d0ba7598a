//! The root context: configuration, tick, answers of the collector, and the end.
//!
//! A bad configuration is never applied. Where a good one of this plugin already runs in the process it is refused, and
//! the proxy goes on with the old one. Where none runs it is accepted and the filter stands aside: a refused first
//! configuration would make an Envoy that got it by ECDS answer 500 to everything.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use sidespan_core::config::{Config, ConfigError};
use sidespan_core::export::Urgency;
use sidespan_core::stats::{Counter, Stats};
use sidespan_core::time::Nanos;
use sidespan_core::tracer::Active;

use crate::host;
use crate::metrics::Metrics;
use crate::stream::Stream;
use crate::worker::Worker;

/// What the root context and its streams have in common.
pub(crate) struct Shared {
    mode: Mode,
    metrics: Option<Metrics>,
}

enum Mode {
    /// Not configured yet.
    New,
    /// A good configuration is at work.
    Working(Box<Worker>),
    /// A bad one came first: nothing is touched.
    Aside {
        errors: Vec<ConfigError>,
        repeat_at: Nanos,
    },
}

impl Shared {
    pub(crate) fn begin(&mut self) -> Option<Active> {
        match &mut self.mode {
            Mode::Working(worker) => worker.begin(),
            Mode::New | Mode::Aside { .. } => None,
        }
    }

    pub(crate) fn finish(&mut self, active: Active) {
        if let Mode::Working(worker) = &mut self.mode {
            worker.finish(active);
            let is_closed = worker
                .exporter()
                .is_some_and(|exporter| exporter.is_closed());
            if is_closed {
                // The tick is over, and what is counted now would be lost.
                self.write_metrics();
            }
        }
    }

    fn write_metrics(&mut self) {
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
                // Said again each time: the end of another refused configuration takes it back for all.
                metrics.write_refused(true);
            }
            Mode::New => {}
        }
    }
}

pub(crate) struct Root {
    shared: Rc<RefCell<Shared>>,
    identity: [u8; 8],
    // Set while the end waits for the last answers.
    drain_until: Option<Nanos>,
}

impl Root {
    pub(crate) fn new() -> Self {
        Self {
            shared: Rc::new(RefCell::new(Shared {
                mode: Mode::New,
                metrics: None,
            })),
            identity: [0; 8],
            drain_until: None,
        }
    }

    /// Ends for good: everything counted is written, and the notes in shared places are taken back.
    fn end(shared: &mut Shared, identity: [u8; 8]) {
        if let Mode::Working(worker) = &mut shared.mode {
            worker.close();
            let key = running_key();
            // A newer configuration may have left its own note meanwhile.
            if host::shared_data(&key).as_deref() == Some(&identity) {
                host::set_shared_data(&key, &[]);
            }
        }
        shared.write_metrics();
        if let (Mode::Aside { .. }, Some(metrics)) = (&shared.mode, &shared.metrics) {
            metrics.write_refused(false);
        }
    }

    /// Whether the last spans are still on their way.
    fn is_draining(shared: &Shared, until: Nanos) -> bool {
        let Mode::Working(worker) = &shared.mode else {
            return false;
        };
        worker
            .exporter()
            .is_some_and(|exporter| exporter.spans() > 0)
            && host::now() < until
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _: usize, _: usize, trailers: usize) {
        let Ok(mut shared) = self.shared.try_borrow_mut() else {
            return;
        };
        if let Mode::Working(worker) = &mut shared.mode {
            worker.answered(token, trailers > 0);
            // Behind a batch that was held up, the next one may be due already.
            worker.send(match self.drain_until {
                Some(_) => Urgency::Drain,
                None => Urgency::Normal,
            });
        }
        if let Some(until) = self.drain_until
            && !Self::is_draining(&shared, until)
        {
            Self::end(&mut shared, self.identity);
            host::done();
        }
    }

    fn on_done(&mut self) -> bool {
        let Ok(mut shared) = self.shared.try_borrow_mut() else {
            return true;
        };
        if let Mode::Working(worker) = &mut shared.mode {
            worker.send(Urgency::Drain);
            let until = worker.drain_until();
            if Self::is_draining(&shared, until) {
                self.drain_until = Some(until);
                return false;
            }
        }
        Self::end(&mut shared, self.identity);
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let Ok(mut shared) = self.shared.try_borrow_mut() else {
            return false;
        };
        let configuration =
            host::buffer(host::PLUGIN_CONFIGURATION, usize::MAX).unwrap_or_default();
        match Config::parse(&configuration) {
            Ok(config) => {
                let metrics = shared.metrics.get_or_insert_with(Metrics::define);
                metrics.write_refused(false);
                let mut worker = Worker::new(&config);
                self.identity = worker.identity();
                host::set_shared_data(&running_key(), &self.identity);
                host::set_tick_period(worker.tick_period());
                shared.mode = Mode::Working(Box::new(worker));
                true
            }
            Err(errors) => {
                let is_replaceable = host::shared_data(&running_key()).is_some();
                log_errors(&errors, is_replaceable);
                if is_replaceable {
                    return false;
                }
                let metrics = shared.metrics.get_or_insert_with(Metrics::define);
                metrics.write_refused(true);
                host::set_tick_period(ASIDE_TICK);
                shared.mode = Mode::Aside {
                    errors,
                    repeat_at: host::now().after(REPEAT_ERRORS),
                };
                true
            }
        }
    }

    fn on_tick(&mut self) {
        let Ok(mut shared) = self.shared.try_borrow_mut() else {
            return;
        };
        match &mut shared.mode {
            Mode::Working(worker) => {
                worker.stats.add(Counter::WorkerTicks);
                // A full batch may have asked for a tick at once; from here on it is the usual again.
                host::set_tick_period(worker.tick_period());
                worker.send(match self.drain_until {
                    Some(_) => Urgency::Drain,
                    None => Urgency::Normal,
                });
            }
            Mode::Aside { errors, repeat_at } => {
                let now = host::now();
                if now >= *repeat_at {
                    *repeat_at = now.after(REPEAT_ERRORS);
                    log_errors(errors, false);
                }
            }
            Mode::New => {}
        }
        shared.write_metrics();
        if let Some(until) = self.drain_until
            && !Self::is_draining(&shared, until)
        {
            Self::end(&mut shared, self.identity);
            host::done();
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(Rc::clone(&self.shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn log_errors(errors: &[ConfigError], is_replaceable: bool) {
    let outcome = if is_replaceable {
        "the running configuration stays"
    } else {
        "no other is running: nothing is traced and no header is touched until it is corrected"
    };
    log::error!("configuration refused, {} errors; {outcome}", errors.len());
    for error in errors {
        log::error!("{error}");
    }
}

/// Under which shared name a good configuration of this plugin leaves its note.
fn running_key() -> String {
    let name = host::property("plugin_name").unwrap_or_default();
    format!("sidespan.running.{}", String::from_utf8_lossy(&name))
}

const ASIDE_TICK: std::time::Duration = std::time::Duration::from_secs(1);
const REPEAT_ERRORS: std::time::Duration = std::time::Duration::from_secs(60);
