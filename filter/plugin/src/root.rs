//! The root context: configuration, tick, answers of the collector and of the sampling server, and the end.
//!
//! An invalid configuration is never applied. Where a valid one of this plugin runs in the process, the new one is refused,
//! the proxy keeps the old one, and `config.refused` says so. Where none runs, the new one is accepted and the filter
//! stands aside, because an Envoy whose first configuration by ECDS is refused answers 500 to every request.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::traits::{HttpContext, RootContext};
use sidespan_abi::types::BufferType;
use sidespan_core::config::{Config, ConfigError};
use sidespan_core::export::exporter::SendTrigger;
use sidespan_core::time::Nanos;

use crate::host::clock;
use crate::instance::{Instance, Mode, NewStream, Sharing};
use crate::shared_data::{config_lease, config_refusal};
use crate::{logging, worker};

pub(crate) struct Root {
    instance: Sharing,
    new_stream: NewStream,
    identity: [u8; 8],
    // Set while `on_done` is deferred for the collector's last answers.
    drain_until: Option<Nanos>,
}

impl Root {
    pub(crate) fn new(new_stream: NewStream) -> Self {
        Self {
            new_stream,
            instance: Sharing(Rc::new(RefCell::new(Instance::new()))),
            identity: [0; 8],
            drain_until: None,
        }
    }

    fn send(&self, instance: &mut Instance, trigger: SendTrigger) {
        if let Mode::Working(worker) = &mut instance.mode {
            worker.send(match self.drain_until {
                Some(_) => SendTrigger::Drain,
                None => trigger,
            });
        }
    }

    /// Ends the deferred root context once its last spans are sent or their time is over.
    fn end_if_drained(&self, instance: &mut Instance) {
        if let Some(until) = self.drain_until
            && !instance.is_draining(until)
        {
            instance.end(self.identity);
            hostcalls::done();
        }
    }

    fn work(&mut self, instance: &mut Instance, config: &Config, digest: &str) {
        if let Mode::Working(worker) = &mut instance.mode {
            worker.close();
            instance.write_metrics();
        }
        config_refusal::take_back();
        instance.metrics().write_refused(false);
        let mut worker = worker::start(config, digest);
        self.identity = worker.state.ids.take().unwrap_or_default();
        config_lease::note(self.identity);
        hostcalls::set_tick_period(worker.tick_period());
        instance.work(worker, self.identity);
    }

    fn stand_aside(instance: &mut Instance, errors: Vec<ConfigError>) {
        instance.metrics().write_refused(true);
        hostcalls::set_tick_period(ASIDE_TICK);
        instance.mode = Mode::Aside {
            errors,
            logged_at: clock::monotonic(),
        };
    }
}

impl RootContext for Root {
    fn on_http_call_response(&mut self, token: u32, _: usize, body_bytes: usize, trailers: usize) {
        let Sharing(instance) = self.instance.clone();
        let Ok(mut instance) = instance.try_borrow_mut() else {
            return;
        };
        if let Some(worker) = instance.worker()
            && !worker.on_call_response(token, body_bytes, trailers > 0)
        {
            return;
        }
        self.send(&mut instance, SendTrigger::Answer);
        self.end_if_drained(&mut instance);
    }

    fn on_done(&mut self) -> bool {
        let Sharing(instance) = self.instance.clone();
        let Ok(mut instance) = instance.try_borrow_mut() else {
            return true;
        };
        if let Mode::Working(worker) = &mut instance.mode {
            worker.send(SendTrigger::Drain);
            let until = worker.drain_until();
            if worker.is_draining(until) {
                self.drain_until = Some(until);
                // Where the whole process ends, no further callback comes.
                instance.write_metrics();
                return false;
            }
        }
        instance.end(self.identity);
        true
    }

    fn on_configure(&mut self, _: usize) -> bool {
        let Sharing(instance) = self.instance.clone();
        let Ok(mut instance) = instance.try_borrow_mut() else {
            return false;
        };
        let configuration = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX)
            .unwrap_or_default();
        match Config::parse(&configuration) {
            Ok(config) => self.work(&mut instance, &config, &Config::digest(&configuration)),
            Err(errors) => {
                let is_replaceable = config_lease::is_noted();
                log_errors(&errors, is_replaceable);
                if is_replaceable {
                    config_refusal::note();
                    instance.metrics().write_refused(true);
                    return false;
                }
                Self::stand_aside(&mut instance, errors);
            }
        }
        true
    }

    fn on_tick(&mut self) {
        let Sharing(instance) = self.instance.clone();
        let Ok(mut instance) = instance.try_borrow_mut() else {
            return;
        };
        match &mut instance.mode {
            Mode::Working(worker) => {
                logging::follow();
                let is_ending = self.drain_until.is_some();
                // Every few seconds, which is often enough to look for an old refusal.
                let has_expired =
                    !is_ending && config_lease::renew(self.identity) && config_refusal::expire();
                worker.on_tick(is_ending);
                if has_expired {
                    instance.metrics().write_refused(false);
                }
            }
            // A valid configuration may have replaced this one while streams of this one go on.
            Mode::Aside { errors, logged_at } if !config_lease::is_noted() => {
                let now = clock::monotonic();
                if now.is_past(*logged_at, REPEAT_ERRORS) {
                    *logged_at = now;
                    log_errors(errors, false);
                }
            }
            Mode::Aside { .. } | Mode::New => {}
        }
        self.send(&mut instance, SendTrigger::Tick);
        instance.write_metrics();
        self.end_if_drained(&mut instance);
    }

    #[inline]
    fn on_http_request_headers(&self) -> Option<Box<dyn HttpContext>> {
        (self.new_stream)(&self.instance)
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

const ASIDE_TICK: Duration = Duration::from_secs(1);
const REPEAT_ERRORS: Duration = Duration::from_secs(60);
