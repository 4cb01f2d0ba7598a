use alloc::string::{String, ToString};
use alloc::{format, vec};

use super::*;
use crate::headers::Name;
use crate::in_memory::header_list::HeaderList;

struct Read {
    text: String,
    is_copied: bool,
    malformed: u64,
    truncated: u64,
}

fn read_lines(lines: &[&str]) -> Read {
    let list = HeaderList::new(lines.iter().map(|line| ("tracestate", line)));
    let mut stats = Stats::default();
    let headers = list.as_request();
    let state = read(&headers.lines(Name::Tracestate), &mut stats);
    Read {
        text: String::from_utf8(state.as_bytes().into()).unwrap(),
        is_copied: matches!(state, Tracestate::Rebuilt(_)),
        malformed: stats.get(Counter::TracestateMalformed),
        truncated: stats.get(Counter::TracestateTruncated),
    }
}

fn keeps(rows: &[(&[&str], &str)]) {
    for (lines, expected) in rows {
        let read = read_lines(lines);
        assert_eq!(read.text, *expected, "{lines:?}");
        assert_eq!(read.malformed, 0, "{lines:?}");
    }
}

/// Each row is a legal list with one change, and the whole header must go.
fn drops_all(rows: &[&str]) {
    assert_eq!(read_lines(&["foo=1,bar=2"]).text, "foo=1,bar=2");
    for line in rows {
        let read = read_lines(&[line]);
        assert_eq!(read.text, "", "{line:?}");
        assert_eq!(read.malformed, 1, "{line:?}");
    }
}

#[test]
fn ts_1_joins_lines_in_order() {
    keeps(&[
        (&["foo=1", "bar=2"], "foo=1,bar=2"),
        (&["a=1,b=2", "c=3", "d=4,e=5"], "a=1,b=2,c=3,d=4,e=5"),
    ]);
}

#[test]
fn ts_2_skips_empty_members_and_lines() {
    keeps(&[
        (&["foo=1,,bar=2"], "foo=1,bar=2"),
        (&["foo=1, \t ,bar=2"], "foo=1,bar=2"),
        (&["foo=1", ""], "foo=1"),
        (&["", "foo=1"], "foo=1"),
        (&[""], ""),
        (&[" , \t,"], ""),
    ]);
}

#[test]
fn ts_3_trims_around_members_and_not_within() {
    keeps(&[
        (&["foo=1 \t , \t bar=2"], "foo=1,bar=2"),
        (&["\t foo=1 \t"], "foo=1"),
        (&["foo= x,bar=2"], "foo= x,bar=2"),
    ]);
    drops_all(&["foo =1,bar=2"]);
}

#[test]
fn ts_4_drops_the_header_for_one_illegal_member() {
    let long = "k".repeat(257);
    drops_all(&[
        "@foo=1,bar=2",
        "foo=,bar=3",
        "foo= ,bar=3",
        "foo=bar=baz",
        "foo,bar=2",
        "=1,bar=2",
        "FOO=1",
        "foo.bar=1",
        "_foo=1",
        &format!("foo=1,{long}=1"),
        &format!("foo=1,bar={long}"),
    ]);
}

#[test]
fn ts_5_drops_the_header_for_a_33rd_member() {
    let members: Vec<_> = (0..33).map(|n| format!("bar{n:02}={n:02}")).collect();
    let legal = members[..32].join(",");
    assert_eq!(read_lines(&[&legal]).text, legal);
    // Empty members do not count.
    assert_eq!(read_lines(&[&legal, ",,", ""]).text, legal);
    drops_all(&[&members.join(",")]);
    let same_key = vec!["a=1"; 33].join(",");
    drops_all(&[&same_key]);
}

#[test]
fn ts_6_keeps_the_left_of_two_members_with_one_key() {
    keeps(&[
        (&["foo=1,foo=1"], "foo=1"),
        (&["foo=1,foo=2"], "foo=1"),
        (&["foo=1", "foo=2"], "foo=1"),
        (&["foo=1,bar=2,foo=3"], "foo=1,bar=2"),
    ]);
}

#[test]
fn ts_7_and_lv_1_take_the_keys_of_level_2() {
    let rows = [
        "foo@=1,bar=2".to_string(),
        "foo@@bar=1,bar=2".into(),
        "foo@bar@baz=1,bar=2".into(),
        "1foo=1".into(),
        format!("{}@v=1", "t".repeat(242)),
        format!("t@{}=1", "v".repeat(15)),
        format!("{}=1", "k".repeat(256)),
        format!("foo={}", "v".repeat(256)),
        "abcdefghijklmnopqrstuvwxyz0123456789_-*/@=1".into(),
    ];
    for line in &rows {
        let read = read_lines(&[line]);
        assert_eq!(read.text, *line);
        assert!(!read.is_copied, "{line} is passed on as it is");
    }
}

#[test]
fn ts_7_takes_every_character_a_value_may_have() {
    let value: String = (0x20..=0x7e_u8)
        .map(char::from)
        .filter(|character| !matches!(character, ',' | '='))
        .collect();
    let line = format!("a={}", value.trim_end());
    assert_eq!(read_lines(&[&line]).text, line);
}

#[test]
fn ts_10_drops_the_header_for_other_bytes() {
    drops_all(&["foo=é", "foo=\u{1},bar=2", "foo=a\u{7f}", "foo=a\tb"]);
    let list = HeaderList::new([("tracestate", &b"a=\xff"[..])]);
    let mut stats = Stats::default();
    let state = read(&list.as_request().lines(Name::Tracestate), &mut stats);
    assert_eq!(state, Tracestate::Absent);
    assert_eq!(stats.get(Counter::TracestateMalformed), 1);
}

#[test]
fn tm_1_rebuilds_one_line_only_where_it_must() {
    assert!(!read_lines(&["foo=1,bar=2"]).is_copied);
    assert!(read_lines(&["foo=1, bar=2"]).is_copied);
    assert!(read_lines(&["foo=1", "bar=2"]).is_copied);
}

#[test]
fn tm_2_keeps_the_order() {
    keeps(&[(&["z=1", "a=2,m=3"], "z=1,a=2,m=3")]);
}

#[test]
fn tm_3_never_leaves_two_members_with_one_key() {
    keeps(&[(&["a=1", "a=2", "a=3,b=1,b=2"], "a=1,b=1")]);
}

#[test]
fn tm_4_and_tm_9_leave_members_of_others_alone() {
    let line = "ot=th:8;rv:6e6d1a75832a2f,dd=s:2;o:rum,b3=x,vendor=1";
    let read = read_lines(&[line]);
    assert_eq!(read.text, line);
    assert!(!read.is_copied);
}

#[test]
fn tm_6_and_tm_7_cut_long_members_first_and_then_from_the_right() {
    let short: Vec<_> = (0..20)
        .map(|n| format!("s{n:02}={}", "v".repeat(96)))
        .collect();
    let long: Vec<_> = (0..10)
        .map(|n| format!("l{n}={}", "v".repeat(253)))
        .collect();
    let mut members = long.clone();
    members.extend(short.clone());
    let read = read_lines(&[&members.join(",")]);
    // 20 * 100 + 19 commas leave room for eight of 256 with their commas.
    let expected = [&long[..8], &short[..]].concat().join(",");
    assert_eq!(read.text, expected);
    assert_eq!(read.truncated, 1);
    assert!(read.text.len() <= 4096);

    let members: Vec<_> = (0..32)
        .map(|n| format!("s{n:02}={}", "v".repeat(124)))
        .collect();
    assert_eq!(members[0].len(), 128, "just not long");
    let read = read_lines(&[&members.join(",")]);
    assert_eq!(read.text, members[..31].join(","));
    assert_eq!(read.truncated, 1);
}

#[test]
fn tm_6_leaves_more_than_512_characters_alone() {
    let members: Vec<_> = (0..20)
        .map(|n| format!("k{n:02}={}", "v".repeat(25)))
        .collect();
    let line = members.join(",");
    assert_eq!(line.len(), 599);
    let read = read_lines(&[&line]);
    assert_eq!((read.text, read.truncated), (line, 0));
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let line = b"foo=1, bar=2,,a@b=x y";
    for at in 0..line.len() {
        for byte in 0..=255_u8 {
            let mut changed = line.to_vec();
            changed[at] = byte;
            let list = HeaderList::new([("tracestate", &changed)]);
            let mut stats = Stats::default();
            let state = read(&list.as_request().lines(Name::Tracestate), &mut stats);
            let again = HeaderList::new([("tracestate", state.as_bytes())]);
            let reread = read(&again.as_request().lines(Name::Tracestate), &mut stats);
            assert_eq!(reread.as_bytes(), state.as_bytes(), "{changed:?}");
        }
    }
}
