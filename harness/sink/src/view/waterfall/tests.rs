use std::sync::Arc;

use super::*;
use crate::store::samples::span;
use crate::store::{Attribute, Resource, SpanStatus, StatusCode};

fn plain(width: usize) -> Options {
    Options {
        width,
        paint: Paint::Plain,
    }
}

fn of(service: &str, id: &str, parent: Option<&str>, times: (u64, u64)) -> StoredSpan {
    StoredSpan {
        resource: Arc::new(Resource {
            attributes: vec![Attribute {
                key: "service.name".into(),
                value: service.into(),
            }],
            ..Resource::default()
        }),
        start_unix_nanos: 1_700_000_000_000_000_000 + times.0,
        end_unix_nanos: 1_700_000_000_000_000_000 + times.1,
        ..span(id, parent)
    }
}

fn shop() -> Vec<StoredSpan> {
    let mut spans = vec![
        of("stock", "4", Some("3"), (5_000_000, 9_000_000)),
        of("orders", "3", Some("1"), (4_000_000, 20_000_000)),
        of("web", "1", None, (0, 20_000_000)),
        of("cart", "2", Some("1"), (1_000_000, 3_000_000)),
    ];
    spans[3].kind = SpanKind::Client;
    spans[3].status = SpanStatus {
        code: StatusCode::Error,
        message: "boom".into(),
    };
    spans
}

#[test]
fn draws_the_tree_and_the_time_of_a_trace() {
    let expected = "\
trace aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
4 spans, 4 services, 20.0ms, 1 error
service   name   kind       took 0                20.0ms
web       span 1 SERVER   20.0ms =======================
|-cart    span 2 CLIENT !  2.0ms  ==
`-orders  span 3 SERVER   16.0ms     ==================
  `-stock span 4 SERVER    4.0ms      ====
";
    assert_eq!(render(&shop(), plain(56)), expected);
}

#[test]
fn kept_spans_are_in_sight_without_colour() {
    let mut spans = shop();
    let reasons = [(3, "error"), (1, "callee"), (2, "\u{1b}[2J")];
    for (index, reason) in reasons {
        spans[index].attributes.push(Attribute {
            key: "sidespan.kept".into(),
            value: reason.into(),
        });
    }
    let expected = "\
trace aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
4 spans, 4 services, 20.0ms, 1 error, 3 kept* (error, callee, another reason)
service   name   kind        took 0                                       20.0ms
web       span 1 SERVER  * 20.0ms ==============================================
|-cart    span 2 CLIENT !*  2.0ms   ====
`-orders  span 3 SERVER  * 16.0ms          ====================================
  `-stock span 4 SERVER     4.0ms            =========
";
    assert_eq!(render(&spans, plain(80)), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut spans = shop();
    spans[0].name = "日本語".repeat(40);
    spans[1].resource = of(&"long-".repeat(30), "3", None, (0, 1)).resource;
    for width in 40..200 {
        for line in render(&spans, plain(width)).lines() {
            assert!(width_of(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn shows_what_is_broken_instead_of_hiding_it() {
    let spans = [
        of("web", "1", None, (0, 100)),
        of("a", "2", Some("f"), (10, 20)),
        of("b", "3", Some("f"), (20, 30)),
        of("c", "4", Some("5"), (30, 40)),
        of("d", "5", Some("4"), (40, 50)),
    ];
    let text = render(&spans, plain(80));
    let starts: Vec<&str> = text
        .lines()
        .skip(2)
        .map(|line| line.split("  ").next().unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            "web",
            "? span 000000000000000f is missing",
            "a",
            "b",
            "? a circle: the next span is its own ancestor",
            "c",
            "`-d",
        ]
    );
}

#[test]
fn names_of_strangers_cannot_write_to_the_terminal() {
    let mut spans = shop();
    spans[2].name = "GET \u{1b}[2J\r\n/\u{202e}x".into();
    let text = render(&spans, plain(100));
    assert!(text.contains("GET ?[2J??/?x"), "{text}");
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn plain_is_ascii_and_colour_is_the_same_table_in_colour() {
    let text = render(&shop(), plain(80));
    assert!(text.is_ascii());
    let colour = Options {
        width: 80,
        paint: Paint::Colour,
    };
    let painted = render(&shop(), colour);
    assert!(painted.contains("\u{1b}["));
    assert!(painted.contains("├─cart"));
    assert_eq!(painted.lines().count(), text.lines().count());
}

#[test]
fn a_deep_chain_stays_readable() {
    let chain: Vec<StoredSpan> = (1..=40u64)
        .map(|n| {
            let parent = (n > 1).then(|| format!("{:x}", n - 1));
            of("web", &format!("{n:x}"), parent.as_deref(), (n, 100))
        })
        .collect();
    let text = render(&chain, plain(100));
    assert!(
        text.lines().last().unwrap().starts_with(">39 web"),
        "{text}"
    );
}

#[test]
fn draws_spans_without_times_and_with_times_that_run_backwards() {
    let mut spans = shop();
    spans[0].start_unix_nanos = 0;
    spans[0].end_unix_nanos = 0;
    spans[1].end_unix_nanos = 1;
    let text = render(&spans, plain(80));
    assert!(text.contains("20.0ms"), "the axis ignores them: {text}");
    assert_eq!(render::<StoredSpan>(&[], plain(80)), "");
}

#[test]
fn draws_each_trace_by_itself() {
    let mut spans = shop();
    spans[0].trace_id = "b".repeat(32);
    let text = render(&spans, plain(80));
    let titles = text
        .lines()
        .filter(|line| line.starts_with("trace "))
        .count();
    assert_eq!(titles, 2);
}
