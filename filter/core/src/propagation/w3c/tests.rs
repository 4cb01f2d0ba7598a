use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::traceparent::Traceparent;

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";

fn refusal(value: &str) -> Option<Refusal> {
    parse(value.as_bytes()).err()
}

fn printed(context: &SpanContext) -> [u8; 55] {
    let span_id = context.span_id.unwrap();
    *Traceparent::new(context.trace_id, span_id, context.trace_flags()).as_bytes()
}

fn flags(digits: &str) -> SpanContext {
    parse(format!("00-{T}-{S}-{digits}").as_bytes()).unwrap()
}

/// Each row is the valid header with one change, and must be refused for that change.
fn refuses(rows: &[(&str, String, Refusal)]) {
    assert_eq!(refusal(VALID), None);
    for (name, value, expected) in rows {
        assert_eq!(refusal(value), Some(*expected), "{name}: {value}");
    }
}

#[test]
fn reads_ids_and_flags() {
    let context = parse(VALID.as_bytes()).unwrap();
    assert_eq!(&context.trace_id.to_hex(), T.as_bytes());
    assert_eq!(
        context.span_id.map(SpanId::to_hex).as_ref(),
        S.as_bytes().first_chunk()
    );
    assert_eq!(context.sampling, SamplingState::Accept);
    assert!(!context.random && !context.short_trace_id);
}

#[test]
fn hn_1_knows_the_header_by_its_name_alone() {
    for (name, is_known) in [
        ("traceparent", true),
        ("TraceParent", true),
        ("TRACEPARENT", true),
        ("trace-parent", false),
        ("trace.parent", false),
    ] {
        let list = HeaderList::new([(name, VALID)]);
        let answer = extract(&list.as_request());
        assert_eq!(answer != Extracted::Absent, is_known, "{name}");
    }
}

#[test]
fn tp_1_refuses_anything_behind_version_00() {
    refuses(&[
        ("a dot", format!("{VALID}."), Refusal::Length),
        ("a field", format!("{VALID}-x"), Refusal::Length),
        ("a dash", format!("{VALID}-"), Refusal::Length),
    ]);
}

#[test]
fn tp_2_refuses_version_ff() {
    refuses(&[("ff", format!("ff-{T}-{S}-01"), Refusal::Version)]);
}

#[test]
fn tp_3_refuses_ids_of_zeros() {
    let zeros = "0".repeat(32);
    refuses(&[
        (
            "trace id",
            format!("00-{zeros}-{S}-01"),
            Refusal::TraceIdZero,
        ),
        (
            "parent id",
            format!("00-{T}-{}-01", &zeros[..16]),
            Refusal::SpanIdZero,
        ),
    ]);
}

#[test]
fn tp_4_refuses_upper_case_anywhere() {
    refuses(&[
        ("version", format!("0A-{T}-{S}-01"), Refusal::Version),
        (
            "trace id",
            format!("00-4Bf92f3577b34da6a3ce929d0e0e4736-{S}-01"),
            Refusal::TraceId,
        ),
        (
            "parent id",
            format!("00-{T}-00F067aa0ba902b7-01"),
            Refusal::SpanId,
        ),
        ("flags", format!("00-{T}-{S}-0A"), Refusal::Flags),
    ]);
}

#[test]
fn tp_5_ignores_white_space_around_the_value() {
    for value in [
        format!(" {VALID}"),
        format!("\t{VALID}"),
        format!("{VALID} "),
        format!("\t {VALID}\t "),
    ] {
        assert_eq!(refusal(&value), None, "{value:?}");
    }
}

#[test]
fn tp_6_refuses_a_second_line_even_when_equal() {
    for second in [
        VALID,
        "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01",
        "",
    ] {
        let list = HeaderList::new([("traceparent", VALID), ("traceparent", second)]);
        assert_eq!(
            extract(&list.as_request()),
            Extracted::malformed(Refusal::Duplicate)
        );
    }
    refuses(&[(
        "two values in one line",
        format!("{VALID},{VALID}"),
        Refusal::Length,
    )]);
}

#[test]
fn refuses_every_other_flaw_for_itself() {
    refuses(&[
        ("nothing", String::new(), Refusal::Length),
        ("one short", VALID[..54].into(), Refusal::Length),
        (
            "no digit in the trace id",
            format!("00-.bf92f3577b34da6a3ce929d0e0e4736-{S}-01"),
            Refusal::TraceId,
        ),
        (
            "no digit in the parent id",
            format!("00-{T}-00f067aa0ba902b.-01"),
            Refusal::SpanId,
        ),
        (
            "no digit in the flags",
            format!("00-{T}-{S}-.1"),
            Refusal::Flags,
        ),
        (
            "no dash behind the trace id",
            format!("00-{T}.{S}-01"),
            Refusal::Delimiter,
        ),
        (
            "no dash behind the parent id",
            format!("00-{T}-{S}.01"),
            Refusal::Delimiter,
        ),
        (
            "a sign in the version",
            format!("+0-{T}-{S}-01"),
            Refusal::Version,
        ),
    ]);
}

#[test]
fn tv_1_reads_a_later_version_up_to_the_flags() {
    let later = VALID.replacen("00", "cc", 1);
    for value in [
        later.clone(),
        format!("{later}-"),
        format!("{later}-what-the-future-will-be-like"),
        VALID.replacen("00", "01", 1),
        VALID.replacen("00", "fe", 1),
    ] {
        assert_eq!(refusal(&value), None, "{value}");
    }
    refuses(&[
        ("a dot", format!("{later}.x"), Refusal::Delimiter),
        ("one short", later[..54].into(), Refusal::Length),
    ]);
}

#[test]
fn tv_2_writes_version_00_and_nothing_behind() {
    let context = parse(format!("cc-{T}-{S}-01-x").as_bytes()).unwrap();
    assert_eq!(&printed(&context), VALID.as_bytes());
}

#[test]
fn tv_3_uses_only_the_known_flags_of_a_later_version() {
    let context = parse(format!("cc-{T}-{S}-ff").as_bytes()).unwrap();
    assert_eq!(context.trace_flags(), 0x03);
}

#[test]
fn tv_4_refuses_a_version_that_is_not_two_digits() {
    refuses(&[
        ("first", format!(".0-{T}-{S}-01"), Refusal::Version),
        ("second", format!("0.-{T}-{S}-01"), Refusal::Version),
        ("three", format!("000-{T}-{S}-01"), Refusal::Delimiter),
        ("four", format!("0000-{T}-{S}-01"), Refusal::Delimiter),
        ("one", format!("0-{T}-{S}-01"), Refusal::Length),
    ]);
}

#[test]
fn fl_1_tests_the_bit_and_not_the_number() {
    for (digits, is_sampled) in [
        ("00", false),
        ("01", true),
        ("02", false),
        ("03", true),
        ("09", true),
        ("fe", false),
        ("ff", true),
    ] {
        let is_accepted = flags(digits).sampling == SamplingState::Accept;
        assert_eq!(is_accepted, is_sampled, "{digits}");
    }
}

#[test]
fn fl_2_sends_no_unknown_flag_on() {
    for byte in 0..=255_u8 {
        let context = flags(&format!("{byte:02x}"));
        assert_eq!(context.trace_flags(), byte & 0x03, "{byte:02x}");
    }
}

#[test]
fn fl_3_copies_the_random_flag_exactly() {
    for (digits, expected) in [("00", "00"), ("02", "02"), ("03", "03"), ("01", "01")] {
        let printed = printed(&flags(digits));
        assert_eq!(&printed[53..], expected.as_bytes());
    }
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    for at in 0..VALID.len() {
        for byte in 0..=255_u8 {
            let mut value: Vec<u8> = VALID.into();
            value[at] = byte;
            if let Ok(context) = parse(&value) {
                assert_eq!(parse(&printed(&context)), Ok(context), "{value:?}");
            }
        }
    }
    for end in 0..=VALID.len() {
        assert_eq!(parse(&VALID.as_bytes()[..end]).is_ok(), end == VALID.len());
    }
}
