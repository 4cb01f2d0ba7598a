//! The waterfall in a terminal: broken traces are shown whole, and nobody's names write to the terminal.

use serde_json::json;
use sidespan_tests::corpus::TEXTS;

use super::{line, span, trace_of};

#[test]
fn circles_orphans_and_several_roots_are_all_there() {
    let id = "a".repeat(32);
    let spans = [
        ("1", "", "first root"),
        ("2", "", "second root"),
        ("3", "f", "orphan"),
        ("4", "5", "circle"),
        ("5", "4", "circle too"),
        ("6", "6", "its own parent"),
        ("7", "1", "child"),
    ];
    let spans = spans.map(|(own, parent, name)| {
        let full = |digit: &str| digit.repeat(16);
        span(&id, &full(own), &full(parent), name, (0, 10))
    });
    let input = line("web", &spans);
    let ended = trace_of(&["--from", "-", "a"], input.as_bytes());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "7 spans",
        "first root",
        "second root",
        "? span ffffffffffffffff is missing",
        "? a circle: the next span is its own ancestor",
        "circle too",
        "its own parent",
        "`-web",
    ] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
}

#[test]
fn errors_and_kept_spans_are_in_sight_and_lines_fit() {
    let id = "a".repeat(32);
    let mut failed = span(&id, "1111111111111111", "", "GET /", (0, 10));
    failed["status"] = json!({"code": 2, "message": "boom"});
    let mut kept = span(
        &id,
        "2222222222222222",
        "1111111111111111",
        &"long ".repeat(60),
        (1, 2),
    );
    kept["attributes"] = json!([{"key": "sidespan.kept", "value": {"stringValue": "callee"}}]);
    let input = line("web", &[failed, kept]);
    for width in ["40", "80", "200"] {
        let arguments = ["--from", "-", "aa", "--width", width];
        let ended = trace_of(&arguments, input.as_bytes());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let width: usize = width.parse().expect("a number");
        for line in ended.out.lines() {
            assert!(line.len() <= width, "{width}: {line}");
        }
        assert!(
            ended.out.contains("1 error, 1 kept* (callee)") || width == 40,
            "{}",
            ended.out
        );
        assert!(ended.out.contains(" !  "), "{}", ended.out);
        assert!(ended.out.contains("  * "), "{}", ended.out);
    }
}

#[test]
fn names_and_values_of_strangers_never_reach_the_terminal_as_they_are() {
    let id = "a".repeat(32);
    for text in TEXTS {
        let mut hostile = span(&id, "1111111111111111", "", text, (0, 10));
        hostile["attributes"] = json!([{"key": "sidespan.kept", "value": {"stringValue": text}}]);
        let input = line(text, &[hostile]);
        for arguments in [
            &["--from", "-"][..],
            &["--from", "-", "a"],
            &["--from", "-", "--json"],
            &["--from", "-", "a", "--json"],
        ] {
            let ended = trace_of(arguments, input.as_bytes());
            assert_eq!(ended.code, Some(0), "{text:?}: {ended:?}");
            let is_obeyed = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
            assert!(!ended.out.contains(is_obeyed), "{text:?}: {ended:?}");
        }
    }
}
