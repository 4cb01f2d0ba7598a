//! The calls to the collector's cluster: each sends a request of the exporter, and returns the answer to the exporter.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::answer::{Answer, Grpc};
use super::exporter::{Exporter, SendTrigger, SpanExporter};
use super::response::{ExportOutcome, Failure, message};
use super::settings::{Compression, Export, Otlp, Protocol};
use crate::cluster_call::failure_log::LogEvent;
use crate::id_generator::{IdGenerator, Random};
use crate::otlp::request::RequestFrame;
use crate::proxy::{ClusterCalls, LogLevel, Worker};
use crate::span::Span;
use crate::stats::Stats;
use crate::time::Nanos;

/// The exporter, and the calls by which its requests reach the collector.
#[derive(Debug)]
pub struct Collector {
    otlp: Otlp,
    // The headers of the configuration that have a value.
    headers: Vec<(String, String)>,
    // The user agent, sent where `headers` has none.
    user_agent: String,
    pub(crate) exporter: Exporter,
    // True from a full batch's request for an early tick until the tick. A second request would put the tick off, under
    // load for ever, because the proxy starts its timer anew each time.
    is_tick_near: bool,
}

impl Collector {
    /// Returns the collector of `export.otlp`; `None` where nothing is exported. `headers` are those of the configuration,
    /// with their values; `user_agent` is sent where `headers` has none.
    pub fn new(
        export: &Export,
        frame: RequestFrame,
        headers: Vec<(String, String)>,
        user_agent: &str,
    ) -> Option<Self> {
        Some(Self {
            user_agent: user_agent.into(),
            exporter: Exporter::new(export, frame)?,
            otlp: export.otlp.clone()?,
            headers,
            is_tick_near: false,
        })
    }

    /// Returns the timeout of one call.
    pub(crate) fn timeout(&self) -> Duration {
        self.otlp.timeout
    }

    /// Sets the usual tick period again, if this tick is an early one.
    pub(crate) fn on_tick(&mut self, worker: &impl Worker) {
        if core::mem::take(&mut self.is_tick_near) {
            worker.set_tick_period(self.exporter.tick_period());
        }
    }

    /// Sends the requests that are due, after one that cannot be sent no other.
    pub(crate) fn send_due(
        &mut self,
        proxy: &(impl ClusterCalls + Worker),
        trigger: SendTrigger,
        ids: &mut IdGenerator<impl Random>,
        stats: &mut Stats,
    ) {
        let now = proxy.now();
        while let Some(token) = self.exporter.overdue(now) {
            let outcome = Failure::NoAnswer.again();
            let event = self
                .exporter
                .answered(token, outcome, now, jitter(ids), stats);
            self.say(proxy, event, |_| None);
        }
        while self.send_next(proxy, now, trigger, ids, stats) {}
    }

    /// Sends one request that is due. Returns false if there is none, or it cannot be sent.
    fn send_next(
        &mut self,
        proxy: &(impl ClusterCalls + Worker),
        now: Nanos,
        trigger: SendTrigger,
        ids: &mut IdGenerator<impl Random>,
        stats: &mut Stats,
    ) -> bool {
        let Some((body, compression)) = self.exporter.next(now, trigger, stats) else {
            return false;
        };
        let (content_type, encoding) = match self.otlp.protocol {
            Protocol::Grpc => ("application/grpc", "grpc-encoding"),
            Protocol::HttpProtobuf => ("application/x-protobuf", "content-encoding"),
        };
        let mut headers: Vec<(&str, &str)> = [
            (":method", "POST"),
            (":path", self.otlp.path.as_str()),
            (":authority", self.otlp.authority.as_str()),
            ("content-type", content_type),
            // Not sampled, because no proxy on the way is to make spans of the export itself (B3, "Handling B3 when
            // reporting data to a tracing system").
            ("b3", "0"),
        ]
        .into();
        if self.otlp.protocol == Protocol::Grpc {
            headers.push(("te", "trailers"));
        }
        if compression == Compression::Gzip {
            headers.push((encoding, "gzip"));
        }
        if self.headers.iter().all(|(name, _)| name != USER_AGENT) {
            headers.push((USER_AGENT, self.user_agent.as_str()));
        }
        let configured = self.headers.iter();
        headers.extend(configured.map(|(name, value)| (name.as_str(), value.as_str())));
        match proxy.http_call(&self.otlp.cluster, &headers, Some(body), self.otlp.timeout) {
            Ok(token) => {
                self.exporter.sent(token);
                true
            }
            Err(error) => {
                let event = self.exporter.not_sent(error, now, jitter(ids), stats);
                self.say(proxy, event, |_| None);
                false
            }
        }
    }

    /// Takes the answer to a call.
    pub(crate) fn take_answer(
        &mut self,
        proxy: &(impl ClusterCalls + Worker),
        token: u32,
        body_bytes: usize,
        has_trailers: bool,
        ids: &mut IdGenerator<impl Random>,
        stats: &mut Stats,
    ) {
        if !self.exporter.waits_for(token) {
            return;
        }
        let protocol = self.otlp.protocol;
        let parts = AnswerParts::read(proxy, protocol, body_bytes, has_trailers);
        let answer = parts.answer();
        let now = proxy.now();
        let outcome = ExportOutcome::read(protocol, &answer, now);
        let event = self
            .exporter
            .answered(token, outcome, now, jitter(ids), stats);
        self.say(proxy, event, |headers| {
            let secrets = headers.iter().map(|(_, value)| value.as_str());
            message(protocol, &answer, secrets)
        });
    }

    /// Logs an event; `message` returns what the collector says about it.
    fn say(
        &self,
        worker: &impl Worker,
        event: Option<LogEvent<Failure>>,
        message: impl FnOnce(&[(String, String)]) -> Option<String>,
    ) {
        let cluster = &self.otlp.cluster;
        match event {
            Some(LogEvent::Failing(failure)) => {
                let how = match failure {
                    Failure::Warned => "works",
                    _ => "fails",
                };
                match message(&self.headers) {
                    Some(message) => worker.log(
                        LogLevel::Warn,
                        format_args!(
                            "export to cluster {cluster} {how}: {failure}; it says: {message}"
                        ),
                    ),
                    None => worker.log(
                        LogLevel::Warn,
                        format_args!("export to cluster {cluster} {how}: {failure}"),
                    ),
                }
            }
            Some(LogEvent::Recovered) => worker.log(
                LogLevel::Info,
                format_args!("export to cluster {cluster} works again"),
            ),
            None => {}
        }
    }
}

/// Returns a random byte.
fn jitter(ids: &mut IdGenerator<impl Random>) -> u8 {
    let [jitter] = ids.take().unwrap_or_default();
    jitter
}

impl SpanExporter for Collector {
    #[inline]
    fn export(&mut self, span: &Span, now: Nanos, stats: &mut Stats) {
        self.exporter.push(span, now, stats);
    }

    /// Asks for an early tick if a whole batch is queued. A stream may not send the batch, because the answer would find the
    /// stream gone.
    #[inline]
    fn after_export(&mut self, worker: &impl Worker) {
        if self.exporter.is_full() && !self.is_tick_near {
            self.is_tick_near = true;
            worker.set_tick_period(SOON);
        }
    }
}

/// The parts of an answer, copied from the proxy.
struct AnswerParts {
    status: Option<Vec<u8>>,
    content_type: Option<Vec<u8>>,
    retry_after: Option<Vec<u8>>,
    grpc: [Option<Vec<u8>>; 3],
    body: Vec<u8>,
    body_bytes: usize,
}

impl AnswerParts {
    fn read(
        proxy: &impl ClusterCalls,
        protocol: Protocol,
        body_bytes: usize,
        has_trailers: bool,
    ) -> Self {
        let grpc = match protocol {
            Protocol::Grpc => {
                // An answer without a message has these fields among its headers (gRPC, "Trailers-Only").
                has_trailers
                    .then(|| GRPC.map(|name| proxy.answer_trailer(name)))
                    .filter(|[status, ..]| status.is_some())
                    .unwrap_or_else(|| GRPC.map(|name| proxy.answer_header(name)))
            }
            Protocol::HttpProtobuf => Default::default(),
        };
        Self {
            status: proxy.answer_header(":status"),
            // gRPC says by other means that an answer is one.
            content_type: match protocol {
                Protocol::Grpc => None,
                Protocol::HttpProtobuf => proxy.answer_header("content-type"),
            },
            retry_after: proxy.answer_header("retry-after"),
            grpc,
            body: proxy.answer_body(MAX_READ_BYTES),
            body_bytes,
        }
    }

    fn answer(&self) -> Answer<'_> {
        let [status, message, details] = &self.grpc;
        Answer {
            status: self.status.as_deref(),
            grpc: Grpc {
                status: status.as_deref(),
                message: message.as_deref(),
                details: details.as_deref(),
            },
            content_type: self.content_type.as_deref(),
            retry_after: self.retry_after.as_deref(),
            body: &self.body,
            body_bytes: self.body_bytes,
        }
    }
}

const GRPC: [&str; 3] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
const USER_AGENT: &str = "user-agent";
/// The period of an early tick.
const SOON: Duration = Duration::from_millis(1);
/// The largest part of an answer's body that is read, because a status or a partial success is shorter.
const MAX_READ_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
