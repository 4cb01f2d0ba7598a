//! Hands: every part by pointer, every screen by keyboard alone.

use serde_json::json;

use super::driver::{browse, sink};
use super::spans::{Made, SERVER, checkout, send, trace_id};

async fn filled() -> sidespan_sink::Sink {
    let sink = sink().await;
    let mut spans = Vec::new();
    for number in 1..=40_u64 {
        spans.push(Made::new(
            (number, 1, 0),
            ("front", &format!("GET /item/{number}"), SERVER),
            (
                number * 1_000_000,
                number * 1_000_000 + 2_000 + number * 100,
            ),
        ));
    }
    spans.extend(checkout(99, 60_000_000));
    send(&sink, &spans).await;
    sink
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_reaches_everything() {
    let sink = filled().await;
    let expected = json!({
        "trace": trace_id(99), "second": trace_id(40), "traces": 41,
        "pay": format!("{:016x}", 8), "front": format!("{:016x}", 3),
    });
    browse("keyboard", &sink, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_does_what_it_says() {
    let sink = filled().await;
    let expected = json!({
        "trace": trace_id(99), "pay": format!("{:016x}", 8), "cart": format!("{:016x}", 5),
        "select": format!("{:016x}", 6), "traces": 41, "spans": 11,
    });
    browse("parts", &sink, expected).await;
    assert!(sink.spans().is_empty(), "the last click clears the sink");
}
