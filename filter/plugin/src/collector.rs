//! The way to the collector: what the exporter wants sent leaves as a call of the proxy, and its answer comes back.

use std::time::Duration;

use sidespan_core::config::{Export, Otlp, Protocol};
use sidespan_core::entropy::IdSource;
use sidespan_core::export::reply::{Answer, Failure, Reply};
use sidespan_core::export::{Exporter, News, Urgency};
use sidespan_core::otlp::Envelope;
use sidespan_core::stats::Stats;
use sidespan_core::time::Nanos;

use crate::host::{self, CallError, WasiEntropy};

/// The way to the collector.
pub(crate) struct Collector {
    otlp: Otlp,
    pub(crate) exporter: Exporter,
    // The call that the exporter waits for.
    call: Option<u32>,
    // Set once a full batch has asked for a tick, until that comes. Asking again would put it off again, and under load
    // for ever, because the proxy starts its timer anew each time.
    is_tick_near: bool,
}

impl Collector {
    /// The way to `export.otlp`; `None` where nothing is exported.
    pub(crate) fn new(export: &Export, envelope: Envelope) -> Option<Self> {
        let exporter = Exporter::new(export, envelope)?;
        Some(Self {
            otlp: export.otlp.clone()?,
            exporter,
            call: None,
            is_tick_near: false,
        })
    }

    /// How long one try may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.otlp.timeout
    }

    /// Asks for a tick if a whole batch waits. A stream may not send: the answer would find it gone. The next tick may,
    /// and it is to come soon.
    pub(crate) fn ask_for_tick(&mut self) {
        if self.exporter.is_full() && !self.is_tick_near {
            self.is_tick_near = true;
            host::set_tick_period(SOON);
        }
    }

    /// The tick has come: if it was asked for out of turn, from here on it is the usual again.
    pub(crate) fn ticked(&mut self) {
        if std::mem::take(&mut self.is_tick_near) {
            host::set_tick_period(self.exporter.tick_period());
        }
    }

    /// Sends what is due.
    pub(crate) fn send_due(
        &mut self,
        urgency: Urgency,
        now: Nanos,
        ids: &mut IdSource<WasiEntropy>,
        stats: &mut Stats,
    ) {
        if self.exporter.is_overdue(now) {
            self.call = None;
            self.answered(Failure::NoAnswer.again(), now, ids, stats);
        }
        self.send(urgency, now, ids, stats);
    }

    /// Takes the answer to a call.
    pub(crate) fn take_answer(
        &mut self,
        token: u32,
        has_trailers: bool,
        ids: &mut IdSource<WasiEntropy>,
        stats: &mut Stats,
    ) {
        if self.call != Some(token) {
            return;
        }
        self.call = None;
        let reply = read_reply(self.otlp.protocol, has_trailers);
        self.answered(reply, host::now(), ids, stats);
    }

    fn send(
        &mut self,
        urgency: Urgency,
        now: Nanos,
        ids: &mut IdSource<WasiEntropy>,
        stats: &mut Stats,
    ) {
        let Some(body) = self.exporter.next(now, urgency, stats) else {
            return;
        };
        let content_type = match self.otlp.protocol {
            Protocol::Grpc => "application/grpc",
            Protocol::HttpProtobuf => "application/x-protobuf",
        };
        let mut headers = vec![
            (":method", "POST"),
            (":path", self.otlp.path.as_str()),
            (":authority", self.otlp.authority.as_str()),
            ("content-type", content_type),
            ("user-agent", USER_AGENT),
            // So that no proxy on the way makes spans of our own export (B3, "Handling B3 when reporting data").
            ("b3", "0"),
        ];
        if self.otlp.protocol == Protocol::Grpc {
            headers.push(("te", "trailers"));
        }
        match host::http_call(&self.otlp.cluster, headers, body, self.otlp.timeout) {
            Ok(token) => self.call = Some(token),
            Err(error) => {
                let failure = match error {
                    CallError::UnknownCluster => Failure::UnknownCluster,
                    CallError::NotSent => Failure::NotSent,
                };
                self.answered(failure.again(), now, ids, stats);
            }
        }
    }

    fn answered(
        &mut self,
        reply: Reply,
        now: Nanos,
        ids: &mut IdSource<WasiEntropy>,
        stats: &mut Stats,
    ) {
        let [jitter] = ids.take().unwrap_or_default();
        match self.exporter.answered(reply, now, jitter, stats) {
            Some(News::Failing(failure)) => {
                log::warn!("export to cluster {} fails: {failure}", self.otlp.cluster);
            }
            Some(News::Recovered) => {
                log::info!("export to cluster {} works again", self.otlp.cluster);
            }
            None => {}
        }
    }
}

fn read_reply(protocol: Protocol, has_trailers: bool) -> Reply {
    let status = host::header(host::CALL_HEADERS, ":status");
    let retry_after = host::header(host::CALL_HEADERS, "retry-after");
    // A gRPC answer without a message has its status among the headers.
    let grpc_status = host::header(host::CALL_TRAILERS, "grpc-status")
        .filter(|_| has_trailers)
        .or_else(|| host::header(host::CALL_HEADERS, "grpc-status"));
    let body = host::buffer(host::CALL_BODY, MAX_ANSWER_BYTES).unwrap_or_default();
    Reply::read(
        protocol,
        &Answer {
            status: status.as_deref(),
            grpc_status: grpc_status.as_deref(),
            retry_after: retry_after.as_deref(),
            body: &body,
        },
    )
}

const USER_AGENT: &str = concat!("sidespan/", env!("CARGO_PKG_VERSION"));
/// Soon enough for a batch that is full.
const SOON: Duration = Duration::from_millis(1);
/// Nobody needs more of a collector's answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
