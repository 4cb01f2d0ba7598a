//! The client of the sampling server, whose answer takes the place of the configured percentages.
//!
//! Each worker asks for itself, because the answer to a call reaches only the worker that made the call.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::document::Document;
use super::poll::{Answer, Failure, Fault, Poll, target};
use super::strategy::Strategy;
use crate::cluster_call::failure_log::LogEvent;
use crate::id_generator::{IdGenerator, Random};
use crate::proxy::{ClusterCalls, LogLevel, Worker};
use crate::sampling::settings::{Remote, Sampling};

/// The client of one worker.
#[derive(Debug)]
pub struct SamplingServer {
    remote: Remote,
    target: String,
    user_agent: String,
    // The digest of the configuration, which makes each line appear anew under a new configuration.
    digest: String,
    poll: Poll,
    // The token of the call under way.
    call: Option<u32>,
}

impl SamplingServer {
    /// Returns the client of `sampling.remote`; `None` where nothing is fetched. `digest` is the configuration's.
    pub fn new(
        sampling: Option<&Sampling>,
        service: Option<&str>,
        digest: &str,
        user_agent: &str,
    ) -> Option<Self> {
        let remote = sampling?.remote.clone()?;
        Some(Self {
            target: target(&remote.path, service.unwrap_or_default()),
            user_agent: user_agent.into(),
            digest: digest.into(),
            poll: Poll::new(remote.interval),
            call: None,
            remote,
        })
    }

    /// Sends a request if one is due.
    pub(crate) fn ask(
        &mut self,
        proxy: &(impl ClusterCalls + Worker),
        strategy: &mut Option<Strategy>,
        ids: &mut IdGenerator<impl Random>,
    ) {
        let now = proxy.now();
        if self.poll.is_overdue(now) {
            self.call = None;
            self.end_call(proxy, Err(Failure::NoAnswer.into()), strategy, ids);
        }
        if !self.poll.begins(now) {
            return;
        }
        let headers = [
            (":method", "GET"),
            (":path", self.target.as_str()),
            (":authority", self.remote.authority.as_str()),
            ("accept", "application/json"),
            ("user-agent", self.user_agent.as_str()),
            // With `b3: 0` no proxy on the way makes spans of the filter's own request (EN-9).
            ("b3", "0"),
        ];
        match proxy.http_call(&self.remote.cluster, &headers, None, Poll::TIMEOUT) {
            Ok(token) => self.call = Some(token),
            Err(error) => {
                self.end_call(proxy, Err(Failure::SendError(error).into()), strategy, ids);
            }
        }
    }

    /// Takes the answer to a call; returns false where another component made the call.
    pub(crate) fn take_answer(
        &mut self,
        proxy: &(impl ClusterCalls + Worker),
        token: u32,
        body_bytes: usize,
        strategy: &mut Option<Strategy>,
        ids: &mut IdGenerator<impl Random>,
    ) -> bool {
        if self.call != Some(token) {
            return false;
        }
        self.call = None;
        let status = proxy.answer_header(":status");
        let body = match body_bytes <= Answer::MAX_BYTES {
            true => proxy.answer_body(Answer::MAX_BYTES),
            false => [].into(),
        };
        let answer = Answer {
            status: status.as_deref(),
            body: &body,
            body_bytes,
        };
        self.end_call(proxy, answer.document(), strategy, ids);
        true
    }

    fn end_call(
        &mut self,
        worker: &impl Worker,
        result: Result<Document, Fault>,
        strategy: &mut Option<Strategy>,
        ids: &mut IdGenerator<impl Random>,
    ) {
        let [jitter] = ids.take().unwrap_or_default();
        let failure = result.as_ref().err().map(|fault| fault.failure);
        let event = self.poll.ended(failure, worker.now(), jitter);
        let cluster = &self.remote.cluster;
        match (event, &result) {
            (Some(LogEvent::Failing(_)), Err(fault)) => {
                let holding = match strategy {
                    Some(strategy) => format!("still {}", strategy.document()),
                    None => "the configured percentages".into(),
                };
                let line = format_args!(
                    "sampling.remote: cluster {cluster} fails: {fault}; what holds: {holding}"
                );
                self.log_once(worker, LogLevel::Warn, line);
            }
            (Some(LogEvent::Recovered), _) => {
                let line = format_args!("sampling.remote: cluster {cluster} works again");
                self.log_once(worker, LogLevel::Info, line);
            }
            _ => {}
        }
        if let Ok(document) = result {
            self.apply(worker, document, strategy);
        }
    }

    /// Applies a document.
    fn apply(&self, worker: &impl Worker, document: Document, strategy: &mut Option<Strategy>) {
        let is_same = |strategy: &Strategy| *strategy.document() == document;
        if strategy.as_ref().is_some_and(is_same) {
            return;
        }
        let cluster = &self.remote.cluster;
        let line = format_args!("sampling.remote: cluster {cluster} says: {document}");
        self.log_once(worker, LogLevel::Info, line);
        *strategy = Some(Strategy::new(document, strategy.take()));
    }

    /// Writes a line once for all workers, which come to write it within two intervals because each asks once an
    /// interval.
    fn log_once(&self, worker: &impl Worker, level: LogLevel, line: core::fmt::Arguments<'_>) {
        let round = self.remote.interval.saturating_mul(2).max(ONE_ROUND);
        worker.log_once(level, "sampling", &self.digest, round, line);
    }
}

/// The least time in which all workers come to write a line, because ticks are late where a worker is busy.
const ONE_ROUND: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
