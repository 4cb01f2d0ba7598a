//! The single values of a configuration: numbers, durations, sizes, percentages, names and paths.
//!
//! ```abnf
//! duration = 1*DIGIT ( "ms" / "s" / "m" / "h" )       ; 1ms to 1h
//! size     = 1*DIGIT ( "B" / "KiB" / "MiB" )          ; or a number of bytes
//! ```
//!
//! Numbers are never read from strings nor strings from numbers. A number written `512.0` is the integer 512, because a
//! protobuf `Struct`, in which Istio carries the configuration, knows only doubles.
//!
//! Written by hand because a user sees errors with the limits, the found value and the cure, and because crates for
//! durations take more notations than Istio and Kubernetes have.

use alloc::format;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::cursor::Cursor;
use super::tree::Value;
use crate::codec::quote::quoted;

impl Cursor<'_> {
    /// Reads an integer within limits.
    pub(super) fn integer(self, limits: RangeInclusive<u64>) -> Option<u64> {
        let expected = format!("an integer from {} to {}", limits.start(), limits.end());
        let number = self.number(&expected)?;
        let whole = whole(number).filter(|whole| limits.contains(whole));
        if whole.is_none() {
            self.expected(&expected);
        }
        whole
    }

    /// Reads an integer within limits that fits a length.
    pub(super) fn count(self, limits: RangeInclusive<u64>) -> Option<usize> {
        self.integer(limits)
            .and_then(|count| usize::try_from(count).ok())
    }

    /// Reads 0 to 100. A number between 0 and the smallest probability of a threshold is refused.
    pub(super) fn percentage(self) -> Option<f64> {
        let number = self.number(PERCENTAGE)?;
        if !(0.0..=100.0).contains(&number) {
            self.expected(PERCENTAGE);
        } else if number > 0.0 && number < SMALLEST_PERCENTAGE {
            self.expected(AT_LEAST_SMALLEST);
        } else {
            // Not -0.0, which differs from 0 in a comparison of bits.
            return Some(number.abs());
        }
        None
    }

    /// Reads a rate in events a second; 0 lets none pass.
    pub(super) fn rate(self) -> Option<f64> {
        let number = self.number(RATE)?;
        if number < 0.0 {
            self.expected(RATE);
            return None;
        }
        Some(number.abs())
    }

    /// Reads a time such as `5s`, within limits.
    pub(super) fn duration(self, limits: RangeInclusive<Duration>) -> Option<Duration> {
        let expected = format!(
            "a duration from {} to {} such as \"5s\"",
            Shown(*limits.start()),
            Shown(*limits.end())
        );
        if let Value::Number(_) = &self.node.value {
            self.error(format!(
                "expected {expected}, found {}; quote it, with its unit ms, s, m or h",
                self.describe()
            ));
            return None;
        }
        let text = self.text_for(&expected)?;
        let Some(duration) = duration(text) else {
            self.error(format!(
                "expected {expected}, found {}; write a whole number and ms, s, m or h",
                quoted(text)
            ));
            return None;
        };
        if !limits.contains(&duration) {
            self.expected(&expected);
            return None;
        }
        Some(duration)
    }

    /// Reads a number of bytes, or a text such as `8MiB`, within limits.
    pub(super) fn size(self, limits: RangeInclusive<u64>) -> Option<u64> {
        let expected = format!(
            "a size from {} to {} bytes such as \"8MiB\"",
            limits.start(),
            limits.end()
        );
        let bytes = match &self.node.value {
            Value::String(text) => size(text),
            Value::Number(number) => number.as_f64().and_then(whole),
            _ => None,
        };
        if bytes.is_none() && matches!(self.node.value, Value::String(_)) {
            self.error(format!(
                "expected {expected}, found {}; write a whole number and B, KiB or MiB",
                self.describe()
            ));
            return None;
        }
        let bytes = bytes.filter(|bytes| limits.contains(bytes));
        if bytes.is_none() {
            self.expected(&expected);
        }
        bytes
    }

    fn number(self, expected: &str) -> Option<f64> {
        match &self.node.value {
            Value::Number(number) => return number.as_f64(),
            Value::String(text) if is_number(text) => {
                self.error(format!(
                    "expected {expected}, found {}; leave the quotes out",
                    quoted(text)
                ));
            }
            _ => self.expected(expected),
        }
        None
    }
}

/// A duration as the configuration writes it, in the largest unit that is whole.
pub struct Shown(pub Duration);

impl core::fmt::Display for Shown {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The fallback is never used, because durations are at most hours.
        let milliseconds = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let (number, unit) = UNITS
            .iter()
            .rev()
            .find_map(|(unit, length)| {
                (milliseconds.checked_rem(*length) == Some(0)).then_some(())?;
                Some((milliseconds.checked_div(*length)?, *unit))
            })
            .unwrap_or((milliseconds, "ms"));
        write!(formatter, "{number}{unit}")
    }
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(Duration::from_millis(number.checked_mul(*length)?))
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    number.checked_mul(match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    })
}

/// Splits text behind its digits, of which there is at least one.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit))
}

/// Returns true if the text is a number in any notation, of any value.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["inf", "infinity", "nan"]
        .iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word))
    {
        return true;
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    is_digits(whole)
        && is_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && is_digits(exponent)
        && !exponent.is_empty()
}

/// Returns the integer that a number is, if it is one. Doubles hold every integer up to 2^53.
fn whole(number: f64) -> Option<u64> {
    (0.0..=9_007_199_254_740_992.0)
        .contains(&number)
        .then_some(())?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked above, and whether a fraction was cut off below; `core` has no `fract`"
    )]
    let whole = number as u64;
    #[expect(
        clippy::float_cmp,
        reason = "exactly equal is what makes it an integer"
    )]
    let same = whole as f64 == number;
    same.then_some(whole)
}

/// Returns true if the text is an HTTP token, as header names and methods are (RFC 9110, section 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

impl<'a> Cursor<'a> {
    /// Notes an error if a name cannot be a header's; `self` is the value under or behind the name.
    pub(super) fn header_name(self, name: &str) {
        if !is_token(name) {
            let cure = match name.trim_start_matches(':').contains(':') {
                true => "; a colon ends it, and a blank stands behind the colon",
                false => "",
            };
            self.error(format!(
                "expected the name of a header, in lower case{cure}"
            ));
        } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let name = name.to_ascii_lowercase();
            self.error(format!(
                "expected the name of a header in lower case; did you mean `{name}`?"
            ));
        }
    }

    /// Reads text that is not empty.
    pub(super) fn non_empty(self, expected: &str) -> Option<&'a str> {
        let text = self.text_for(expected)?;
        if text.is_empty() {
            self.expected(expected);
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

/// The limits of every duration that has none of its own.
pub const ANY_DURATION: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(3600);
const PERCENTAGE: &str = "a percentage from 0 to 100";
const RATE: &str = "a rate a second, 0 or more";
/// The probability behind the greatest threshold, `th:ffffffffffffff`, in percent: 2^-56 of all.
pub const SMALLEST_PERCENTAGE: f64 = 100.0 / (1_u64 << 56) as f64;
const AT_LEAST_SMALLEST: &str = "0 or at least 1.3877787807814457e-15";
/// The units of durations, in milliseconds.
pub const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

#[cfg(test)]
mod tests {
    use super::{AT_LEAST_SMALLEST, SMALLEST_PERCENTAGE, is_number};

    #[test]
    fn knows_a_number_where_the_standard_library_does() {
        let words = [
            "", "+", "-", ".", "e", "1", "02", "inf", "NaN", "Infinity", "x",
        ];
        for first in words {
            for second in words {
                for third in words {
                    for text in [
                        [first, second, third].concat(),
                        [first, "1.", second, "e-", third].concat(),
                    ] {
                        assert_eq!(is_number(&text), text.parse::<f64>().is_ok(), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn says_the_smallest_percentage_as_it_is() {
        let said = alloc::format!("0 or at least {SMALLEST_PERCENTAGE:e}");
        assert_eq!(said, AT_LEAST_SMALLEST);
    }
}
