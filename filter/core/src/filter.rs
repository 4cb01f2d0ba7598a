//! The filter: one request in the order of the callbacks, and between them the tick and the answers to calls.
//!
//! ```text
//! on_request_headers    duplicate? -> baggage -> decide -> log -> restore -> open | pending -> inject -> note
//! on_response_headers   pending: keep? -> server-timing;  others: what spans tell of it
//! on_response_trailers  as headers, for gRPC's status
//! on_end                finish -> export;  pending: keep? -> open -> finish -> export;  take the note back
//! on_tick               installations -> ask the sampling server
//! on_call_response      the collector's answer, or the sampling server's
//! send                  the batch that is due on this occasion
//! ```
//!
//! The last three are in `crate::upkeep`. This is the only place that knows the sequence. The plugin maps proxy-wasm's callbacks to these; tests, fuzz targets,
//! benches and `sidespan check --request` call the same with a proxy in memory.

mod stream_direction;
mod stream_state;

pub use stream_state::StreamState;

use stream_direction::StreamDirection;
use stream_state::StreamSpans;

use crate::config::{Config, Role};
use crate::direction::DirectionSource;
use crate::export::exporter::SpanExporter;
use crate::headers::RequestHeaders;
use crate::headers::pairs::HeaderPairs;
use crate::id_generator::Random;
use crate::node::Node;
use crate::proxy::{LogLevel, Proxy};
use crate::sampling::remote::server::SamplingServer;
use crate::shared_data::{installations, request_ids};
use crate::stats::Counter;
use crate::stream_info::heard::ResponsePart;
use crate::time::Nanos;
use crate::tracer::attempt::AttemptState;
use crate::tracer::decide::Tracer;
use crate::tracer::keep::pending::PendingSpans;
use crate::tracer::keep::response_header::HeaderChange;
use crate::tracer::open_spans::OpenSpans;
use crate::tracer::request_trace::RequestTrace;
use crate::tracer::state::State;

/// One configuration at work in one worker.
#[derive(Debug)]
pub struct Filter<P, R, E> {
    /// The proxy.
    pub proxy: P,
    /// The state that one request leaves for the next.
    pub state: State<R>,
    /// The taker of finished spans, where they are exported.
    pub exporter: Option<E>,
    tracer: Tracer,
    direction: DirectionSource,
    pub(crate) role: Role,
    pub(crate) sampling_server: Option<SamplingServer>,
    // True while other installations are in this process, and may be in this chain.
    pub(crate) has_copies: bool,
    // The second, by the clock that nobody sets, in which a tick was counted last.
    pub(crate) last_sign_of_life: Option<u64>,
}

impl<P: Proxy, R: Random, E: SpanExporter> Filter<P, R, E> {
    /// Returns the filter of a workload on this node. `proxy` answers for the worker from now on.
    pub fn new(
        config: &Config,
        node: &Node,
        node_id: &str,
        proxy: P,
        random: R,
        exporter: Option<E>,
        sampling_server: Option<SamplingServer>,
    ) -> Self {
        Self {
            tracer: Tracer::new(config, node),
            direction: DirectionSource::new(config.direction, node_id),
            role: config.role,
            state: State::new(config, random),
            exporter,
            sampling_server,
            has_copies: config.role == Role::Request && installations::renew(&proxy),
            last_sign_of_life: None,
            proxy,
        }
    }

    /// Treats the headers of the current stream's request.
    #[inline]
    pub fn on_request_headers(&mut self, stream: &mut StreamState) {
        match self.role {
            Role::Request => self.begin_request(stream),
            Role::Attempt => self.begin_attempt(stream),
        }
    }

    #[inline]
    fn begin_request(&mut self, stream: &mut StreamState) {
        let proxy = &self.proxy;
        if self.has_copies && installations::has_seen(proxy) {
            self.state.stats.add(Counter::ContextDuplicateInstall);
            return;
        }
        let block = proxy.request_headers();
        let all = HeaderPairs::new(&block);
        let mut headers = RequestHeaders::nothing_of(self.tracer.names());
        headers.take(all.clone());
        let baggage = self.tracer.baggage();
        if baggage.is_touched() {
            let writer = &mut proxy.request_writer();
            baggage.rewrite(&headers, all.clone(), writer, &mut self.state.stats);
        }
        let listener = StreamDirection::new(self.direction);
        let direction = || listener.of(proxy);
        let request_trace = &mut RequestTrace::silent();
        let decision = self.tracer.decide(
            &headers,
            all.clone(),
            direction,
            || proxy.now(),
            |id| request_ids::find(proxy, id, || proxy.now()),
            &mut self.state,
            request_trace,
        );
        if proxy.logs_debug() {
            let explanation = self.tracer.explain(&headers, decision, request_trace);
            proxy.log(LogLevel::Debug, format_args!("{explanation}"));
        }
        if !decision.has_trace() {
            stream.strips_server_timing = self.tracer.strips_server_timing(listener.known());
            return;
        }

        (self.tracer).restore_tracestate(request_trace, direction, proxy, &mut self.state);
        if let Some((trace_id, span_id)) = self.tracer.access_log_ids(request_trace) {
            proxy.set_filter_state(TRACE_ID, &trace_id.to_hex());
            proxy.set_filter_state(SPAN_ID, &span_id.to_hex());
        }
        let mut pending = None;
        if request_trace.is_recorded() {
            // The proxy says at the end how long it took, so nobody has to look at the clock now.
            let now = Nanos(0);
            let state = &mut self.state;
            stream.spans = request_trace
                .begin(direction(), &headers, all, now, state)
                .map(StreamSpans::Recorded);
        } else if request_trace.is_unsampled() {
            let (now, state) = (|| proxy.now(), &mut self.state);
            pending = (self.tracer).open_pending(request_trace, direction, &headers, now, state);
        }
        let writer = &mut proxy.request_writer();
        self.tracer.inject(request_trace, &headers, writer);
        (self.tracer).note_tracestate(request_trace, direction, proxy, &mut self.state);
        let noted = self.tracer.to_note(request_trace, &headers, direction);
        stream.strips_server_timing = self.tracer.strips_server_timing(listener.known());
        stream.note =
            noted.map(|(id, context)| request_ids::note(proxy, id, &context, proxy.now()));
        if let Some(mut spans) = pending {
            spans.keep_request(block);
            stream.spans = Some(StreamSpans::Pending(spans));
        }
    }

    #[inline]
    fn begin_attempt(&mut self, stream: &mut StreamState) {
        let proxy = &self.proxy;
        let block = proxy.request_headers();
        let mut headers = RequestHeaders::nothing_of(self.tracer.names());
        headers.take(HeaderPairs::new(&block));
        let begun = self.tracer.begin_attempt(
            &headers,
            HeaderPairs::new(&block),
            || AttemptState::read(&proxy.property(ATTEMPTS)?),
            proxy.now(),
            &mut self.state,
            &mut proxy.request_writer(),
        );
        if let Some((spans, attempt)) = begun {
            proxy.set_filter_state(ATTEMPTS, &attempt.to_bytes());
            stream.spans = Some(StreamSpans::Attempt(spans));
        }
    }

    /// Treats the headers of the current stream's response.
    #[inline]
    pub fn on_response_headers(&mut self, stream: &mut StreamState, end_of_stream: bool) {
        self.hear(stream, ResponsePart::Headers);
        if end_of_stream {
            stream.end_response();
        }
    }

    /// Treats the trailers of the current stream's response.
    #[inline]
    pub fn on_response_trailers(&mut self, stream: &mut StreamState) {
        self.hear(stream, ResponsePart::Trailers);
        stream.end_response();
    }

    #[inline]
    fn hear(&mut self, stream: &mut StreamState, part: ResponsePart) {
        let (proxy, strips) = (&self.proxy, stream.strips_server_timing);
        let change = match &mut stream.spans {
            Some(StreamSpans::Attempt(spans)) => return self.tracer.hear(spans, part, proxy),
            Some(StreamSpans::Pending(spans)) => {
                (self.tracer).hear_response(spans, part, proxy, &mut self.state)
            }
            others => {
                if let Some(StreamSpans::Recorded(spans)) = others {
                    self.tracer.hear(spans, part, proxy);
                }
                HeaderChange::stripped_if(strips, part, proxy)
            }
        };
        match part {
            ResponsePart::Headers => change.write(&mut proxy.response_writer()),
            ResponsePart::Trailers => change.write(&mut proxy.trailer_writer()),
        }
    }

    /// Finishes the spans of the current stream, which is over. No header can be read any more, and every attribute is final.
    #[inline]
    pub fn on_end(&mut self, stream: &mut StreamState) {
        // Settled in place, because nearly all pending spans end here and are not worth moving.
        if let Some(StreamSpans::Pending(spans)) = &mut stream.spans
            && !(self.tracer).settle_pending(spans, &self.proxy, &mut self.state)
        {
            stream.spans = None;
        }
        match stream.spans.take() {
            Some(StreamSpans::Recorded(mut spans)) => self.finish(&mut spans, false),
            Some(StreamSpans::Attempt(mut spans)) => self.finish(&mut spans, true),
            Some(StreamSpans::Pending(spans)) => self.finish_kept(*spans),
            None => {}
        }
        stream.strips_server_timing = false;
        if let Some(note) = stream.note.take() {
            note.take_back(&self.proxy);
        }
    }

    #[inline]
    fn finish(&mut self, spans: &mut OpenSpans, is_attempt: bool) {
        let Some(exporter) = &mut self.exporter else {
            return;
        };
        let proxy = &self.proxy;
        let now = proxy.now();
        let export = &mut |span| self.state.export(span, exporter, now);
        match is_attempt {
            true => {
                let last = || AttemptState::read(&proxy.property(ATTEMPTS)?);
                (self.tracer).finish_attempt(spans, proxy, last, now, export);
            }
            false => self.tracer.finish(spans, proxy, now, export),
        }
        exporter.after_export(proxy);
    }

    /// Opens the spans that are kept, and finishes them at once.
    #[inline]
    fn finish_kept(&mut self, spans: PendingSpans) {
        let Some(exporter) = &mut self.exporter else {
            return;
        };
        let proxy = &self.proxy;
        let (now, state) = (proxy.now(), &mut self.state);
        if let Some(mut spans) = self.tracer.open_kept(spans, now, state) {
            let export = &mut |span| state.export(span, exporter, now);
            self.tracer.finish(&mut spans, proxy, now, export);
        }
        exporter.after_export(proxy);
    }
}

/// Keeps the state of tries in Envoy's filter state `wasm.sidespan.attempts`.
const ATTEMPTS: &str = "sidespan.attempts";
/// The name in Envoy's filter state is `wasm.sidespan.trace_id`, which `%FILTER_STATE%` of an access log finds.
const TRACE_ID: &str = "sidespan.trace_id";
/// Likewise `wasm.sidespan.span_id`.
const SPAN_ID: &str = "sidespan.span_id";

#[cfg(test)]
mod tests;
