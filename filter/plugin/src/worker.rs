//! What a root context and its streams share in one worker: how requests are treated, and where spans go.

use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::MapType;
use sidespan_core::config::{Config, Role};
use sidespan_core::direction::DirectionSource;
use sidespan_core::export::exporter::{Exporter, SendTrigger};
use sidespan_core::headers::RequestHeaders;
use sidespan_core::headers::pairs::HeaderPairs;
use sidespan_core::otlp::request::RequestFrame;
use sidespan_core::semconv::resource;
use sidespan_core::semconv::settings::schema_url;
use sidespan_core::shared_data::queue_ledger::QueuedSpans;
use sidespan_core::stats::{Counter, Stats};
use sidespan_core::time::Nanos;
use sidespan_core::tracer::attempt::AttemptState;
use sidespan_core::tracer::decide::Tracer;
use sidespan_core::tracer::keep::pending::PendingSpans;
use sidespan_core::tracer::keep::response_header::{HeaderChange, ResponsePart};
use sidespan_core::tracer::open_spans::OpenSpans;
use sidespan_core::tracer::state::State;

use crate::collector::Collector;
use crate::host::clock;
use crate::host::header_writer::{self, MapWriter};
use crate::host::random::WasiRandom;
use crate::host::stream_info::CurrentStream;
use crate::sampling_server::SamplingServer;
use crate::shared_data::kept_traces::SharedKeptTraces;
use crate::shared_data::{config_lease, installations, request_ids};
use crate::startup_log::{self, VERSION};
use crate::stream_state::{Spans, StreamState};
use crate::{logging, node};

/// A configuration at work.
pub(crate) struct Worker {
    tracer: Tracer,
    exchange: CurrentStream,
    facing: DirectionSource,
    role: Role,
    pub(crate) state: State<WasiRandom>,
    collector: Option<Collector>,
    sampling_server: Option<SamplingServer>,
    // Whether other installations are in this process, and may be in this chain.
    has_copies: bool,
}

impl Worker {
    /// Puts a configuration to work on this node. The digest is of its bytes.
    pub(crate) fn new(config: &Config, digest: &str) -> Self {
        let asked = config.spans.variables();
        let variables = asked.iter().copied().chain(resource::VARIABLES);
        let node = node::read(config.labels(), variables);
        let resource = node.resource(&config.spans, VERSION, digest);
        let facing = DirectionSource::new(config.direction, &node::id());
        let says = config_lease::is_first_to_say("configuration", digest, ONE_ROUND);
        if says {
            startup_log::say(config, digest, &node, &resource, facing);
        }
        let envelope = RequestFrame::new(
            &resource,
            "sidespan",
            VERSION,
            digest,
            schema_url(config.spans.conventions),
        );
        let collector = Collector::new(&config.export, envelope, says);
        let sampling_server = SamplingServer::new(config, resource.get("service.name"), digest);
        logging::follow();
        Self {
            tracer: Tracer::new(config, &node),
            exchange: match (&collector, config.role) {
                (Some(_), Role::Request) => CurrentStream::prepare(),
                _ => CurrentStream::default(),
            },
            facing,
            role: config.role,
            state: State::new(config, WasiRandom),
            collector,
            sampling_server,
            has_copies: config.role == Role::Request && installations::renew(),
        }
    }

    /// Treats the headers of the current stream, and notes what is to be handed back at its end.
    #[inline]
    pub(crate) fn begin(&mut self, begun: &mut StreamState) {
        match self.role {
            Role::Request => self.begin_request(begun),
            Role::Attempt => {
                begun.spans = self.begin_attempt().map(Box::new).map(Spans::Tried);
            }
        }
    }

    #[inline]
    fn begin_request(&mut self, begun: &mut StreamState) {
        if self.has_copies && installations::is_seen_before() {
            self.state.stats.add(Counter::ContextDuplicateInstall);
            return;
        }
        let block = hostcalls::get_map_block(MapType::HttpRequestHeaders);
        let headers = RequestHeaders::read_only(self.tracer.names(), HeaderPairs::new(&block));
        let writer = &mut MapWriter::request_headers();
        let baggage = self.tracer.baggage();
        if baggage.is_touched() {
            baggage.rewrite(
                &headers,
                HeaderPairs::new(&block),
                writer,
                &mut self.state.stats,
            );
        }
        // A property and the time are asked for only where they make a difference, and once.
        let facing = self.facing;
        let mut known = None;
        let mut direction = || *known.get_or_insert_with(|| node::direction(facing));
        let excluded = self.state.stats.get(Counter::DroppedExclude);
        let mut request_trace = self.tracer.decide_correlated(
            &headers,
            HeaderPairs::new(&block),
            &mut direction,
            clock::now,
            request_ids::find,
            &mut self.state,
        );
        if log::log_enabled!(log::Level::Debug) {
            let is_excluded = self.state.stats.get(Counter::DroppedExclude) > excluded;
            let explanation = self
                .tracer
                .explain(&headers, request_trace.as_ref(), is_excluded);
            log::debug!("{explanation}");
        }
        let Some(request_trace) = request_trace.as_mut() else {
            begun.strips = self.tracer.strips_server_timing(facing.known().or(known));
            return;
        };
        if let Some((trace_id, span_id)) = self.tracer.access_log_ids(request_trace) {
            hostcalls::set_property(TRACE_ID, &trace_id.to_hex());
            hostcalls::set_property(SPAN_ID, &span_id.to_hex());
        }
        if request_trace.is_recorded() {
            // The proxy says at the end how long it took, so nobody has to look at the clock now.
            let (all, now) = (HeaderPairs::new(&block), Nanos(0));
            begun.spans = request_trace
                .begin(direction(), &headers, all, now, &mut self.state)
                .map(Box::new)
                .map(Spans::Recorded);
        } else if request_trace.is_held() {
            begun.spans = self
                .tracer
                .hold(
                    request_trace,
                    &mut direction,
                    &headers,
                    clock::now,
                    &mut self.state,
                )
                .map(Spans::PendingSpans);
        }
        self.tracer.inject(request_trace, &headers, writer);
        let to_note = self.tracer.to_note(request_trace, &headers, &mut direction);
        begun.strips = self.tracer.strips_server_timing(facing.known().or(known));
        begun.note = to_note.map(|(id, context)| request_ids::note(id, &context));
    }

    #[inline]
    fn begin_attempt(&mut self) -> Option<OpenSpans> {
        let block = hostcalls::get_map_block(MapType::HttpRequestHeaders);
        let headers = RequestHeaders::read_only(self.tracer.names(), HeaderPairs::new(&block));
        let (active, memory) = self.tracer.begin_attempt(
            &headers,
            HeaderPairs::new(&block),
            || AttemptState::read(&hostcalls::get_property(ATTEMPTS)?),
            clock::now(),
            &mut self.state,
            &mut MapWriter::request_headers(),
        )?;
        hostcalls::set_property(ATTEMPTS, &memory.to_bytes());
        Some(active)
    }

    /// Listens to a part of the response of the current stream.
    #[inline]
    pub(crate) fn hear(&mut self, begun: &mut StreamState, part: ResponsePart) {
        match &mut begun.spans {
            Some(Spans::Tried(active)) => self.tracer.hear_attempt(active, &self.exchange),
            Some(Spans::PendingSpans(held)) => {
                let word = self.tracer.hear_held(
                    held,
                    part,
                    &self.exchange,
                    &mut SharedKeptTraces,
                    clock::now,
                    &mut self.state,
                );
                header_writer::write_server_timing(part, &word);
            }
            _ if begun.strips => header_writer::write_server_timing(
                part,
                &HeaderChange::stripped(part, &self.exchange),
            ),
            _ => {}
        }
    }

    /// Ends the spans of the current stream.
    #[inline]
    pub(crate) fn finish(&mut self, spans: Spans) {
        let Some(collector) = &mut self.collector else {
            return;
        };
        let (active, is_try) = match spans {
            Spans::Recorded(active) => (active, false),
            Spans::Tried(active) => (active, true),
            Spans::PendingSpans(held) => return self.finish_held(held),
        };
        let now = clock::now();
        let (tracer, exchange) = (&self.tracer, &self.exchange);
        let push = &mut |span| collector.exporter.push(&span, now, &mut self.state.stats);
        if is_try {
            tracer.finish_attempt(*active, exchange, now, push);
        } else {
            tracer.finish(*active, exchange, now, push);
        }
        collector.ask_for_tick();
    }

    /// Ends what was held, and makes its spans if they are kept.
    #[inline]
    fn finish_held(&mut self, mut held: PendingSpans) {
        let (exchange, notes) = (self.exchange, &mut SharedKeptTraces);
        let (now, state) = (clock::now, &mut self.state);
        if !self
            .tracer
            .settle_held(&mut held, &exchange, notes, now, state)
        {
            return;
        }
        let Some(collector) = &mut self.collector else {
            return;
        };
        let block = hostcalls::get_map_block(MapType::HttpRequestHeaders);
        let (headers, all) = (
            RequestHeaders::read(HeaderPairs::new(&block)),
            HeaderPairs::new(&block),
        );
        let now = clock::now();
        let mut kept = Stats::default();
        if let Some(active) = self.tracer.open_held(held, headers, all, now, &mut kept) {
            let push = &mut |span| collector.exporter.push(&span, now, &mut self.state.stats);
            self.tracer.finish(active, &exchange, now, push);
        }
        self.state.stats.add_all(&mut kept);
        collector.ask_for_tick();
    }

    /// How often the tick is wanted.
    pub(crate) fn tick_period(&self) -> Duration {
        self.exporter().map_or(IDLE_TICK, Exporter::tick_period)
    }

    /// The tick has come: if it was asked for out of turn, from here on it is the usual again.
    pub(crate) fn ticked(&mut self) {
        self.state.stats.add(Counter::WorkerTicks);
        self.has_copies = self.role == Role::Request && installations::renew();
        logging::follow();
        if let Some(collector) = &mut self.collector {
            collector.ticked();
        }
    }

    /// Sends what is due.
    pub(crate) fn send(&mut self, urgency: SendTrigger) {
        if let Some(collector) = &mut self.collector {
            collector.send_due(
                urgency,
                clock::now(),
                &mut self.state.ids,
                &mut self.state.stats,
            );
        }
    }

    /// Asks for percentages, if it is time to.
    pub(crate) fn ask(&mut self) {
        if let Some(server) = &mut self.sampling_server {
            server.ask(&mut self.state);
        }
    }

    /// Takes the sampling server's answer to a call; `false` where the call was somebody else's.
    pub(crate) fn told(&mut self, token: u32, body_bytes: usize) -> bool {
        self.sampling_server
            .as_mut()
            .is_some_and(|server| server.take_answer(token, body_bytes, &mut self.state))
    }

    /// Takes the collector's answer to a call.
    pub(crate) fn answered(&mut self, token: u32, body_bytes: usize, has_trailers: bool) {
        if let Some(collector) = &mut self.collector {
            collector.take_answer(
                token,
                body_bytes,
                has_trailers,
                &mut self.state.ids,
                &mut self.state.stats,
            );
        }
    }

    /// The exporter, where there is one.
    #[inline]
    pub(crate) fn exporter(&self) -> Option<&Exporter> {
        self.collector.as_ref().map(|collector| &collector.exporter)
    }

    /// What waits or is under way.
    pub(crate) fn held(&self) -> QueuedSpans {
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        self.exporter()
            .map_or_else(QueuedSpans::default, |exporter| QueuedSpans {
                spans: number(exporter.spans()),
                bytes: number(exporter.bytes()),
            })
    }

    /// Gives up on what still waits.
    pub(crate) fn close(&mut self) {
        if let Some(collector) = &mut self.collector {
            collector.exporter.close(&mut self.state.stats);
        }
    }

    /// Until when the last batches may take when this ends.
    pub(crate) fn drain_until(&self) -> Nanos {
        let timeout = self
            .collector
            .as_ref()
            .map_or(Duration::ZERO, Collector::timeout);
        clock::now().after(timeout)
    }

    /// Whether anything that waits may still go until then.
    pub(crate) fn is_draining(&self, until: Nanos) -> bool {
        self.exporter()
            .is_some_and(|exporter| exporter.can_send_until(until, clock::now()))
    }

    /// Random bytes that tell this configuration from every other.
    pub(crate) fn identity(&mut self) -> [u8; 8] {
        self.state.ids.take().unwrap_or_default()
    }
}

/// All workers of a proxy have a new configuration within this time.
const ONE_ROUND: Duration = Duration::from_secs(10);
/// In Envoy's filter state `wasm.sidespan.trace_id` and `wasm.sidespan.span_id`, for its access log.
const TRACE_ID: &str = "sidespan.trace_id";
const SPAN_ID: &str = "sidespan.span_id";
/// Where the tries of one request find what they have to know of each other.
const ATTEMPTS: &str = "sidespan.attempts";
/// Often enough for counters.
const IDLE_TICK: Duration = Duration::from_secs(1);
