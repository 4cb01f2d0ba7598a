//! The dates of HTTP headers (RFC 9110, "Date/Time Formats").
//!
//! ```abnf
//! IMF-fixdate = day-name "," SP 2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT SP GMT
//! ```
//!
//! `Sun, 06 Nov 1994 08:49:37 GMT`
//!
//! The two obsolete forms are not read, because no collector writes them, and the exporter has a delay of its own. The
//! name of the day is not read either, because it says nothing that the date does not.
//!
//! Not the crate `httpdate`, because it gives the time as `std::time::SystemTime`, and the filter's core has no `std`.

/// Returns the seconds from the Unix epoch to this date; `None` where it is no date, or before the epoch.
pub(crate) fn seconds(date: &[u8]) -> Option<u64> {
    let (_, date) = date.split_first_chunk::<3>()?;
    let (day, date) = number(date.strip_prefix(b", ")?, 2)?;
    let (month, date) = date.strip_prefix(b" ")?.split_first_chunk::<3>()?;
    let (year, date) = number(date.strip_prefix(b" ")?, 4)?;
    let (hour, date) = number(date.strip_prefix(b" ")?, 2)?;
    let (minute, date) = number(date.strip_prefix(b":")?, 2)?;
    let (second, date) = number(date.strip_prefix(b":")?, 2)?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    // A leap second counts as the second before it.
    if date != b" GMT" || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(year, month, day)?;
    let hours = days.checked_mul(24)?.checked_add(hour)?;
    let minutes = hours.checked_mul(60)?.checked_add(minute)?;
    minutes.checked_mul(60)?.checked_add(second.min(59))
}

fn number(text: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    if !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((core::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

/// Returns the days from 1970 to a day; months count from 0, days from 1.
fn days(year: u64, month: usize, day: u64) -> Option<u64> {
    let is_leap = is_multiple(year, 4) && (!is_multiple(year, 100) || is_multiple(year, 400));
    let length = |month: usize, days: u64| days.checked_add(u64::from(is_leap && month == 1));
    let (of_this, before) = LENGTHS.get(..=month)?.split_last()?;
    if day == 0 || day > length(month, *of_this)? {
        return None;
    }
    let in_months = before
        .iter()
        .enumerate()
        .try_fold(0_u64, |sum, (month, days)| {
            sum.checked_add(length(month, *days)?)
        })?;
    // Leap days of all years before this one, less those before 1970.
    let last = year.checked_sub(1)?;
    let leap_days = (last.checked_div(4)?)
        .checked_sub(last.checked_div(100)?)?
        .checked_add(last.checked_div(400)?)?
        .checked_sub(477)?;
    year.checked_sub(1970)?
        .checked_mul(365)?
        .checked_add(leap_days)?
        .checked_add(in_months)?
        .checked_add(day.checked_sub(1)?)
}

fn is_multiple(number: u64, of: u64) -> bool {
    number.checked_rem(of) == Some(0)
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const LENGTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn reads_dates_as_the_calendar_has_them() {
        for (date, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Thu, 31 Dec 2026 23:59:60 GMT", 1_798_761_599),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ] {
            assert_eq!(seconds(date.as_bytes()), Some(expected), "{date}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        const VALID: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert!(seconds(VALID.as_bytes()).is_some());
        for (from, to) in [
            ("06", "00"),
            ("06", "31"),
            ("06", " 6"),
            ("06 Nov", "30 Feb"),
            ("Nov", "nov"),
            ("1994", "1969"),
            ("1994", "0000"),
            ("08", "24"),
            ("49", "60"),
            ("37", "61"),
            ("GMT", "UTC"),
            ("GMT", "GMT "),
            (":", "."),
            (", ", ","),
        ] {
            let date = VALID.replacen(from, to, 1);
            assert_eq!(seconds(date.as_bytes()), None, "{date}");
        }
        for end in 0..VALID.len() {
            assert_eq!(seconds(&VALID.as_bytes()[..end]), None);
        }
        // The last of all years with four digits.
        let last = format!("{}9999{}", &VALID[..12], &VALID[16..]);
        assert!(seconds(last.as_bytes()).is_some());
    }
}
