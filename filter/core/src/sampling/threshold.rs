//! The threshold of OpenTelemetry's consistent probability sampling, and the member `ot` of `tracestate` that carries
//! it.
//!
//! ```abnf
//! ot    = pair *( ";" pair )              ; the member `ot` of tracestate, 256 characters at most
//! pair  = key ":" value
//! key   = lcalpha *( lcalpha / DIGIT )
//! value = *( ALPHA / DIGIT / "." / "_" / "-" )
//! th    = 1*14( DIGIT / %x61-66 )         ; padded with zeros on the right
//! rv    = 14( DIGIT / %x61-66 )
//! ```
//!
//! `ot=th:fd70a;rv:6e6d1a75832a2f`
//!
//! A trace is kept when its 56 bits of randomness are not below the threshold. The threshold says with what probability
//! a span was sampled, and so how many spans it represents ("TraceState: Probability Sampling" and "tracestate
//! handling" of the OpenTelemetry specification). An unreadable member is passed on, and nothing is added to it
//! (6.4.5).

use alloc::vec::Vec;

use super::randomness::Randomness;
use crate::codec::{hex, scan};

/// A rejection threshold of OpenTelemetry, of 56 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Threshold(u64);

impl Threshold {
    /// The threshold that keeps every trace.
    pub const ALL: Self = Self(0);

    /// Returns the threshold of a percentage from 0 to 100.
    #[inline]
    pub fn of_percentage(percentage: f64) -> Self {
        Self::of_share(percentage / 100.0)
    }

    /// Returns the threshold of a probability from 0 to 1, rounded to the four significant digits that are written into
    /// `tracestate`, so that the decision and the written threshold never differ (TH-5, TH-6).
    #[inline]
    pub fn of_share(share: f64) -> Self {
        let kept = share_of_range(share);
        let threshold = RANGE.saturating_sub(kept);
        if kept == 0 {
            return Self(RANGE);
        }
        // A leading `f` says only that the probability is small; the digits behind it carry the value.
        let leading = (threshold << 8).leading_ones() / 4;
        let cut_bits = 56_u32
            .saturating_sub(16)
            .saturating_sub(leading.saturating_mul(4));
        let half = (1_u64 << cut_bits) >> 1;
        let rounded = (threshold.saturating_add(half) >> cut_bits) << cut_bits;
        Self(if rounded < RANGE { rounded } else { threshold })
    }

    /// Returns the threshold that keeps this share of the traces that this one keeps.
    #[must_use]
    #[inline]
    pub fn tightened(self, share: f64) -> Self {
        if share >= 1.0 {
            return self;
        }
        Self::of_share(self.share() * share).max(self)
    }

    /// Returns true if a trace with this randomness is kept.
    #[inline]
    pub fn keeps(self, randomness: impl Into<Randomness>) -> bool {
        match self.0 {
            0 => true,
            RANGE.. => false,
            threshold => randomness.into().value() >= threshold,
        }
    }

    /// Returns the probability, from 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a probability is an estimate at the sixteenth digit in any case"
    )]
    #[inline]
    pub fn share(self) -> f64 {
        RANGE.saturating_sub(self.0) as f64 / RANGE_AS_FLOAT
    }

    /// Returns the digits of `th`; `None` where no trace is kept, because `th` has no digits for that.
    #[inline]
    fn digits(self) -> Option<Digits> {
        if self.0 >= RANGE {
            return None;
        }
        let mut text = [b'0'; DIGITS];
        if self == Self::ALL {
            return Some(Digits { text, length: 1 });
        }
        let [_, bytes @ ..] = self.0.to_be_bytes();
        hex::print(&bytes, &mut text);
        // Trailing zeros are left out, but for one where all digits are zeros.
        let last = text.iter().rposition(|digit| *digit != b'0');
        let length = last.unwrap_or_default().saturating_add(1);
        Some(Digits { text, length })
    }
}

struct Digits {
    text: [u8; DIGITS],
    // The invariant is `1 <= length <= DIGITS`.
    length: usize,
}

impl Digits {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

/// The member `ot` of `tracestate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member<'a> {
    /// No member.
    Absent,
    /// An unreadable member, which is passed on as it is.
    Unusable,
    /// A readable member.
    Usable(Pairs<'a>),
}

/// The facts of a readable member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pairs<'a> {
    text: &'a [u8],
    threshold: Option<Threshold>,
    randomness: Option<u64>,
    // True if there is a `th`, legal or not.
    has_threshold: bool,
}

impl<'a> Member<'a> {
    /// Reads the value of the member.
    #[inline]
    pub(crate) fn read(value: Option<&'a [u8]>) -> Self {
        let Some(text) = value else {
            return Self::Absent;
        };
        if text.len() > MAX_BYTES {
            return Self::Unusable;
        }
        let mut pairs = Pairs {
            text,
            threshold: None,
            randomness: None,
            has_threshold: false,
        };
        for (index, pair) in scan::split(text, b';').enumerate() {
            let Some((key, value)) = split(pair) else {
                return Self::Unusable;
            };
            let mut before = scan::split(text, b';').take(index);
            if before.any(|other| split(other).is_some_and(|(other, _)| other == key)) {
                return Self::Unusable;
            }
            match key {
                b"th" => {
                    pairs.has_threshold = true;
                    pairs.threshold = threshold(value);
                }
                b"rv" => pairs.randomness = randomness(value),
                _ => {}
            }
        }
        Self::Usable(pairs)
    }

    /// Returns the explicit randomness, `rv`; without one the right-most 56 bits of the trace id are the randomness (TH-3).
    #[inline]
    pub(crate) fn randomness(&self) -> Option<u64> {
        match self {
            Self::Usable(pairs) => pairs.randomness,
            _ => None,
        }
    }

    /// Returns true if the member says that not all traces were sampled.
    #[inline]
    pub(crate) fn is_below_all(&self) -> bool {
        matches!(self, Self::Usable(pairs) if pairs.threshold.is_some_and(|threshold| threshold > Threshold::ALL))
    }

    /// Returns the received threshold, if a sampled trace with this randomness can have it (6.4.4).
    #[inline]
    pub(crate) fn consistent_threshold(&self, randomness: Randomness) -> Option<Threshold> {
        match self {
            Self::Usable(pairs) => pairs
                .threshold
                .filter(|threshold| threshold.keeps(randomness)),
            _ => None,
        }
    }

    /// Returns the new value with this threshold, or without one; `None` where the member stays as it is.
    #[inline]
    pub(crate) fn with(&self, wanted: Option<Threshold>) -> Option<Change> {
        let digits = wanted.and_then(Threshold::digits);
        match self {
            Self::Unusable => None,
            Self::Absent => digits.map(|digits| Change(Self::join(&[], Some(&digits)))),
            Self::Usable(pairs) => {
                let is_same = match &digits {
                    Some(digits) => {
                        pairs.threshold.is_some()
                            && pairs.threshold == wanted
                            && pairs.has_digits(digits)
                    }
                    None => !pairs.has_threshold,
                };
                if is_same {
                    return None;
                }
                let joined = Self::join(pairs.text, digits.as_ref());
                // A change that does not fit is not made (OT-11).
                (joined.len() <= MAX_BYTES).then_some(Change(joined))
            }
        }
    }

    /// Returns all pairs but `th`, with this threshold in front.
    #[inline]
    fn join(text: &[u8], digits: Option<&Digits>) -> Vec<u8> {
        let mut joined = Vec::with_capacity(text.len().saturating_add(DIGITS).saturating_add(4));
        if let Some(digits) = digits {
            joined.extend_from_slice(b"th:");
            joined.extend_from_slice(digits.as_bytes());
        }
        if text.is_empty() {
            return joined;
        }
        let others =
            scan::split(text, b';').filter(|pair| !pair.is_empty() && !pair.starts_with(b"th:"));
        for pair in others {
            if !joined.is_empty() {
                joined.push(b';');
            }
            joined.extend_from_slice(pair);
        }
        joined
    }
}

impl Pairs<'_> {
    #[inline]
    fn has_digits(&self, digits: &Digits) -> bool {
        scan::split(self.text, b';')
            .any(|pair| pair.strip_prefix(b"th:") == Some(digits.as_bytes()))
    }
}

/// A new value of the member; an empty value removes the member (OT-13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change(Vec<u8>);

impl Change {
    #[inline]
    pub(crate) fn value(&self) -> Option<&[u8]> {
        Some(self.0.as_slice()).filter(|value| !value.is_empty())
    }
}

#[inline]
fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = scan::position(pair, b':')?;
    let (key, value) = pair.split_at_checked(colon)?;
    let value = value.strip_prefix(b":")?;
    let is_key = matches!(key, [b'a'..=b'z', rest @ ..]
        if rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9')));
    let is_value = value
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    (is_key && is_value).then_some((key, value))
}

#[inline]
fn threshold(digits: &[u8]) -> Option<Threshold> {
    if digits.is_empty() {
        return None;
    }
    let mut padded = [b'0'; DIGITS];
    padded.get_mut(..digits.len())?.copy_from_slice(digits);
    let [a, b, c, d, e, f, g] = hex::bytes_of(&padded)?;
    Some(Threshold(u64::from_be_bytes([0, a, b, c, d, e, f, g])))
}

#[inline]
fn randomness(digits: &[u8]) -> Option<u64> {
    (digits.len() == DIGITS)
        .then(|| threshold(digits))
        .flatten()
        .map(|Threshold(number)| number)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float turns into the nearest number of the range, as is meant here"
)]
#[inline]
fn share_of_range(share: f64) -> u64 {
    let share = (share * RANGE_AS_FLOAT + 0.5) as u64;
    share.min(RANGE)
}

/// Key of the member of `tracestate`.
pub(crate) const MEMBER: &[u8] = b"ot";
/// The whole list of a trace that began here and was sampled for certain.
pub(crate) const LIST_OF_ALL: &[u8] = b"ot=th:0";
/// Number of values that the randomness can have, 2^56.
const RANGE: u64 = 1 << 56;
const RANGE_AS_FLOAT: f64 = 72_057_594_037_927_936.0;
/// Hexadecimal digits of the randomness.
const DIGITS: usize = 14;
/// Length of the member that OpenTelemetry allows.
const MAX_BYTES: usize = 256;

#[cfg(test)]
mod tests;
