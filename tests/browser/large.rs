//! Size: 10,000 traces and a trace of 20,000 spans, without a task of the main thread that one would feel.

use serde_json::json;
use sidespan_sink::{Limits, Sink, SinkConfig};

use super::driver::browse;
use super::spans::{INTERNAL, Made, SERVER, send, trace_id};

const TRACES: u64 = 10_000;
const SPANS: u64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn stays_quick_with_a_list_of_10_000_and_a_trace_of_20_000() {
    let sink = Sink::start(SinkConfig {
        limits: Limits::default(),
        ..SinkConfig::default()
    });
    let sink = sink.await.expect("free ports");
    let mut spans = Vec::new();
    for number in 1..TRACES {
        let at = number * 250_000;
        let long = 1_000 + number * 7_919 % 300_000;
        let (service, name) = (
            format!("svc-{}", number % 9),
            format!("GET /item/{}", number % 40),
        );
        let root = Made::new((number, 1, 0), (&service, &name, SERVER), (at, at + long));
        spans.push(if number % 50 == 0 {
            root.fails("no")
        } else {
            root
        });
        spans.push(Made::new(
            (number, 2, 1),
            ("store", "SELECT", INTERNAL),
            (at + 10, at + long / 2 + 10),
        ));
    }
    let large = TRACES;
    for number in 1..=SPANS {
        let parent = number / 3;
        let start = number * 40;
        let service = format!("svc-{}", number % 12);
        let name = format!("step {}", number % 60);
        let span = Made::new(
            (large, number, parent),
            (&service, &name, INTERNAL),
            (start, start + 20 + (SPANS - number) * 30),
        )
        .with("http.route", "/steps/{step}")
        .with("some.key", &format!("value-{number}"));
        spans.push(if number % 997 == 0 {
            span.fails("no")
        } else {
            span
        });
    }
    send(&sink, &spans).await;
    let name = |of: u64| (1..TRACES).filter(|number| number % 40 == of).count();
    let service = |of: u64| {
        let plain = (1..TRACES).filter(|number| number % 9 == of).count();
        // The large trace has every service.
        plain + 1
    };
    let digits = |number: usize| match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", number / 1_000, number % 1_000),
    };
    let figures = browse(
        "large",
        &sink,
        json!({
            "tracesSaid": "10,000",
            "typedSaid": digits(name(17)),
            "serviceSaid": digits(service(3)),
            "trace": trace_id(large), "spans": SPANS, "errors": SPANS / 997,
            // 1999, and 19990 to 19999.
            "found": 11,
        }),
    );
    println!("{:#}", figures.await);
}
