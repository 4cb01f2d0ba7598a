//! A double in decimal digits, for people.
//!
//! Says `0.1` for the double that is read from `0.1`: the fewest digits that name it and no other. The standard library says
//! the same of every double, and takes 22 KiB of the guest for it; here it is so for what people write, up to fifteen
//! digits and twenty-two places, and to the last place but some beyond that.

use alloc::format;
use core::fmt;

/// A number that is not negative, to be shown.
pub(crate) struct Decimal(pub(crate) f64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        let mut power = 1.0;
        for places in 0..=MAX_PLACES {
            let digits = value * power + 0.5;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "cut off is what it is to be, and it ends at the greatest integer"
            )]
            let digits = digits as u64;
            #[expect(
                clippy::cast_precision_loss,
                reason = "where it is lost the comparison below fails"
            )]
            let read = digits as f64 / power;
            // Division of two exact numbers is what reading these digits would do.
            #[expect(clippy::float_cmp, reason = "the same double is what is looked for")]
            let is_it = read == value;
            if is_it || digits > MAX_DIGITS || places == MAX_PLACES {
                return print(f, digits, places);
            }
            power *= 10.0;
        }
        Ok(())
    }
}

fn print(f: &mut fmt::Formatter<'_>, digits: u64, places: usize) -> fmt::Result {
    let text = format!("{digits:0>width$}", width = places.saturating_add(1));
    let whole = text.len().saturating_sub(places);
    let (whole, fraction) = text.split_at_checked(whole).unwrap_or((&text, ""));
    f.write_str(whole)?;
    if !fraction.is_empty() {
        f.write_str(".")?;
        f.write_str(fraction)?;
    }
    Ok(())
}

/// Powers of ten are exact up to the 22nd.
const MAX_PLACES: usize = 22;
/// A double has seventeen at most.
const MAX_DIGITS: u64 = 100_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn says_what_the_standard_library_says() {
        for text in [
            "0",
            "1",
            "5",
            "0.1",
            "0.28",
            "0.5",
            "0.001",
            "1.5",
            "100",
            "1000",
            "0.3333333333333333",
            "0.30000000000000004",
            "0.6666666666666666",
            "123456789.125",
            "1e-10",
            "0.000001",
            "9007199254740993",
            "1e15",
            "99.9",
            "1e-22",
            "3.14159",
        ] {
            let value: f64 = text.parse().unwrap();
            assert_eq!(Decimal(value).to_string(), value.to_string(), "{text}");
        }
        for thousandths in 0..200_000_u32 {
            let value = f64::from(thousandths) / 1e3;
            assert_eq!(Decimal(value).to_string(), value.to_string());
            let value = f64::from(thousandths) / 1e9;
            assert_eq!(Decimal(value).to_string(), value.to_string());
        }
    }

    #[test]
    fn says_something_of_every_other() {
        for value in [1e300, 1e-300, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0 * 1e-9] {
            assert!(Decimal(value).to_string().len() < 30);
        }
    }
}
