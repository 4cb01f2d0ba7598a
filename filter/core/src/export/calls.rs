//! The calls under way to the collector, and the requests that wait for their retry.
//!
//! ```text
//!         start                   answered: accepted, or refused for good
//!   ----------------> under way ------------------------------------------>
//!                      ^     |
//!       take_retry,    |     | failed: retry
//!       start          |     v
//!                      retries          (attempts used up: dropped)
//! ```
//!
//! While the collector works, up to [`MAX_CALLS`] calls are under way ([OTLP, "Concurrent Requests"]), because one call at a
//! time exports no more than one batch in the time that the collector takes. From a failure on, the calls under way are
//! waited for, and then one call at a time is sent until one succeeds. Delays double with every failure in a row, whichever
//! batch failed, so that a collector that is down is not hammered by one batch after the other; each delay has jitter,
//! because all workers fail together. Calls that were under way together fail together: they count as one failure, and
//! the success of one that was sent before the failure does not say that the collector works again.
//!
//! [OTLP, "Concurrent Requests"]: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-concurrent-requests

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::queue::Amount;
use super::request::Request;
use super::settings::Compression;
use crate::time::Nanos;

#[derive(Debug)]
pub(super) struct Calls {
    limits: RetryLimits,
    under_way: Vec<Call>,
    // Oldest first; under_way.len() + retries.len() <= MAX_CALLS.
    retries: VecDeque<Request>,
    failures_in_a_row: u32,
    // No retry is sent before the end of the pause.
    pause: Pause,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    // `None` until the proxy has taken the call.
    token: Option<u32>,
    since: Nanos,
    // The failures in a row at the time of the call.
    failures_before: u32,
}

#[derive(Clone, Debug)]
pub(super) struct RetryLimits {
    pub(super) timeout: Duration,
    pub(super) initial_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) attempts: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    since: Nanos,
    delay: Duration,
}

impl Pause {
    #[inline]
    fn is_over(self, now: Nanos) -> bool {
        now.is_past(self.since, self.delay)
    }

    #[inline]
    fn end(self) -> Nanos {
        self.since.after(self.delay)
    }
}

impl Calls {
    pub(super) fn new(limits: RetryLimits) -> Self {
        Self {
            limits,
            under_way: Vec::new(),
            retries: VecDeque::new(),
            failures_in_a_row: 0,
            pause: Pause::default(),
        }
    }

    /// Returns true if another call may be sent now, `queued` being the number of requests in the queue: beside a call under
    /// way only if more than one request waits, of which the first is full then.
    #[inline]
    pub(super) fn has_room(&self, queued: usize) -> bool {
        let waiting = self.retries.len().saturating_add(queued);
        self.under_way.is_empty() || (waiting > 1 && self.has_room_at_end())
    }

    /// Returns true if another call may be sent at the end of the configuration, however few spans wait.
    #[inline]
    pub(super) fn has_room_at_end(&self) -> bool {
        let is_failing = self.failures_in_a_row > 0;
        self.under_way.is_empty() || (!is_failing && self.under_way.len() < MAX_CALLS)
    }

    /// Returns true if a request waits for its retry. Nothing else is sent before it.
    #[inline]
    pub(super) fn has_retry(&self) -> bool {
        !self.retries.is_empty()
    }

    /// Takes the oldest request that waits for its retry, if the delay is over.
    #[inline]
    pub(super) fn take_retry(&mut self, now: Nanos) -> Option<Request> {
        if !self.pause.is_over(now) {
            return None;
        }
        self.retries.pop_front()
    }

    /// Notes a call with this request. The caller sends what [`Self::last`] returns, and tells the outcome by [`Self::sent`]
    /// or [`Self::take_unsent`].
    #[inline]
    pub(super) fn start(&mut self, mut request: Request, now: Nanos) {
        request.attempts = request.attempts.saturating_add(1);
        self.under_way.push(Call {
            request,
            token: None,
            since: now,
            failures_before: self.failures_in_a_row,
        });
    }

    /// Returns the body of the call that was started last, with its compression.
    #[inline]
    pub(super) fn last(&self) -> Option<(&[u8], Compression)> {
        let request = &self.under_way.last()?.request;
        Some((request.body(), request.compression))
    }

    /// Notes the token of the call that was started last.
    #[inline]
    pub(super) fn sent(&mut self, token: u32) {
        if let Some(call) = self.under_way.last_mut() {
            call.token = Some(token);
        }
    }

    /// Returns true if a call with this token is under way.
    #[inline]
    pub(super) fn has(&self, token: u32) -> bool {
        self.under_way.iter().any(|call| call.token == Some(token))
    }

    /// Removes the call with this token.
    #[inline]
    pub(super) fn take(&mut self, token: u32) -> Option<Call> {
        self.take_first(|call| call.token == Some(token))
    }

    /// Removes the call that the proxy did not take.
    pub(super) fn take_unsent(&mut self) -> Option<Call> {
        self.take_first(|call| call.token.is_none())
    }

    /// Returns the token of a call that has been without an answer for twice its timeout. The proxy ends a call by itself, so
    /// the answer is then lost.
    #[inline]
    pub(super) fn overdue(&self, now: Nanos) -> Option<u32> {
        let limit = self.limits.timeout.saturating_mul(2);
        let mut calls = self.under_way.iter();
        calls.find(|call| now.has_taken(call.since, limit))?.token
    }

    #[inline]
    fn take_first(&mut self, is_it: impl FnMut(&Call) -> bool) -> Option<Call> {
        let at = self.under_way.iter().position(is_it)?;
        Some(self.under_way.remove(at))
    }

    /// Notes that the collector has accepted this call. Returns false if the call was sent before the last failure.
    pub(super) fn succeeded(&mut self, call: &Call) -> bool {
        let is_news = call.failures_before == self.failures_in_a_row;
        if is_news {
            self.failures_in_a_row = 0;
        }
        is_news
    }

    /// Notes that the collector has refused this call for good.
    pub(super) fn refused(&mut self, call: &Call) {
        let failures = call.failures_before.saturating_add(1);
        self.failures_in_a_row = self.failures_in_a_row.max(failures);
    }

    /// Lets the request of a failed call wait for its retry, and returns the number of spans that are dropped because its
    /// attempts are used up. `asked` is the collector's own delay, `jitter` a random byte.
    pub(super) fn retry(
        &mut self,
        call: Call,
        asked: Option<Duration>,
        now: Nanos,
        jitter: u8,
    ) -> usize {
        let is_first = call.failures_before == self.failures_in_a_row;
        self.refused(&call);
        let pause = Pause {
            since: now,
            delay: asked.unwrap_or_else(|| self.delay(jitter)),
        };
        // Of calls that fail together the longest delay counts.
        if self.pause.is_over(now) || self.pause.end() < pause.end() {
            self.pause = pause;
        }
        let request = call.request;
        if request.attempts >= self.limits.attempts {
            return request.spans;
        }
        if is_first {
            self.retries.push_front(request);
        } else {
            self.retries.push_back(request);
        }
        0
    }

    /// Returns the time before which nothing is sent, if requests wait for their retry and no answer is to come.
    #[inline]
    pub(super) fn paused_until(&self) -> Option<Nanos> {
        (self.under_way.is_empty() && self.has_retry()).then(|| self.pause.end())
    }

    /// Drops all requests.
    pub(super) fn clear(&mut self) {
        self.under_way.clear();
        self.retries.clear();
    }

    /// Returns the spans and bytes of all requests.
    #[inline]
    pub(super) fn total(&self) -> Amount {
        self.sizes().fold(Amount::default(), Amount::plus)
    }

    /// Returns the spans and bytes of all requests but the largest.
    #[inline]
    pub(super) fn total_beyond_one(&self) -> Amount {
        self.total()
            .minus(self.sizes().fold(Amount::default(), Amount::max))
    }

    #[inline]
    fn sizes(&self) -> impl Iterator<Item = Amount> {
        let under_way = self.under_way.iter().map(|call| &call.request);
        under_way.chain(&self.retries).map(|request| Amount {
            spans: request.spans,
            bytes: request.body().len(),
        })
    }

    /// Returns the delay of a retry: doubled with every failure in a row, within a fifth up or down.
    #[inline]
    pub(super) fn delay(&self, jitter: u8) -> Duration {
        let doublings = self.failures_in_a_row.saturating_sub(1).min(31);
        let delay = self
            .limits
            .initial_delay
            .saturating_mul(1_u32.wrapping_shl(doublings))
            .min(self.limits.max_delay);
        let percent = 80_u32.saturating_add(u32::from(jitter % 41));
        delay
            .saturating_mul(percent)
            .checked_div(100)
            .unwrap_or(delay)
    }
}

/// The most calls under way. Four let a worker that fills a batch in 10 ms export to a collector that takes 40 ms
/// (`tests/export/external/slow_collector.rs`).
pub(super) const MAX_CALLS: usize = 4;
