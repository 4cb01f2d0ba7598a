//! The counts and durations of one set of labels.

use std::time::Duration;

use super::sampling::{FRACTION, Weight};

/// The number of buckets, the last without an end.
pub(super) const BUCKETS: usize = 15;

/// The ends of the buckets, in seconds and in nanoseconds: those of OpenTelemetry's semantic conventions for the duration of
/// requests (<https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>).
pub(super) const BOUNDS: [(f64, u64); BUCKETS] = [
    (0.005, 5_000_000),
    (0.01, 10_000_000),
    (0.025, 25_000_000),
    (0.05, 50_000_000),
    (0.075, 75_000_000),
    (0.1, 100_000_000),
    (0.25, 250_000_000),
    (0.5, 500_000_000),
    (0.75, 750_000_000),
    (1.0, 1_000_000_000),
    (2.5, 2_500_000_000),
    (5.0, 5_000_000_000),
    (7.5, 7_500_000_000),
    (10.0, 10_000_000_000),
    (f64::INFINITY, u64::MAX),
];

/// A span that is an example of its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exemplar {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) nanos: u64,
    /// The arrival, in milliseconds since 1970.
    pub(super) at_millis: u64,
}

/// The counts and durations of one set of labels.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    buckets: [Weight; BUCKETS],
    nanos: u128,
    /// The last span of each bucket.
    pub(super) exemplars: [Option<Exemplar>; BUCKETS],
}

impl Series {
    /// Adds a span.
    pub(super) fn add(&mut self, weight: Weight, exemplar: Exemplar) {
        let at = BOUNDS.partition_point(|(_, end)| *end < exemplar.nanos);
        if let (Some(bucket), Some(last)) = (self.buckets.get_mut(at), self.exemplars.get_mut(at)) {
            bucket.add(weight);
            *last = Some(exemplar);
        }
        let nanos = u128::from(exemplar.nanos).saturating_mul(weight.0);
        self.nanos = self.nanos.saturating_add(nanos);
    }

    /// Returns the spans of each bucket. Rounded as running sums, so that neither a bucket nor the whole ever shrinks.
    pub(super) fn buckets(&self) -> [u64; BUCKETS] {
        let (mut sum, mut before) = (Weight::default(), 0);
        self.buckets.map(|bucket| {
            sum.add(bucket);
            let whole = sum.whole();
            let own = whole - before;
            before = whole;
            own
        })
    }

    /// Returns the spans of all buckets.
    pub(super) fn count(&self) -> u64 {
        self.buckets().iter().sum()
    }

    /// Returns the durations of all spans, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        let nanos = self.nanos >> FRACTION;
        let whole = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
        let part = u32::try_from(nanos % SECOND).unwrap_or_default();
        Duration::new(whole, part).as_secs_f64()
    }
}

const SECOND: u128 = 1_000_000_000;
