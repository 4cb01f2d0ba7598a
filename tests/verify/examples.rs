//! The examples of expectations in the harness's README: each holds for a checkout, and fails for a checkout with one change.

use std::fs;
use std::path::Path;

use super::program::verify_of;
use super::spans::{Span, checkout, lines, span};

/// A change of the spans.
type Change = fn(Vec<Span>) -> Vec<Span>;

/// The examples in their order, by words that each has, and for each a change that breaks it.
const CHANGES: [(&str, Change); 10] = [
    ("status: error}", without_pay),
    ("sidespan.kept: null", |spans| {
        with(spans, 4, |span| span.with("sidespan.kept", &"error".into()))
    }),
    ("not: /", |spans| {
        with(spans, 2, |span| {
            span.named("GET /").with("url.path", &"/".into())
        })
    }),
    ("hops: [front -> cart, front -> pay]", without_pay),
    ("count: 2", |spans| {
        and(spans, span("front", 3, (1, 9, 1), (11, 12)))
    }),
    ("absent:\n  - {attributes", |spans| {
        with(spans, 0, |span| {
            span.with("url.query", &"a=b&token=c".into())
        })
    }),
    ("a checkout that pay failed", |spans| {
        with(spans, 2, Span::failed)
    }),
    ("parent: null", |spans| spans.into_iter().skip(1).collect()),
    ("maxDuration", |spans| {
        and(spans, span("cart", 2, (1, 9, 2), (15, 2_500)))
    }),
    ("size:", |spans| spans.into_iter().skip(1).collect()),
];

fn without_pay(mut spans: Vec<Span>) -> Vec<Span> {
    spans.truncate(4);
    spans
}

fn and(mut spans: Vec<Span>, span: Span) -> Vec<Span> {
    spans.push(span);
    spans
}

fn with(mut spans: Vec<Span>, at: usize, change: impl Fn(Span) -> Span) -> Vec<Span> {
    spans[at] = change(spans[at].clone());
    spans
}

/// Returns the YAML behind each mark.
fn examples() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = tests.with_file_name("harness").join("README.md");
    let readme = fs::read_to_string(readme).expect("the harness's README");
    let parts = readme.split("<!-- expectation -->\n```yaml\n").skip(1);
    let yaml = parts.map(|part| part.split("```").next().unwrap_or_default().to_owned());
    yaml.collect()
}

#[test]
fn each_example_holds_and_can_fail() {
    let examples = examples();
    assert_eq!(examples.len(), CHANGES.len());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("expect.yaml");
    for (example, (words, change)) in examples.iter().zip(CHANGES) {
        assert!(example.contains(words), "{words}: {example}");
        fs::write(&file, example).expect("a file");
        let arguments = ["--from", "-", "--expect", file.to_str().expect("text")];
        let held = verify_of(&arguments, &lines(&checkout()));
        assert_eq!(held.code, Some(0), "{example}: {held:?}");
        let failed = verify_of(&arguments, &lines(&change(checkout())));
        assert_eq!(failed.code, Some(1), "{example}: {failed:?}");
        assert!(
            failed.out.contains("not as expected: "),
            "{example}: {failed:?}"
        );
    }
}

#[test]
fn a_failure_names_the_nearest_span() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("expect.yaml");
    fs::write(
        &file,
        "spans: [{service: pay, kind: server, attributes: {http.response.status_code: 200}}]",
    )
    .expect("a file");
    let ended = verify_of(
        &["--from", "-", "--expect", file.to_str().expect("text")],
        &lines(&checkout()),
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in [
        "not as expected: spans[0]",
        "the nearest, pay SERVER POST /pay, has http.response.status_code 503 instead of 200",
        "0 of 1 expectation met",
    ] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    fs::write(&file, "spans:\n  - {servce: pay}\n").expect("a file");
    let ended = verify_of(
        &["--from", "-", "--expect", file.to_str().expect("text")],
        "",
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("expect.yaml:2:"), "{}", ended.errors);
}
