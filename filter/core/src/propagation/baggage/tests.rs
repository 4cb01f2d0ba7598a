use alloc::string::{String, ToString};
use alloc::{format, vec};

use super::*;
use crate::in_memory::header_list::HeaderList;

struct Rewritten {
    lines: Vec<String>,
    dropped: u64,
}

fn rewrite(config: &Baggage, headers: &[(&str, &str)]) -> Rewritten {
    let before = HeaderList::new(headers.iter().copied());
    let mut after = before.clone();
    let mut stats = Stats::default();
    let all = before.iter().map(|(name, value)| (name.as_bytes(), value));
    config.rewrite(&before.as_request(), all, &mut after, &mut stats);
    Rewritten {
        lines: after
            .iter()
            .filter(|(name, _)| *name == "baggage")
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect(),
        dropped: stats.get(Counter::BaggageDropped),
    }
}

fn denying(patterns: &[&str]) -> Baggage {
    Baggage {
        deny: patterns.iter().map(ToString::to_string).collect(),
        ..Baggage::default()
    }
}

fn translating(from: &[BaggageSource]) -> Baggage {
    Baggage {
        from: from.to_vec(),
        ..Baggage::default()
    }
}

#[test]
fn bg_20_touches_nothing_by_default() {
    assert!(!Baggage::default().is_touched());
    let odd = [("baggage", "a = 1 ;p,,b"), ("baggage", "\u{e9}=\"x\"")];
    let done = rewrite(&Baggage::default(), &odd);
    assert_eq!(done.lines, ["a = 1 ;p,,b", "\u{e9}=\"x\""]);
    assert_eq!(done.dropped, 0);
}

#[test]
fn bg_23_removes_members_by_their_keys_and_counts_them() {
    let headers = [
        ("baggage", "userId=alice, user.role=x;p=1"),
        ("baggage", "tenant=t,UserId=b"),
    ];
    for (patterns, expected, dropped) in [
        (
            &["userId"][..],
            vec!["user.role=x;p=1,tenant=t,UserId=b"],
            1,
        ),
        (&["user*"], vec!["tenant=t,UserId=b"], 2),
        (&["user*", "tenant"], vec!["UserId=b"], 3),
        (&["*"], vec![], 4),
        (
            &["nobody"],
            vec!["userId=alice, user.role=x;p=1", "tenant=t,UserId=b"],
            0,
        ),
    ] {
        let done = rewrite(&denying(patterns), &headers);
        assert_eq!(done.lines, expected, "{patterns:?}");
        assert_eq!(done.dropped, dropped, "{patterns:?}");
    }
}

#[test]
fn bg_1_takes_several_lines_for_one_list() {
    let headers = [("baggage", "a=1"), ("baggage", ""), ("baggage", "b=2,x=3")];
    assert_eq!(rewrite(&denying(&["x"]), &headers).lines, ["a=1,b=2"]);
}

#[test]
fn bg_2_compares_keys_with_case_and_as_they_are_written() {
    let headers = [("baggage", "a%62c=1,ABC=2,abc=3")];
    assert_eq!(
        rewrite(&denying(&["abc"]), &headers).lines,
        ["a%62c=1,ABC=2"]
    );
}

#[test]
fn bg_3_splits_at_the_first_equals_sign() {
    let headers = [("baggage", "k=a=b,x=,y=1")];
    assert_eq!(rewrite(&denying(&["y"]), &headers).lines, ["k=a=b,x="]);
    let list = HeaderList::new(headers);
    assert_eq!(
        value(&list.as_request(), b"k").as_deref(),
        Some(&b"a=b"[..])
    );
}

#[test]
fn bg_4_and_bg_5_keep_duplicates_their_order_and_properties() {
    let headers = [("baggage", "k=1;p1;p2=x,other=2,k=3 ; q = 1")];
    assert_eq!(
        rewrite(&denying(&["other"]), &headers).lines,
        ["k=1;p1;p2=x,k=3 ; q = 1"]
    );
    let list = HeaderList::new(headers);
    assert_eq!(value(&list.as_request(), b"k").as_deref(), Some(&b"3"[..]));
}

#[test]
fn bg_6_drops_what_is_not_legal_only_where_it_rewrites() {
    let headers = [("baggage", "a=1,no-value,b=\"x\",c=2")];
    assert_eq!(
        rewrite(&denying(&["z"]), &headers).lines,
        ["a=1,no-value,b=\"x\",c=2"]
    );
    let done = rewrite(&denying(&["c"]), &headers);
    assert_eq!((done.lines, done.dropped), (vec!["a=1".into()], 3));
}

#[test]
fn bg_10_cuts_whole_members_from_the_right_to_the_limit() {
    let headers = [("baggage", "a=11111,b=22222,c=33333")];
    for (limit, expected, dropped) in [
        (23, vec!["a=11111,b=22222,c=33333"], 0),
        (22, vec!["a=11111,b=22222"], 1),
        (15, vec!["a=11111,b=22222"], 1),
        (14, vec!["a=11111"], 2),
        (6, vec![], 3),
    ] {
        let config = Baggage {
            max_bytes: Some(limit),
            ..Baggage::default()
        };
        let done = rewrite(&config, &headers);
        assert_eq!(done.lines, expected, "{limit}");
        assert_eq!(done.dropped, dropped, "{limit}");
    }
    assert_eq!(headers[0].1.len(), 23);
}

#[test]
fn bg_10_counts_white_space_and_empty_members_for_the_limit() {
    let config = Baggage {
        max_bytes: Some(8),
        ..Baggage::default()
    };
    for (lines, expected) in [
        (&[("baggage", "a=1, b=2")][..], "a=1, b=2"),
        (&[("baggage", "a=1,  b=2")], "a=1,b=2"),
        (&[("baggage", "a=1,,,,,,")], "a=1"),
        (&[("baggage", "a=1,,,"), ("baggage", ",b=2")], "a=1,b=2"),
    ] {
        let done = rewrite(&config, lines);
        assert_eq!((done.lines, done.dropped), (vec![expected.into()], 0));
    }
}

#[test]
fn bg_4_and_bg_22_add_no_second_member_with_a_key_and_use_all_the_room_there_is() {
    let sources = [BaggageSource::Jaeger, BaggageSource::OtTrace];
    let headers = [
        ("uberctx-k", "1"),
        ("uberctx-k", "2"),
        ("ot-baggage-k", "3"),
    ];
    assert_eq!(rewrite(&translating(&sources), &headers).lines, ["k=1"]);
    let exact = Baggage {
        max_bytes: Some(10),
        ..translating(&sources)
    };
    let done = rewrite(&exact, &[("uberctx-a", "12345678")]);
    assert_eq!((done.lines, done.dropped), (vec!["a=12345678".into()], 0));
}

#[test]
fn bg_10_never_cuts_by_itself() {
    let many = (0..200)
        .map(|n| format!("key{n}={n}"))
        .collect::<Vec<_>>()
        .join(",");
    let long = format!("k={}", "v".repeat(10_000));
    for value in [many, long] {
        let done = rewrite(&denying(&["x"]), &[("baggage", &value)]);
        assert_eq!((done.lines, done.dropped), (vec![value], 0));
    }
}

#[test]
fn bg_22_and_jg_10_copy_jaegers_form_to_the_right() {
    let headers = [
        ("uberctx-user", "alice%20b"),
        ("uberctx-raw", "a b,c;d+\u{e9}"),
        ("uberctx-k", "again"),
        ("uberctx-", "no key"),
        ("uberctx-b ad", "no token"),
        ("ot-baggage-x", "1"),
        ("baggage", "k=1"),
    ];
    let done = rewrite(&translating(&[BaggageSource::Jaeger]), &headers);
    assert_eq!(done.lines, ["k=1,user=alice%20b,raw=a%20b%2Cc%3Bd+%C3%A9"]);
    assert_eq!(done.dropped, 0);
}

#[test]
fn bg_22_and_ot_5_copy_opentracings_form_with_its_percent_signs_encoded() {
    let headers = [("ot-baggage-x", "50% \\"), ("uberctx-y", "1")];
    let done = rewrite(&translating(&[BaggageSource::OtTrace]), &headers);
    assert_eq!(done.lines, ["x=50%25%20%5C"]);
}

#[test]
fn bg_22_leaves_out_its_own_rather_than_anothers() {
    let full = (0..64)
        .map(|n| format!("k{n}=1"))
        .collect::<Vec<_>>()
        .join(",");
    let long = format!("k={}", "v".repeat(8188));
    for value in [full, long] {
        let headers = [("baggage", value.as_str()), ("uberctx-x", "1")];
        let done = rewrite(&translating(&[BaggageSource::Jaeger]), &headers);
        assert_eq!((done.lines, done.dropped), (vec![value.clone()], 1));
    }
}

#[test]
fn bg_21_decodes_the_value_of_a_chosen_key() {
    let read = |line: &str, key: &str| {
        let list = HeaderList::new([("baggage", line)]);
        value(&list.as_request(), key.as_bytes())
            .map(|value| String::from_utf8_lossy(&value).into_owned())
    };
    for (line, key, expected) in [
        ("a=1,b=2", "b", Some("2")),
        ("a = x%20y ;p=1", "a", Some("x y")),
        ("a=+", "a", Some("+")),
        ("a=%ff", "a", Some("\u{fffd}")),
        ("a=%zz%4", "a", Some("%zz%4")),
        ("a=1", "A", None),
        ("", "a", None),
    ] {
        assert_eq!(read(line, key).as_deref(), expected, "{line}");
    }
    let of_length = |length: usize| format!("a=1,b={}", "v".repeat(length - "a=1,b=".len()));
    assert_eq!(
        read(&of_length(W3C_BYTES), "a").as_deref(),
        Some("1"),
        "as long as W3C's"
    );
    assert_eq!(read(&of_length(W3C_BYTES + 1), "a"), None);
}

#[test]
fn never_panics_whatever_byte_stands_where() {
    let line = b"a=%20x;p=1, b = 2 ,c";
    let config = Baggage {
        deny: vec!["b*".into()],
        max_bytes: Some(10),
        from: vec![BaggageSource::Jaeger, BaggageSource::OtTrace],
    };
    for at in 0..line.len() {
        for byte in 0..=255_u8 {
            let mut changed = line.to_vec();
            changed[at] = byte;
            let list = HeaderList::new([
                ("baggage", &changed[..]),
                ("uberctx-x", &changed),
                ("ot-baggage-y", &changed),
            ]);
            let mut after = list.clone();
            let all = list.iter().map(|(name, value)| (name.as_bytes(), value));
            let request = list.as_request();
            config.rewrite(&request, all, &mut after, &mut Stats::default());
            value(&request, b"a");
        }
    }
}
