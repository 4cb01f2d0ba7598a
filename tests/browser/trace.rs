//! A trace: its rows, figures and details are those of the spans that were sent.

use serde_json::json;

use super::driver::{browse, sink};
use super::spans::{checkout, send, trace_id};

#[tokio::test(flavor = "multi_thread")]
async fn shows_every_span_with_its_times_and_where_the_error_began() {
    let sink = sink().await;
    send(&sink, &checkout(1, 0)).await;
    let expected = json!({
        "trace": trace_id(1), "spans": 11, "services": 5, "errors": 5,
        "duration": 412_000_000_u64,
        // Four hops are one row each.
        "joined": 7,
        "began": format!("{:016x}", 8),
        // 301 ms, of which 120 ms are the charge's and 60 ms the ledger's.
        "pay": {"duration": 301_000_000_u64, "self": 121_000_000_u64},
    });
    browse("trace", &sink, expected).await;
}
