//! Finished spans that wait for their export: bounded in number and in bytes, the oldest dropped first.
//!
//! What is dropped is told to the caller, who counts it. A span under way to the collector is no longer here.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::time::Nanos;

/// Spans in encoded form, oldest first.
#[derive(Debug)]
pub struct Batch {
    spans: VecDeque<Waiting>,
    // bytes == the sum of what the spans take in memory <= max_bytes
    bytes: usize,
    max_spans: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    span: Vec<u8>,
    since: Nanos,
}

impl Batch {
    /// An empty queue with these limits.
    #[inline]
    pub fn new(max_spans: usize, max_bytes: usize) -> Self {
        Self {
            spans: VecDeque::new(),
            bytes: 0,
            max_spans,
            max_bytes,
        }
    }

    /// Adds a span and returns how many spans had to go for it, itself included if it fits on no account.
    #[inline]
    pub fn push(&mut self, span: Vec<u8>, now: Nanos) -> usize {
        let length = taken_by(&span);
        if length > self.max_bytes || self.max_spans == 0 {
            return 1;
        }
        let mut dropped = 0_usize;
        while self.spans.len() >= self.max_spans
            || self.bytes.saturating_add(length) > self.max_bytes
        {
            if self.pop().is_none() {
                break;
            }
            dropped = dropped.saturating_add(1);
        }
        self.bytes = self.bytes.saturating_add(length);
        self.spans.push_back(Waiting { span, since: now });
        dropped
    }

    /// Takes the oldest spans, as many as both limits allow, and at least one if there is any.
    #[inline]
    pub fn take(&mut self, max_spans: usize, max_bytes: usize) -> Vec<Vec<u8>> {
        let mut taken = Vec::with_capacity(self.spans.len().min(max_spans));
        let mut bytes = 0_usize;
        while let Some(next) = self.spans.front() {
            bytes = bytes.saturating_add(next.span.len());
            if !taken.is_empty() && (taken.len() >= max_spans || bytes > max_bytes) {
                break;
            }
            taken.extend(self.pop());
        }
        taken
    }

    /// Since when the oldest span waits.
    #[inline]
    pub fn oldest(&self) -> Option<Nanos> {
        self.spans.front().map(|waiting| waiting.since)
    }

    /// How many spans wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The bytes that the spans which wait take in memory.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    fn pop(&mut self) -> Option<Vec<u8>> {
        let Waiting { span, .. } = self.spans.pop_front()?;
        self.bytes = self.bytes.saturating_sub(taken_by(&span));
        Some(span)
    }
}

/// A span's bytes, and what keeping it costs beside them.
#[inline]
fn taken_by(span: &[u8]) -> usize {
    span.len().saturating_add(OVERHEAD_BYTES)
}

/// The entry in the queue, and the allocator's own bytes for the span behind it.
const OVERHEAD_BYTES: usize = size_of::<Waiting>() + 16;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// The plainest thing that could be right: a list that is cut from the front.
    #[derive(Default)]
    struct Model {
        spans: Vec<Vec<u8>>,
    }

    impl Model {
        fn push(&mut self, span: Vec<u8>, max_spans: usize, max_bytes: usize) -> usize {
            if span.len() + OVERHEAD_BYTES > max_bytes {
                return 1;
            }
            self.spans.push(span);
            let before = self.spans.len();
            while self.spans.len() > max_spans || self.bytes() > max_bytes {
                self.spans.remove(0);
            }
            before - self.spans.len()
        }

        fn bytes(&self) -> usize {
            self.spans.iter().map(|span| taken_by(span)).sum()
        }
    }

    /// Room for seven spans of the largest size that the model is given.
    const MAX_BYTES: usize = 7 * (60 + OVERHEAD_BYTES);

    #[test]
    fn behaves_as_a_list_that_is_cut_from_the_front() {
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below).unwrap()
        };
        let mut batch = Batch::new(10, MAX_BYTES);
        let mut model = Model::default();
        for step in 0..10_000_u64 {
            if random(4) > 0 {
                let span = vec![u8::try_from(step % 251).unwrap(); 1 + random(60)];
                let expected = model.push(span.clone(), 10, MAX_BYTES);
                assert_eq!(batch.push(span, Nanos(step)), expected, "step {step}");
            } else {
                let taken = batch.take(1 + random(5), 80);
                assert!(taken.len() == 1 || taken.iter().map(Vec::len).sum::<usize>() <= 80);
                let expected: Vec<_> = model.spans.drain(..taken.len()).collect();
                assert_eq!(taken, expected, "step {step}");
            }
            assert_eq!(batch.len(), model.spans.len());
            assert_eq!(batch.bytes(), model.bytes());
        }
    }

    #[test]
    fn drops_a_span_that_could_never_fit() {
        let mut batch = Batch::new(10, 100 + OVERHEAD_BYTES);
        assert_eq!(batch.push(vec![0; 100], Nanos(1)), 0);
        assert_eq!(batch.push(vec![0; 101], Nanos(2)), 1);
        assert_eq!(batch.len(), 1);
        assert_eq!(batch.oldest(), Some(Nanos(1)));
    }
}
