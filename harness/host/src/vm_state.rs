//! The state that one VM can see and change: contexts, time, entropy, logs, calls in flight, ticks, metric ids.
//!
//! Invariant: nothing here calls the guest. Actions that must wait until the guest has returned go into `deferred`, and the
//! host runs them in order.

pub(crate) mod dns_answer;
mod dns_queries;
mod expressions;
mod grpc_calls;
mod http_calls;
mod metric_ids;
mod streams;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(crate) use dns_queries::DnsQueries;
pub use dns_queries::DnsQuery;
pub(crate) use expressions::{Expression, Expressions, read_token};
pub(crate) use grpc_calls::GrpcCalls;
pub use grpc_calls::{GrpcCall, GrpcKind, GrpcSent, GrpcToken};
pub use http_calls::{CallToken, HttpCall, NoSuchCall};
pub(crate) use http_calls::{Calls, Reply};
pub(crate) use metric_ids::{Metric, MetricIds, MetricKind};
use streams::Streams;
use wasmtime::{Memory, StoreLimits, StoreLimitsBuilder, TypedFunc};

use crate::abi_types::{AbiVersion, MapType, Status};
use crate::callback_deadline;
use crate::clock::Time;
use crate::entropy::Entropy;
use crate::explanations::{Explanation, Explanations, Situation};
use crate::headers::Headers;
use crate::logs::{self, LogLevel, Logs};
use crate::restriction::Restriction;
use crate::settings::{Plugin, Settings};
use crate::shared::{Shared, VmHold, VmNumber};
use crate::stream::{LocalReply, Side, Stream, StreamId};
use crate::transcript::Transcript;

/// The state behind every host function of one VM.
pub(crate) struct VmState {
    pub(crate) settings: Arc<Settings>,
    pub(crate) abi: AbiVersion,
    pub(crate) shared: Shared,
    /// Keeps the shared data of the VM's `vm_id`.
    _hold: VmHold,
    /// The number of this VM among those that share `shared`.
    pub(crate) number: VmNumber,
    pub(crate) time: Time,
    pub(crate) entropy: Entropy,
    pub(crate) roots: BTreeMap<u32, Root>,
    pub(crate) streams: Streams,
    last_context: u32,
    /// The context that the host has called; 0 is the VM itself.
    pub(crate) current: u32,
    /// The context that the guest has set with `proxy_set_effective_context`.
    pub(crate) effective: Option<u32>,
    pub(crate) callback: &'static str,
    /// The host functions that V8 refuses now.
    pub(crate) restriction: Restriction,
    /// True if the answer to this callback no longer counts, because the guest has replied to or closed the stream.
    pub(crate) stop_iteration: bool,
    /// True if this callback pauses its message, whatever it answers, because the guest has sent a local reply from a root
    /// context, which nobody sends.
    pub(crate) holds_message: bool,
    pub(crate) deferred: VecDeque<Deferred>,
    /// The streams whose local replies are left to their chain, in the order in which the guest has asked for them.
    pub(crate) chain_replies: VecDeque<StreamId>,
    /// The arguments of a callback of Envoy's own, while it runs.
    pub(crate) call_data: Vec<u8>,
    pub(crate) calls: Calls,
    pub(crate) grpc: GrpcCalls,
    pub(crate) dns: DnsQueries,
    pub(crate) ticks: BTreeMap<u32, Tick>,
    pub(crate) metrics: MetricIds,
    pub(crate) logs: Logs,
    pub(crate) transcript: Transcript,
    pub(crate) explanations: Explanations,
    /// The limit on one callback, in the ticks of `callback_deadline`.
    pub(crate) callback_ticks: u64,
    /// The call on which Envoy itself dies, and this VM with it.
    pub(crate) deadly: Option<Situation>,
    pub(crate) limits: StoreLimits,
    pub(crate) memory: Option<Memory>,
    pub(crate) malloc: Option<TypedFunc<u32, u32>>,
    /// A buffer for bytes on their way to the guest, kept so that not every answer needs an allocation.
    pub(crate) scratch: Vec<u8>,
}

/// A root context: one configuration of the plugin.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) plugin: Arc<Plugin>,
    /// The prefixes of the log lines of this context and of its streams.
    log_prefixes: [Arc<str>; 2],
    /// True while `proxy_on_context_create` or `proxy_on_configure` runs on this context, the only times at which the
    /// configuration can be read.
    pub(crate) configuring: bool,
    pub(crate) phase: RootPhase,
    /// The reply that `proxy_on_http_call_response` is about, while that callback runs.
    pub(crate) reply: Option<Reply>,
    /// The parts of a gRPC answer that the present callback is about.
    pub(crate) grpc: GrpcShown,
    /// The expressions that the guest has prepared with `expr_create`.
    pub(crate) expressions: Expressions,
    /// The properties that the guest has declared with `declare_property`.
    pub(crate) declared: BTreeMap<Vec<u8>, Declared>,
    /// The answer of `proxy_get_status`.
    pub(crate) status: (u32, String),
}

/// A property as the guest has declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) is_read_only: bool,
    /// True if expressions see text, false if they see bytes.
    pub(crate) is_text: bool,
}

/// The parts of a gRPC answer, each of which exists only in its own callback.
#[derive(Debug, Default)]
pub(crate) struct GrpcShown {
    pub(crate) initial_metadata: Option<Headers>,
    pub(crate) message: Option<Vec<u8>>,
    pub(crate) trailing_metadata: Option<Headers>,
}

impl Root {
    pub(crate) fn new(plugin: Arc<Plugin>, vm_id: &str) -> Self {
        Self {
            log_prefixes: [
                logs::prefix(&[&plugin.root_id, vm_id]),
                logs::prefix(&[&plugin.name, &plugin.root_id, vm_id]),
            ],
            plugin,
            configuring: false,
            phase: RootPhase::Live,
            reply: None,
            grpc: GrpcShown::default(),
            declared: BTreeMap::new(),
            expressions: Expressions::default(),
            status: Default::default(),
        }
    }
}

/// The phase of a root context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RootPhase {
    /// The root context of new streams.
    Live,
    /// A root context that was replaced, and ends with the last of its streams.
    Retired,
    /// A root context whose `proxy_on_done` has answered false, and that ends when the guest calls `proxy_done`.
    PendingDone,
}

/// A timer of a root context.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub(crate) period: u64,
    pub(crate) due: u64,
}

/// An action that waits until the guest has returned.
#[derive(Debug)]
pub(crate) enum Deferred {
    LocalReply(StreamId, LocalReply),
    Continue(StreamId, Side),
    Close(StreamId),
    /// A TCP connection that is held and now goes on, or the client's bytes on one.
    ContinueConnection(StreamId),
    CloseConnection(StreamId),
    RootDone(u32),
    /// The failure of a gRPC call of a root context, whose cluster does not exist or has no hosts, and its text.
    GrpcUnavailable(u32, u32, &'static str),
}

impl VmState {
    pub(crate) fn new(
        settings: Arc<Settings>,
        abi: AbiVersion,
        shared: Shared,
        time: Time,
    ) -> Self {
        Self {
            abi,
            _hold: shared.hold(&settings.vm_id),
            number: shared.next_vm(),
            shared,
            time,
            entropy: settings.entropy,
            roots: BTreeMap::new(),
            streams: Streams::default(),
            last_context: 0,
            current: 0,
            effective: None,
            callback: "instantiation",
            restriction: Restriction::None,
            stop_iteration: false,
            holds_message: false,
            deferred: VecDeque::new(),
            chain_replies: VecDeque::new(),
            call_data: Vec::new(),
            calls: Calls::default(),
            grpc: GrpcCalls::default(),
            dns: DnsQueries::default(),
            ticks: BTreeMap::new(),
            metrics: MetricIds::default(),
            logs: Logs::new(settings.log_level),
            transcript: Transcript::new(settings.detail),
            explanations: Explanations::default(),
            callback_ticks: callback_deadline::ticks(settings.callback_limit),
            deadly: None,
            // Envoy's own limit (`limits.h`): growth beyond it answers -1, and most guests then abort.
            limits: StoreLimitsBuilder::new().memory_size(1 << 30).build(),
            memory: None,
            malloc: None,
            scratch: Vec::new(),
            settings,
        }
    }

    pub(crate) fn next_context(&mut self) -> u32 {
        self.last_context += 1;
        self.last_context
    }

    /// Returns the context that host functions act on: the effective context while it lives, else the called context.
    pub(crate) fn active(&self) -> u32 {
        self.effective
            .filter(|id| self.has_context(*id))
            .unwrap_or(self.current)
    }

    /// Takes over the log of a VM that has failed, and its streams, because they must still be answered.
    pub(crate) fn inherit(&mut self, failed: &mut Self) {
        self.last_context = self.last_context.max(failed.last_context);
        self.streams = std::mem::take(&mut failed.streams);
        for stream in self.streams.iter_mut() {
            stream.orphaned = true;
        }
        self.logs.put_in_front(failed.logs.take());
        self.explanations = std::mem::take(&mut failed.explanations);
    }

    /// Returns true if the guest may act on this context, a root context or a stream.
    pub(crate) fn has_context(&self, id: u32) -> bool {
        let stream = self.streams.get(id);
        self.roots.contains_key(&id) || stream.is_some_and(|stream| !stream.orphaned)
    }

    pub(crate) fn stream(&self) -> Option<&Stream> {
        self.streams.get(self.active())
    }

    pub(crate) fn stream_mut(&mut self) -> Option<&mut Stream> {
        let active = self.active();
        self.streams.get_mut(active)
    }

    /// Returns the root context above the active one.
    pub(crate) fn root_id(&self) -> u32 {
        self.stream().map_or(self.active(), |stream| stream.root)
    }

    pub(crate) fn root(&self) -> Option<&Root> {
        self.roots.get(&self.root_id())
    }

    /// Returns the root context above the active one, for changes.
    pub(crate) fn root_mut(&mut self) -> Option<&mut Root> {
        let id = self.root_id();
        self.roots.get_mut(&id)
    }

    /// Notes a situation that a call has brought about, apart from the guest's log.
    pub(crate) fn explain(&mut self, context: u32, situation: Situation) {
        if situation.kills_envoy() {
            self.deadly.get_or_insert(situation);
        }
        self.explanations.push(Explanation {
            function: situation.function(),
            callback: self.callback,
            context,
            status: Status::Ok,
            situation: Some(situation),
            why: situation.why().into(),
        });
    }

    /// Returns the name of the active context's plugin.
    pub(crate) fn plugin_name(&self) -> &str {
        self.root().map_or("", |root| &root.plugin.name)
    }

    /// Returns the root id of the active context's plugin.
    pub(crate) fn plugin_root_id(&self) -> &str {
        self.root().map_or("", |root| &root.plugin.root_id)
    }

    /// Logs a line of the guest, in the name of the active context.
    pub(crate) fn log(&mut self, level: LogLevel, text: String) {
        let is_stream = self.stream().is_some();
        // Outside all contexts, as in `_initialize`, a line has no prefix but Envoy's own.
        let prefix = self.root().map_or_else(
            || Arc::from(""),
            |root| Arc::clone(&root.log_prefixes[usize::from(is_stream)]),
        );
        self.logs.push(level, Some(prefix), text);
    }

    /// Returns the map that a guest may read now (`getConstMap`).
    pub(crate) fn map(&self, kind: MapType) -> Option<&Headers> {
        let stream = self.stream();
        match kind {
            MapType::RequestHeaders => stream?.visible_request_headers(),
            MapType::RequestTrailers => stream?
                .request
                .trailers()
                .filter(|_| self.shows_request_trailers()),
            MapType::ResponseHeaders => stream?.visible_response_headers(),
            MapType::ResponseTrailers => stream?.visible_response_trailers(),
            MapType::HttpCallResponseHeaders => Some(&self.root()?.reply.as_ref()?.headers),
            MapType::HttpCallResponseTrailers => self.root()?.reply.as_ref()?.trailers.as_ref(),
            MapType::GrpcInitialMetadata => self.root()?.grpc.initial_metadata.as_ref(),
            MapType::GrpcTrailingMetadata => self.root()?.grpc.trailing_metadata.as_ref(),
        }
    }

    /// Returns the map that a guest may write now (`getMap`): no map in `proxy_on_log`, and never a map of a call.
    pub(crate) fn map_mut(&mut self, kind: MapType) -> Option<&mut Headers> {
        let stream = self.stream_mut().filter(|stream| !stream.logging)?;
        match kind {
            MapType::RequestHeaders if stream.request.shows_headers => stream.request.headers_mut(),
            MapType::ResponseHeaders if stream.response.shows_headers => {
                stream.response.headers_mut()
            }
            MapType::RequestTrailers => stream.request.trailers_mut(),
            MapType::ResponseTrailers => stream.response.trailers_mut(),
            _ => None,
        }
    }

    fn shows_request_trailers(&self) -> bool {
        self.stream()
            .is_some_and(|stream| stream.request.shows_trailers && !stream.logging)
    }

    /// Returns the time of the next tick or timeout.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let tick = self.ticks.values().map(|tick| tick.due).min();
        let calls = self.calls.next_deadline();
        let grpc = self.grpc.next_deadline();
        tick.into_iter().chain(calls).chain(grpc).min()
    }
}
