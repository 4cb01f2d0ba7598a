//! The queue of finished spans, held as the requests that will carry the spans: bounded in number and in bytes. What is too
//! much is dropped: the oldest span that was sampled, because others like it stand for it, and only where no such span is left
//! the oldest of those that were kept late, which tell what went wrong.
//!
//! A span is written once, behind the span before it, into the memory that is passed to the proxy; around the spans of a
//! request there is free room for the request frame. A request is closed when it has a batch of spans, or
//! [`REQUEST_BYTES`]. The number of dropped spans is returned to the caller, who counts them; their memory is free once
//! their whole request has left. Spans under way to the collector are no longer in the queue.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::codec::protobuf;
use crate::otlp;
use crate::time::Nanos;

/// The queue: requests to be sent, oldest first. Spans are added to the last request until it is closed.
#[derive(Debug)]
pub struct Queue {
    requests: VecDeque<PendingRequest>,
    // The number of requests at the front of which is known that no span in them was sampled.
    kept_alone: usize,
    // spans == the sum of all requests' spans <= limits.max_spans - reserved.spans, but between a reservation and the next span
    spans: usize,
    // bytes == the sum of all requests' span bytes
    bytes: usize,
    limits: Limits,
    // The part of the limits that others than the queue take.
    reserved: Amount,
    // The bytes of a request beside its spans.
    around: usize,
    // The size of the last request, taken for the next one because growing step by step costs a move each.
    usual_bytes: usize,
}

/// The limits of the queue and of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of queued spans.
    pub max_spans: usize,
    /// The largest number of bytes of queued spans.
    pub max_bytes: usize,
    /// The largest number of spans in one request.
    pub request_spans: usize,
    /// The bytes that are kept free in front of the spans of each request.
    pub front: usize,
    /// The bytes that will follow the spans of each request.
    pub behind: usize,
}

/// An amount of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// The number of spans.
    pub spans: usize,
    /// The bytes of these spans.
    pub bytes: usize,
}

/// A request in the queue: spans, and around them room for the request frame.
#[derive(Debug, PartialEq, Eq)]
pub struct PendingRequest {
    /// The room in front, and the spans as fields of `ScopeSpans`.
    pub bytes: Vec<u8>,
    /// The position of the first span; at least [`Limits::front`].
    pub spans_at: usize,
    /// The number of spans.
    pub spans: usize,
    // The time of the first span that was added.
    since: Nanos,
    // The position before which no span was sampled, as far as is known.
    kept_until: usize,
    is_closed: bool,
}

impl Queue {
    /// Returns an empty queue with these limits.
    #[inline]
    pub fn new(limits: Limits) -> Self {
        Self {
            requests: VecDeque::new(),
            kept_alone: 0,
            spans: 0,
            bytes: 0,
            around: limits
                .front
                .saturating_add(limits.behind)
                .saturating_add(OVERHEAD_BYTES),
            limits,
            reserved: Amount::default(),
            usual_bytes: 0,
        }
    }

    /// Adds the span that `write` appends as a field of `ScopeSpans`, and returns the number of spans that were dropped for
    /// it. A span that could never fit is dropped itself.
    #[inline]
    pub fn push(&mut self, now: Nanos, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let limits = self.limits;
        let Some(mut pending) = self.open() else {
            return 1;
        };
        let before = pending.bytes.len();
        write(&mut pending.bytes);
        let length = pending.bytes.len().wrapping_sub(before);
        if length > limits.max_bytes {
            pending.bytes.truncate(before);
            return 1;
        }
        if pending.spans > 0 && pending.span_bytes() > REQUEST_BYTES {
            let span = pending.bytes.split_off(before);
            pending.close(limits.behind);
            let Some(next) = self.open() else {
                return 1;
            };
            pending = next;
            pending.bytes.extend_from_slice(&span);
        }
        if pending.spans == 0 {
            pending.since = now;
        }
        // Neither number comes near the largest, because memory is smaller.
        pending.spans = pending.spans.wrapping_add(1);
        if pending.spans >= limits.request_spans {
            pending.close(limits.behind);
        }
        self.spans = self.spans.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(length);
        let mut dropped = 0_usize;
        let max_spans = limits.max_spans.saturating_sub(self.reserved.spans);
        let max_bytes = limits.max_bytes.saturating_sub(self.reserved.bytes);
        while self.spans > max_spans || self.bytes() > max_bytes {
            let Some(count) = self.drop_oldest() else {
                break;
            };
            dropped = dropped.saturating_add(count);
        }
        dropped
    }

    /// Takes the oldest request.
    #[inline]
    pub fn take(&mut self) -> Option<PendingRequest> {
        let pending = self
            .requests
            .pop_front()
            .filter(|pending| pending.spans > 0)?;
        self.kept_alone = self.kept_alone.saturating_sub(1);
        self.spans = self.spans.saturating_sub(pending.spans);
        self.bytes = self.bytes.saturating_sub(pending.span_bytes());
        self.usual_bytes = pending.bytes.len().saturating_add(self.limits.behind);
        Some(pending)
    }

    /// Sets the part of the limits that is taken by spans which have left the queue and are still in memory.
    #[inline]
    pub fn reserve(&mut self, reserved: Amount) {
        self.reserved = reserved;
    }

    /// Drops all queued spans.
    pub fn clear(&mut self) {
        self.requests.clear();
        (self.kept_alone, self.spans, self.bytes) = (0, 0, 0);
    }

    /// Returns the time since which the oldest span is queued. A request from which spans were dropped keeps the time of its
    /// first span.
    #[inline]
    pub fn oldest(&self) -> Option<Nanos> {
        let pending = self.requests.front().filter(|pending| pending.spans > 0)?;
        Some(pending.since)
    }

    /// Returns true if the oldest request is closed, so that no span will be added to it.
    #[inline]
    pub fn has_closed(&self) -> bool {
        self.requests
            .front()
            .is_some_and(|pending| pending.is_closed)
    }

    /// Returns the number of requests in the queue; all but the last are closed.
    #[inline]
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Returns the number of queued spans.
    #[inline]
    pub fn spans(&self) -> usize {
        self.spans
    }

    /// Returns the bytes of queued spans in memory, and the room around the spans of each request but the first, because in
    /// many requests with few spans the room takes more than the spans do.
    #[inline]
    pub fn bytes(&self) -> usize {
        match self.requests.len() {
            0 | 1 => self.bytes,
            requests => {
                let others = requests.wrapping_sub(1).saturating_mul(self.around);
                self.bytes.saturating_add(others)
            }
        }
    }

    /// Returns the request that spans are added to; opens one where the last is closed.
    #[inline]
    fn open(&mut self) -> Option<&mut PendingRequest> {
        if self.requests.back().is_none_or(|pending| pending.is_closed) {
            let front = self.limits.front;
            let mut bytes = Vec::with_capacity(self.usual_bytes.max(front));
            bytes.resize(front, 0);
            self.requests.push_back(PendingRequest {
                bytes,
                spans_at: front,
                spans: 0,
                since: Nanos(0),
                kept_until: front,
                is_closed: false,
            });
        }
        self.requests.back_mut()
    }

    /// Drops the oldest span that was sampled, or else the oldest, and returns the number of dropped spans; `None` where the
    /// queue is empty.
    fn drop_oldest(&mut self) -> Option<usize> {
        while let Some(pending) = self.requests.get_mut(self.kept_alone) {
            if let Some(bytes) = pending.drop_sampled() {
                return Some(self.forget(self.kept_alone, Amount { spans: 1, bytes }));
            }
            if !pending.is_closed {
                break;
            }
            self.kept_alone = self.kept_alone.saturating_add(1);
        }
        let dropped = self.requests.front_mut()?.drop_first()?;
        Some(self.forget(0, dropped))
    }

    /// Takes dropped spans of a request out of the sums, with the request where it is empty. Returns their number.
    fn forget(&mut self, index: usize, dropped: Amount) -> usize {
        let is_empty = |pending: &PendingRequest| pending.spans == 0;
        if self.requests.get(index).is_some_and(is_empty) {
            self.requests.remove(index);
            self.kept_alone = self
                .kept_alone
                .saturating_sub(usize::from(index < self.kept_alone));
        }
        self.spans = self.spans.saturating_sub(dropped.spans);
        self.bytes = self.bytes.saturating_sub(dropped.bytes);
        dropped.spans
    }
}

impl Amount {
    #[inline]
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            spans: self.spans.saturating_add(other.spans),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    #[inline]
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            spans: self.spans.saturating_sub(other.spans),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    /// Returns the larger of both numbers, and of both sizes.
    #[inline]
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            spans: self.spans.max(other.spans),
            bytes: self.bytes.max(other.bytes),
        }
    }
}

impl PendingRequest {
    /// Closes the request, and keeps no memory beyond the room behind the spans.
    #[inline]
    fn close(&mut self, behind: usize) {
        self.is_closed = true;
        self.bytes
            .shrink_to(self.bytes.len().saturating_add(behind));
    }

    #[inline]
    fn span_bytes(&self) -> usize {
        // The first span is within the bytes.
        self.bytes.len().wrapping_sub(self.spans_at)
    }

    /// Drops the oldest span that was sampled, and returns its bytes; `None` where there is none.
    fn drop_sampled(&mut self) -> Option<usize> {
        self.kept_until = self.kept_until.max(self.spans_at);
        loop {
            let spans = self.bytes.get(self.kept_until..)?;
            let mut rest = spans;
            let (_, protobuf::Field::Bytes(span)) = protobuf::read(&mut rest)? else {
                return None;
            };
            let is_sampled = otlp::span::is_sampled(span);
            let length = spans.len().saturating_sub(rest.len());
            self.kept_until = self.kept_until.saturating_add(length);
            if is_sampled {
                // The spans before it move up to those behind it, because the room is in front.
                let both = self.bytes.get_mut(self.spans_at..self.kept_until)?;
                let before = both.len().checked_sub(length)?;
                both.copy_within(..before, length);
                self.spans_at = self.spans_at.saturating_add(length);
                self.spans = self.spans.saturating_sub(1);
                return Some(length);
            }
        }
    }

    /// Drops the oldest span.
    fn drop_first(&mut self) -> Option<Amount> {
        let before = self.span_bytes();
        let mut rest = self.bytes.get(self.spans_at..)?;
        let spans = match protobuf::read(&mut rest) {
            Some(_) => 1,
            // Not reached, because every span was written as a field.
            None => self.spans,
        };
        self.spans_at = self.bytes.len().saturating_sub(rest.len());
        self.spans = self.spans.saturating_sub(spans);
        let bytes = before.saturating_sub(self.span_bytes());
        Some(Amount { spans, bytes })
    }
}

/// The size of a request's entry in the queue, and of the allocator's own bytes for its memory.
const OVERHEAD_BYTES: usize = size_of::<PendingRequest>() + 16;
/// The largest size of a request's spans, because the proxy keeps a request in memory as a whole; a single larger span is
/// sent alone (test `sz_1_no_request_is_larger_than_it_may_be`).
pub const REQUEST_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const LIMITS: Limits = Limits {
        max_spans: 10,
        max_bytes: 7 * 62 + 3 * (5 + 3 + OVERHEAD_BYTES),
        request_spans: 3,
        front: 5,
        behind: 3,
    };

    /// The plainest model of the queue: a list, divided into requests, out of which the first sampled span is taken, or else
    /// the first.
    #[derive(Default)]
    struct Model {
        requests: Vec<Vec<Vec<u8>>>,
        is_open: bool,
    }

    impl Model {
        fn push(&mut self, span: Vec<u8>) -> usize {
            if !self.is_open {
                self.requests.push(Vec::new());
            }
            let last = self.requests.last_mut().unwrap();
            last.push(span);
            // Dropped spans make no room in their request's memory, but they do in its number.
            self.is_open = last.len() < LIMITS.request_spans;
            let mut dropped = 0;
            while self.spans() > LIMITS.max_spans || self.bytes() > LIMITS.max_bytes {
                let sampled = self.requests.iter().enumerate().find_map(|(at, request)| {
                    let is_sampled = |span: &Vec<u8>| otlp::span::is_sampled(span);
                    Some((at, request.iter().position(is_sampled)?))
                });
                let (at, place) = sampled.unwrap_or((0, 0));
                self.requests[at].remove(place);
                dropped += 1;
                if self.requests[at].is_empty() {
                    self.requests.remove(at);
                    self.is_open &= at < self.requests.len();
                }
            }
            dropped
        }

        fn spans(&self) -> usize {
            self.requests.iter().map(Vec::len).sum()
        }

        fn bytes(&self) -> usize {
            let spans = self.requests.iter().flatten();
            let spans: usize = spans.map(|span| protobuf::field_bytes(span.len())).sum();
            spans + self.requests.len().saturating_sub(1) * (5 + 3 + OVERHEAD_BYTES)
        }
    }

    fn push(queue: &mut Queue, span: &[u8], now: u64) -> usize {
        queue.push(Nanos(now), |out| protobuf::bytes(out, 2, span))
    }

    fn spans(pending: &PendingRequest) -> Vec<Vec<u8>> {
        let mut rest = &pending.bytes[pending.spans_at..];
        core::iter::from_fn(|| match protobuf::read(&mut rest)? {
            (2, protobuf::Field::Bytes(span)) => Some(span.to_vec()),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn drops_the_oldest_sampled_span_and_only_where_none_is_left_the_oldest() {
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below).unwrap()
        };
        let mut queue = Queue::new(LIMITS);
        let mut model = Model::default();
        for step in 0..10_000_u64 {
            if random(8) > 0 {
                // Of 2,000 steps in turn: all are sampled, half of them, none.
                let one_in = [1, 2, u64::MAX][usize::try_from(step / 2_000 % 3).unwrap()];
                let is_sampled = random(one_in) == 0;
                let mut span = vec![u8::try_from(step % 251).unwrap(); 4 + random(57)];
                let flags = (0x300 | u32::from(is_sampled)).to_le_bytes();
                *span.last_chunk_mut().unwrap() = flags;
                let dropped = push(&mut queue, &span, step);
                assert_eq!(dropped, model.push(span), "step {step}");
            } else {
                let taken = queue.take();
                assert_eq!(taken.is_some(), !model.requests.is_empty());
                if let Some(pending) = taken {
                    let expected = model.requests.remove(0);
                    model.is_open &= !model.requests.is_empty();
                    assert_eq!(pending.spans, expected.len());
                    assert_eq!(spans(&pending), expected, "step {step}");
                    assert!(pending.spans_at >= LIMITS.front);
                }
            }
            assert_eq!(queue.spans(), model.spans());
            assert_eq!(queue.bytes(), model.bytes());
            assert_eq!(queue.oldest().is_some(), model.spans() > 0);
            let is_closed = model.requests.len() > usize::from(model.is_open);
            assert_eq!(queue.has_closed(), is_closed, "step {step}");
        }
    }

    #[test]
    fn drops_a_span_that_could_never_fit() {
        let mut queue = Queue::new(Limits {
            max_bytes: 102,
            ..LIMITS
        });
        assert_eq!(push(&mut queue, &[0; 101], 1), 1);
        assert_eq!((queue.oldest(), queue.bytes()), (None, 0));
        assert_eq!(push(&mut queue, &[0; 100], 2), 0);
        assert_eq!(push(&mut queue, &[0; 101], 3), 1);
        assert_eq!((queue.spans(), queue.bytes()), (1, 102));
        assert_eq!(queue.oldest(), Some(Nanos(2)));
    }

    #[test]
    fn sz_1_no_request_is_larger_than_it_may_be() {
        let mut queue = Queue::new(Limits {
            max_bytes: 10 * REQUEST_BYTES,
            ..LIMITS
        });
        push(&mut queue, &[0; REQUEST_BYTES / 2], 1);
        push(&mut queue, &[1; REQUEST_BYTES / 4], 2);
        assert!(!queue.has_closed());
        push(&mut queue, &[2; REQUEST_BYTES / 2], 3);
        assert!(queue.has_closed());
        push(&mut queue, &[3; REQUEST_BYTES * 2], 4);
        for (first, count, since) in [(0, 2, 1), (2, 1, 3), (3, 1, 4)] {
            assert_eq!(queue.oldest(), Some(Nanos(since)));
            let pending = queue.take().unwrap();
            let spans = spans(&pending);
            assert_eq!(
                (spans[0][0], spans.len(), pending.spans),
                (first, count, count)
            );
        }
        assert_eq!((queue.take(), queue.bytes()), (None, 0));
    }

    #[test]
    fn counts_the_room_around_the_spans_of_each_request_but_the_first() {
        let mut queue = Queue::new(Limits {
            request_spans: 1,
            front: 1_000,
            max_bytes: 5_000,
            ..LIMITS
        });
        let dropped: usize = (0..10).map(|now| push(&mut queue, &[0; 100], now)).sum();
        assert_eq!((queue.spans(), dropped), (5, 5));
        assert!((4_000..=5_000).contains(&queue.bytes()));
    }
}
