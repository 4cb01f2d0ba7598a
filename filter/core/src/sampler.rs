//! Whether a request is recorded: what the caller decided, or else a percentage of the trace ids.
//!
//! The percentage is compared with the randomness in the trace id itself, as OpenTelemetry's consistent probability
//! sampling does ("Decision algorithm"): the same id and percentage give the same answer in every worker and host, and
//! whatever is kept at one percentage is kept at every higher one.

use crate::config::Sampling;
use crate::ids::TraceId;
use crate::propagation::SamplingState;
use crate::stats::Counter;

/// The verdict on one request, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Record or not.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

/// Record or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The span is recorded and exported.
    Record,
    /// Only the context goes on.
    Drop,
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller had decided.
    Received,
    /// The caller asked for debugging.
    Debug,
    /// The percentage of the workload's namespace.
    Namespace,
    /// The default percentage.
    Default,
}

impl Decision {
    /// The counter of this outcome.
    pub fn counter(self) -> Counter {
        match (self.verdict, self.reason) {
            (Verdict::Record, Reason::Received) => Counter::SampledReceived,
            // Debug implies accept, so there is no dropping for this reason.
            (_, Reason::Debug) => Counter::SampledDebug,
            (Verdict::Record, Reason::Namespace) => Counter::SampledNamespace,
            (Verdict::Record, Reason::Default) => Counter::SampledDefault,
            (Verdict::Drop, Reason::Received) => Counter::DroppedReceived,
            (Verdict::Drop, Reason::Namespace) => Counter::DroppedNamespace,
            (Verdict::Drop, Reason::Default) => Counter::DroppedDefault,
        }
    }
}

impl Reason {
    /// The word for it on spans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Debug => "debug",
            Self::Namespace => "namespace",
            Self::Default => "default",
        }
    }
}

/// Decides for this workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    threshold: Threshold,
    reason: Reason,
}

impl Sampler {
    /// The sampler of a workload in this namespace; a workload without one is matched by `*` alone.
    pub fn new(sampling: &Sampling, namespace: Option<&str>) -> Self {
        let (percentage, reason) = match sampling.entry_for(namespace) {
            Some((_, percentage)) => (*percentage, Reason::Namespace),
            None => (sampling.percentage, Reason::Default),
        };
        Self {
            threshold: Threshold::of_percentage(percentage),
            reason,
        }
    }

    /// Follows what was received; where nothing was decided, asks the percentage.
    pub fn decide(&self, received: SamplingState, trace_id: TraceId) -> Decision {
        let (is_kept, reason) = match received {
            SamplingState::Accept => (true, Reason::Received),
            SamplingState::Deny => (false, Reason::Received),
            SamplingState::Debug => (true, Reason::Debug),
            SamplingState::Deferred => (self.threshold.keeps(trace_id), self.reason),
        };
        Decision {
            verdict: if is_kept {
                Verdict::Record
            } else {
                Verdict::Drop
            },
            reason,
        }
    }
}

/// OpenTelemetry's rejection threshold: a trace is kept when its 56 bits of randomness are not below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold(u64);

impl Threshold {
    /// The threshold of a percentage from 0 to 100, rounded to the four significant digits that would be written into
    /// `tracestate`, so that deciding and telling can never differ.
    pub fn of_percentage(percentage: f64) -> Self {
        let kept = share_of_range(percentage);
        let threshold = RANGE.saturating_sub(kept);
        if kept == 0 {
            return Self(RANGE);
        }
        // Each leading f says only "rare"; the digits behind them carry the value.
        let leading = (threshold << 8).leading_ones() / 4;
        let cut_bits = 56_u32
            .saturating_sub(16)
            .saturating_sub(leading.saturating_mul(4));
        let half = (1_u64 << cut_bits) >> 1;
        let rounded = (threshold.saturating_add(half) >> cut_bits) << cut_bits;
        Self(if rounded < RANGE { rounded } else { threshold })
    }

    /// Whether a trace with this id is kept.
    pub fn keeps(self, trace_id: TraceId) -> bool {
        trace_id.randomness() >= self.0
    }

    /// The threshold as a number of 56 bits; 2^56 keeps nothing.
    pub fn value(self) -> u64 {
        self.0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float turns into the nearest number of the range, as is meant here"
)]
fn share_of_range(percentage: f64) -> u64 {
    const RANGE_AS_FLOAT: f64 = 72_057_594_037_927_936.0;
    let share = (percentage / 100.0 * RANGE_AS_FLOAT + 0.5) as u64;
    share.min(RANGE)
}

/// 2^56, the number of values that randomness can have.
const RANGE: u64 = 1 << 56;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

    fn id(hex: &str) -> TraceId {
        TraceId::from_hex(hex.as_bytes()).unwrap()
    }

    const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn digits(percentage: f64) -> Option<alloc::string::String> {
        let threshold = Threshold::of_percentage(percentage).value();
        (threshold < RANGE).then(|| {
            let text = format!("{threshold:014x}");
            match text.trim_end_matches('0') {
                "" => "0".into(),
                text => text.into(),
            }
        })
    }

    #[test]
    fn th_6_rounds_to_four_digits_behind_the_leading_fs() {
        let rows = [
            (100.0, "0"),
            (99.99, "0007"),
            (99.9, "0042"),
            (99.0, "028f"),
            (97.0, "07ae"),
            (93.75, "1"),
            (90.0, "199a"),
            (75.0, "4"),
            (50.0, "8"),
            (25.0, "c"),
            (100.0 / 3.0, "aaab"),
            (20.0, "cccd"),
            (10.0, "e666"),
            (5.0, "f3333"),
            (1.0, "fd70a"),
            (0.1, "ffbe77"),
            (0.01, "fff9724"),
            (1e-4, "ffffef39"),
            (100.0 / 1_073_741_824.0, "fffffffc"),
            (100.0 / 72_057_594_037_927_936.0, "ffffffffffffff"),
        ];
        for (percentage, expected) in rows {
            assert_eq!(
                digits(percentage).as_deref(),
                Some(expected),
                "{percentage}"
            );
        }
        assert_eq!(digits(0.0), None);
    }

    #[test]
    fn th_4_keeps_what_is_not_below_the_threshold() {
        let rows = [
            (15.0, false),
            (19.3, false),
            (19.31, true),
            (20.0, true),
            (25.0, true),
        ];
        for (percentage, expected) in rows {
            assert_eq!(
                Threshold::of_percentage(percentage).keeps(id(T)),
                expected,
                "{percentage}"
            );
        }
        assert!(Threshold(0xce_929d_0e0e_4736).keeps(id(T)));
        assert!(!Threshold(0xce_929d_0e0e_4737).keeps(id(T)));
    }

    #[test]
    fn ns_2_keeps_at_every_higher_percentage_what_it_keeps_at_one() {
        let thresholds: Vec<_> = (0..=1000)
            .map(|step| Threshold::of_percentage(f64::from(step) / 10.0))
            .collect();
        assert!(thresholds.is_sorted_by(|lower, higher| lower >= higher));
    }

    #[test]
    fn zero_keeps_nothing_and_a_hundred_everything() {
        let lowest = id("00000000000000010000000000000000");
        let highest = id("0000000000000000ffffffffffffffff");
        assert!(!Threshold::of_percentage(0.0).keeps(highest));
        assert!(Threshold::of_percentage(100.0).keeps(lowest));
    }

    #[test]
    fn follows_a_received_decision_whatever_the_percentage() {
        let rows = [
            (
                SamplingState::Accept,
                0.0,
                Verdict::Record,
                Reason::Received,
            ),
            (SamplingState::Deny, 100.0, Verdict::Drop, Reason::Received),
            (SamplingState::Debug, 0.0, Verdict::Record, Reason::Debug),
            (SamplingState::Deferred, 0.0, Verdict::Drop, Reason::Default),
            (
                SamplingState::Deferred,
                100.0,
                Verdict::Record,
                Reason::Default,
            ),
        ];
        for (received, percentage, verdict, reason) in rows {
            let sampler = Sampler {
                threshold: Threshold::of_percentage(percentage),
                reason: Reason::Default,
            };
            let decision = sampler.decide(received, id(T));
            assert_eq!(decision, Decision { verdict, reason }, "{received:?}");
        }
    }
}
