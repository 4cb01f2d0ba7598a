//! The exporter: a state machine that decides when a batch is sent, and whether it is sent again (OTLP, "Failures" and
//! "Retryable Response Codes"). The input is the time and the collector's answers, the output is the next request.
//!
//! ```text
//!          next: a batch is due              answered: accepted, or refused for good
//!   Idle ------------------------> UnderWay ------------------------------------------> Idle
//!                                   ^    |
//!            next: the delay is over|    |answered: retry
//!                                   |    v
//!                                  Waiting            (attempts used up: dropped, then Idle)
//! ```
//!
//! One request is under way at a time. Delays double with every failure in a row, whichever batch failed, so that a
//! collector that is down is not hammered by one batch after the other; each delay has jitter, because all workers fail
//! together. Every span that enters leaves through exactly one counter.

use alloc::vec::Vec;
use core::time::Duration;

use super::queue::{self, Queue};
use super::request::Request;
use super::response::{ExportOutcome, Failure};
use super::settings::{Compression, Export, Protocol};
use crate::cluster_call::failure_log::{FailureLog, LogEvent};
use crate::export::grpc_frame;
use crate::otlp;
use crate::otlp::request::RequestFrame;
use crate::proxy::Worker;
use crate::shared_data::queue_ledger::QueuedSpans;
use crate::span::Span;
use crate::stats::{Counter, Stats};
use crate::time::Nanos;

/// The occasion of a send, which implies the time of the next occasion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendTrigger {
    /// The tick.
    Tick,
    /// An answer of the collector. Only spans that must not wait for the next tick are sent now, because otherwise each
    /// answer would take along the few spans that were finished since the last.
    Answer,
    /// The end of the configuration: all queued spans are sent, batch by batch, but none before a retry's delay is over.
    Drain,
}

/// A taker of finished spans.
pub trait SpanExporter {
    /// Takes a span that has ended now.
    fn export(&mut self, span: &Span, now: Nanos, stats: &mut Stats);
    /// Asks the worker for an early tick, if the spans of this stream have made one necessary.
    fn after_export(&mut self, worker: &impl Worker);
}

/// Spans in memory, for users of this crate without a collector.
impl SpanExporter for Vec<Span> {
    fn export(&mut self, span: &Span, _: Nanos, _: &mut Stats) {
        self.push(span.clone());
    }

    fn after_export(&mut self, _: &impl Worker) {}
}

/// The exporter of one worker: batches of spans, sent one after the other.
#[derive(Debug)]
pub struct Exporter {
    limits: Limits,
    frame: RequestFrame,
    queue: Queue,
    state: State,
    failures_in_a_row: u32,
    failure_log: FailureLog<Failure>,
    is_closed: bool,
}

#[derive(Clone, Debug)]
struct Limits {
    protocol: Protocol,
    compression: Compression,
    timeout: Duration,
    max_delay: Duration,
    initial_delay: Duration,
    max_retry_delay: Duration,
    attempts: u32,
}

#[derive(Debug)]
enum State {
    Idle,
    UnderWay {
        request: Request,
        since: Nanos,
    },
    Waiting {
        request: Request,
        since: Nanos,
        delay: Duration,
    },
}

impl Exporter {
    /// Returns the exporter to `export.otlp`; `None` where nothing is exported.
    pub fn new(export: &Export, frame: RequestFrame) -> Option<Self> {
        let otlp = export.otlp.as_ref()?;
        Some(Self {
            limits: Limits {
                protocol: otlp.protocol,
                compression: otlp.compression,
                timeout: otlp.timeout,
                max_delay: export.batch_max_delay,
                initial_delay: export.retry_initial,
                max_retry_delay: export.retry_max,
                attempts: export.retry_attempts,
            },
            queue: Queue::new(queue::Limits {
                max_spans: export.queue_max_spans,
                max_bytes: export.queue_max_bytes,
                request_spans: export.batch_max_spans,
                front: frame
                    .header_room()
                    .saturating_add(grpc_frame::GRPC_PREFIX_BYTES),
                behind: frame.trailer_room(),
            }),
            frame,
            state: State::Idle,
            failures_in_a_row: 0,
            failure_log: FailureLog::default(),
            is_closed: false,
        })
    }

    /// Returns the period in which [`Self::next`] is to be called, so that no span waits longer than configured.
    #[inline]
    pub fn tick_period(&self) -> Duration {
        self.limits
            .max_delay
            .clamp(Duration::from_millis(10), Duration::from_secs(1))
    }

    /// Adds a finished span to the queue.
    #[inline]
    pub fn push(&mut self, span: &Span, now: Nanos, stats: &mut Stats) {
        stats.add(Counter::SpansFinished);
        if self.is_closed {
            stats.add(Counter::SpansDroppedShutdown);
            return;
        }
        let dropped = self
            .queue
            .push(now, |out| otlp::span::write_span(out, span));
        stats.add_many(Counter::SpansDroppedQueue, dropped);
    }

    /// Returns true if a whole batch is queued and no request is under way or waits for its retry, so that the batch need
    /// not wait for the tick.
    #[inline]
    pub fn is_full(&self) -> bool {
        matches!(self.state, State::Idle) && self.queue.has_closed()
    }

    /// Returns the body of the request that is to be sent now, with its compression. The caller must send the request, or
    /// report the failure to [`Self::answered`].
    #[inline]
    pub fn next(
        &mut self,
        now: Nanos,
        trigger: SendTrigger,
        stats: &mut Stats,
    ) -> Option<(&[u8], Compression)> {
        let mut request = match core::mem::replace(&mut self.state, State::Idle) {
            State::Idle if self.is_due(now, trigger) => {
                let pending = self.queue.take()?;
                let Limits {
                    protocol,
                    compression,
                    ..
                } = self.limits;
                let request = Request::new(pending, &self.frame, protocol, compression);
                stats.add(Counter::ExportRequests);
                request
            }
            State::Waiting {
                request,
                since,
                delay,
            } if now.is_past(since, delay) => {
                stats.add(Counter::ExportRequests);
                stats.add(Counter::ExportRetries);
                request
            }
            other => {
                self.state = other;
                return None;
            }
        };
        request.attempts = request.attempts.saturating_add(1);
        self.state = State::UnderWay {
            request,
            since: now,
        };
        match &self.state {
            State::UnderWay { request, .. } => Some((request.body(), request.compression)),
            State::Idle | State::Waiting { .. } => None,
        }
    }

    /// Returns true if the request under way has been without an answer for twice its timeout. The proxy ends a call by
    /// itself, so the answer is then lost.
    #[inline]
    pub fn is_overdue(&self, now: Nanos) -> bool {
        let limit = self.limits.timeout.saturating_mul(2);
        matches!(self.state, State::UnderWay { since, .. } if now.has_taken(since, limit))
    }

    /// Takes the answer to the request under way, and returns the event to log. `jitter` is a random byte.
    pub fn answered(
        &mut self,
        outcome: ExportOutcome,
        now: Nanos,
        jitter: u8,
        stats: &mut Stats,
    ) -> Option<LogEvent<Failure>> {
        let State::UnderWay { request, .. } = core::mem::replace(&mut self.state, State::Idle)
        else {
            return None;
        };
        let (failure, delay) = match outcome {
            ExportOutcome::Accepted { rejected, warns } => {
                let rejected = usize::try_from(rejected)
                    .unwrap_or(usize::MAX)
                    .min(request.spans);
                stats.add_many(Counter::SpansRejected, rejected);
                stats.add_many(
                    Counter::SpansExported,
                    request.spans.saturating_sub(rejected),
                );
                self.failures_in_a_row = 0;
                return match (rejected, warns) {
                    (0, false) => self.failure_log.record_success(),
                    (0, true) => self.failure_log.record_failure(Failure::Warned, now),
                    _ => self.failure_log.record_failure(Failure::SpansRejected, now),
                };
            }
            ExportOutcome::Refused(failure) => (failure, None),
            ExportOutcome::Retry { failure, after } => (failure, Some(after)),
        };
        stats.add(Counter::ExportFailures);
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        match delay {
            Some(after) if request.attempts < self.limits.attempts => {
                let delay = after.unwrap_or_else(|| self.delay(jitter));
                self.state = State::Waiting {
                    request,
                    since: now,
                    delay,
                };
            }
            _ => stats.add_many(Counter::SpansDroppedExport, request.spans),
        }
        self.failure_log.record_failure(failure, now)
    }

    /// Closes the exporter: queued spans, and all later ones, are counted as lost in the shutdown.
    pub fn close(&mut self, stats: &mut Stats) {
        let waiting = self.spans();
        stats.add_many(Counter::SpansDroppedShutdown, waiting);
        self.queue.clear();
        self.state = State::Idle;
        self.is_closed = true;
    }

    /// Returns true if the exporter was closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Returns true if the collector may still take spans before `end`. Where the retry's delay goes beyond `end`, waiting
    /// saves no span.
    #[inline]
    pub fn can_send_until(&self, end: Nanos, now: Nanos) -> bool {
        let is_in_time = match self.state {
            State::Waiting { since, delay, .. } => since.after(delay) < end,
            State::Idle | State::UnderWay { .. } => true,
        };
        self.spans() > 0 && now < end && is_in_time
    }

    /// Returns the number of spans that are queued or under way.
    #[inline]
    pub fn spans(&self) -> usize {
        let under_way = self.request().map_or(0, |request| request.spans);
        self.queue.spans().saturating_add(under_way)
    }

    /// Returns the bytes of spans that are queued or under way.
    #[inline]
    pub fn bytes(&self) -> usize {
        let under_way = self.request().map_or(0, |request| request.body().len());
        self.queue.bytes().saturating_add(under_way)
    }

    /// Returns the spans that are queued or under way.
    pub fn queued_spans(&self) -> QueuedSpans {
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        QueuedSpans {
            spans: number(self.spans()),
            bytes: number(self.bytes()),
        }
    }

    #[inline]
    fn request(&self) -> Option<&Request> {
        match &self.state {
            State::Idle => None,
            State::UnderWay { request, .. } | State::Waiting { request, .. } => Some(request),
        }
    }

    #[inline]
    fn is_due(&self, now: Nanos, trigger: SendTrigger) -> bool {
        let Some(oldest) = self.queue.oldest() else {
            return false;
        };
        let is_old_enough = match trigger {
            SendTrigger::Answer => now.is_past(oldest, self.limits.max_delay),
            // Due already if the oldest span would have waited too long at the next tick.
            SendTrigger::Tick => {
                let next = now.after(self.tick_period());
                now < oldest || next > oldest.after(self.limits.max_delay)
            }
            SendTrigger::Drain => true,
        };
        is_old_enough || self.queue.has_closed()
    }

    /// Returns the delay of a retry: doubled with every failure in a row, within a fifth up or down.
    #[inline]
    fn delay(&self, jitter: u8) -> Duration {
        let doublings = self.failures_in_a_row.saturating_sub(1).min(31);
        let delay = self
            .limits
            .initial_delay
            .saturating_mul(1_u32.wrapping_shl(doublings))
            .min(self.limits.max_retry_delay);
        let percent = 80_u32.saturating_add(u32::from(jitter % 41));
        delay
            .saturating_mul(percent)
            .checked_div(100)
            .unwrap_or(delay)
    }
}

#[cfg(test)]
mod tests;
