//! A number in JSON: its value as a double, and the digits that were written.

use super::{JsonError, NO_VALUE, Reader};

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number<'a> {
    /// What serde_json makes of it, up to 22 places or zeros; beyond that perhaps a neighbour of it.
    pub(crate) value: f64,
    /// As it was written.
    pub(crate) written: &'a str,
}

/// The digits so far: `significand * 10^exponent`.
#[derive(Default)]
struct Digits {
    significand: u64,
    exponent: i32,
    // Digits behind the nineteenth or so say nothing that a double can hold.
    is_full: bool,
}

impl Digits {
    fn push(&mut self, digit: u8) -> bool {
        let more = self.significand.checked_mul(10);
        let more = more.and_then(|more| more.checked_add(u64::from(digit)));
        match more {
            Some(more) if !self.is_full => self.significand = more,
            _ => self.is_full = true,
        }
        !self.is_full
    }
}

impl Number<'_> {
    /// Whether it is written as an integer, and one that 64 bits hold.
    pub(crate) fn is_integer(&self) -> bool {
        let is_written_so = !self.written.contains(['.', 'e', 'E']) && self.written != "-0";
        is_written_so
            && (self.written.parse::<u64>().is_ok() || self.written.parse::<i64>().is_ok())
    }
}

impl<'a> Reader<'a> {
    /// Reads the number that begins here.
    pub(super) fn number(&mut self) -> Result<Number<'a>, JsonError> {
        let start = self.index;
        let is_negative = self.peek() == Some(b'-');
        if is_negative {
            self.pass();
        }
        let mut digits = Digits::default();
        match self.next() {
            // There is no other digit behind a leading zero.
            Some(b'0') if self.digit().is_some() => return Err(self.wrong_next(INVALID)),
            Some(b'0') => {}
            Some(byte @ b'1'..=b'9') => {
                digits.push(byte.wrapping_sub(b'0'));
                while let Some(digit) = self.next_digit() {
                    if !digits.push(digit) {
                        digits.exponent = digits.exponent.saturating_add(1);
                    }
                }
            }
            Some(_) => return Err(self.wrong(INVALID)),
            None => return Err(self.wrong(NO_VALUE)),
        }
        if self.peek() == Some(b'.') {
            self.pass();
            self.fraction(&mut digits)?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pass();
            self.exponent(&mut digits)?;
        }
        let value = value(&digits);
        if value.is_infinite() {
            return Err(self.wrong(OUT_OF_RANGE));
        }
        let written = self.bytes.get(start..self.index);
        Ok(Number {
            value: if is_negative { -value } else { value },
            written: written.map_or("", |written| str::from_utf8(written).unwrap_or("")),
        })
    }

    fn fraction(&mut self, digits: &mut Digits) -> Result<(), JsonError> {
        if self.digit().is_none() {
            let is_end = self.peek().is_none();
            return Err(self.wrong_next(if is_end { NO_VALUE } else { INVALID }));
        }
        digits.is_full = false;
        while let Some(digit) = self.next_digit() {
            if digits.push(digit) {
                digits.exponent = digits.exponent.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn exponent(&mut self, digits: &mut Digits) -> Result<(), JsonError> {
        let is_negative = self.peek() == Some(b'-');
        if let Some(b'+' | b'-') = self.peek() {
            self.pass();
        }
        let mut exponent = match self.next() {
            Some(byte @ b'0'..=b'9') => i32::from(byte.wrapping_sub(b'0')),
            Some(_) => return Err(self.wrong(INVALID)),
            None => return Err(self.wrong(NO_VALUE)),
        };
        while let Some(digit) = self.next_digit() {
            let more = exponent.checked_mul(10);
            exponent = match more.and_then(|more| more.checked_add(i32::from(digit))) {
                Some(more) => more,
                None if !is_negative && digits.significand != 0 => {
                    return Err(self.wrong(OUT_OF_RANGE));
                }
                None => i32::MAX,
            };
        }
        let exponent = if is_negative {
            exponent.saturating_neg()
        } else {
            exponent
        };
        digits.exponent = digits.exponent.saturating_add(exponent);
        Ok(())
    }

    fn digit(&self) -> Option<u8> {
        self.peek()
            .filter(u8::is_ascii_digit)
            .map(|byte| byte.wrapping_sub(b'0'))
    }

    fn next_digit(&mut self) -> Option<u8> {
        let digit = self.digit()?;
        self.pass();
        Some(digit)
    }
}

/// Powers of ten are exact up to the 22nd, so that one multiplication or division rounds once.
fn value(digits: &Digits) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounding to the nearest is what is meant"
    )]
    let mut value = digits.significand as f64;
    let mut left = digits.exponent.unsigned_abs();
    // Past some 20 rounds it is zero, or infinite.
    while left > 0 && value != 0.0 && value.is_finite() {
        let step = left.min(EXACT_POWERS);
        let power = (0..step).fold(1.0, |power, _| power * 10.0);
        if digits.exponent < 0 {
            value /= power;
        } else {
            value *= power;
        }
        left = left.saturating_sub(step);
    }
    value
}

const INVALID: &str = "invalid number";
const OUT_OF_RANGE: &str = "number out of range";
const EXACT_POWERS: u32 = 22;
