use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::vector::{P, S, T, T64, carrying, context, found, lines, saying};

fn single(value: &str) -> Extracted {
    extract_single(&HeaderList::new([("b3", value)]).as_request())
}

fn multi(headers: &[(&str, &str)]) -> Extracted {
    extract_multi(&HeaderList::new(headers.iter().copied()).as_request())
}

/// Both ids, and these headers.
fn with_ids(headers: &[(&str, &str)]) -> Extracted {
    let ids = [("x-b3-traceid", T), ("x-b3-spanid", S)];
    multi(&[&ids, headers].concat())
}

fn refuses_single(rows: &[(String, Refusal)]) {
    assert_eq!(single(&format!("{T}-{S}-1")), found(SamplingState::Accept));
    for (value, refusal) in rows {
        assert_eq!(single(value), Extracted::malformed(*refusal), "{value}");
    }
}

#[test]
fn b3_1_reads_several_headers_with_names_of_any_case() {
    let answer = multi(&[
        ("X-B3-TraceId", T),
        ("X-B3-SpanId", S),
        ("X-B3-ParentSpanId", P),
        ("X-B3-Sampled", "1"),
    ]);
    assert_eq!(answer, found(SamplingState::Accept));
}

#[test]
fn b3_2_reads_the_single_header() {
    assert_eq!(single(&format!("{T}-{S}-1")), found(SamplingState::Accept));
    assert_eq!(single(&format!("{T}-{S}-0")), found(SamplingState::Deny));
    assert_eq!(single("1"), Extracted::Decision(SamplingState::Accept));
}

#[test]
fn b3_4_and_b3_20_defer_without_a_state() {
    assert_eq!(single(&format!("{T}-{S}")), found(SamplingState::Deferred));
    assert_eq!(with_ids(&[]), found(SamplingState::Deferred));
}

#[test]
fn b3_5_wants_both_ids() {
    refuses_single(&[(T.into(), Refusal::SpanId), (S.into(), Refusal::SpanId)]);
    for (header, refusal) in [
        (("x-b3-traceid", T), Refusal::SpanId),
        (("x-b3-spanid", S), Refusal::TraceId),
    ] {
        assert_eq!(multi(&[header]), Extracted::malformed(refusal));
    }
}

#[test]
fn b3_6_takes_true_and_false_of_old_senders() {
    for word in ["true", "TRUE", "True"] {
        assert_eq!(
            with_ids(&[("x-b3-sampled", word)]),
            found(SamplingState::Accept)
        );
    }
    assert_eq!(
        with_ids(&[("x-b3-sampled", "false")]),
        found(SamplingState::Deny)
    );
}

#[test]
fn b3_21_reads_debug() {
    assert_eq!(single(&format!("{T}-{S}-d")), found(SamplingState::Debug));
}

#[test]
fn b3_22_reads_a_parent_and_forgets_it() {
    assert_eq!(
        single(&format!("{T}-{S}-1-{P}")),
        found(SamplingState::Accept)
    );
}

#[test]
fn b3_23_pads_a_short_trace_id_and_remembers_it() {
    for answer in [
        single(&format!("{T64}-{S}-1")),
        multi(&[
            ("x-b3-traceid", T64),
            ("x-b3-spanid", S),
            ("x-b3-sampled", "1"),
        ]),
    ] {
        let Extracted::Context(context) = answer else {
            panic!("{answer:?}");
        };
        assert!(context.short_trace_id);
        assert_eq!(
            context.trace_id.to_hex(),
            *format!("{:0>32}", T64).as_bytes()
        );
    }
}

#[test]
fn b3_24_reads_a_decision_without_ids() {
    for (value, decision) in [
        ("0", SamplingState::Deny),
        ("1", SamplingState::Accept),
        ("d", SamplingState::Debug),
    ] {
        assert_eq!(single(value), Extracted::Decision(decision));
    }
}

#[test]
fn b3_25_reads_a_parent_where_the_state_is_left_out() {
    assert_eq!(
        single(&format!("{T}-{S}-{P}")),
        found(SamplingState::Deferred)
    );
}

#[test]
fn b3_26_refuses_every_other_form_of_the_single_header() {
    refuses_single(&[
        (format!("{T}-{S}-"), Refusal::Sampled),
        (format!("{T}-{S}-1-"), Refusal::Delimiter),
        (format!("{T}-{S}--{P}"), Refusal::Sampled),
        (format!("{T}-{S}-x"), Refusal::Sampled),
        (format!("{T}-{S}-true"), Refusal::Sampled),
        (format!("{T}-{S}-D"), Refusal::Sampled),
        (format!("{T}-{S}-1-{P}-1"), Refusal::Delimiter),
        (format!("0{T64}-{S}-1"), Refusal::TraceId),
        (format!("{T}-{}-1", &S[1..]), Refusal::SpanId),
        (format!("{T}-0{S}-1"), Refusal::SpanId),
        (
            format!("{}-{S}-1", T.to_ascii_uppercase()),
            Refusal::TraceId,
        ),
        (format!("{T}-{}-1", S.to_ascii_uppercase()), Refusal::SpanId),
        (format!("x{T}-{S}-1"), Refusal::TraceId),
        (format!("{T}-{S}-1x"), Refusal::Sampled),
        ("D".into(), Refusal::TraceId),
        ("-".into(), Refusal::TraceId),
    ]);
}

#[test]
fn b3_28_takes_an_empty_header_for_none() {
    for value in ["", " ", "\t"] {
        assert_eq!(single(value), Extracted::Absent, "{value:?}");
    }
}

#[test]
fn b3_30_refuses_ids_of_zeros() {
    let zeros = "0".repeat(32);
    refuses_single(&[
        (format!("{zeros}-{S}-1"), Refusal::TraceIdZero),
        (format!("{}-{S}-1", &zeros[..16]), Refusal::TraceIdZero),
        (format!("{T}-{}-1", &zeros[..16]), Refusal::SpanIdZero),
    ]);
    assert_eq!(
        multi(&[("x-b3-traceid", &zeros), ("x-b3-spanid", S)]),
        Extracted::malformed(Refusal::TraceIdZero)
    );
}

#[test]
fn b3_31_and_b3_32_ignore_a_parent_that_is_none() {
    let zeros = "0".repeat(16);
    for parent in [zeros.as_str(), "zz", "-", ""] {
        let answer = with_ids(&[("x-b3-sampled", "1"), ("x-b3-parentspanid", parent)]);
        assert_eq!(answer, found(SamplingState::Accept), "{parent:?}");
    }
    for parent in [zeros.as_str(), "zz"] {
        assert_eq!(
            single(&format!("{T}-{S}-1-{parent}")),
            found(SamplingState::Accept)
        );
    }
    assert_eq!(
        single(&format!("{T}-{S}-{zeros}")),
        found(SamplingState::Deferred)
    );
}

#[test]
fn b3_33_refuses_ids_of_other_lengths() {
    for (trace_id, span_id, refusal) in [
        (&T[1..], S, Refusal::TraceId),
        (&T64[1..], S, Refusal::TraceId),
        ("abc", S, Refusal::TraceId),
        ("", S, Refusal::TraceId),
        (T, &S[1..], Refusal::SpanId),
        (T, "def", Refusal::SpanId),
        (T, "", Refusal::SpanId),
        (T, T, Refusal::SpanId),
    ] {
        assert_eq!(
            multi(&[("x-b3-traceid", trace_id), ("x-b3-spanid", span_id)]),
            Extracted::malformed(refusal),
            "{trace_id} {span_id}"
        );
    }
}

#[test]
fn b3_34_refuses_the_context_for_a_sampling_state_that_is_none() {
    for word in ["d", "2", "yes", "-1", "01"] {
        assert_eq!(
            with_ids(&[("x-b3-sampled", word)]),
            Extracted::malformed(Refusal::Sampled),
            "{word}"
        );
    }
}

#[test]
fn b3_35_defers_with_an_empty_sampling_state() {
    assert_eq!(
        with_ids(&[("x-b3-sampled", "")]),
        found(SamplingState::Deferred)
    );
    assert_eq!(multi(&[("x-b3-sampled", "")]), Extracted::Absent);
}

#[test]
fn b3_36_and_b3_7_let_debug_imply_accept() {
    for headers in [
        &[("x-b3-flags", "1")][..],
        &[("x-b3-flags", "1"), ("x-b3-sampled", "0")],
        &[("x-b3-flags", "1"), ("x-b3-sampled", "1")],
        &[("x-b3-flags", "1"), ("x-b3-sampled", "2")],
    ] {
        assert_eq!(with_ids(headers), found(SamplingState::Debug));
    }
}

#[test]
fn b3_37_ignores_other_flags() {
    for value in ["0", "2", "", "true"] {
        let flags = ("x-b3-flags", value);
        assert_eq!(
            with_ids(&[flags, ("x-b3-sampled", "1")]),
            found(SamplingState::Accept),
            "{value:?}"
        );
        assert_eq!(multi(&[flags]), Extracted::Absent, "{value:?}");
    }
}

#[test]
fn b3_38_reads_a_decision_from_several_headers_without_ids() {
    for (header, decision) in [
        (("x-b3-sampled", "0"), SamplingState::Deny),
        (("x-b3-sampled", "1"), SamplingState::Accept),
        (("x-b3-flags", "1"), SamplingState::Debug),
    ] {
        assert_eq!(multi(&[header]), Extracted::Decision(decision));
    }
    assert_eq!(multi(&[("x-b3-parentspanid", P)]), Extracted::Absent);
}

#[test]
fn b3_39_keeps_the_decision_beside_one_id() {
    assert_eq!(
        multi(&[("x-b3-traceid", T), ("x-b3-sampled", "0")]),
        Extracted::Malformed {
            refusal: Refusal::SpanId,
            decision: SamplingState::Deny
        }
    );
    assert_eq!(
        multi(&[("x-b3-spanid", S), ("x-b3-flags", "1")]),
        Extracted::Malformed {
            refusal: Refusal::TraceId,
            decision: SamplingState::Debug
        }
    );
}

#[test]
fn b3_40_takes_the_first_of_repeated_lines() {
    let answer = multi(&[
        ("x-b3-traceid", T),
        ("x-b3-traceid", T64),
        ("x-b3-spanid", S),
        ("x-b3-sampled", "1"),
        ("x-b3-sampled", "0"),
    ]);
    assert_eq!(answer, found(SamplingState::Accept));
    let list = HeaderList::new([("b3", "0"), ("b3", "1")]);
    assert_eq!(
        extract_single(&list.as_request()),
        Extracted::Decision(SamplingState::Deny)
    );
}

#[test]
fn b3_40_takes_the_first_of_lines_that_were_folded_into_one() {
    let (trace_id, span_id) = (format!("{T}, {T64}"), format!("{S},{S}"));
    for sampled in ["1,1", "1 ,0", "true,true"] {
        let answer = multi(&[
            ("x-b3-traceid", &trace_id),
            ("x-b3-spanid", &span_id),
            ("x-b3-sampled", sampled),
        ]);
        assert_eq!(answer, found(SamplingState::Accept), "{sampled}");
    }
    for (flags, sampling) in [
        ("1,1", SamplingState::Debug),
        ("0, 1", SamplingState::Deferred),
    ] {
        let answer = multi(&[
            ("x-b3-traceid", T),
            ("x-b3-spanid", S),
            ("x-b3-flags", flags),
        ]);
        assert_eq!(answer, found(sampling), "{flags}");
    }
    for (value, expected) in [
        ("0,1", Extracted::Decision(SamplingState::Deny)),
        ("x,1", Extracted::malformed(Refusal::SpanId)),
        ("1,", Extracted::malformed(Refusal::SpanId)),
    ] {
        let list = HeaderList::new([("b3", value)]);
        let read = extract_single(&list.as_request());
        match (expected, read) {
            (Extracted::Malformed { .. }, Extracted::Malformed { .. }) => {}
            (expected, read) => assert_eq!(read, expected, "{value}"),
        }
    }
    let whole = format!("{T}-{S}-1,{T}-{S}-0");
    let list = HeaderList::new([("b3", whole.as_str())]);
    assert_eq!(
        extract_single(&list.as_request()),
        found(SamplingState::Accept)
    );
}

fn written(outgoing: Outgoing<'static>, keep64bit: bool, before: &[(&str, &str)]) -> Vec<String> {
    let before = HeaderList::new(before.iter().copied());
    let mut after = before.clone();
    inject_single(&outgoing, keep64bit, &before.as_request(), &mut after);
    inject_multi(&outgoing, keep64bit, &before.as_request(), &mut after);
    lines(&after)
}

#[test]
fn b3_9_writes_no_parent() {
    let lines = written(
        carrying(context(SamplingState::Accept)),
        false,
        &[("x-b3-parentspanid", P)],
    );
    assert_eq!(
        lines,
        [
            format!("b3: {T}-{S}-1"),
            "x-b3-sampled: 1".into(),
            format!("x-b3-spanid: {S}"),
            format!("x-b3-traceid: {T}"),
        ]
    );
}

#[test]
fn b3_50_writes_32_digits_unless_16_are_to_be_kept() {
    let mut short = context(SamplingState::Accept);
    short.trace_id = TraceId::from_short_hex(T64.as_bytes()).unwrap();
    short.short_trace_id = true;
    let padded = format!("{T64:0>32}");
    assert!(written(carrying(short), false, &[]).contains(&format!("b3: {padded}-{S}-1")));
    let kept = written(carrying(short), true, &[]);
    assert!(kept.contains(&format!("b3: {T64}-{S}-1")));
    assert!(kept.contains(&format!("x-b3-traceid: {T64}")));
    let long = written(carrying(context(SamplingState::Accept)), true, &[]);
    assert!(long.contains(&format!("x-b3-traceid: {T}")));
}

#[test]
fn b3_51_writes_no_state_where_there_is_no_decision() {
    let lines = written(
        carrying(context(SamplingState::Deferred)),
        false,
        &[("x-b3-sampled", "")],
    );
    assert_eq!(
        lines,
        [
            format!("b3: {T}-{S}"),
            format!("x-b3-spanid: {S}"),
            format!("x-b3-traceid: {T}"),
        ]
    );
    assert!(written(saying(None, SamplingState::Deferred), false, &[]).is_empty());
}

#[test]
fn b3_52_writes_debug_as_d_and_as_flags_alone() {
    let lines = written(
        carrying(context(SamplingState::Debug)),
        false,
        &[("x-b3-sampled", "1")],
    );
    assert_eq!(
        lines,
        [
            format!("b3: {T}-{S}-d"),
            "x-b3-flags: 1".into(),
            format!("x-b3-spanid: {S}"),
            format!("x-b3-traceid: {T}"),
        ]
    );
    let without = written(
        carrying(context(SamplingState::Accept)),
        false,
        &[("x-b3-flags", "1")],
    );
    assert!(!without.iter().any(|line| line.starts_with("x-b3-flags")));
}

#[test]
fn b3_53_writes_lower_case() {
    for sampling in [SamplingState::Accept, SamplingState::Debug] {
        for line in written(carrying(context(sampling)), false, &[]) {
            assert_eq!(line, line.to_ascii_lowercase());
        }
    }
}

#[test]
fn writes_a_decision_without_ids_as_one() {
    assert_eq!(
        written(saying(None, SamplingState::Deny), false, &[]),
        ["b3: 0", "x-b3-sampled: 0"]
    );
    assert_eq!(
        written(saying(None, SamplingState::Debug), false, &[]),
        ["b3: d", "x-b3-flags: 1"]
    );
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let valid = [
        format!("{T}-{S}-1-{P}"),
        format!("{T64}-{S}-d"),
        format!("{T}-{S}"),
        "0".into(),
    ];
    for valid in valid {
        for at in 0..valid.len() {
            for byte in 0..=255_u8 {
                let mut value = valid.clone().into_bytes();
                value[at] = byte;
                let list = HeaderList::new([("b3", &value)]);
                let answer = extract_single(&list.as_request());
                let outgoing = match answer {
                    Extracted::Context(context) => carrying(context),
                    Extracted::Decision(decision) => saying(None, decision),
                    Extracted::Absent | Extracted::Malformed { .. } => continue,
                };
                let mut after = HeaderList::default();
                inject_single(&outgoing, true, &after.clone().as_request(), &mut after);
                assert_eq!(extract_single(&after.as_request()), answer, "{value:?}");
            }
        }
    }
}

#[test]
fn never_panics_whatever_byte_stands_in_any_of_several_headers() {
    let valid = [
        ("x-b3-traceid", T),
        ("x-b3-spanid", S),
        ("x-b3-sampled", "1"),
        ("x-b3-flags", "1"),
        ("x-b3-parentspanid", P),
    ];
    for which in 0..valid.len() {
        for at in 0..valid[which].1.len() {
            for byte in 0..=255_u8 {
                let mut headers: Vec<(&str, Vec<u8>)> = valid
                    .iter()
                    .map(|(name, value)| (*name, value.as_bytes().to_vec()))
                    .collect();
                headers[which].1[at] = byte;
                let list = HeaderList::new(headers);
                let before = list.as_request();
                if let Extracted::Context(context) = extract_multi(&before) {
                    let mut after = list.clone();
                    inject_multi(&carrying(context), true, &before, &mut after);
                    assert_eq!(
                        extract_multi(&after.as_request()),
                        Extracted::Context(context)
                    );
                }
            }
        }
    }
}
