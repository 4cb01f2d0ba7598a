use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::vector::{S, T, carrying, context, found};

const VALID: &str = "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE";
const DENY: &str = "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgA";

fn read(value: &str) -> Extracted {
    extract(&HeaderList::new([("grpc-trace-bin", value)]).as_request())
}

/// Base64 of these bytes, written as digits with spaces for the eye.
fn encoded(digits: &str) -> String {
    let mut text = [0; 128];
    let digits = digits.replace(' ', "");
    let bytes: Vec<u8> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let length = STANDARD_NO_PAD.encode_slice(bytes, &mut text).unwrap();
    String::from_utf8(text[..length].to_vec()).unwrap()
}

fn written(outgoing: &Outgoing<'_>) -> Option<String> {
    let mut after = HeaderList::default();
    let is_written = inject(outgoing, &HeaderList::default().as_request(), &mut after);
    let lines: Vec<_> = after.iter().collect();
    match lines[..] {
        [("grpc-trace-bin", value)] if is_written => Some(String::from_utf8(value.into()).unwrap()),
        [] if !is_written => None,
        _ => panic!("{is_written} and {lines:?}"),
    }
}

/// Each row is the valid bytes with one change, and must be refused for that change.
fn refuses(rows: &[(String, Refusal)]) {
    assert_eq!(encoded(&format!("00 00 {T} 01 {S} 02 01")), VALID);
    assert_eq!(read(VALID), found(SamplingState::Accept));
    for (digits, refusal) in rows {
        let value = encoded(digits);
        assert_eq!(read(&value), Extracted::malformed(*refusal), "{digits}");
    }
}

#[test]
fn oc_1_reads_up_to_the_first_unknown_field() {
    for digits in [
        format!("00 00 {T} 01 {S} 02 01 03"),
        format!("00 00 {T} 01 {S} 02 01 03 ff ff"),
        format!("00 00 {T} 01 {S} 02 01 ff 02 00"),
        format!("00 02 01 01 {S} 00 {T}"),
    ] {
        let value = encoded(&digits);
        assert_eq!(read(&value), found(SamplingState::Accept), "{digits}");
    }
    refuses(&[
        (format!("01 00 {T} 01 {S} 02 01"), Refusal::Version),
        (format!("ff 00 {T} 01 {S} 02 01"), Refusal::Version),
        (format!("00 03 {T} 01 {S} 02 01"), Refusal::TraceId),
        (format!("00 00 {T} 03 {S} 02 01"), Refusal::SpanId),
        (format!("00 00 {T}"), Refusal::SpanId),
        (format!("00 01 {S} 02 01"), Refusal::TraceId),
        ("00".into(), Refusal::TraceId),
        (format!("00 00 {T} 01 {S} 02"), Refusal::Length),
        (format!("00 00 {T} 01 {}", &S[2..]), Refusal::Length),
        (format!("00 00 {}", &T[2..]), Refusal::Length),
    ]);
}

#[test]
fn oc_2_refuses_ids_of_zeros_and_reads_a_missing_bit_as_deny() {
    let zeros = "0".repeat(32);
    refuses(&[
        (format!("00 00 {zeros} 01 {S} 02 01"), Refusal::TraceIdZero),
        (
            format!("00 00 {T} 01 {} 02 01", &zeros[..16]),
            Refusal::SpanIdZero,
        ),
    ]);
    for (options, sampling) in [
        ("", SamplingState::Deny),
        ("02 00", SamplingState::Deny),
        ("02 02", SamplingState::Deny),
        ("02 03", SamplingState::Accept),
        ("02 ff", SamplingState::Accept),
    ] {
        let value = encoded(&format!("00 00 {T} 01 {S} {options}"));
        assert_eq!(read(&value), found(sampling), "{options}");
    }
}

#[test]
fn oc_3_reads_both_paddings_and_the_first_of_several_values() {
    for value in [
        VALID.into(),
        format!("{VALID}="),
        format!(" {VALID}\t"),
        format!("{VALID},{DENY}"),
        format!("{VALID}=, {DENY}="),
        format!(",,{VALID}"),
        format!("!,{VALID}"),
        format!("AAAA,{VALID}"),
    ] {
        assert_eq!(read(&value), found(SamplingState::Accept), "{value}");
    }
    let list = HeaderList::new([("grpc-trace-bin", "x"), ("grpc-trace-bin", VALID)]);
    assert_eq!(extract(&list.as_request()), found(SamplingState::Accept));
    for value in ["", " ", ",", " , "] {
        assert_eq!(read(value), Extracted::Absent, "{value:?}");
    }
    for (value, refusal) in [
        (VALID.replacen('+', "-", 1), Refusal::Encoding),
        (format!("{VALID}=="), Refusal::Encoding),
        (VALID[..37].into(), Refusal::Encoding),
        // Bits that belong to no byte.
        (VALID.replacen("AgE", "AgF", 1), Refusal::Encoding),
        ("!,AAAA".into(), Refusal::Encoding),
        ("AQAA,!".into(), Refusal::Version),
    ] {
        assert_eq!(read(&value), Extracted::malformed(refusal), "{value}");
    }
    assert_eq!(
        written(&carrying(context(SamplingState::Accept))).as_deref(),
        Some(VALID)
    );
}

#[test]
fn oc_4_always_writes_29_bytes_in_order() {
    for (sampling, expected) in [
        (SamplingState::Accept, VALID),
        (SamplingState::Debug, VALID),
        (SamplingState::Deny, DENY),
    ] {
        let value = written(&carrying(context(sampling))).unwrap();
        assert_eq!((value.as_str(), value.len()), (expected, 39));
    }
    let deferred = carrying(context(SamplingState::Deferred));
    let alone = carrying(SpanContext {
        span_id: None,
        ..context(SamplingState::Accept)
    });
    let decision = Outgoing {
        context: None,
        decision: SamplingState::Deny,
        ..deferred.clone()
    };
    for outgoing in [deferred, alone, decision] {
        assert_eq!(written(&outgoing), None, "{outgoing:?}");
    }
}

#[test]
fn oc_5_asks_for_no_content_type() {
    // The format is listed, and so wanted; what the request is else makes no difference.
    for content_type in ["application/grpc", "text/html"] {
        let list = HeaderList::new([("content-type", content_type), ("grpc-trace-bin", VALID)]);
        assert_eq!(extract(&list.as_request()), found(SamplingState::Accept));
    }
}

#[test]
fn refuses_what_is_too_long_before_reading_it() {
    let long = encoded(&format!("00 00 {T} 01 {S} 02 01 03 {}", "00".repeat(66)));
    assert_eq!(long.len(), 128);
    assert_eq!(read(&long), found(SamplingState::Accept));
    for more in ["AA", "AAAA", &"A".repeat(10_000)] {
        assert_eq!(
            read(&format!("{long}{more}")),
            Extracted::malformed(Refusal::Length)
        );
    }
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let with_future = encoded(&format!("00 00 {T} 01 {S} 02 01 03 ff"));
    for valid in [
        VALID.into(),
        format!("{VALID}="),
        format!("{DENY},{VALID}"),
        with_future,
    ] {
        for at in 0..valid.len() {
            for byte in 0..=255_u8 {
                let mut value = valid.clone().into_bytes();
                value[at] = byte;
                let list = HeaderList::new([("grpc-trace-bin", &value)]);
                let answer = extract(&list.as_request());
                if let Extracted::Context(context) = answer {
                    let printed = written(&carrying(context)).unwrap();
                    assert_eq!(read(&printed), answer, "{value:?}");
                }
            }
        }
    }
    for end in 0..VALID.len() {
        let answer = read(&VALID[..end]);
        // Where the options are cut off as a whole, nothing is missing that must be there.
        let is_whole = matches!(answer, Extracted::Context(_));
        assert_eq!(is_whole, end == 36, "{end}");
    }
}
