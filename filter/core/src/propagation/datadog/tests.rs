use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::in_memory::header_list::HeaderList;
use crate::propagation::format::FormatSet;
use crate::propagation::state_members;
use crate::propagation::tracestate::Tracestate;
use crate::propagation::vector::{self, S, T64, context, found, lines};
use crate::stats::Stats;

const LOW: &str = "11803532876627986230";
const PARENT: &str = "67667974448284343";
const TID_TAG: &str = "_dd.p.tid=4bf92f3577b34da6";

const TRACE: &str = "x-datadog-trace-id";
const SPAN: &str = "x-datadog-parent-id";
const PRIORITY: &str = "x-datadog-sampling-priority";
const ORIGIN: &str = "x-datadog-origin";
const TAGS: &str = "x-datadog-tags";

type Header<'a> = (&'a str, &'a str);

fn read(headers: &[Header<'_>]) -> Extracted {
    extract(&HeaderList::new(headers.iter().copied()).as_request())
}

/// Both ids with all 128 bits, and these headers in their place or beside them.
fn with_ids<'a>(headers: &[Header<'a>]) -> Vec<Header<'a>> {
    let mut all = [(TRACE, LOW), (SPAN, PARENT), (TAGS, TID_TAG)].to_vec();
    all.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
    all.extend(headers);
    all
}

fn short(sampling: SamplingState) -> SpanContext {
    SpanContext {
        trace_id: TraceId::from_short_hex(T64.as_bytes()).unwrap(),
        short_trace_id: true,
        ..context(sampling)
    }
}

fn carrying(context: SpanContext) -> Outgoing<'static> {
    vector::carrying_in(Format::Datadog, context)
}

/// All headers behind this proxy, in alphabetical order.
fn sent(outgoing: &Outgoing<'_>, received: &[Header<'_>]) -> Vec<String> {
    let before = HeaderList::new(received.iter().copied());
    let mut after = before.clone();
    assert!(inject(outgoing, &before.as_request(), &mut after));
    lines(&after)
}

fn value(lines: &[String], name: &str) -> Option<String> {
    lines
        .iter()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .map(str::to_string)
}

/// One header that leaves where this context and these headers came.
fn left(name: &str, sampling: SamplingState, received: &[Header<'_>]) -> Option<String> {
    value(
        &sent(&carrying(context(sampling)), &with_ids(received)),
        name,
    )
}

/// One header that leaves where W3C came with this member.
fn left_for_member(name: &str, sampling: SamplingState, member: &str) -> Option<String> {
    let text = format!("foo=1,dd={member}");
    let tracestate = Tracestate::Verbatim(text.as_bytes());
    let outgoing = Outgoing {
        tracestate: &tracestate,
        same_trace: [Format::TraceContext].into_iter().collect(),
        ..carrying(context(sampling))
    };
    value(
        &sent(&outgoing, &[(ORIGIN, "stale"), (TAGS, "_dd.p.x=stale")]),
        name,
    )
}

fn member_for(sampling: SamplingState, received: &[Header<'_>]) -> Option<String> {
    let list = HeaderList::new(with_ids(received));
    let member = member(&list.as_request(), sampling)?;
    let text = String::from_utf8(member).unwrap();
    let members = Tracestate::Absent.with(
        tracestate::DATADOG_MEMBER,
        Some(text.as_bytes()),
        &mut Stats::default(),
    );
    assert!(
        text.len() + 3 <= 256 && members.member(b"dd").is_some(),
        "{text}"
    );
    Some(text)
}

#[test]
fn the_member_is_added_although_no_tracestate_came() {
    let list = HeaderList::new(with_ids(&[(PRIORITY, "2")]));
    let headers = list.as_request();
    let add = |same_trace: &[Format]| {
        let same_trace = same_trace.iter().copied().collect();
        let context = Some(context(SamplingState::Accept));
        let stats = &mut Stats::default();
        let tracestate = Tracestate::Absent;
        let list =
            state_members::add_state_members(tracestate, context, same_trace, &headers, stats);
        list.member(tracestate::DATADOG_MEMBER).is_some()
    };
    assert!(add(&[Format::Datadog]));
    assert!(!add(&[Format::B3]));
}

#[test]
fn dd_1_reads_the_left_half_from_the_tags() {
    for tags in [
        TID_TAG.into(),
        format!("_dd.p.dm=-4,{TID_TAG}"),
        format!("{TID_TAG}, _dd.p.usr=a=b"),
        format!("x=y,_dd.p.tid,{TID_TAG},_dd.p.tid=ffffffffffffffff"),
    ] {
        let headers = with_ids(&[(PRIORITY, "1"), (TAGS, &tags)]);
        assert_eq!(read(&headers), found(SamplingState::Accept), "{tags}");
    }
    let headers = [(TRACE, LOW), (SPAN, PARENT), (PRIORITY, "-1")];
    assert_eq!(
        read(&headers),
        Extracted::Context(short(SamplingState::Deny))
    );
}

#[test]
fn dd_1_passes_over_a_left_half_that_is_malformed_and_says_what_is_wrong() {
    for (digits, refusal) in [
        ("4BF92F3577B34DA6", Refusal::TraceId),
        ("4bf92f3577b34da", Refusal::TraceId),
        ("4bf92f3577b34da60", Refusal::TraceId),
        ("4bf92f3577b34dax", Refusal::TraceId),
        ("0000000000000000", Refusal::TraceIdZero),
    ] {
        let tags = format!("_dd.p.tid={digits}");
        let headers = HeaderList::new(with_ids(&[(PRIORITY, "1"), (TAGS, &tags)]));
        let headers = headers.as_request();
        let expected = Extracted::Context(short(SamplingState::Accept));
        assert_eq!(extract(&headers), expected, "{digits}");
        assert_eq!(left_half(&headers), Err(refusal), "{digits}");
    }
    let tags = "_dd.p.tid=4BF92F3577B34DA6,_dd.p.dm=-4";
    let headers = with_ids(&[(PRIORITY, "1"), (TAGS, tags)]);
    let lines = sent(&carrying(short(SamplingState::Accept)), &headers);
    assert_eq!(value(&lines, TAGS).as_deref(), Some("_dd.p.dm=-4"));
}

#[test]
fn dd_2_refuses_ids_that_are_no_numbers_of_64_bits() {
    assert_eq!(
        read(&with_ids(&[(PRIORITY, "1")])),
        found(SamplingState::Accept)
    );
    for (name, value, refusal) in [
        (TRACE, "0", Refusal::TraceIdZero),
        (TRACE, "000", Refusal::TraceIdZero),
        (TRACE, "", Refusal::TraceId),
        (TRACE, "-1", Refusal::TraceId),
        (TRACE, "+1", Refusal::TraceId),
        (TRACE, "1.0", Refusal::TraceId),
        (TRACE, "18446744073709551616", Refusal::TraceId),
        (TRACE, T64, Refusal::TraceId),
        (SPAN, "-1", Refusal::SpanId),
        (SPAN, "", Refusal::SpanId),
        (SPAN, "18446744073709551616", Refusal::SpanId),
        (SPAN, S, Refusal::SpanId),
    ] {
        let headers = with_ids(&[(PRIORITY, "1"), (name, value)]);
        assert_eq!(
            read(&headers),
            Extracted::malformed(refusal),
            "{name}: {value}"
        );
    }
    for value in [
        "18446744073709551615",
        "1",
        "0011803532876627986230",
        " 7\t",
    ] {
        let headers = with_ids(&[(TRACE, value)]);
        assert!(matches!(read(&headers), Extracted::Context(_)), "{value}");
    }
}

#[test]
fn dd_2_adopts_a_trace_without_a_parent() {
    let alone = SpanContext {
        span_id: None,
        ..context(SamplingState::Accept)
    };
    let ids = [(TRACE, LOW), (TAGS, TID_TAG), (PRIORITY, "1")];
    assert_eq!(read(&ids), Extracted::Context(alone));
    for zero in ["0", "00"] {
        let headers = with_ids(&[(SPAN, zero), (PRIORITY, "1")]);
        assert_eq!(read(&headers), Extracted::Context(alone));
    }
    assert_eq!(value(&sent(&carrying(alone), &with_ids(&[])), SPAN), None);
}

#[test]
fn keeps_the_decision_where_there_is_no_trace_id() {
    for (headers, decision) in [
        (&[(PRIORITY, "-1")][..], SamplingState::Deny),
        (&[(PRIORITY, "2"), (SPAN, PARENT)], SamplingState::Debug),
        (&[(SPAN, PARENT)], SamplingState::Deferred),
    ] {
        let expected = Extracted::Malformed {
            refusal: Refusal::TraceId,
            decision,
        };
        assert_eq!(read(headers), expected, "{headers:?}");
    }
    for headers in [
        &[(ORIGIN, "rum"), (TAGS, TID_TAG)][..],
        &[(PRIORITY, "x")],
        &[],
    ] {
        assert_eq!(read(headers), Extracted::Absent, "{headers:?}");
    }
}

#[test]
fn dd_3_reads_the_sign_and_defers_without_a_number() {
    for (priority, sampling) in [
        ("-1", SamplingState::Deny),
        ("-9", SamplingState::Deny),
        ("0", SamplingState::Deny),
        ("-0", SamplingState::Deny),
        ("1", SamplingState::Accept),
        (" 1 ", SamplingState::Accept),
        ("2", SamplingState::Debug),
        ("3", SamplingState::Debug),
        ("", SamplingState::Deferred),
        ("x", SamplingState::Deferred),
        ("-", SamplingState::Deferred),
        ("--1", SamplingState::Deferred),
        ("+1", SamplingState::Deferred),
        ("1.0", SamplingState::Deferred),
        ("2147483648", SamplingState::Deferred),
        ("99999999999999999999", SamplingState::Deferred),
    ] {
        let headers = with_ids(&[(PRIORITY, priority)]);
        assert_eq!(read(&headers), found(sampling), "{priority:?}");
    }
    assert_eq!(read(&with_ids(&[])), found(SamplingState::Deferred));
    assert_eq!(
        left(PRIORITY, SamplingState::Deferred, &[(PRIORITY, "x")]),
        None
    );
}

#[test]
fn dd_4_keeps_the_priority_that_says_what_was_decided() {
    for (received, sampling, expected) in [
        ("-1", SamplingState::Deny, "-1"),
        ("0", SamplingState::Deny, "0"),
        ("1", SamplingState::Deny, "0"),
        ("2", SamplingState::Deny, "0"),
        ("x", SamplingState::Deny, "0"),
        ("-1", SamplingState::Accept, "1"),
        ("0", SamplingState::Accept, "1"),
        ("1", SamplingState::Accept, "1"),
        // Read as debug, which is gone only where it was not believed.
        ("2", SamplingState::Accept, "1"),
        ("3", SamplingState::Accept, "1"),
        ("x", SamplingState::Accept, "1"),
        ("-2147483647", SamplingState::Deny, "-2147483647"),
    ] {
        assert_eq!(
            left(PRIORITY, sampling, &[(PRIORITY, received)]).as_deref(),
            Some(expected),
            "{received} {sampling:?}"
        );
    }
}

#[test]
fn dd_4_writes_nothing_that_is_right_already() {
    struct Untouched;
    impl HeaderWriter for Untouched {
        fn set(&mut self, name: &'static str, value: &[u8]) {
            panic!("{name}: {value:?}");
        }
        fn remove(&mut self, name: &'static str) {
            panic!("{name}");
        }
    }
    let tags = format!("_dd.p.dm=-4,{TID_TAG},_dd.p.usr.id=YQ==");
    let list = HeaderList::new(with_ids(&[
        (PRIORITY, "-1"),
        (ORIGIN, "synthetics"),
        (TAGS, &tags),
    ]));
    let outgoing = carrying(context(SamplingState::Deny));
    assert!(inject(&outgoing, &list.as_request(), &mut Untouched));
}

#[test]
fn keeps_origin_and_tags_of_this_trace_alone() {
    let tags = format!("_dd.p.dm=-4,x=y,_dd.p.upstream_services=a|b,_dd.p.e=,_dd.p,{TID_TAG}");
    let received = [(PRIORITY, "1"), (ORIGIN, "rum"), (TAGS, tags.as_str())];
    let lines = [
        "x-datadog-origin: rum",
        "x-datadog-parent-id: 67667974448284343",
        "x-datadog-sampling-priority: 1",
        "x-datadog-tags: _dd.p.dm=-4,_dd.p.tid=4bf92f3577b34da6",
        "x-datadog-trace-id: 11803532876627986230",
    ];
    let own = carrying(context(SamplingState::Accept));
    assert_eq!(sent(&own, &received), lines);
    let other = Outgoing {
        same_trace: [Format::TraceContext].into_iter().collect(),
        ..own
    };
    assert_eq!(
        sent(&other, &received),
        [
            lines[1],
            lines[2],
            "x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
            lines[4]
        ]
    );
}

#[test]
fn rewrites_the_left_half_where_it_stands() {
    for (received, expected) in [
        (
            "_dd.p.tid=ffffffffffffffff,_dd.p.a=b",
            format!("{TID_TAG},_dd.p.a=b"),
        ),
        ("_dd.p.a=b", format!("_dd.p.a=b,{TID_TAG}")),
        (
            "_dd.p.tid=x,_dd.p.a=b,_dd.p.tid=y",
            format!("{TID_TAG},_dd.p.a=b"),
        ),
        ("", TID_TAG.into()),
    ] {
        assert_eq!(
            left(TAGS, SamplingState::Accept, &[(TAGS, received)]),
            Some(expected)
        );
    }
}

#[test]
fn forgets_who_took_a_decision_that_was_overruled() {
    let tags = format!("_dd.p.dm=-4,{TID_TAG}");
    for (priority, sampling, stays) in [
        ("1", SamplingState::Accept, true),
        ("1", SamplingState::Debug, true),
        ("0", SamplingState::Deny, true),
        ("2", SamplingState::Deny, false),
        ("0", SamplingState::Accept, false),
        ("1", SamplingState::Deferred, false),
        ("", SamplingState::Deferred, true),
    ] {
        let received = [(PRIORITY, priority), (TAGS, tags.as_str())];
        let expected = if stays { &tags } else { TID_TAG };
        assert_eq!(
            left(TAGS, sampling, &received).as_deref(),
            Some(expected),
            "{priority} {sampling:?}"
        );
        let member = member_for(sampling, &received).unwrap();
        assert_eq!(member.contains("t.dm:-4"), stays, "{member}");
    }
}

#[test]
fn writes_at_most_512_bytes_of_tags_and_always_the_left_half() {
    let long = |length: usize| format!("_dd.p.a={}", "x".repeat(length - 8));
    let free = 512 - TID_TAG.len() - 1;
    for (tags, expected) in [
        (
            format!("{},{TID_TAG}", long(free)),
            format!("{},{TID_TAG}", long(free)),
        ),
        (
            format!("{},_dd.p.b=c", long(free + 1)),
            format!("_dd.p.b=c,{TID_TAG}"),
        ),
        (long(600), TID_TAG.into()),
    ] {
        let written = left(TAGS, SamplingState::Accept, &[(TAGS, &tags)]).unwrap();
        assert_eq!(written, expected);
        assert!(written.len() <= 512);
    }
    let all = long(512);
    let lines = sent(
        &carrying(short(SamplingState::Accept)),
        &with_ids(&[(TAGS, &all)]),
    );
    assert_eq!(value(&lines, TAGS), Some(all));
}

#[test]
fn dd_9_leaves_out_tags_for_which_datadog_refuses_all_others_and_the_left_half() {
    for refused in ["k=é", "é=v", "k=a\tb", "k k=v", "k=\u{7f}"] {
        let tags = format!("_dd.p.{refused},{TID_TAG},_dd.p.b=a =~");
        let rest = format!("{TID_TAG},_dd.p.b=a =~");
        assert_eq!(
            left(TAGS, SamplingState::Accept, &[(TAGS, &tags)]),
            Some(rest),
            "{refused:?}"
        );
    }
    assert_eq!(
        left_for_member(TAGS, SamplingState::Accept, "t.k k:v;t.a=b:c;t.b:c"),
        Some(format!("_dd.p.b=c,{TID_TAG}"))
    );
}

#[test]
fn dd_5_writes_the_member_of_tracestate() {
    let tags = format!("_dd.p.dm=-4,{TID_TAG},_dd.p.usr.id=YQ==,_dd.p.upstream_services=a,x=y");
    let received = [
        (PRIORITY, "2"),
        (ORIGIN, "synthetics"),
        (TAGS, tags.as_str()),
    ];
    assert_eq!(
        member_for(SamplingState::Debug, &received).as_deref(),
        Some("s:2;o:synthetics;p:00f067aa0ba902b7;t.dm:-4;t.usr.id:YQ~~")
    );
    assert_eq!(
        member_for(SamplingState::Deny, &[(PRIORITY, "-1"), (SPAN, "0")]).as_deref(),
        Some("s:-1")
    );
    assert_eq!(member_for(SamplingState::Deferred, &[(SPAN, "0")]), None);
}

#[test]
fn dd_5_writes_no_member_that_w3c_forbids_or_datadog_throws_away() {
    let odd = [
        (PRIORITY, "1"),
        (SPAN, "0"),
        (ORIGIN, "a,b;c~d=e é"),
        (TAGS, "_dd.p.k;~=v;~=w,_dd.p.k:x=y"),
    ];
    assert_eq!(
        member_for(SamplingState::Accept, &odd).as_deref(),
        Some("s:1;o:a_b_c_d~e __;t.k__:v__~w")
    );
    let free = 253 - "s:1;p:00f067aa0ba902b7;t.a:".len();
    for (length, stays) in [(free, true), (free + 1, false)] {
        let tags = format!("_dd.p.a={},{TID_TAG}", "x".repeat(length));
        let member = member_for(SamplingState::Accept, &[(PRIORITY, "1"), (TAGS, &tags)]);
        assert_eq!(member.unwrap().contains("t.a:"), stays);
    }
}

#[test]
fn dd_5_reads_the_member_where_datadog_told_nothing_of_this_trace() {
    let member = "s:2;o:syn~t;p:05e3ac9a4f6e3b90;t.dm:-4;t.usr.id:YQ~~;t.tid:ffffffffffffffff;x;t.";
    let kept = |name| left_for_member(name, SamplingState::Accept, member);
    assert_eq!(kept(PRIORITY).as_deref(), Some("2"));
    assert_eq!(kept(ORIGIN).as_deref(), Some("syn=t"));
    assert_eq!(
        kept(TAGS),
        Some(format!("_dd.p.dm=-4,_dd.p.usr.id=YQ==,{TID_TAG}"))
    );
    assert_eq!(kept(SPAN).as_deref(), Some(PARENT));
    assert_eq!(left_for_member(ORIGIN, SamplingState::Accept, "s:1"), None);
}

#[test]
fn dd_5_resolves_the_priority_by_what_was_decided() {
    for (member, sampling, expected) in [
        ("s:2", SamplingState::Accept, Some("2")),
        ("s:1", SamplingState::Accept, Some("1")),
        ("s:0", SamplingState::Accept, Some("1")),
        ("s:-1", SamplingState::Accept, Some("1")),
        ("s:-1", SamplingState::Deny, Some("-1")),
        ("s:2", SamplingState::Deny, Some("0")),
        ("s:x", SamplingState::Accept, Some("1")),
        ("o:synthetics", SamplingState::Deny, Some("0")),
        ("o:rum", SamplingState::Accept, None),
        ("o:rum", SamplingState::Deny, None),
        ("o:rum", SamplingState::Debug, Some("2")),
        ("o:rum;s:-1", SamplingState::Deny, Some("-1")),
        ("s:2", SamplingState::Deferred, None),
    ] {
        assert_eq!(
            left_for_member(PRIORITY, sampling, member).as_deref(),
            expected,
            "{member} {sampling:?}"
        );
    }
}

#[test]
fn dd_5_survives_the_way_through_w3c_and_back() {
    let tags = format!("_dd.p.dm=-4,_dd.p.usr.id=YQ==,{TID_TAG}");
    let received = [(PRIORITY, "-1"), (ORIGIN, "a=b"), (TAGS, tags.as_str())];
    let member = member_for(SamplingState::Deny, &received).unwrap();
    for (name, value) in received {
        let back = left_for_member(name, SamplingState::Deny, &member);
        assert_eq!(back.as_deref(), Some(value), "{name}");
    }
}

#[test]
fn dd_6_and_map_2_take_debug_for_priority_2() {
    for (received, expected) in [("", "2"), ("0", "2"), ("1", "2"), ("2", "2"), ("3", "3")] {
        assert_eq!(
            left(PRIORITY, SamplingState::Debug, &[(PRIORITY, received)]).as_deref(),
            Some(expected)
        );
    }
    for (priority, sampling) in [
        ("0", SamplingState::Deny),
        ("1", SamplingState::Accept),
        ("2", SamplingState::Debug),
    ] {
        assert_eq!(read(&with_ids(&[(PRIORITY, priority)])), found(sampling));
    }
}

#[test]
fn dd_8_and_map_3_write_no_left_half_for_an_id_of_64_bits() {
    let padded = TraceId::from_hex(format!("{T64:0>32}").as_bytes()).unwrap();
    let context = SpanContext {
        trace_id: padded,
        ..context(SamplingState::Accept)
    };
    let w3c = Outgoing {
        same_trace: [Format::TraceContext].into_iter().collect(),
        ..carrying(context)
    };
    let lines = sent(&w3c, &[]);
    assert_eq!(value(&lines, TRACE).as_deref(), Some(LOW));
    assert_eq!(value(&lines, TAGS), None);
}

#[test]
fn map_3_splits_a_trace_id_and_has_no_room_for_half_of_one() {
    let lines = sent(&carrying(context(SamplingState::Accept)), &[]);
    assert_eq!(
        lines,
        [
            format!("{SPAN}: {PARENT}"),
            format!("{PRIORITY}: 1"),
            format!("{TAGS}: {TID_TAG}"),
            format!("{TRACE}: {LOW}"),
        ]
    );
    let no_right_half = SpanContext {
        trace_id: TraceId::from_halves(7, 0).unwrap(),
        ..context(SamplingState::Accept)
    };
    let none = Outgoing {
        context: None,
        decision: SamplingState::Deny,
        ..carrying(no_right_half)
    };
    for outgoing in [carrying(no_right_half), none] {
        let before = HeaderList::new([(PRIORITY, "0")]);
        let mut after = before.clone();
        assert!(!inject(&outgoing, &before.as_request(), &mut after));
        assert_eq!(after, before);
    }
}

#[test]
fn takes_the_first_of_repeated_lines() {
    let mut headers = with_ids(&[(PRIORITY, "1")]);
    headers.extend([
        (TRACE, "x"),
        (SPAN, "x"),
        (PRIORITY, "0"),
        (TAGS, "_dd.p.tid=x"),
    ]);
    assert_eq!(read(&headers), found(SamplingState::Accept));
    let lines = sent(&carrying(context(SamplingState::Accept)), &headers);
    assert_eq!(lines.len(), 4, "{lines:?}");
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let tags = format!("_dd.p.dm=-4,{TID_TAG}");
    let valid = with_ids(&[(PRIORITY, "-1"), (ORIGIN, "rum"), (TAGS, &tags)]);
    for which in 0..valid.len() {
        for at in 0..valid[which].1.len() {
            for byte in 0..=255_u8 {
                let mut headers: Vec<(&str, Vec<u8>)> = valid
                    .iter()
                    .map(|(name, value)| (*name, value.as_bytes().to_vec()))
                    .collect();
                headers[which].1[at] = byte;
                let before = HeaderList::new(headers);
                let answer = extract(&before.as_request());
                let Extracted::Context(context) = answer else {
                    continue;
                };
                let mut after = before.clone();
                let outgoing = carrying(context);
                assert!(inject(&outgoing, &before.as_request(), &mut after));
                assert_eq!(extract(&after.as_request()), answer, "{before:?}");
                let member = member(&before.as_request(), context.sampling).unwrap();
                assert!(member.iter().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
}

#[test]
fn never_panics_whatever_byte_stands_where_in_the_member() {
    let valid = "s:-1;o:rum;p:05e3ac9a4f6e3b90;t.dm:-4;t.usr.id:YQ~~";
    for at in 0..valid.len() {
        for byte in 0..=255_u8 {
            let mut text = [b"dd=", valid.as_bytes()].concat();
            text[at + 3] = byte;
            let tracestate = Tracestate::Verbatim(&text);
            let outgoing = Outgoing {
                tracestate: &tracestate,
                same_trace: FormatSet::default(),
                ..carrying(context(SamplingState::Deny))
            };
            let before = HeaderList::default();
            let mut after = before.clone();
            assert!(inject(&outgoing, &before.as_request(), &mut after));
            let expected = after
                .iter()
                .find(|(name, _)| *name == PRIORITY)
                .map_or(SamplingState::Deferred, |_| SamplingState::Deny);
            assert_eq!(extract(&after.as_request()), found(expected), "{text:?}");
        }
    }
}
