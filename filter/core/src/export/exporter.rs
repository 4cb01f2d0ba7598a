//! The exporter: decides when a batch is sent, and whether it is sent again (OTLP, "Failures" and "Retryable Response
//! Codes"). The input is the time and the collector's answers, the output is the next request.
//!
//! ```text
//!   push -> queue -> next -> calls -> answered: accepted, or refused for good
//!                             ^  |
//!                             +--+ retry
//! ```
//!
//! Every span that enters leaves through exactly one counter. What the queue may hold, it holds together with the calls
//! beyond the first, so that memory is bounded alike with one call and with several.

use alloc::vec::Vec;
use core::time::Duration;

use super::calls::{Call, Calls, RetryLimits};
use super::queue::{self, Queue};
use super::request::Request;
use super::response::{ExportOutcome, Failure};
use super::settings::{Compression, Export, Protocol};
use crate::cluster_call::failure_log::{FailureLog, LogEvent};
use crate::cluster_call::send_error::SendError;
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

/// The exporter of one worker: batches of spans, sent one after the other, or side by side to a collector that takes its
/// time.
#[derive(Debug)]
pub struct Exporter {
    limits: Limits,
    frame: RequestFrame,
    queue: Queue,
    calls: Calls,
    failure_log: FailureLog<Failure>,
    is_closed: bool,
}

#[derive(Clone, Debug)]
struct Limits {
    protocol: Protocol,
    compression: Compression,
    max_delay: Duration,
}

impl Exporter {
    /// Returns the exporter to `export.otlp`; `None` where nothing is exported.
    pub fn new(export: &Export, frame: RequestFrame) -> Option<Self> {
        let otlp = export.otlp.as_ref()?;
        Some(Self {
            limits: Limits {
                protocol: otlp.protocol,
                compression: otlp.compression,
                max_delay: export.batch_max_delay,
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
            calls: Calls::new(RetryLimits {
                timeout: otlp.timeout,
                initial_delay: export.retry_initial,
                max_delay: export.retry_max,
                attempts: export.retry_attempts,
            }),
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

    /// Returns true if a whole batch is queued that may be sent now, so that it need not wait for the tick.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.queue.has_closed()
            && !self.calls.has_retry()
            && self.calls.has_room(self.queue.requests())
    }

    /// Returns the body of the request that is to be sent now, with its compression. The caller must send the request, and
    /// report the token to [`Self::sent`] or the failure to [`Self::not_sent`].
    #[inline]
    pub fn next(
        &mut self,
        now: Nanos,
        trigger: SendTrigger,
        stats: &mut Stats,
    ) -> Option<(&[u8], Compression)> {
        let has_room = match trigger {
            SendTrigger::Drain => self.calls.has_room_at_end(),
            SendTrigger::Tick | SendTrigger::Answer => self.calls.has_room(self.queue.requests()),
        };
        if !has_room {
            return None;
        }
        let request = if self.calls.has_retry() {
            let request = self.calls.take_retry(now)?;
            stats.add(Counter::ExportRetries);
            request
        } else if self.is_due(now, trigger) {
            let pending = self.queue.take()?;
            let Limits {
                protocol,
                compression,
                ..
            } = self.limits;
            Request::new(pending, &self.frame, protocol, compression)
        } else {
            return None;
        };
        stats.add(Counter::ExportRequests);
        self.calls.start(request, now);
        self.queue.reserve(self.calls.total_beyond_one());
        self.calls.last()
    }

    /// Takes the token of the request that was sent last.
    #[inline]
    pub fn sent(&mut self, token: u32) {
        self.calls.sent(token);
    }

    /// Takes the failure of the request that was to be sent last, and returns the event to log. `jitter` is a random byte.
    pub fn not_sent(
        &mut self,
        error: SendError,
        now: Nanos,
        jitter: u8,
        stats: &mut Stats,
    ) -> Option<LogEvent<Failure>> {
        let call = self.calls.take_unsent()?;
        self.end(call, Failure::SendError(error).again(), now, jitter, stats)
    }

    /// Returns true if the answer to the call with this token is waited for.
    #[inline]
    pub fn waits_for(&self, token: u32) -> bool {
        self.calls.has(token)
    }

    /// Takes the answer to the call with this token, and returns the event to log. `jitter` is a random byte.
    pub fn answered(
        &mut self,
        token: u32,
        outcome: ExportOutcome,
        now: Nanos,
        jitter: u8,
        stats: &mut Stats,
    ) -> Option<LogEvent<Failure>> {
        let call = self.calls.take(token)?;
        self.end(call, outcome, now, jitter, stats)
    }

    /// Returns the token of a call that has been without an answer for twice its timeout.
    #[inline]
    pub fn overdue(&self, now: Nanos) -> Option<u32> {
        self.calls.overdue(now)
    }

    fn end(
        &mut self,
        call: Call,
        outcome: ExportOutcome,
        now: Nanos,
        jitter: u8,
        stats: &mut Stats,
    ) -> Option<LogEvent<Failure>> {
        let spans = call.request.spans;
        let event = match outcome {
            ExportOutcome::Accepted { rejected, warns } => {
                let rejected = usize::try_from(rejected).unwrap_or(usize::MAX).min(spans);
                stats.add_many(Counter::SpansRejected, rejected);
                stats.add_many(Counter::SpansExported, spans.saturating_sub(rejected));
                let works = self.calls.succeeded(&call);
                match (rejected, warns) {
                    (0, false) if works => self.failure_log.record_success(),
                    (0, false) => None,
                    (0, true) => self.failure_log.record_failure(Failure::Warned, now),
                    _ => self.failure_log.record_failure(Failure::SpansRejected, now),
                }
            }
            ExportOutcome::Refused(failure) => {
                stats.add(Counter::ExportFailures);
                stats.add_many(Counter::SpansDroppedExport, spans);
                self.calls.refused(&call);
                self.failure_log.record_failure(failure, now)
            }
            ExportOutcome::Retry { failure, after } => {
                stats.add(Counter::ExportFailures);
                let dropped = self.calls.retry(call, after, now, jitter);
                stats.add_many(Counter::SpansDroppedExport, dropped);
                self.failure_log.record_failure(failure, now)
            }
        };
        self.queue.reserve(self.calls.total_beyond_one());
        event
    }

    /// Closes the exporter: queued spans, and all later ones, are counted as lost in the shutdown.
    pub fn close(&mut self, stats: &mut Stats) {
        let waiting = self.spans();
        stats.add_many(Counter::SpansDroppedShutdown, waiting);
        self.queue.clear();
        self.calls.clear();
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
        let is_in_time = self.calls.paused_until().is_none_or(|until| until < end);
        self.spans() > 0 && now < end && is_in_time
    }

    /// Returns the number of spans that are queued or under way.
    #[inline]
    pub fn spans(&self) -> usize {
        self.queue.spans().saturating_add(self.calls.total().spans)
    }

    /// Returns the bytes of spans that are queued or under way.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.queue.bytes().saturating_add(self.calls.total().bytes)
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
}

#[cfg(test)]
mod tests;
