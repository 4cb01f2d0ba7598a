//! The cases of the suite: requests and assertions. A case that the suite makes in several steps is a row each.

use std::collections::BTreeSet;

use sidespan_tests::http::Headers;

use super::mesh::Mesh;

const ID: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";
const SAMPLED: &str = "00-12345678901234567890123456789012-1234567890123456-01";
const UNSAMPLED: &str = "00-12345678901234567890123456789012-1234567890123456-00";

pub(super) fn test_both_traceparent_and_tracestate_missing(mesh: &Mesh) {
    context(mesh, &[]);
}

pub(super) fn test_traceparent_included_tracestate_missing(mesh: &Mesh) {
    let out = context(mesh, &[("traceparent", SAMPLED)]);
    assert_eq!(out.trace_id, ID);
    assert_ne!(out.parent_id, PARENT);
}

pub(super) fn test_traceparent_duplicated(mesh: &Mesh) {
    let first = "00-12345678901234567890123456789011-1234567890123456-01";
    let out = context(mesh, &[("traceparent", first), ("traceparent", SAMPLED)]);
    assert_ne!(out.trace_id, "12345678901234567890123456789011");
    assert_ne!(out.trace_id, ID);
}

pub(super) fn test_traceparent_header_name(mesh: &Mesh) {
    for name in ["trace-parent", "trace.parent"] {
        assert_ne!(context(mesh, &[(name, SAMPLED)]).trace_id, ID, "{name}");
    }
}

pub(super) fn test_traceparent_header_name_valid_casing(mesh: &Mesh) {
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        assert_eq!(context(mesh, &[(name, SAMPLED)]).trace_id, ID, "{name}");
    }
}

pub(super) fn test_traceparent_version_0x00(mesh: &Mesh) {
    starts_anew(mesh, &format!("{SAMPLED}."));
    starts_anew(mesh, &format!("{SAMPLED}-what-the-future-will-be-like"));
}

pub(super) fn test_traceparent_version_0xcc(mesh: &Mesh) {
    let future = format!("cc-{ID}-{PARENT}-01");
    continues(mesh, &future);
    continues(mesh, &format!("{future}-what-the-future-will-be-like"));
    starts_anew(mesh, &format!("{future}.what-the-future-will-be-like"));
}

pub(super) fn test_traceparent_version_0xff(mesh: &Mesh) {
    starts_anew(mesh, &format!("ff-{ID}-{PARENT}-01"));
}

pub(super) fn test_traceparent_version_illegal_characters(mesh: &Mesh) {
    starts_anew(mesh, &format!(".0-{ID}-{PARENT}-01"));
    starts_anew(mesh, &format!("0.-{ID}-{PARENT}-01"));
}

pub(super) fn test_traceparent_version_too_long(mesh: &Mesh) {
    starts_anew(mesh, &format!("000-{ID}-{PARENT}-01"));
    starts_anew(mesh, &format!("0000-{ID}-{PARENT}-01"));
}

pub(super) fn test_traceparent_version_too_short(mesh: &Mesh) {
    starts_anew(mesh, &format!("0-{ID}-{PARENT}-01"));
}

pub(super) fn test_traceparent_trace_id_all_zero(mesh: &Mesh) {
    // An id of zeros is refused wherever these cases read a traceparent.
    starts_anew(mesh, &format!("00-{}-{PARENT}-01", "0".repeat(32)));
}

pub(super) fn test_traceparent_trace_id_illegal_characters(mesh: &Mesh) {
    starts_anew(
        mesh,
        &format!("00-.2345678901234567890123456789012-{PARENT}-01"),
    );
    starts_anew(
        mesh,
        &format!("00-1234567890123456789012345678901.-{PARENT}-01"),
    );
}

pub(super) fn test_traceparent_trace_id_too_long(mesh: &Mesh) {
    let out = context(mesh, &[("traceparent", &format!("00-{ID}3-{PARENT}-01"))]);
    assert_ne!(out.trace_id, ID);
    assert_ne!(out.trace_id, "23456789012345678901234567890123");
}

pub(super) fn test_traceparent_trace_id_too_short(mesh: &Mesh) {
    starts_anew(
        mesh,
        &format!("00-1234567890123456789012345678901-{PARENT}-01"),
    );
}

pub(super) fn test_traceparent_parent_id_all_zero(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-{}-01", "0".repeat(16)));
}

pub(super) fn test_traceparent_parent_id_illegal_characters(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-.234567890123456-01"));
    starts_anew(mesh, &format!("00-{ID}-123456789012345.-01"));
}

pub(super) fn test_traceparent_parent_id_too_long(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-{PARENT}7-01"));
}

pub(super) fn test_traceparent_parent_id_too_short(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-123456789012345-01"));
}

pub(super) fn test_traceparent_trace_flags_illegal_characters(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-{PARENT}-.0"));
    starts_anew(mesh, &format!("00-{ID}-{PARENT}-0."));
}

pub(super) fn test_traceparent_trace_flags_too_long(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-{PARENT}-001"));
}

pub(super) fn test_traceparent_trace_flags_too_short(mesh: &Mesh) {
    starts_anew(mesh, &format!("00-{ID}-{PARENT}-1"));
}

pub(super) fn test_traceparent_ows_handling(mesh: &Mesh) {
    for (before, after) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        continues(mesh, &format!("{before}{SAMPLED}{after}"));
    }
}

pub(super) fn test_tracestate_included_traceparent_missing(mesh: &Mesh) {
    let one = context(mesh, &[("tracestate", "foo=1")]);
    let two = context(mesh, &[("tracestate", "foo=1,bar=2")]);
    assert_eq!(one.tracestate.len(), two.tracestate.len());
}

pub(super) fn test_tracestate_included_traceparent_included(mesh: &Mesh) {
    inherits(mesh, &["foo=1,bar=2"], &[("foo", "1"), ("bar", "2")]);
}

pub(super) fn test_tracestate_header_name(mesh: &Mesh) {
    for name in ["trace-state", "trace.state"] {
        let out = context(mesh, &[("traceparent", UNSAMPLED), (name, "foo=1")]);
        assert_eq!(out.member("foo"), None, "{name}");
    }
}

pub(super) fn test_tracestate_header_name_valid_casing(mesh: &Mesh) {
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        let out = context(mesh, &[("traceparent", UNSAMPLED), (name, "foo=1")]);
        assert_eq!(out.member("foo"), Some("1"), "{name}");
    }
}

pub(super) fn test_tracestate_empty_header(mesh: &Mesh) {
    inherits(mesh, &[""], &[]);
    inherits(mesh, &["foo=1", ""], &[("foo", "1")]);
    inherits(mesh, &["", "foo=1"], &[("foo", "1")]);
}

pub(super) fn test_tracestate_multiple_headers_different_keys(mesh: &Mesh) {
    let lines = ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"];
    let members = [
        ("foo", "1"),
        ("bar", "2"),
        ("rojo", "1"),
        ("congo", "2"),
        ("baz", "3"),
    ];
    let out = inherits(mesh, &lines, &members);
    let position = |key: &str| out.tracestate.iter().position(|(own, _)| own == key);
    assert!(
        members.map(|(key, _)| position(key)).is_sorted(),
        "{:?}",
        out.tracestate
    );
}

pub(super) fn test_tracestate_duplicated_keys(mesh: &Mesh) {
    for lines in [["foo=1,foo=1"].as_slice(), &["foo=1", "foo=1"]] {
        inherits(mesh, lines, &[("foo", "1")]);
    }
    for lines in [["foo=1,foo=2"].as_slice(), &["foo=1", "foo=2"]] {
        let out = inherits(mesh, lines, &[]);
        assert!(
            matches!(out.member("foo"), Some("1" | "2")),
            "{lines:?}: {:?}",
            out.tracestate
        );
    }
}

pub(super) fn test_tracestate_all_allowed_characters(mesh: &Mesh) {
    let key: String = ('a'..='z').chain('0'..='9').chain("_-*/".chars()).collect();
    let value: String = (' '..='~')
        .filter(|character| !matches!(character, ',' | '='))
        .collect();
    for key in [key.clone(), format!("{key}@a-z0-9_-*/")] {
        let out = context(
            mesh,
            &[
                ("traceparent", UNSAMPLED),
                ("tracestate", &format!("{key}={value}")),
            ],
        );
        assert_eq!(out.member(&key), Some(value.as_str()));
    }
}

pub(super) fn test_tracestate_ows_handling(mesh: &Mesh) {
    let three = [("foo", "1"), ("bar", "2"), ("baz", "3")];
    inherits(mesh, &["foo=1 \t , \t bar=2, \t baz=3"], &three);
    inherits(mesh, &["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], &three);
    for value in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        inherits(mesh, &[value], &[("foo", "1")]);
    }
}

pub(super) fn test_tracestate_key_illegal_characters(mesh: &Mesh) {
    drops(mesh, &["foo =1"], "foo ");
    drops(mesh, &["FOO=1"], "FOO");
    drops(mesh, &["foo.bar=1"], "foo.bar");
}

pub(super) fn test_tracestate_key_illegal_vendor_format(mesh: &Mesh) {
    inherits(mesh, &["foo@=1,bar=2"], &[("foo@", "1"), ("bar", "2")]);
    drops(mesh, &["@foo=1,bar=2"], "bar");
    inherits(
        mesh,
        &["foo@@bar=1,bar=2"],
        &[("foo@@bar", "1"), ("bar", "2")],
    );
    inherits(
        mesh,
        &["foo@bar@baz=1,bar=2"],
        &[("foo@bar@baz", "1"), ("bar", "2")],
    );
}

pub(super) fn test_tracestate_member_count_limit(mesh: &Mesh) {
    let line = |from: usize, to: usize| {
        let members: Vec<String> = (from..=to)
            .map(|number| format!("bar{number:02}={number:02}"))
            .collect();
        members.join(",")
    };
    let lines = [line(1, 10), line(11, 20), line(21, 30)];
    let with_last = |to| {
        let last = line(31, to);
        let lines: Vec<&str> = lines
            .iter()
            .map(String::as_str)
            .chain([last.as_str()])
            .collect();
        inherits(mesh, &lines, &[])
    };
    let most = with_last(32);
    assert_eq!(
        (most.member("bar01"), most.tracestate.len()),
        (Some("01"), 32)
    );
    assert_eq!(with_last(33).member("bar01"), None);
}

pub(super) fn test_tracestate_key_length_limit(mesh: &Mesh) {
    let kept = [
        "z".repeat(256),
        format!("{}@{}", "t".repeat(241), "v".repeat(14)),
    ];
    let kept = kept.into_iter().chain([
        format!("{}@v", "t".repeat(242)),
        format!("t@{}", "v".repeat(15)),
    ]);
    for key in kept {
        inherits(
            mesh,
            &["foo=1", &format!("{key}=1")],
            &[("foo", "1"), (&key, "1")],
        );
    }
    drops(mesh, &["foo=1", &format!("{}=1", "z".repeat(257))], "foo");
}

pub(super) fn test_tracestate_value_illegal_characters(mesh: &Mesh) {
    drops(mesh, &["foo=bar=baz"], "foo");
    drops(mesh, &["foo=,bar=3"], "foo");
    drops(mesh, &["foo=,bar=3"], "bar");
}

pub(super) fn test_multiple_requests_with_valid_traceparent(mesh: &Mesh) {
    let (trace_ids, parent_ids) = three(mesh, &[("traceparent", SAMPLED)]);
    assert_eq!(trace_ids, BTreeSet::from([ID.to_owned()]));
    assert_eq!(parent_ids.len(), 3);
}

pub(super) fn test_multiple_requests_without_traceparent(mesh: &Mesh) {
    let (_, parent_ids) = three(mesh, &[]);
    assert_eq!(parent_ids.len(), 3);
}

pub(super) fn test_multiple_requests_with_illegal_traceparent(mesh: &Mesh) {
    let zero = format!("00-{}-{PARENT}-01", "0".repeat(32));
    let (_, parent_ids) = three(mesh, &[("traceparent", &zero)]);
    assert_eq!(parent_ids.len(), 3);
}

pub(super) fn test_propagates_random_flag(mesh: &Mesh) {
    let out = context(mesh, &[("traceparent", &format!("00-{ID}-{PARENT}-02"))]);
    assert_eq!(out.trace_id, ID);
    assert_ne!(out.parent_id, PARENT);
    assert_eq!(out.flags & 0x02, 0x02);
}

/// The context that arrives at the end.
struct Context {
    trace_id: String,
    parent_id: String,
    flags: u8,
    tracestate: Vec<(String, String)>,
}

impl Context {
    fn member(&self, key: &str) -> Option<&str> {
        let found = self.tracestate.iter().find(|(own, _)| own == key);
        found.map(|(_, value)| value.as_str())
    }
}

fn context(mesh: &Mesh, headers: &[(&str, &str)]) -> Context {
    read(&mesh.callbacks(headers, 1)[0])
}

fn three(mesh: &Mesh, headers: &[(&str, &str)]) -> (BTreeSet<String>, BTreeSet<String>) {
    let contexts = mesh
        .callbacks(headers, 3)
        .into_iter()
        .map(|headers| read(&headers));
    contexts
        .map(|context| (context.trace_id, context.parent_id))
        .unzip()
}

fn starts_anew(mesh: &Mesh, traceparent: &str) {
    let out = context(mesh, &[("traceparent", traceparent)]);
    assert_ne!(out.trace_id, ID, "{traceparent:?}");
}

fn continues(mesh: &Mesh, traceparent: &str) {
    let out = context(mesh, &[("traceparent", traceparent)]);
    assert_eq!(out.trace_id, ID, "{traceparent:?}");
}

fn inherits(mesh: &Mesh, lines: &[&str], members: &[(&str, &str)]) -> Context {
    let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("tracestate", *line)).collect();
    let out = context(
        mesh,
        &[[("traceparent", UNSAMPLED)].as_slice(), &lines].concat(),
    );
    assert_eq!(out.trace_id, ID, "{lines:?}");
    for (key, value) in members {
        assert_eq!(
            out.member(key),
            Some(*value),
            "{lines:?}: {:?}",
            out.tracestate
        );
    }
    out
}

fn drops(mesh: &Mesh, lines: &[&str], key: &str) {
    let out = inherits(mesh, lines, &[]);
    assert_eq!(out.member(key), None, "{lines:?}: {:?}", out.tracestate);
}

/// Reads the headers as strictly as the suite: one traceparent, version 00, lower case, no id of zeros; every member of the
/// tracestate well formed, the first of two equal keys kept.
fn read(headers: &Headers) -> Context {
    let traceparent = headers
        .one("traceparent")
        .unwrap_or_else(|| panic!("no traceparent:\n{headers}"));
    let fields: Vec<&str> = traceparent.split('-').collect();
    let [version, trace_id, parent_id, flags] = fields[..] else {
        panic!("traceparent: {traceparent}")
    };
    for (field, length) in [(version, 2), (trace_id, 32), (parent_id, 16), (flags, 2)] {
        let digits = field
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(
            digits && field.len() == length,
            "traceparent: {traceparent}"
        );
    }
    assert_eq!(version, "00", "traceparent: {traceparent}");
    for id in [trace_id, parent_id] {
        assert!(
            id.bytes().any(|byte| byte != b'0'),
            "traceparent: {traceparent}"
        );
    }
    let mut tracestate: Vec<(String, String)> = Vec::new();
    for line in headers.all("tracestate") {
        let line = std::str::from_utf8(line).expect("tracestate is ASCII");
        for member in line
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']))
            .filter(|member| !member.is_empty())
        {
            let (key, value) =
                split(member).unwrap_or_else(|| panic!("illegal member: {member:?}"));
            if !tracestate.iter().any(|(own, _)| own == key) {
                tracestate.push((key.into(), value.into()));
            }
        }
    }
    let flags = u8::from_str_radix(flags, 16).expect("two hex digits");
    Context {
        trace_id: trace_id.into(),
        parent_id: parent_id.into(),
        flags,
        tracestate,
    }
}

fn split(member: &str) -> Option<(&str, &str)> {
    let (key, value) = member.split_once('=')?;
    let first = key.bytes().next()?;
    let begins = first.is_ascii_digit() || first.is_ascii_lowercase();
    let goes_on =
        |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"_-*/@".contains(&byte);
    let valid = begins && key.len() <= 256 && key.bytes().all(goes_on);
    let printable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
    (valid && (1..=256).contains(&value.len()) && value.bytes().all(printable))
        .then_some((key, value))
}
