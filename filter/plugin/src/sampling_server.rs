//! Polling of the sampling server, whose answers take the place of the configured percentages.
//!
//! Each worker polls for itself, because the answer to a call comes back to the worker that made the call, and keeps its own copy.

use std::time::Duration;

use sidespan_abi::hostcalls;
use sidespan_abi::types::{BufferType, MapType};
use sidespan_core::cluster_call::failure_log::LogEvent;
use sidespan_core::config::Config;
use sidespan_core::sampling::remote::strategy::{
    Answer, Document, Failure, Fault, Poll, Strategy, target,
};
use sidespan_core::sampling::settings::Remote;
use sidespan_core::tracer::state::State;

use crate::host::random::WasiRandom;
use crate::host::{clock, cluster_call};
use crate::shared_data::config_lease;

/// The sampling server, as one worker polls it.
pub(crate) struct SamplingServer {
    remote: Remote,
    target: String,
    // The digest of the configuration, so that a new configuration logs its answers anew.
    digest: String,
    poll: Poll,
    // The token of the call that is under way.
    call: Option<u32>,
}

impl SamplingServer {
    /// Prepares to poll `sampling.remote`; `None` where it is not configured.
    pub(crate) fn new(config: &Config, service: Option<&str>, digest: &str) -> Option<Self> {
        let remote = config.sampling.as_ref()?.remote.clone()?;
        Some(Self {
            target: target(&remote.path, service.unwrap_or_default()),
            digest: digest.into(),
            poll: Poll::new(remote.interval),
            call: None,
            remote,
        })
    }

    /// Sends a request, if the next poll is due.
    pub(crate) fn ask(&mut self, state: &mut State<WasiRandom>) {
        let now = clock::now();
        if self.poll.is_overdue(now) {
            self.call = None;
            self.ended(Err(Failure::NoAnswer.into()), state);
        }
        if !self.poll.begins(now) {
            return;
        }
        let headers = vec![
            (":method", "GET"),
            (":path", self.target.as_str()),
            (":authority", self.remote.authority.as_str()),
            ("accept", "application/json"),
            ("user-agent", cluster_call::PRODUCT),
            // So that no proxy on the way makes spans of our own question.
            ("b3", "0"),
        ];
        match cluster_call::http_call(&self.remote.cluster, headers, None, Poll::TIMEOUT) {
            Ok(token) => self.call = Some(token),
            Err(unsent) => self.ended(Err(Failure::SendError(unsent).into()), state),
        }
    }

    /// Takes the answer to a call, and returns true if the call was to this server.
    pub(crate) fn take_answer(
        &mut self,
        token: u32,
        body_bytes: usize,
        state: &mut State<WasiRandom>,
    ) -> bool {
        if self.call != Some(token) {
            return false;
        }
        self.call = None;
        let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status");
        let body = match body_bytes <= Answer::MAX_BYTES {
            true => hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, Answer::MAX_BYTES)
                .unwrap_or_default(),
            false => Vec::new(),
        };
        let answer = Answer {
            status: status.as_deref(),
            body: &body,
            body_bytes,
        };
        self.ended(answer.document(), state);
        true
    }

    fn ended(&mut self, result: Result<Document, Fault>, state: &mut State<WasiRandom>) {
        let [jitter] = state.ids.take().unwrap_or_default();
        let failure = result.as_ref().err().map(|fault| fault.failure);
        let news = self.poll.ended(failure, clock::now(), jitter);
        let cluster = &self.remote.cluster;
        match (news, &result) {
            (Some(LogEvent::Failing(_)), Err(fault)) => {
                let holding = match &state.remote {
                    Some(strategy) => format!("still {}", strategy.document()),
                    None => "the configured percentages".into(),
                };
                let line = format!(
                    "sampling.remote: cluster {cluster} fails: {fault}; what holds: {holding}"
                );
                if self.is_first_to_say(&line) {
                    log::warn!("{line}");
                }
            }
            (Some(LogEvent::Recovered), _) => {
                self.say(format!("sampling.remote: cluster {cluster} works again"));
            }
            _ => {}
        }
        if let Ok(document) = result {
            self.hold(document, state);
        }
    }

    /// Applies this document from here on.
    fn hold(&self, document: Document, state: &mut State<WasiRandom>) {
        let is_held = |strategy: &Strategy| *strategy.document() == document;
        if state.remote.as_ref().is_some_and(is_held) {
            return;
        }
        self.say(format!(
            "sampling.remote: cluster {} says: {document}",
            self.remote.cluster
        ));
        state.remote = Some(Strategy::new(document, state.remote.take()));
    }

    fn say(&self, line: String) {
        if self.is_first_to_say(&line) {
            log::info!("{line}");
        }
    }

    /// Returns true if no other worker has just logged this line. All workers get the same answers, each within an interval.
    fn is_first_to_say(&self, line: &str) -> bool {
        let round = self.remote.interval.saturating_mul(2).max(ONE_ROUND);
        let what = format!("{} {line}", self.digest);
        config_lease::is_first_to_say("sampling", &what, round)
    }
}

/// Ticks are late where a worker is busy.
const ONE_ROUND: Duration = Duration::from_secs(10);
