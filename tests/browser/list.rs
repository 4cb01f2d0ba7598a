//! The list: its rows and figures are those of the traces that were sent.

use serde_json::json;

use super::driver::{browse, sink};
use super::spans::{Made, SERVER, checkout, said, send, trace_id};

#[tokio::test(flavor = "multi_thread")]
async fn shows_what_was_sent_and_finds_in_it() {
    let sink = sink().await;
    let mut spans = Vec::new();
    let mut durations = Vec::new();
    // Sixty plain traces of different lengths, ten seconds apart, and three checkouts that fail.
    for number in 1..=60_u64 {
        let long = 3_000 + number * 1_700;
        durations.push(long * 1_000);
        spans.push(
            Made::new(
                (number, 1, 0),
                ("front", &format!("GET /item/{number}"), SERVER),
                (number * 10_000_000, number * 10_000_000 + long),
            )
            .with("http.route", if number % 2 == 0 { "/even" } else { "/odd" }),
        );
    }
    for number in 101..=103_u64 {
        durations.push(412_000_000);
        spans.extend(checkout(number, number * 10_000_000));
    }
    // Broken: its parent never comes.
    durations.push(5_000_000);
    spans.push(Made::new(
        (200, 2, 1),
        ("cart", "GET /orders", SERVER),
        (1, 5_001),
    ));
    send(&sink, &spans).await;
    durations.sort_unstable();
    // Nearest rank: the least of which no smaller share lies below.
    let percentile = |share: usize| durations[(durations.len() * share).div_ceil(100) - 1];
    let expected = json!({
        "traces": 64, "failed": 3,
        "p50": percentile(50), "p50Said": said(percentile(50)),
        "p99": percentile(99), "p99Said": said(percentile(99)),
        "newest": trace_id(103), "oldest": trace_id(200),
        "services": {"cart": 4, "front": 63, "gateway": 3, "ledger": 3, "pay": 3},
        "even": 30,
    });
    browse("list", &sink, expected).await;
}
