//! The way to the collector: what the exporter wants sent leaves as a call of the proxy, and its answer comes back.

use std::env::VarError;
use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::{BufferType, MapType};
use sidespan_core::cluster_call::failure_log::LogEvent;
use sidespan_core::export::answer::{Answer, Grpc};
use sidespan_core::export::exporter::{Exporter, SendTrigger};
use sidespan_core::export::response::{ExportOutcome, Failure, message};
use sidespan_core::export::settings::{
    Compression, Export, HeaderValue, Otlp, Protocol, is_header_value,
};
use sidespan_core::id_generator::IdGenerator;
use sidespan_core::otlp::request::RequestFrame;
use sidespan_core::stats::Stats;
use sidespan_core::time::Nanos;

use crate::host::random::WasiRandom;
use crate::host::{clock, cluster_call};

/// The way to the collector.
pub(crate) struct Collector {
    otlp: Otlp,
    // Those of the configuration that have a value.
    headers: Vec<(String, String)>,
    pub(crate) exporter: Exporter,
    // The call that the exporter waits for.
    call: Option<u32>,
    // Set once a full batch has asked for a tick, until that comes. Asking again would put it off again, and under load
    // for ever, because the proxy starts its timer anew each time.
    is_tick_near: bool,
}

impl Collector {
    /// The way to `export.otlp`; `None` where nothing is exported. `says` whether what is wrong with it is said here.
    pub(crate) fn new(export: &Export, envelope: RequestFrame, says: bool) -> Option<Self> {
        let exporter = Exporter::new(export, envelope)?;
        let otlp = export.otlp.clone()?;
        let headers = otlp
            .headers
            .iter()
            .filter_map(|header| resolve(header, says))
            .collect();
        Some(Self {
            otlp,
            headers,
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
    #[inline]
    pub(crate) fn ask_for_tick(&mut self) {
        if self.exporter.is_full() && !self.is_tick_near {
            self.is_tick_near = true;
            hostcalls::set_tick_period(SOON);
        }
    }

    /// The tick has come: if it was asked for out of turn, from here on it is the usual again.
    pub(crate) fn ticked(&mut self) {
        if std::mem::take(&mut self.is_tick_near) {
            hostcalls::set_tick_period(self.exporter.tick_period());
        }
    }

    /// Sends what is due.
    pub(crate) fn send_due(
        &mut self,
        urgency: SendTrigger,
        now: Nanos,
        ids: &mut IdGenerator<WasiRandom>,
        stats: &mut Stats,
    ) {
        if self.exporter.is_overdue(now) {
            self.call = None;
            self.answered(Failure::NoAnswer.again(), now, ids, stats, |_| None);
        }
        self.send(urgency, now, ids, stats);
    }

    /// Takes the answer to a call.
    pub(crate) fn take_answer(
        &mut self,
        token: u32,
        body_bytes: usize,
        has_trailers: bool,
        ids: &mut IdGenerator<WasiRandom>,
        stats: &mut Stats,
    ) {
        if self.call != Some(token) {
            return;
        }
        self.call = None;
        let protocol = self.otlp.protocol;
        let parts = Parts::read(protocol, body_bytes, has_trailers);
        let answer = parts.answer();
        let now = clock::now();
        let reply = ExportOutcome::read(protocol, &answer, now);
        self.answered(reply, now, ids, stats, |headers| {
            let secrets = headers.iter().map(|(_, value)| value.as_str());
            message(protocol, &answer, secrets)
        });
    }

    fn send(
        &mut self,
        urgency: SendTrigger,
        now: Nanos,
        ids: &mut IdGenerator<WasiRandom>,
        stats: &mut Stats,
    ) {
        let Some((body, compression)) = self.exporter.next(now, urgency, stats) else {
            return;
        };
        let (content_type, encoding) = match self.otlp.protocol {
            Protocol::Grpc => ("application/grpc", "grpc-encoding"),
            Protocol::HttpProtobuf => ("application/x-protobuf", "content-encoding"),
        };
        let mut headers = vec![
            (":method", "POST"),
            (":path", self.otlp.path.as_str()),
            (":authority", self.otlp.authority.as_str()),
            ("content-type", content_type),
            // So that no proxy on the way makes spans of our own export (B3, "Handling B3 when reporting data").
            ("b3", "0"),
        ];
        if self.otlp.protocol == Protocol::Grpc {
            headers.push(("te", "trailers"));
        }
        if compression == Compression::Gzip {
            headers.push((encoding, "gzip"));
        }
        if self.headers.iter().all(|(name, _)| name != USER_AGENT) {
            headers.push((USER_AGENT, cluster_call::PRODUCT));
        }
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        match cluster_call::http_call(&self.otlp.cluster, headers, Some(body), self.otlp.timeout) {
            Ok(token) => self.call = Some(token),
            Err(unsent) => {
                let reply = Failure::SendError(unsent).again();
                self.answered(reply, now, ids, stats, |_| None);
            }
        }
    }

    fn answered(
        &mut self,
        reply: ExportOutcome,
        now: Nanos,
        ids: &mut IdGenerator<WasiRandom>,
        stats: &mut Stats,
        said: impl FnOnce(&[(String, String)]) -> Option<String>,
    ) {
        let [jitter] = ids.take().unwrap_or_default();
        let cluster = &self.otlp.cluster;
        match self.exporter.answered(reply, now, jitter, stats) {
            Some(LogEvent::Failing(failure)) => match said(&self.headers) {
                Some(said) => {
                    log::warn!("export to cluster {cluster} fails: {failure}; it says: {said}");
                }
                None => log::warn!("export to cluster {cluster} fails: {failure}"),
            },
            Some(LogEvent::Recovered) => log::info!("export to cluster {cluster} works again"),
            None => {}
        }
    }
}

/// A header with its value, or `None` and a line in the log where it has none. The value is a secret more often than not,
/// and is not in it.
fn resolve((header, value): &(String, HeaderValue), says: bool) -> Option<(String, String)> {
    let variable = match value {
        HeaderValue::Literal(text) => return Some((header.clone(), text.clone())),
        HeaderValue::Environment(variable) => variable,
    };
    let flaw = match std::env::var(variable) {
        // Secrets are often files, and files end with a line end.
        Ok(text) if is_header_value(text.trim()) => {
            return Some((header.clone(), text.trim().to_owned()));
        }
        Ok(_) | Err(VarError::NotUnicode(_)) => "has a value that no header can have",
        Err(VarError::NotPresent) => "is not set",
    };
    if says {
        log::warn!(
            "export.otlp.headers: {header} is left out, for the environment variable {variable} {flaw}"
        );
    }
    None
}

/// What an answer consists of, as it lies in the proxy.
struct Parts {
    status: Option<Vec<u8>>,
    retry_after: Option<Vec<u8>>,
    grpc: [Option<Vec<u8>>; 3],
    body: Vec<u8>,
    body_bytes: usize,
}

impl Parts {
    fn read(protocol: Protocol, body_bytes: usize, has_trailers: bool) -> Self {
        let grpc = match protocol {
            Protocol::Grpc => {
                let read = |map| GRPC.map(|name| hostcalls::get_map_value_bytes(map, name));
                // An answer without a message has them among the headers.
                Some(MapType::HttpCallResponseTrailers)
                    .filter(|_| has_trailers)
                    .map(read)
                    .filter(|[status, ..]| status.is_some())
                    .unwrap_or_else(|| read(MapType::HttpCallResponseHeaders))
            }
            Protocol::HttpProtobuf => Default::default(),
        };
        Self {
            status: hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status"),
            retry_after: hostcalls::get_map_value_bytes(
                MapType::HttpCallResponseHeaders,
                "retry-after",
            ),
            grpc,
            body: hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, MAX_READ_BYTES)
                .unwrap_or_default(),
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
            retry_after: self.retry_after.as_deref(),
            body: &self.body,
            body_bytes: self.body_bytes,
        }
    }
}

const GRPC: [&str; 3] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
const USER_AGENT: &str = "user-agent";
/// Soon enough for a batch that is full.
const SOON: Duration = Duration::from_millis(1);
/// Nobody needs more of a collector's answer.
const MAX_READ_BYTES: usize = 64 * 1024;
