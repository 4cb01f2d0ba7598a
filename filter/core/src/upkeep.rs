//! What a worker does between requests: the tick, answers to calls, and sending.

use core::time::Duration;

use crate::config::Role;
use crate::export::collector::Collector;
use crate::export::exporter::{Exporter, SendTrigger};
use crate::filter::Filter;
use crate::id_generator::Random;
use crate::proxy::Proxy;
use crate::shared_data::installations;
use crate::shared_data::queue_ledger::QueuedSpans;
use crate::stats::Counter;
use crate::time::Nanos;
use crate::tracer::state::State;

impl<P: Proxy, R: Random> Filter<P, R, Collector> {
    /// Does what is due from time to time. `is_ending` while the configuration ends and only its last spans are sent.
    pub fn on_tick(&mut self, is_ending: bool) {
        self.give_sign_of_life();
        let proxy = &self.proxy;
        self.has_copies = self.role == Role::Request && installations::renew(proxy);
        if let Some(collector) = &mut self.exporter {
            collector.on_tick(proxy);
        }
        if let Some(server) = &mut self.sampling_server
            && !is_ending
        {
            server.ask(proxy, &mut self.state.remote, &mut self.state.ids);
        }
    }

    /// Counts one tick in each second, because ticks come as fast as batches fill up, and an alert is to see a worker stop in
    /// the number of them alone.
    fn give_sign_of_life(&mut self) {
        let Nanos(now) = self.proxy.monotonic();
        let second = Some(now / NANOS_PER_SECOND);
        if self.last_sign_of_life != second {
            self.last_sign_of_life = second;
            self.state.stats.add(Counter::WorkerTicks);
        }
    }

    /// Takes the answer to a call. Returns true if it was the collector's, so that more may be sent now.
    pub fn on_call_response(&mut self, token: u32, body_bytes: usize, has_trailers: bool) -> bool {
        let (proxy, state) = (&self.proxy, &mut self.state);
        let (ids, stats) = (&mut state.ids, &mut state.stats);
        if let Some(server) = &mut self.sampling_server
            && server.take_answer(proxy, token, body_bytes, &mut state.remote, ids)
        {
            return false;
        }
        if let Some(collector) = &mut self.exporter {
            collector.take_answer(proxy, token, body_bytes, has_trailers, ids, stats);
        }
        true
    }

    /// Sends what is due on this occasion.
    pub fn send(&mut self, trigger: SendTrigger) {
        if let Some(collector) = &mut self.exporter {
            let State { ids, stats, .. } = &mut self.state;
            collector.send_due(&self.proxy, trigger, ids, stats);
        }
    }

    /// Returns how often the tick is wanted.
    pub fn tick_period(&self) -> Duration {
        self.exporter().map_or(IDLE_TICK, Exporter::tick_period)
    }

    /// Returns the exporter, where there is one.
    #[inline]
    pub fn exporter(&self) -> Option<&Exporter> {
        self.exporter.as_ref().map(|collector| &collector.exporter)
    }

    /// Returns the spans that are queued or under way.
    pub fn queued_spans(&self) -> QueuedSpans {
        self.exporter()
            .map_or_else(QueuedSpans::default, Exporter::queued_spans)
    }

    /// Gives up on queued spans, each of which is counted.
    pub fn close(&mut self) {
        if let Some(collector) = &mut self.exporter {
            collector.exporter.close(&mut self.state.stats);
        }
    }

    /// Returns until when the last batches may take when this ends.
    pub fn drain_until(&self) -> Nanos {
        let timeout = self
            .exporter
            .as_ref()
            .map_or(Duration::ZERO, Collector::timeout);
        self.proxy.now().after(timeout)
    }

    /// Returns true if any queued span may still be sent before then.
    pub fn is_draining(&self, until: Nanos) -> bool {
        self.exporter()
            .is_some_and(|exporter| exporter.can_send_until(until, self.proxy.now()))
    }
}

/// Without an exporter, ticks are for counters alone.
const IDLE_TICK: Duration = Duration::from_secs(1);
const NANOS_PER_SECOND: u64 = 1_000_000_000;
