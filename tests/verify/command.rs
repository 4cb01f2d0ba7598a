//! What the command prints, writes and ends with.

use std::fs;

use serde_json::json;

use super::program::{json_of, verify_of};
use super::spans::{checkout, lines, span, stripped};

#[test]
fn text_names_hop_and_cause_first() {
    let ended = verify_of(&["--from", "-"], &lines(&stripped()));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let mut out = ended.out.lines();
    assert_eq!(
        out.next(),
        Some("front -> pay: header stripped"),
        "{}",
        ended.out
    );
    for part in [
        "front CLIENT GET",
        "sidespan.decision=default",
        "cure: look between front and pay",
        "2 of 2 traces broken",
    ] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    // Each fault once, though both traces have it.
    assert_eq!(
        ended.out.matches("header stripped").count(),
        1,
        "{}",
        ended.out
    );
    let coloured = verify_of(&["--color", "always", "--from", "-"], &lines(&stripped()));
    assert!(coloured.out.starts_with('\u{1b}'), "{:?}", coloured.out);
}

#[test]
fn whole_traces_end_with_0_and_nothing_ends_with_1() {
    let whole = verify_of(&["--from", "-"], &lines(&checkout()));
    assert_eq!(
        (whole.code, whole.out.as_str()),
        (Some(0), "1 trace whole\n"),
        "{whole:?}"
    );
    let none = verify_of(&["--from", "-", "--service", "nobody"], &lines(&checkout()));
    assert_eq!(
        (none.code, none.out.as_str()),
        (Some(1), "no trace is found\n"),
        "{none:?}"
    );
    for arguments in [
        &["--from", "/no/such/file"][..],
        &["--from", "http://127.0.0.1:1"],
        &["--from", "-", "xyz"],
        &["--from", "-", "--expect", "/no/such/file"],
        &["--from", "-", "--format", "b3"],
        &["--from", "-", "--probe", "ftp://a/"],
    ] {
        let ended = verify_of(arguments, &lines(&checkout()));
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(!ended.errors.is_empty(), "{arguments:?}");
    }
}

#[test]
fn one_trace_is_looked_at_among_those_of_its_time() {
    let id = "00000000000000010000000000000";
    let (code, json) = json_of(&[id], &lines(&stripped()));
    assert_eq!(code, Some(1));
    assert_eq!(
        json["counts"],
        json!({"traces": 1, "broken": 1}),
        "{json:#}"
    );
    let finding = &json["traces"][0]["findings"][0];
    assert_eq!(finding["hop"], json!({"from": "front", "to": "pay"}));
    assert_eq!(finding["cause"], "header_stripped");
    assert_eq!(finding["otherTraceId"], "0000000000000002000000000000abc2");
    assert_eq!(json["traces"][0]["verdict"], "broken");
    assert_eq!(json["holds"], false);
}

#[test]
fn warnings_fail_with_strict_and_outside_callers_pass_with_outside() {
    let skewed = [
        span("front", 2, (1, 1, 0), (0, 100)),
        span("front", 3, (1, 2, 1), (10, 90)),
        span("pay", 2, (1, 3, 2), (5_000, 5_060)),
    ];
    let orphan = [span("front", 2, (1, 1, 9), (0, 100))];
    for (spans, arguments, code, state) in [
        (
            &skewed[..],
            &[][..],
            0,
            "1 trace whole, 1 of them with warnings",
        ),
        (&skewed, &["--strict"], 1, "clock skew (warning)"),
        (&orphan, &[], 1, "missing parent"),
        (&orphan, &["--outside"], 0, "missing parent (warning)"),
    ] {
        let ended = verify_of(&[&["--from", "-"], arguments].concat(), &lines(spans));
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:?}");
        assert!(ended.out.contains(state), "{arguments:?}: {}", ended.out);
    }
}

#[test]
fn junit_has_a_case_a_trace_and_an_expectation() {
    let folder = tempfile::tempdir().expect("a folder");
    let (junit, expect) = (
        folder.path().join("verify.xml"),
        folder.path().join("expect.yaml"),
    );
    fs::write(&expect, "hops: [front -> pay]\n").expect("a file");
    let paths = [&expect, &junit].map(|path| path.to_str().expect("text"));
    let arguments = ["--from", "-", "--expect", paths[0], "--junit", paths[1]];
    let ended = verify_of(&arguments, &lines(&stripped()));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let xml = fs::read_to_string(&junit).expect("the file");
    for part in [
        "<testsuites name=\"sidespan verify\" tests=\"3\" failures=\"3\"",
        "<testsuite name=\"traces\" tests=\"2\" failures=\"2\"",
        "<failure message=\"front -&gt; pay: header_stripped\" type=\"error\">",
        "name=\"hops[0] at least 1 front -&gt; pay\"",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

#[test]
fn names_from_strangers_do_not_reach_the_terminal() {
    let mut spans = stripped();
    spans[0] = spans[0].clone().named("GET \u{1b}[2J\u{202e}");
    for arguments in [&["--from", "-"][..], &["--from", "-", "--json"]] {
        let ended = verify_of(arguments, &lines(&spans));
        let obeyed = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        assert!(!ended.out.chars().any(obeyed), "{:?}", ended.out);
    }
}
