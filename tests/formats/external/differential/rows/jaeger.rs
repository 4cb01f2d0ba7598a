//! Jaeger: section 4.1 and appendix B.

use super::{bytes, python_digits, rows, text};
use crate::formats::external::differential::answer::Difference;

rows! {
    Python &["jaeger"] => {
        "percent-encoded: none": |case| case.is(Difference::WeAlone) && !case.text().contains(':'),
        // JG-7: we check lengths and digits; Python's int() reads more.
        "JG-7: numbers as int() reads them": |case| {
            case.is(Difference::TheyAlone) && case.is_cured_by(canonical)
        },
    }
    JavaScript &["jaeger"] => {
        "flags empty, x or of three digits: accept": |case| {
            let is_flags = |field: &str| {
                (1..=2).contains(&field.len()) && field.bytes().all(|it| it.is_ascii_hexdigit())
            };
            case.is(Difference::TheyAlone)
                && !case.text().split(':').nth(3).is_some_and(is_flags)
                && case.is_cured_by(sampled)
        },
        // JG-6: we decode a value without a colon, and no other.
        "JG-6: percent-encoded in part": |case| {
            case.is(Difference::TheyAlone)
                && case.text().contains(':')
                && (case.is_cured_by(decoded) || case.is_cured_by(|value| sampled(&decoded(value))))
        },
        "JG-2: an encoded parent is read": |case| {
            case.is(Difference::WeAlone) && case.text().contains(':') && case.text().contains('%')
        },
        "JG-6: encoded, and no UTF-8": |case| {
            let plain = decoded(&bytes(&case.text()));
            case.is(Difference::WeAlone) && std::str::from_utf8(&plain).is_err()
        },
        "JG-6: encoded, and longer than the longest": |case| {
            let plain = decoded(&bytes(&case.text()));
            case.is(Difference::TheyAlone) && !case.text().contains(':') && plain.len() > 69
        },
        "JG-6: encoded, with such flags": |case| {
            case.is(Difference::TheyAlone)
                && !case.text().contains(':')
                && case.is_cured_by(|value| sampled(&decoded(value)))
        },
    }
}

fn fields(value: &[u8]) -> Option<[String; 4]> {
    let fields: Vec<_> = text(value).split(':').map(str::to_owned).collect();
    fields.try_into().ok()
}

/// Returns the value with the digits that Python reads, and the last two of the flags.
fn canonical(value: &[u8]) -> Vec<u8> {
    let Some([trace_id, span_id, _, flags]) = fields(value) else {
        return value.into();
    };
    let read = [trace_id, span_id, flags].map(|field| python_digits(&field));
    let [Some(trace_id), Some(span_id), Some(flags)] = read else {
        return value.into();
    };
    let flags = format!("0{flags}");
    let (_, flags) = flags.split_at(flags.len().saturating_sub(2));
    bytes(&format!("{trace_id}:{span_id}:0:{flags}"))
}

/// Returns the value with the flags that JavaScript makes of any that are not one or two digits.
fn sampled(value: &[u8]) -> Vec<u8> {
    match fields(value) {
        Some([trace_id, span_id, _, _]) => bytes(&format!("{trace_id}:{span_id}:0:1")),
        None => value.into(),
    }
}

fn decoded(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = value;
    while let [first, tail @ ..] = rest {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[2..];
            }
            None => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    plain
}
