//! TraceQL: which queries are answered, and what they find.

mod documented;
mod evaluated;

use super::*;

/// Returns the message with which a query is refused.
fn refusal(query: &str) -> String {
    match parse(query) {
        Ok(read) => panic!("{query} is read as {read:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_belongs_there() {
    for (query, expected) in [
        (
            "",
            "character 1: expected {, which begins a spanset, found the end of the query",
        ),
        (
            "name = \"a\"",
            "character 1: expected {, which begins a spanset, found name",
        ),
        (
            "{ name = \"a\"",
            "character 13: expected &&, ||, or }, which ends the spanset, found the end",
        ),
        ("{ ä", "character 3: expected a field (name, duration"),
        (
            "{ foo.bar = 1 }",
            "expected a scope before the point: span, resource",
        ),
        (
            "{ .a = GET }",
            "character 8: expected a field (name, duration, status, kind, span:id",
        ),
        (
            "{ .a = \"b }",
            "character 8: expected the quotation mark that ends this text",
        ),
        ("{ .a = `b }", "character 8: expected the backquote"),
        ("{ .a = \"\\q\" }", "expected the escapes \\\""),
        ("{ . = 1 }", "expected the name of an attribute, found ' '"),
        (
            "{ .\"a\\n\" = 1 }",
            "only \\\" and \\\\ as escapes in a name",
        ),
        (
            "{ duration > 5 parsecs }",
            "character 16: expected &&, ||, or }",
        ),
        (
            "{ duration > 5parsecs }",
            "character 14: expected a number, or a duration such as 100ms",
        ),
        (
            "{ status = \"error\" }",
            "character 3: expected a comparison with error, ok or unset, found the string error",
        ),
        (
            "{ status > error }",
            "expected = or != with a status or kind, found >",
        ),
        ("{ kind = error }", "a comparison with server, client"),
        (
            "{ name = 5 }",
            "expected a comparison with a string, found the int 5",
        ),
        (
            "{ \"a\" = name && duration = \"1s\" }",
            "expected a comparison with a number or duration",
        ),
        (
            "{ duration =~ \"1s\" }",
            "expected a comparison with a number or duration, found a regular expression",
        ),
        (
            "{ .a =~ \"(\" }",
            "character 9: expected a regular expression, found \"(\": unclosed group",
        ),
        ("{ .a =~ 5 }", "a text with a regular expression"),
        (
            "{ name }",
            "expected a comparison, as = \"GET\" or != nil, found }",
        ),
        ("{ .a = 1 = 2 }", "one comparison has two sides, found ="),
        (
            "{ !.a = 1 }",
            "this sink does not answer comparisons of conditions",
        ),
        ("{ !name }", "expected ! before a condition in parentheses"),
        ("{ (.a = 1 }", "expected ), which ends this part, found }"),
        ("{ .a > nil }", "expected = or != with nil"),
        ("{ nil = nil }", "expected a field on one side of nil"),
        ("{ nil = 1 }", "expected a field on one side of nil"),
        (
            "{ .a = 1 } }",
            "character 12: expected the end of the query, found }",
        ),
        ("{ .a = 1 } x", "expected the end of the query, found x"),
        ("{ span:nme = \"a\" }", "found span:nme"),
        ("{ .a == 1 }", "expected a field, as span.http.route"),
        ("{ .a @ 1 }", "found '@'"),
    ] {
        let error = refusal(query);
        assert!(error.starts_with("TraceQL, character "), "{query}: {error}");
        assert!(error.contains(expected), "{query}: {error}");
    }
}

#[test]
fn a_query_without_bounds_is_refused_before_it_costs_anything() {
    let long = format!("{{ name = \"{}\" }}", "a".repeat(20_000));
    assert!(refusal(&long).contains("expected at most 16384 bytes, found 20013"));
    for deep in ["(", "!", "!("] {
        let query = format!("{{ {}", deep.repeat(5_000));
        assert!(refusal(&query).contains("more than 64 conditions in one another"));
    }
    let greedy = "{ .a =~ \"(((a{1000}){1000}){1000})\" }";
    assert!(
        refusal(greedy).contains("exceeds size limit"),
        "{}",
        refusal(greedy)
    );
}

#[test]
fn reads_durations_to_the_nanosecond() {
    for (text, nanos) in [
        ("1ns", 1),
        ("1.1s", 1_100_000_000),
        ("1.0000000019s", 1_000_000_001),
        (".5ms", 500_000),
        ("1h30m", 5_400_000_000_000),
        ("1d", 86_400_000_000_000),
        ("7µs", 7_000),
    ] {
        assert_eq!(duration(text), Some(nanos), "{text}");
    }
    for wrong in ["", "s", "5", "5x", "1s1", "999999999999h", "..s", ".s"] {
        assert_eq!(duration(wrong), None, "{wrong:?}");
    }
}

#[test]
fn indexes_are_asked_for_what_they_answer_and_never_for_less() {
    let planned = |query: &str| plan(&parse(query).unwrap());
    let whole = planned(
        "{ resource.service.name = \"shop\" && name = \"GET\" && 5ms < duration && duration <= 1s && kind = server \
         && status = error && .a = \"b\" && resource.c =~ \"d\" }",
    );
    assert_eq!(whole.query.service.as_deref(), Some("shop"));
    assert_eq!(whole.query.name.as_deref(), Some("GET"));
    assert_eq!(whole.query.min_duration.map(|it| it.as_millis()), Some(5));
    assert_eq!(
        whole.query.max_duration.map(|it| it.as_millis()),
        Some(1_000)
    );
    assert!(whole.query.kind.is_some() && whole.query.status.is_some());
    let needles: Vec<&[u8]> = whole.needles.iter().map(Vec::as_slice).collect();
    assert_eq!(needles, [&b"service.name"[..], b"shop", b"a", b"b", b"c"]);
    for open in [
        "{ name = \"a\" || name = \"b\" }",
        "{ !(name = \"a\") }",
        "{ .a = nil }",
        "{ status != error }",
        "{}",
    ] {
        assert_eq!(planned(open), Plan::default(), "{open}");
    }
    assert_eq!(
        planned("{ trace:id = \"1f\" }").trace_id.as_deref(),
        Some("1f")
    );
    // A span's own attribute of this name is no service.
    assert_eq!(planned("{ .service.name = \"a\" }").query.service, None);
}
