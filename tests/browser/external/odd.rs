//! Traces that are odd: without their root, with wrong clocks, in circles; and texts that are no plain words.

use serde_json::json;

use super::driver::{browse, sink};
use super::spans::{CLIENT, INTERNAL, Made, SERVER, send, trace_id};

#[tokio::test(flavor = "multi_thread")]
async fn broken_skewed_and_circular_traces_are_shown_as_they_are() {
    let sink = sink().await;
    let spans = [
        // The parent of 3 was never received.
        Made::new((1, 1, 0), ("gateway", "GET /", SERVER), (0, 90_000)),
        Made::new((1, 3, 2), ("cart", "GET /cart", SERVER), (10_000, 60_000)),
        Made::new((1, 4, 3), ("cart", "SELECT", CLIENT), (20_000, 30_000)),
        // The server's clock is 5 ms behind.
        Made::new((2, 1, 0), ("front", "GET", CLIENT), (50_000, 90_000)),
        Made::new((2, 2, 1), ("cart", "GET /cart", SERVER), (45_000, 80_000)),
        // Each is the other's parent.
        Made::new((3, 1, 2), ("a", "one", INTERNAL), (0, 10_000)),
        Made::new((3, 2, 1), ("b", "two", INTERNAL), (1_000, 9_000)),
        // Of two at once, the one that ends later is waited for.
        Made::new((4, 1, 0), ("front", "GET /", SERVER), (0, 100_000)),
        Made::new((4, 2, 1), ("front", "short", INTERNAL), (10_000, 50_000)),
        Made::new((4, 3, 1), ("front", "long", INTERNAL), (20_000, 90_000)),
        // Links one to another trace.
        Made::new((5, 1, 0), ("front", "again", SERVER), (0, 1_000)).set(
            "links",
            json!([{"traceId": trace_id(4), "spanId": format!("{:016x}", 3)}]),
        ),
    ];
    send(&sink, &spans).await;
    let id = |number: u64| format!("{number:016x}");
    browse(
        "odd",
        &sink,
        json!({
            "broken": trace_id(1), "missing": id(2), "orphan": id(3),
            "skewed": trace_id(2), "early": "5.0 ms",
            "circle": trace_id(3),
            "parallel": trace_id(4), "path": [id(1), id(3)], "long": id(3),
            "linking": trace_id(5),
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_spans_are_texts() {
    let sink = sink().await;
    let markup = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>";
    let long = "long ".repeat(2_048);
    let names = [
        markup,
        "طلب \u{202e}GET /cart",
        "👩‍👩‍👧 family",
        &long,
        "${7*7} {{7*7}}",
        "a\nb\u{0}c",
    ];
    let mut spans = Vec::new();
    for (number, name) in (1_u64..).zip(names) {
        spans.push(
            Made::new(
                (number, 1, 0),
                (name, name, SERVER),
                (number * 1_000, number * 1_000 + 500),
            )
            .with(name, name)
            .with("script", "javascript:alert(1)")
            .with("web", "https://example.org/a?b=c")
            .fails(name),
        );
    }
    send(&sink, &spans).await;
    let ids: Vec<String> = (1..=6).map(trace_id).collect();
    browse("texts", &sink, json!({"names": names, "traces": ids})).await;
}
