use alloc::format;
use alloc::string::{String, ToString};

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::vector::{P, S, T, T64, context, found, saying};

fn read(value: impl AsRef<[u8]>) -> Extracted {
    extract(&HeaderList::new([("uber-trace-id", value)]).as_request())
}

/// Returns the header that carries a context; `None` where the format cannot carry the context.
fn written(context: Option<SpanContext>) -> Option<String> {
    let before = HeaderList::default();
    let mut after = HeaderList::default();
    let outgoing = saying(context, SamplingState::Deny);
    let is_written = inject(&outgoing, &before.as_request(), &mut after);
    let value = after.as_request().first(Name::UberTraceId);
    assert_eq!(value.is_some(), is_written);
    value.map(|value| core::str::from_utf8(value).unwrap().to_string())
}

/// Each row is the valid header with one change, and must be refused for that change.
fn refuses(rows: &[(&str, String, Refusal)]) {
    let valid = read(format!("{T}:{S}:0:1"));
    assert_eq!(valid, found(SamplingState::Accept));
    for (name, value, refusal) in rows {
        let expected = Extracted::malformed(*refusal);
        assert_eq!(read(value), expected, "{name}: {value}");
    }
}

#[test]
fn reads_ids_and_decision() {
    for (flags, sampling) in [("1", SamplingState::Accept), ("0", SamplingState::Deny)] {
        assert_eq!(read(format!("{T}:{S}:0:{flags}")), found(sampling));
        assert_eq!(read(format!("{T}:{S}:{P}:{flags}")), found(sampling));
    }
    assert_eq!(
        read(format!("\t {T}:{S}:0:1 ")),
        found(SamplingState::Accept)
    );
    let none = HeaderList::new([("b3", "0")]);
    assert_eq!(extract(&none.as_request()), Extracted::Absent);
}

#[test]
fn takes_the_first_of_repeated_lines() {
    let first = format!("{T}:{S}:0:1");
    let list = HeaderList::new([("uber-trace-id", first.as_str()), ("uber-trace-id", "x")]);
    assert_eq!(extract(&list.as_request()), found(SamplingState::Accept));
}

#[test]
fn jg_1_pads_short_ids() {
    for (trace_id, span_id, is_short) in [
        ("abc", "def", true),
        (T64, S, true),
        (&T[15..], S, false),
        (&T[1..], "f067aa0ba902b7", false),
        (&format!("{T64:0>32}"), S, false),
    ] {
        let answer = read(format!("{trace_id}:{span_id}:0:1"));
        let Extracted::Context(context) = answer else {
            panic!("{trace_id}: {answer:?}");
        };
        let digits = format!("{trace_id:0>32}");
        assert_eq!(context.trace_id.to_hex(), digits.as_bytes());
        let digits = format!("{span_id:0>16}");
        assert_eq!(
            context.span_id.map(SpanId::to_hex).as_ref(),
            digits.as_bytes().first_chunk()
        );
        assert_eq!(context.short_trace_id, is_short, "{trace_id}");
    }
}

#[test]
fn jg_2_refuses_ids_of_zeros_and_ignores_the_parent() {
    let zeros = "0".repeat(32);
    refuses(&[
        ("trace id", format!("{zeros}:{S}:0:1"), Refusal::TraceIdZero),
        ("short trace id", format!("0:{S}:0:1"), Refusal::TraceIdZero),
        (
            "span id",
            format!("{T}:{}:0:1", &zeros[..16]),
            Refusal::SpanIdZero,
        ),
        ("short span id", format!("{T}:0:0:1"), Refusal::SpanIdZero),
    ]);
    for parent in ["0", P, "", "zz", "-", "%", &zeros, &"f".repeat(200)] {
        assert_eq!(
            read(format!("{T}:{S}:{parent}:1")),
            found(SamplingState::Accept),
            "{parent:?}"
        );
    }
}

#[test]
fn jg_3_knows_two_flags_of_one_byte() {
    for byte in 0..=255_u8 {
        let expected = found(match byte & 0x03 {
            0x03 => SamplingState::Debug,
            0x01 => SamplingState::Accept,
            _ => SamplingState::Deny,
        });
        assert_eq!(read(format!("{T}:{S}:0:{byte:x}")), expected, "{byte:x}");
        assert_eq!(read(format!("{T}:{S}:0:{byte:02x}")), expected, "{byte:x}");
    }
}

#[test]
fn jg_4_takes_debug_without_sampled_for_a_refusal() {
    for flags in ["2", "02", "a", "fe"] {
        assert_eq!(
            read(format!("{T}:{S}:0:{flags}")),
            found(SamplingState::Deny)
        );
    }
}

#[test]
fn jg_5_writes_one_digit_of_flags_and_no_parent() {
    for (sampling, flags) in [
        (SamplingState::Accept, "1"),
        (SamplingState::Deny, "0"),
        (SamplingState::Debug, "3"),
    ] {
        let value = written(Some(context(sampling)));
        assert_eq!(value, Some(format!("{T}:{S}:0:{flags}")));
    }
}

#[test]
fn jg_5_reports_debug_for_others_to_judge() {
    assert_eq!(read(format!("{T}:{S}:0:3")), found(SamplingState::Debug));
    assert_eq!(read(format!("{T}:{S}:{P}:03")), found(SamplingState::Debug));
}

#[test]
fn jg_6_decodes_a_value_without_colons_once() {
    for value in [
        format!("{T}%3A{S}%3A0%3A1"),
        format!("{T}%3a{S}%3A0%3a1"),
        format!("%34{}%3A{S}%3A0%3A1", &T[1..]),
        format!("{T}%3A{S}%3A{P}%3A01"),
        format!("{T}%3A{S}%3A%2525%3A1"),
    ] {
        assert_eq!(read(&value), found(SamplingState::Accept), "{value}");
    }
    refuses(&[
        (
            "encoded twice",
            format!("{T}%253A{S}%253A0%253A1"),
            Refusal::Delimiter,
        ),
        (
            "only in part",
            format!("{T}:{S}%3A0%3A1"),
            Refusal::Delimiter,
        ),
        (
            "no digits",
            format!("{T}%3A{S}%3A%zz%3A1"),
            Refusal::Encoding,
        ),
        (
            "a sign for a digit",
            format!("{T}%3A{S}%+A0%3A1"),
            Refusal::Encoding,
        ),
        (
            "the end inside",
            format!("{T}%3A{S}%3A0%3A1%3"),
            Refusal::Encoding,
        ),
        (
            "longer than any",
            format!("{T}%3A{S}%3A{P}%3A001"),
            Refusal::Length,
        ),
    ]);
    let longest = format!("{T}%3A{S}%3A{P}%3A01");
    assert_eq!(longest.replace("%3A", ":").len(), MAX_TEXT_BYTES);
}

#[test]
fn jg_7_refuses_every_other_flaw_for_itself() {
    refuses(&[
        ("nothing", String::new(), Refusal::Delimiter),
        ("three fields", format!("{T}:{S}:1"), Refusal::Delimiter),
        ("five fields", format!("{T}:{S}:0:1:"), Refusal::Delimiter),
        ("a dash", format!("{T}-{S}:0:1"), Refusal::Delimiter),
        ("long trace id", format!("0{T}:{S}:0:1"), Refusal::TraceId),
        ("long span id", format!("{T}:0{S}:0:1"), Refusal::SpanId),
        ("no trace id", format!(":{S}:0:1"), Refusal::TraceId),
        ("no span id", format!("{T}::0:1"), Refusal::SpanId),
        (
            "no digit in the trace id",
            format!("g{}:{S}:0:1", &T[1..]),
            Refusal::TraceId,
        ),
        (
            "no digit in the span id",
            format!("{T}:+{}:0:1", &S[1..]),
            Refusal::SpanId,
        ),
        ("three flags", format!("{T}:{S}:0:001"), Refusal::Flags),
        ("no flags", format!("{T}:{S}:0:"), Refusal::Flags),
        ("no digit for flags", format!("{T}:{S}:0:x"), Refusal::Flags),
        ("a sign for flags", format!("{T}:{S}:0:+1"), Refusal::Flags),
    ]);
    assert_eq!(read(format!("{T}:{S}:0:ff")), found(SamplingState::Debug));
}

#[test]
fn jg_8_writes_flags_that_are_the_same_in_decimal() {
    for byte in 0..=255_u8 {
        let Extracted::Context(context) = read(format!("{T}:{S}:0:{byte:x}")) else {
            panic!("{byte:x}");
        };
        let value = written(Some(context)).unwrap();
        let flags = value.rsplit(':').next().unwrap();
        assert!(
            flags.len() == 1 && flags.parse::<u8>().unwrap() <= 0x07,
            "{value}"
        );
    }
}

#[test]
fn jg_9_reads_upper_case_and_writes_lower() {
    let upper = format!("{T}:{S}:0:0B").to_ascii_uppercase();
    assert_eq!(read(&upper), found(SamplingState::Debug));
    let value = written(Some(context(SamplingState::Debug))).unwrap();
    assert_eq!(value, value.to_ascii_lowercase());
}

#[test]
fn jg_13_knows_neither_firehose_nor_random_and_writes_32_digits() {
    for flags in ["9", "0d"] {
        assert_eq!(
            read(format!("{T}:{S}:0:{flags}")),
            found(SamplingState::Accept)
        );
    }
    let mut other = context(SamplingState::Accept);
    other.random = true;
    assert_eq!(written(Some(other)), Some(format!("{T}:{S}:0:1")));
    let Extracted::Context(short) = read(format!("{T64}:{S}:0:1")) else {
        panic!("a short id is one");
    };
    assert_eq!(written(Some(short)), Some(format!("{T64:0>32}:{S}:0:1")));
}

#[test]
fn has_no_words_without_ids_or_decision() {
    let mut without_span = context(SamplingState::Accept);
    without_span.span_id = None;
    assert_eq!(written(None), None);
    assert_eq!(written(Some(without_span)), None);
    assert_eq!(written(Some(context(SamplingState::Deferred))), None);
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let valid = [
        format!("{T}:{S}:0:1"),
        format!("{T64}:{S}:{P}:03"),
        format!("{T}%3A{S}%3A0%3A1"),
        "abc:def:0:0".into(),
    ];
    for valid in valid {
        for at in 0..valid.len() {
            for byte in 0..=255_u8 {
                let mut value = valid.clone().into_bytes();
                value[at] = byte;
                let Extracted::Context(context) = read(&value) else {
                    continue;
                };
                // 32 digits are written of every id, so that it was short cannot come back.
                let again = SpanContext {
                    short_trace_id: false,
                    ..context
                };
                let value = written(Some(context)).unwrap();
                assert_eq!(read(&value), Extracted::Context(again), "{value}");
            }
        }
        for end in 0..valid.len() {
            read(&valid[..end]);
        }
    }
}
