//! Looks: both themes, a phone's width, and pictures of all of it below `target/pictures`.

use serde_json::json;

use super::driver::{browse, sink};
use super::spans::{Made, SERVER, checkout, send, trace_id};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_readable_in_both_themes_and_on_a_phone() {
    let sink = sink().await;
    let mut spans = Vec::new();
    for number in 1..=120_u64 {
        let at = number * 7_300_000;
        if number % 9 == 0 {
            spans.extend(checkout(number, at));
        } else {
            let long = 9_000 + number * 7_919 % 83_000;
            spans.push(Made::new(
                (number, 1, 0),
                ("gateway", &format!("GET /items/{}", number % 5), SERVER),
                (at, at + long),
            ));
            let below = (at + 1_000, at + long - 500);
            spans.push(Made::new(
                (number, 2, 1),
                ("front", "GET /items/{id}", SERVER),
                below,
            ));
        }
    }
    spans.push(Made::new(
        (300, 2, 1),
        ("cart", "GET /orders", SERVER),
        (870_000_000, 870_090_000),
    ));
    send(&sink, &spans).await;
    let expected = json!({"trace": trace_id(117), "pay": format!("{:016x}", 8), "long": "412 ms"});
    browse("looks", &sink, expected).await;
}
