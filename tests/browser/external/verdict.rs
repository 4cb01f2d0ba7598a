//! The verdict: what the trace's screen says is what `sidespan verify` finds, and the rows of the hop are marked.

use serde_json::json;

use super::driver::{browse, sink};
use super::spans::{CLIENT, Made, SERVER, send, trace_id};

#[tokio::test(flavor = "multi_thread")]
async fn names_the_hop_that_broke_and_why() {
    let sink = sink().await;
    let whole = |trace, id, parent, service, kind, start: u64, end: u64| {
        Made::new((trace, id, parent), (service, "GET /", kind), (start, end))
    };
    // The gateway's call to front goes on; front's call to pay has nothing below it, and pay begins a trace meanwhile.
    send(
        &sink,
        &[
            whole(1, 1, 0, "gateway", SERVER, 0, 100_000),
            whole(1, 2, 1, "gateway", CLIENT, 1_000, 99_000),
            whole(1, 3, 2, "front", SERVER, 2_000, 98_000),
            whole(1, 4, 3, "front", CLIENT, 10_000, 60_000).with("service.peer.name", "pay"),
            whole(2, 5, 0, "pay", SERVER, 11_000, 59_000),
            whole(3, 6, 0, "gateway", SERVER, 500_000, 600_000),
        ],
    )
    .await;
    let given = json!({
        "broken": trace_id(1), "whole": trace_id(3),
        "from": "front", "to": "pay", "call": format!("{:016x}", 4),
    });
    browse("verdict", &sink, given).await;
}
