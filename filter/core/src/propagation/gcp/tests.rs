use alloc::format;
use alloc::string::{String, ToString};

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::vector::{S, T, context, found, saying};

const S10: &str = "67667974448284343";

fn read(value: impl AsRef<[u8]>) -> Extracted {
    extract(&HeaderList::new([("x-cloud-trace-context", value)]).as_request())
}

fn without_span(sampling: SamplingState) -> SpanContext {
    SpanContext {
        span_id: None,
        ..context(sampling)
    }
}

/// Returns the header that carries a context; `None` where the format cannot carry the context.
fn written(context: Option<SpanContext>) -> Option<String> {
    let outgoing = saying(context, SamplingState::Deny);
    let before = HeaderList::default();
    let mut after = HeaderList::default();
    let is_written = inject(&outgoing, &before.as_request(), &mut after);
    let value = after.as_request().first(Name::CloudTraceContext);
    assert_eq!(value.is_some(), is_written);
    value.map(|value| core::str::from_utf8(value).unwrap().to_string())
}

/// Each row is the valid header with one change, and must be refused for that change.
fn refuses(rows: &[(&str, String, Refusal)]) {
    let valid = read(format!("{T}/{S10};o=1"));
    assert_eq!(valid, found(SamplingState::Accept));
    for (name, value, refusal) in rows {
        let expected = Extracted::malformed(*refusal);
        assert_eq!(read(value), expected, "{name}: {value}");
    }
}

#[test]
fn reads_ids_and_decision() {
    for (digit, sampling) in [("1", SamplingState::Accept), ("0", SamplingState::Deny)] {
        assert_eq!(read(format!("{T}/{S10};o={digit}")), found(sampling));
        assert_eq!(read(format!(" {T}/0{S10};o={digit}\t")), found(sampling));
    }
    let none = HeaderList::new([("b3", "0")]);
    assert_eq!(extract(&none.as_request()), Extracted::Absent);
}

#[test]
fn takes_the_first_of_repeated_lines() {
    let first = format!("{T}/{S10};o=1");
    let list = HeaderList::new([
        ("X-Cloud-Trace-Context", first.as_str()),
        ("x-cloud-trace-context", "x"),
    ]);
    assert_eq!(extract(&list.as_request()), found(SamplingState::Accept));
}

#[test]
fn gc_1_defers_without_options() {
    for value in [format!("{T}/{S10}"), format!("{T}/{S10};o=")] {
        assert_eq!(read(&value), found(SamplingState::Deferred), "{value}");
    }
}

#[test]
fn gc_2_reads_a_trace_id_without_a_span() {
    for (rest, sampling) in [
        ("", SamplingState::Deferred),
        ("/", SamplingState::Deferred),
        ("/0", SamplingState::Deferred),
        (";o=1", SamplingState::Accept),
        (";o=0", SamplingState::Deny),
        ("/0;o=1", SamplingState::Accept),
        ("/;o=1", SamplingState::Accept),
        ("/00;o=0", SamplingState::Deny),
    ] {
        let expected = Extracted::Context(without_span(sampling));
        assert_eq!(read(format!("{T}{rest}")), expected, "{rest:?}");
    }
}

#[test]
fn gc_2_writes_span_0_where_there_is_none() {
    for (sampling, rest) in [
        (SamplingState::Deferred, "/0"),
        (SamplingState::Accept, "/0;o=1"),
        (SamplingState::Deny, "/0;o=0"),
    ] {
        let value = written(Some(without_span(sampling)));
        assert_eq!(value, Some(format!("{T}{rest}")));
    }
}

#[test]
fn gc_3_refuses_every_flaw_for_itself() {
    let zeros = "0".repeat(32);
    refuses(&[
        ("nothing", String::new(), Refusal::TraceId),
        (
            "short trace id",
            format!("{}/{S10};o=1", &T[1..]),
            Refusal::TraceId,
        ),
        ("long trace id", format!("0{T}/{S10};o=1"), Refusal::TraceId),
        (
            "no digit in the trace id",
            format!("g{}/{S10};o=1", &T[1..]),
            Refusal::TraceId,
        ),
        (
            "zero trace id",
            format!("{zeros}/{S10};o=1"),
            Refusal::TraceIdZero,
        ),
        (
            "2^64",
            format!("{T}/18446744073709551616;o=1"),
            Refusal::SpanId,
        ),
        (
            "ten times as much",
            format!("{T}/184467440737095516150;o=1"),
            Refusal::SpanId,
        ),
        (
            "hexadecimal span id",
            format!("{T}/{S};o=1"),
            Refusal::SpanId,
        ),
        ("a sign", format!("{T}/+{S10};o=1"), Refusal::SpanId),
        ("two span ids", format!("{T}/{S10}/1;o=1"), Refusal::SpanId),
        ("another key", format!("{T}/{S10};p=1"), Refusal::Delimiter),
        (
            "upper-case key",
            format!("{T}/{S10};O=1"),
            Refusal::Delimiter,
        ),
        ("no key", format!("{T}/{S10};"), Refusal::Delimiter),
        ("a comma", format!("{T}/{S10},o=1"), Refusal::SpanId),
        ("no number", format!("{T}/{S10};o=x"), Refusal::Flags),
        ("a minus", format!("{T}/{S10};o=-1"), Refusal::Flags),
        ("more keys", format!("{T}/{S10};o=1;o=0"), Refusal::Flags),
    ]);
    let Extracted::Context(largest) = read(format!("{T}/18446744073709551615")) else {
        panic!("2^64-1 is a span id");
    };
    assert_eq!(largest.span_id.map(SpanId::to_number), Some(u64::MAX));
}

#[test]
fn gc_3_reads_upper_case_and_writes_lower() {
    let upper = T.to_ascii_uppercase();
    assert_eq!(
        read(format!("{upper}/{S10};o=1")),
        found(SamplingState::Accept)
    );
    let value = written(Some(context(SamplingState::Accept))).unwrap();
    assert_eq!(value, value.to_ascii_lowercase());
}

#[test]
fn gc_4_counts_only_the_lowest_bit() {
    for options in 0..=300_u32 {
        let sampling = if options & 1 == 1 {
            SamplingState::Accept
        } else {
            SamplingState::Deny
        };
        assert_eq!(read(format!("{T}/{S10};o={options}")), found(sampling));
    }
    let long = "9".repeat(300);
    assert_eq!(
        read(format!("{T}/{S10};o={long}")),
        found(SamplingState::Accept)
    );
}

#[test]
fn gc_5_writes_a_decimal_span_and_one_digit() {
    for (sampling, rest) in [
        (SamplingState::Accept, ";o=1"),
        (SamplingState::Debug, ";o=1"),
        (SamplingState::Deny, ";o=0"),
        (SamplingState::Deferred, ""),
    ] {
        let mut context = context(sampling);
        context.random = true;
        assert_eq!(written(Some(context)), Some(format!("{T}/{S10}{rest}")));
        context.span_id = SpanId::from_number(u64::MAX);
        assert_eq!(
            written(Some(context)),
            Some(format!("{T}/{}{rest}", u64::MAX))
        );
    }
}

#[test]
fn has_no_words_without_a_trace() {
    assert_eq!(written(None), None);
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let valid = [
        format!("{T}/{S10};o=1"),
        format!("{T}/18446744073709551615"),
        format!("{T}/0;o=0"),
        format!("{T};o=1"),
        T.into(),
    ];
    for valid in valid {
        for at in 0..valid.len() {
            for byte in 0..=255_u8 {
                let mut value = valid.clone().into_bytes();
                value[at] = byte;
                let answer = read(&value);
                if let Extracted::Context(context) = answer {
                    let value = written(Some(context)).unwrap();
                    assert_eq!(read(&value), answer, "{value}");
                }
            }
        }
        for end in 0..valid.len() {
            read(&valid[..end]);
        }
    }
}
