//! What arrives while one looks: into an empty sink, above a list that is read, and behind a token.

use serde_json::{Value, json};
use sidespan_sink::{Access, Sink, SinkConfig};

use super::driver::{browse, sink};
use super::spans::{CLIENT, Made, SERVER, body, checkout, send, trace_id};

/// Returns requests with one trace each, for the script to send.
fn later(numbers: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    numbers
        .map(|number| {
            let times = (number * 1_000_000, number * 1_000_000 + 5_000);
            body(&[Made::new(
                (number, 1, 0),
                ("late", "GET /late", SERVER),
                times,
            )])
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_says_how_spans_come_and_shows_the_first() {
    let sink = sink().await;
    let given =
        json!({"later": later(1..=1), "trace": trace_id(1), "http": sink.http_addr().to_string()});
    browse("empty", &sink, given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_traces_do_not_move_what_is_read() {
    let sink = sink().await;
    let spans: Vec<Made> = (1..=200_u64)
        .map(|number| {
            let times = (number * 1_000, number * 1_000 + 500);
            Made::new((number, 1, 0), ("front", "GET /", SERVER), times)
        })
        .collect();
    send(&sink, &spans).await;
    let given = json!({"later": later(301..=312), "before": 200, "after": 212});
    browse("live", &sink, given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_an_open_trace_unfold_nothing() {
    let sink = sink().await;
    send(&sink, &checkout(99, 60_000_000)).await;
    // It starts before the folded hop, so that every row behind it is another one than before.
    let late = |id| {
        let times = (60_001_000, 60_001_500);
        let span = Made::new((99, id, 1), ("gateway", "GET", CLIENT), times);
        body(&[span])
    };
    let given = json!({
        "later": [late(12), late(13)], "trace": trace_id(99), "front": format!("{:016x}", 3),
    });
    browse("folded", &sink, given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_once_and_opens_everything() {
    let access = Access {
        token: Some("open-sesame".parse().expect("a token")),
        origins: vec![],
    };
    let config = SinkConfig {
        access,
        ..SinkConfig::default()
    };
    let sink = Sink::start(config).await.expect("free ports");
    let given = json!({"later": later(1..=2), "token": "open-sesame", "trace": trace_id(1)});
    browse("token", &sink, given).await;
}
