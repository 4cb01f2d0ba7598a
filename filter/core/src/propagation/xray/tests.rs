use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::vector::{self, S, T, context, found, lines};

const ROOT_PART: &str = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736";
const VALID: &str = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1";
const LOOPS: &str = "Lineage=25:a87bd80c:1";

fn read(value: &str) -> Extracted {
    extract(&HeaderList::new([("x-amzn-trace-id", value)]).as_request())
}

fn carrying(context: SpanContext) -> Outgoing<'static> {
    vector::carrying_in(Format::XRay, context)
}

/// All headers behind this proxy.
fn sent(outgoing: &Outgoing<'_>, received: &str) -> Vec<String> {
    let before = HeaderList::new([("x-amzn-trace-id", received)]);
    let mut after = before.clone();
    assert!(inject(outgoing, &before.as_request(), &mut after));
    lines(&after)
}

fn written(context: SpanContext, received: &str) -> String {
    let lines = sent(&carrying(context), received);
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    line.strip_prefix("x-amzn-trace-id: ").unwrap().to_string()
}

/// Each row is the valid header with one change, and must be refused for that change.
fn refuses(rows: &[(&str, &str, Refusal)]) {
    assert_eq!(read(VALID), found(SamplingState::Accept));
    for (old, new, refusal) in rows {
        let value = VALID.replacen(old, new, 1);
        assert_ne!(value, VALID);
        assert_eq!(read(&value), Extracted::malformed(*refusal), "{value}");
    }
}

#[test]
fn xr_1_reads_the_trace_id_in_two_pieces() {
    assert_eq!(read(VALID), found(SamplingState::Accept));
    refuses(&[
        ("1-4bf", "2-4bf", Refusal::Version),
        ("1-4bf", "-4bf", Refusal::Version),
        ("1-4bf", "01-4bf", Refusal::Version),
        ("f35-77b", "f3577b", Refusal::Delimiter),
        ("736;", "73;", Refusal::TraceId),
        ("736;", "7360;", Refusal::TraceId),
        ("736;", "73x;", Refusal::TraceId),
        ("736;", "736-;", Refusal::TraceId),
        ("4bf92f35-", "xbf92f35-", Refusal::TraceId),
        ("4bf92f35-", "-", Refusal::TraceId),
    ]);
}

#[test]
fn refuses_every_other_flaw_for_itself() {
    let zeros = "0".repeat(24);
    let zero_root = format!("00000000-{zeros}");
    refuses(&[
        (
            "4bf92f35-77b34da6a3ce929d0e0e4736",
            &zero_root,
            Refusal::TraceIdZero,
        ),
        (S, &zeros[..16], Refusal::SpanIdZero),
        (S, &S[1..], Refusal::SpanId),
        (S, T, Refusal::SpanId),
        (S, "", Refusal::SpanId),
        ("02b7", "02bx", Refusal::SpanId),
    ]);
}

#[test]
fn takes_an_empty_header_for_none() {
    for value in ["", " ", "\t"] {
        assert_eq!(read(value), Extracted::Absent, "{value:?}");
    }
}

#[test]
fn keeps_the_decision_where_there_is_no_root() {
    for (value, decision) in [
        ("Sampled=0", SamplingState::Deny),
        ("Sampled=1;Parent=00f067aa0ba902b7", SamplingState::Accept),
        (
            "Self=1-4bf92f35-77b34da6a3ce929d0e0e4736",
            SamplingState::Deferred,
        ),
        ("garbage", SamplingState::Deferred),
    ] {
        let expected = Extracted::Malformed {
            refusal: Refusal::TraceId,
            decision,
        };
        assert_eq!(read(value), expected, "{value}");
    }
}

#[test]
fn xr_2_reads_keys_in_any_order_and_of_one_case() {
    for value in [
        format!("Sampled=1;Parent={S};{ROOT_PART}"),
        format!("Self=1-67891234-12456789abcdef012345678;{VALID};Foo=bar"),
        format!("{VALID};root=x;PARENT=x;sampled=x"),
    ] {
        assert_eq!(read(&value), found(SamplingState::Accept), "{value}");
    }
    let lower = VALID.replacen("Root", "root", 1);
    assert_eq!(
        read(&lower),
        Extracted::Malformed {
            refusal: Refusal::TraceId,
            decision: SamplingState::Accept
        }
    );
}

#[test]
fn takes_the_first_of_equal_keys_and_of_repeated_lines() {
    assert_eq!(
        read(&format!("{VALID};Sampled=0;Root=x")),
        found(SamplingState::Accept)
    );
    let list = HeaderList::new([("x-amzn-trace-id", VALID), ("x-amzn-trace-id", "x")]);
    assert_eq!(extract(&list.as_request()), found(SamplingState::Accept));
}

#[test]
fn xr_3_reads_and_writes_a_decision_that_is_open() {
    let ids = format!("{ROOT_PART};Parent={S}");
    for (value, sampling) in [
        (format!("{ids};Sampled=1"), SamplingState::Accept),
        (format!("{ids};Sampled=0"), SamplingState::Deny),
        (format!("{ids};Sampled=?"), SamplingState::Deferred),
        (ids.clone(), SamplingState::Deferred),
    ] {
        assert_eq!(read(&value), found(sampling), "{value}");
    }
    assert_eq!(
        written(context(SamplingState::Deferred), ""),
        format!("{ids}")
    );
    refuses(&[
        ("Sampled=1", "Sampled=2", Refusal::Sampled),
        ("Sampled=1", "Sampled=", Refusal::Sampled),
        ("Sampled=1", "Sampled=true", Refusal::Sampled),
    ]);
}

#[test]
fn xr_4_adopts_a_root_without_a_parent() {
    let alone = SpanContext {
        span_id: None,
        ..context(SamplingState::Deferred)
    };
    assert_eq!(read(ROOT_PART), Extracted::Context(alone));
    assert_eq!(written(alone, ROOT_PART), format!("{ROOT_PART}"));
    let decided = SpanContext {
        sampling: SamplingState::Accept,
        ..alone
    };
    assert_eq!(
        read(&format!("{ROOT_PART};Sampled=1")),
        Extracted::Context(decided)
    );
}

#[test]
fn xr_5_reads_white_space_and_parts_that_say_nothing() {
    for value in [
        VALID.replace(';', "; "),
        VALID.replace(';', " \t;\t "),
        format!("{VALID};"),
        format!(";;{VALID}"),
        format!("Root;{VALID};x"),
        format!(" {VALID}\t"),
    ] {
        assert_eq!(read(&value), found(SamplingState::Accept), "{value}");
    }
}

#[test]
fn xr_6_pads_the_first_piece() {
    for (epoch, padded) in [
        ("f35", "00000f35"),
        ("0", "00000000"),
        ("bf92f35", "0bf92f35"),
    ] {
        let Extracted::Context(context) = read(&VALID.replacen("4bf92f35", epoch, 1)) else {
            panic!("{epoch}");
        };
        let expected = T.replacen("4bf92f35", padded, 1);
        assert_eq!(context.trace_id.to_hex(), expected.as_bytes());
        assert!(!context.short_trace_id);
    }
    refuses(&[("4bf92f35-", "04bf92f35-", Refusal::TraceId)]);
}

#[test]
fn xr_7_reads_upper_case_and_writes_lower() {
    let upper = format!(
        "Root=1-4BF92F35-77B34DA6A3CE929D0E0E4736;Parent={};Sampled=1",
        S.to_ascii_uppercase()
    );
    assert_eq!(read(&upper), found(SamplingState::Accept));
    assert_eq!(written(context(SamplingState::Accept), &upper), VALID);
}

#[test]
fn xr_8_copies_all_other_parts_of_this_trace_byte_for_byte() {
    for lineage in [LOOPS, "Lineage=a:1|b:2", "Lineage= x=~,"] {
        let received =
            format!("Self=x;{lineage};{VALID}; CalledFrom=a b=c ;root=1;;=;x;Root=2;Lineage=z");
        assert_eq!(
            written(context(SamplingState::Accept), &received),
            format!("{VALID};{lineage};Self=x;CalledFrom=a b=c;root=1")
        );
    }
    let elsewhere = Outgoing {
        same_trace: [Format::TraceContext].into_iter().collect(),
        ..carrying(context(SamplingState::Accept))
    };
    assert_eq!(
        sent(&elsewhere, &format!("{VALID};{LOOPS};Self=x")),
        [format!("x-amzn-trace-id: {VALID}")]
    );
}

#[test]
fn xr_8_copies_no_part_that_is_not_printable_ascii() {
    let received = format!("Lineage=é;{VALID};Self=x;k=\u{7f};é=v;k=a\tb;root=1");
    assert_eq!(
        written(context(SamplingState::Accept), &received),
        format!("{VALID};Self=x;root=1")
    );
}

#[test]
fn xr_9_writes_ids_and_state_and_at_most_256_characters() {
    for (sampling, word) in [
        (SamplingState::Accept, "1"),
        (SamplingState::Debug, "1"),
        (SamplingState::Deny, "0"),
    ] {
        assert_eq!(
            written(context(sampling), ""),
            format!("{ROOT_PART};Parent={S};Sampled={word}")
        );
    }
    let free = 256 - VALID.len() - ";Lineage=".len();
    let longest = format!("{VALID};Lineage={}", "x".repeat(free));
    assert_eq!(longest.len(), 256);
    assert_eq!(written(context(SamplingState::Accept), &longest), longest);
    let too_long = format!("{longest}x;CalledFrom=app");
    assert_eq!(
        written(context(SamplingState::Accept), &too_long),
        format!("{VALID};CalledFrom=app")
    );
    let lineage_first = format!("CalledFrom=app;{longest}");
    assert_eq!(
        written(context(SamplingState::Accept), &lineage_first),
        longest
    );
}

#[test]
fn xr_11_writes_one_request_header_and_nothing_for_a_response() {
    let lines = sent(&carrying(context(SamplingState::Deny)), VALID);
    assert_eq!(lines.len(), 1);
}

#[test]
fn has_no_words_for_a_decision_alone() {
    let before = HeaderList::new([("x-amzn-trace-id", "Sampled=0")]);
    let mut after = before.clone();
    let decision = Outgoing {
        context: None,
        decision: SamplingState::Deny,
        ..carrying(context(SamplingState::Deny))
    };
    assert!(!inject(&decision, &before.as_request(), &mut after));
    assert_eq!(after, before);
}

#[test]
fn map_2_writes_debug_as_sampled_and_map_3_needs_all_128_bits() {
    assert_eq!(written(context(SamplingState::Debug), ""), VALID);
    let short = SpanContext {
        trace_id: TraceId::from_short_hex(b"a3ce929d0e0e4736").unwrap(),
        ..context(SamplingState::Accept)
    };
    assert!(written(short, "").starts_with("Root=1-00000000-00000000a3ce929d0e0e4736;"));
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    for valid in [
        format!("{VALID};{LOOPS}"),
        format!("Self=1-67891234-12456789abcdef012345678; {ROOT_PART}"),
        format!("Sampled=?; Parent={S}; Root=1-f35-77B34DA6A3CE929D0E0E4736;"),
    ] {
        for at in 0..valid.len() {
            for byte in 0..=255_u8 {
                let mut value = valid.clone().into_bytes();
                value[at] = byte;
                let before = HeaderList::new([("x-amzn-trace-id", &value)]);
                let answer = extract(&before.as_request());
                let Extracted::Context(context) = answer else {
                    continue;
                };
                let mut after = before.clone();
                assert!(inject(&carrying(context), &before.as_request(), &mut after));
                assert_eq!(extract(&after.as_request()), answer, "{value:?}");
            }
        }
    }
}
