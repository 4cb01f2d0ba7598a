//! Durations, as Go's package `time` reads and writes them: `1h2m3.5s`, `500ms`, `457.094µs`.

use super::quoted;

/// Reads a duration in nanoseconds.
pub(in crate::jaeger) fn duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let (is_negative, mut rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let (whole, behind) = digits(rest);
        let (fraction, behind) = match behind.strip_prefix('.') {
            Some(behind) => digits(behind),
            None => ("", behind),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = behind.find(|it: char| it == '.' || it.is_ascii_digit());
        let (unit, behind) = behind.split_at(end.unwrap_or(behind.len()));
        let nanos = match unit {
            "" => return Err(format!("time: missing unit in duration {}", quoted(text))),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3_600 * SECOND,
            _ => {
                let (unit, text) = (quoted(unit), quoted(text));
                return Err(format!("time: unknown unit {unit} in duration {text}"));
            }
        };
        let whole: i64 = match whole {
            "" => 0,
            _ => whole.parse().map_err(|_| invalid())?,
        };
        sum += i128::from(whole) * nanos;
        // More than 18 digits are far below a nanosecond even of an hour.
        let fraction = fraction.get(..18).unwrap_or(fraction);
        if let Ok(parts) = fraction.parse::<i128>() {
            let scale = u32::try_from(fraction.len()).unwrap_or_default();
            sum += parts * nanos / 10_i128.pow(scale);
        }
        // One that is too long is refused at once, before a long text can add up to a number beyond these, too.
        if sum > 1 << 63 {
            return Err(invalid());
        }
        rest = behind;
    }
    let signed = if is_negative { -sum } else { sum };
    i64::try_from(signed).map_err(|_| invalid())
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|it: char| !it.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// Writes a duration that is given in nanoseconds.
pub(in crate::jaeger) fn write_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let text = match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(nanos, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 6)),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let seconds = decimal(nanos % 60_000_000_000, 9);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// Writes a number of units of 10^-places, without zeros at its end.
fn decimal(number: u64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    let width = usize::try_from(places).unwrap_or_default();
    let (whole, fraction) = (number / scale, number % scale);
    let text = format!("{whole}.{fraction:0width$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const SECOND: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::{duration, write_duration};

    #[test]
    fn durations_are_read_and_written_as_go_does() {
        for (text, nanos) in [
            ("500ms", 500_000_000),
            ("-1.5h", -5_400_000_000_000),
            ("1h2m3.5s", 3_723_500_000_000),
            (".5us", 500),
            ("3µs", 3_000),
            ("0", 0),
            ("0.0000000001h", 360),
        ] {
            assert_eq!(duration(text), Ok(nanos), "{text}");
        }
        for (text, error) in [
            ("abc", r#"time: invalid duration "abc""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("5x", r#"time: unknown unit "x" in duration "5x""#),
            ("ö", r#"time: invalid duration "\xc3\xb6""#),
            ("-", r#"time: invalid duration "-""#),
            ("9999999h", r#"time: invalid duration "9999999h""#),
        ] {
            assert_eq!(duration(text), Err(error.to_owned()));
        }
        for (nanos, text) in [
            (457_094, "457.094µs"),
            (-4_999_979_021, "-4.999979021s"),
            (1_000_000_000, "1s"),
            (5_400_000_000_000, "1h30m0s"),
            (90_000_000_000, "1m30s"),
            (7, "7ns"),
            (1_200_000, "1.2ms"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(write_duration(nanos), text);
        }
    }
}
