//! What a root context and its streams share in one worker: how requests are treated, and where spans go.

use std::time::Duration;

use sidespan_core::config::Config;
use sidespan_core::entropy::IdSource;
use sidespan_core::export::{Exporter, Urgency};
use sidespan_core::facing::Facing;
use sidespan_core::headers::RequestHeaders;
use sidespan_core::headers::wire::Pairs;
use sidespan_core::http::Ending;
use sidespan_core::ledger::Holding;
use sidespan_core::otlp::Envelope;
use sidespan_core::stats::{Counter, Stats};
use sidespan_core::time::Nanos;
use sidespan_core::tracer::{Active, Tracer};

use crate::collector::Collector;
use crate::host::{self, RequestHeaderWriter, WasiEntropy};
use crate::installs;
use crate::node;

/// A configuration at work.
pub(crate) struct Worker {
    tracer: Tracer,
    facing: Facing,
    ids: IdSource<WasiEntropy>,
    collector: Option<Collector>,
    // Whether other installations are in this process, and may be in this chain.
    has_copies: bool,
    pub(crate) stats: Stats,
}

impl Worker {
    /// Puts a configuration to work on this node.
    pub(crate) fn new(config: &Config) -> Self {
        let node = node::read(config.labels());
        let configured_name = config.spans.service_name.as_deref();
        log::info!(
            "sidespan {VERSION} configured for service {} in namespace {}",
            node.service_name(configured_name),
            node.namespace.as_deref().unwrap_or("(none)"),
        );
        let resource = node.resource(configured_name, VERSION);
        let envelope = Envelope::new(&resource, "sidespan", VERSION);
        let collector = Collector::new(&config.export, envelope);
        Self {
            tracer: Tracer::new(config, &node),
            facing: Facing::new(config.direction, &node::id()),
            ids: IdSource::new(WasiEntropy),
            collector,
            has_copies: installs::renew(),
            stats: Stats::default(),
        }
    }

    /// Treats the headers of the current request; what it returns is to be handed back at the stream's end.
    pub(crate) fn begin(&mut self) -> Option<Active> {
        if self.has_copies && installs::is_seen_before() {
            self.stats.add(Counter::ContextDuplicateInstall);
            return None;
        }
        let block = host::header_map(host::REQUEST_HEADERS);
        let headers = RequestHeaders::read_only(self.tracer.names(), Pairs::new(&block));
        let writer = &mut RequestHeaderWriter;
        let baggage = self.tracer.baggage();
        if baggage.is_touched() {
            baggage.rewrite(&headers, Pairs::new(&block), writer, &mut self.stats);
        }
        // A property and the time are asked for only where they make a difference, and once.
        let facing = self.facing;
        let mut known = None;
        let mut direction = || *known.get_or_insert_with(|| node::direction(facing));
        let mut course = self.tracer.decide(
            &headers,
            Pairs::new(&block),
            &mut direction,
            &mut self.ids,
            &mut self.stats,
        )?;
        let active = course
            .is_recorded()
            .then(|| (direction(), host::now()))
            .and_then(|(direction, now)| {
                course.begin(direction, &headers, now, &mut self.ids, &mut self.stats)
            });
        self.tracer.inject(&course, &headers, writer);
        active
    }

    /// Ends the spans of the current stream.
    pub(crate) fn finish(&mut self, active: Active) {
        let Some(collector) = &mut self.collector else {
            return;
        };
        let ending = Ending {
            status_code: host::header(host::RESPONSE_HEADERS, ":status").and_then(status_code),
            response_flags: host::number_property("response\0flags").unwrap_or(0),
        };
        let now = host::now();
        for span in active.finish(ending, now) {
            collector.exporter.push(&span, now, &mut self.stats);
        }
        collector.ask_for_tick();
    }

    /// How often the tick is wanted.
    pub(crate) fn tick_period(&self) -> Duration {
        self.exporter().map_or(IDLE_TICK, Exporter::tick_period)
    }

    /// The tick has come: if it was asked for out of turn, from here on it is the usual again.
    pub(crate) fn ticked(&mut self) {
        self.stats.add(Counter::WorkerTicks);
        self.has_copies = installs::renew();
        if let Some(collector) = &mut self.collector {
            collector.ticked();
        }
    }

    /// Sends what is due.
    pub(crate) fn send(&mut self, urgency: Urgency) {
        if let Some(collector) = &mut self.collector {
            collector.send_due(urgency, host::now(), &mut self.ids, &mut self.stats);
        }
    }

    /// Takes the collector's answer to a call.
    pub(crate) fn answered(&mut self, token: u32, body_bytes: usize, has_trailers: bool) {
        if let Some(collector) = &mut self.collector {
            collector.take_answer(
                token,
                body_bytes,
                has_trailers,
                &mut self.ids,
                &mut self.stats,
            );
        }
    }

    /// The exporter, where there is one.
    pub(crate) fn exporter(&self) -> Option<&Exporter> {
        self.collector.as_ref().map(|collector| &collector.exporter)
    }

    /// What waits or is under way.
    pub(crate) fn held(&self) -> Holding {
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        self.exporter()
            .map_or_else(Holding::default, |exporter| Holding {
                spans: number(exporter.spans()),
                bytes: number(exporter.bytes()),
            })
    }

    /// Gives up on what still waits.
    pub(crate) fn close(&mut self) {
        if let Some(collector) = &mut self.collector {
            collector.exporter.close(&mut self.stats);
        }
    }

    /// Until when the last batches may take when this ends.
    pub(crate) fn drain_until(&self) -> Nanos {
        let timeout = self
            .collector
            .as_ref()
            .map_or(Duration::ZERO, Collector::timeout);
        host::now().after(timeout)
    }

    /// Whether anything that waits may still go until then.
    pub(crate) fn is_draining(&self, until: Nanos) -> bool {
        self.exporter()
            .is_some_and(|exporter| exporter.can_send_until(until, host::now()))
    }

    /// Random bytes that tell this configuration from every other.
    pub(crate) fn identity(&mut self) -> [u8; 8] {
        self.ids.take().unwrap_or_default()
    }
}

fn status_code(digits: Vec<u8>) -> Option<u16> {
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Often enough for counters.
const IDLE_TICK: Duration = Duration::from_secs(1);
