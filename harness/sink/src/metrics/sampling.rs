//! The number of spans that a sampled span stands for.
//!
//! OpenTelemetry's `tracestate` entry says it (<https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/>):
//! `ot=th:T`, where T is the threshold of rejection, up to 14 hexadecimal digits of a fraction of 2^56, without zeros at the
//! end. A span is sampled with the probability (2^56 − T) / 2^56.

/// A number of spans, in units of 2^-20, so that sums are exact and never shrink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight(pub(super) u128);

impl Weight {
    /// One span.
    pub(super) const ONE: Self = Self(1 << FRACTION);

    /// Returns the number that a span's `tracestate` says; 1 where it says none, or nonsense.
    pub(super) fn of(trace_state: &str) -> Self {
        if trace_state.is_empty() {
            return Self::ONE;
        }
        threshold(trace_state).map_or(Self::ONE, |threshold| {
            // The threshold has 14 digits at most, so the difference is not 0.
            Self((1_u128 << (56 + FRACTION)) / u128::from(MAX - threshold))
        })
    }

    /// Returns the whole number of spans, rounded.
    pub(super) fn whole(self) -> u64 {
        let rounded = self.0.saturating_add(1 << (FRACTION - 1)) >> FRACTION;
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

fn threshold(trace_state: &str) -> Option<u64> {
    let entries = trace_state.split(',').map(str::trim);
    let ours = entries
        .filter_map(|entry| entry.strip_prefix("ot="))
        .next()?;
    let digits = ours
        .split(';')
        .find_map(|pair| pair.trim().strip_prefix("th:"))?;
    let is_threshold = (1..=14).contains(&digits.len())
        && digits
            .bytes()
            .all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
    if !is_threshold {
        return None;
    }
    let missing = u32::try_from(14 - digits.len()).unwrap_or_default();
    Some(u64::from_str_radix(digits, 16).ok()? << (4 * missing))
}

/// The bits behind the point.
pub(super) const FRACTION: u32 = 20;

const MAX: u64 = 1 << 56;
