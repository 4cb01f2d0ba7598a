//! Times of RFC 3339, as Go's package `time` reads them, and its own writing of a time.

use jiff::Timestamp;
use jiff::civil::Date;

use super::quoted;

/// Reads a time of RFC 3339 in nanoseconds since 1970; one beyond their range becomes the end of it.
pub(in crate::jaeger) fn rfc3339(text: &str) -> Result<i64, String> {
    let mut reader = Reader { text, rest: text };
    let year = reader.number("2006", 4, 4, i64::MAX, "")?;
    reader.literal("-")?;
    let month = reader.number("01", 2, 2, 12, "month")?;
    if month == 0 {
        return Err(reader.out_of_range("month"));
    }
    reader.literal("-")?;
    let day = reader.number("02", 2, 2, i64::MAX, "day")?;
    reader.literal("T")?;
    let hour = reader.number("15", 1, 2, 23, "hour")?;
    reader.literal(":")?;
    let minute = reader.number("04", 2, 2, 59, "minute")?;
    reader.literal(":")?;
    let second = reader.number("05", 2, 2, 59, "second")?;
    let nanos = reader.fraction();
    let offset = reader.zone()?;
    if !reader.rest.is_empty() {
        let (text, rest) = (quoted(text), quoted(reader.rest));
        return Err(format!("parsing time {text}: extra text: {rest}"));
    }
    let small = |number| i8::try_from(number).unwrap_or_default();
    let year = i16::try_from(year).unwrap_or_default();
    let date = Date::new(year, small(month), small(day));
    let date = date.map_err(|_| reader.out_of_range("day"))?;
    let days = date.duration_since(Date::constant(1970, 1, 1)).as_secs() / 86_400;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let all = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let bound = if all < 0 { i64::MIN } else { i64::MAX };
    Ok(i64::try_from(all).unwrap_or(bound))
}

/// Writes a time in nanoseconds since 1970 as Go prints one: `2026-11-30 06:07:52.5 +0000 UTC`.
pub(in crate::jaeger) fn write_time(unix_nanos: i64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or_default();
    let text = time.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC");
    text.to_string()
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn number(
        &mut self,
        element: &str,
        least: usize,
        most: usize,
        largest: i64,
        name: &str,
    ) -> Result<i64, String> {
        let bytes = self.rest.bytes().take(most);
        let length = bytes.take_while(u8::is_ascii_digit).count();
        if length < least {
            return Err(self.unexpected(element));
        }
        let (digits, rest) = self.rest.split_at(length);
        let number = digits.parse().unwrap_or_default();
        self.rest = rest;
        match number > largest {
            true => Err(self.out_of_range(name)),
            false => Ok(number),
        }
    }

    fn literal(&mut self, element: &str) -> Result<(), String> {
        let rest = self.rest.strip_prefix(element);
        self.rest = rest.ok_or_else(|| self.unexpected(element))?;
        Ok(())
    }

    /// Reads the digits behind a point; without a digit, the point is left.
    fn fraction(&mut self) -> i64 {
        let Some(behind) = self.rest.strip_prefix(['.', ',']) else {
            return 0;
        };
        let length = behind.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return 0;
        }
        let (digits, rest) = behind.split_at(length);
        self.rest = rest;
        let nine = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
        nine.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    }

    /// Reads `Z` or an offset such as `+01:00`, in seconds.
    fn zone(&mut self) -> Result<i64, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let before = self.rest;
        let wrong = |reader: &Self| {
            Reader {
                text: reader.text,
                rest: before,
            }
            .unexpected(ZONE)
        };
        let Some((offset, rest)) = before.split_at_checked(6) else {
            return Err(wrong(self));
        };
        let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = offset.as_bytes() else {
            return Err(wrong(self));
        };
        if ![h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit) {
            return Err(wrong(self));
        }
        let pair = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let (hours, minutes) = (pair(*h1, *h2), pair(*m1, *m2));
        self.rest = rest;
        match (hours, minutes) {
            (25.., _) => Err(self.out_of_range("time zone offset hour")),
            (_, 60..) => Err(self.out_of_range("time zone offset minute")),
            _ if *sign == b'-' => Ok(-(hours * 3_600 + minutes * 60)),
            _ => Ok(hours * 3_600 + minutes * 60),
        }
    }

    fn unexpected(&self, element: &str) -> String {
        let (text, rest) = (quoted(self.text), quoted(self.rest));
        format!("parsing time {text} as \"{LAYOUT}\": cannot parse {rest} as {element:?}")
    }

    fn out_of_range(&self, name: &str) -> String {
        format!("parsing time {}: {name} out of range", quoted(self.text))
    }
}

const LAYOUT: &str = "2006-01-02T15:04:05.999999999Z07:00";
const ZONE: &str = "Z07:00";

#[cfg(test)]
mod tests {
    use super::{rfc3339, write_time};

    #[test]
    fn times_are_read_and_written_as_go_does() {
        assert_eq!(rfc3339("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
        assert_eq!(rfc3339("1970-01-01T01:00:00+01:00"), Ok(0));
        assert_eq!(rfc3339("0001-01-01T00:00:00Z"), Ok(i64::MIN));
        let layout = "2006-01-02T15:04:05.999999999Z07:00";
        for (text, error) in [
            (
                "xyz",
                format!(r#"parsing time "xyz" as "{layout}": cannot parse "xyz" as "2006""#),
            ),
            (
                "2026-11-30 06:00:00Z",
                format!(
                    r#"parsing time "2026-11-30 06:00:00Z" as "{layout}": cannot parse " 06:00:00Z" as "T""#
                ),
            ),
            (
                "2026-11-30T06:00:00",
                format!(
                    r#"parsing time "2026-11-30T06:00:00" as "{layout}": cannot parse "" as "Z07:00""#
                ),
            ),
            (
                "2026-13-30T06:00:00Z",
                r#"parsing time "2026-13-30T06:00:00Z": month out of range"#.to_owned(),
            ),
            (
                "2026-02-30T06:00:00Z",
                r#"parsing time "2026-02-30T06:00:00Z": day out of range"#.to_owned(),
            ),
            (
                "2026-02-03T06:00:00Zz",
                r#"parsing time "2026-02-03T06:00:00Zz": extra text: "z""#.to_owned(),
            ),
        ] {
            assert_eq!(rfc3339(text), Err(error));
        }
        assert_eq!(write_time(1_500_000_000), "1970-01-01 00:00:01.5 +0000 UTC");
        assert_eq!(write_time(4), "1970-01-01 00:00:00.000000004 +0000 UTC");
        assert_eq!(write_time(0), "1970-01-01 00:00:00 +0000 UTC");
    }
}
