//! The cost of compression in instructions of the compiled guest, and its saving in bytes, by the size of the batch.

use std::time::{Duration, Instant};

use sidespan_host::{EndOfStream, Ending, Headers, Host, StreamProperties};

use sidespan_tests::readme;

use super::metered;

#[test]
fn compression_pays_from_a_few_spans_on() {
    let mut table = String::from(
        "| spans in a batch | size with gzip | instructions more a span | instructions of its request |\n|---|---|---|---|\n",
    );
    for spans in [1_usize, 8, 64, 512] {
        let [plain, small] = ["none", "gzip"].map(|compression| Export::of(compression, spans));
        let count = u64::try_from(spans).expect("a number");
        let more = small.instructions.saturating_sub(plain.instructions) / count;
        println!(
            "{spans} spans: {} bytes, {} with gzip; a span {more} instructions more, beside {} for its request; \
             the batch leaves in {:?}, with gzip in {:?}",
            plain.bytes, small.bytes, plain.request, plain.time, small.time,
        );
        // Rounded, so that a small change of a span's attributes does not change the table.
        let percent = (small.bytes * 20 + plain.bytes / 2) / plain.bytes * 5;
        let row = format!(
            "| {spans} | {percent} % | {} | {} |\n",
            rounded(more),
            rounded(plain.request)
        );
        table.push_str(&row);
        if spans >= 8 {
            assert!(small.bytes * 2 < plain.bytes, "{spans}");
        }
        if spans >= 64 {
            assert!(more < MOST_A_SPAN, "{spans}: {more} instructions");
        }
    }
    readme::documents("the cost of compression", &table);
}

/// The instructions that compressing one of many spans may take: less than three requests.
const MOST_A_SPAN: u64 = 45_000;

/// Rounds to one digit, in thousands.
fn rounded(number: u64) -> String {
    let unit = 10_u64.pow(number.max(1).ilog10());
    format!("{},000", (number + unit / 2) / unit * unit / 1_000)
}

/// One exported batch, and what it cost.
struct Export {
    bytes: usize,
    instructions: u64,
    time: Duration,
    // Instructions from a request's headers to the end of its span.
    request: u64,
}

impl Export {
    fn of(compression: &str, spans: usize) -> Self {
        let configuration = format!(
            r#"{{
                "sampling": {{"percentage": 100}},
                "export": {{
                    "otlp": {{"cluster": "collector", "compression": "{compression}"}},
                    "batch": {{"maxSpans": {spans}, "maxDelay": "60s"}}
                }}
            }}"#
        );
        let mut host = Host::builder(metered())
            .plugin_name("sidespan")
            .plugin_configuration(configuration)
            .property(["xds", "node", "metadata", "NAMESPACE"], "payments")
            .property(["xds", "node", "metadata", "WORKLOAD_NAME"], "cart")
            .property(["xds", "node", "metadata", "NAME"], "cart-7d9c5b8f6-x2x4z")
            .cluster("collector")
            .start()
            .unwrap_or_else(|error| panic!("{error}"));
        let before = used(&host);
        for number in 0..spans {
            request(&mut host, number);
        }
        let request = (used(&host) - before) / u64::try_from(spans).expect("a number");
        let (before, start) = (used(&host), Instant::now());
        // The tick that a full batch has requested.
        host.advance(Duration::from_millis(1));
        let time = start.elapsed();
        let calls = host.calls();
        assert_eq!(calls.len(), 1, "{compression} {spans}");
        Self {
            bytes: calls[0].body.len(),
            instructions: used(&host) - before,
            time,
            request,
        }
    }
}

fn used(host: &Host) -> u64 {
    host.fuel_used().expect("a metered module")
}

/// Runs one request of many that all differ in ids, paths, clients and responses, as in a shop.
fn request(host: &mut Host, number: usize) {
    let agents = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5",
        "okhttp/4.12.0",
    ];
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let path = match number % 3 {
        0 => format!("/api/v1/cart/{}?currency=EUR", mixed % 100_000),
        1 => format!("/api/v1/orders/{mixed:016x}/items"),
        _ => format!("/search?q={}", mixed % 9_973),
    };
    let method = if number % 4 == 3 { "POST" } else { "GET" };
    let status = if number % 20 == 19 { "503" } else { "200" };
    let client = format!("203.0.113.{}", mixed % 250);
    let (trace, parent) = (mixed.rotate_left(17), mixed.rotate_left(31) | 1);
    let parent = format!("00-{trace:016x}{mixed:016x}-{parent:016x}-01");
    let headers = Headers::from([
        (":method", method),
        (":scheme", "https"),
        (":authority", "shop.example"),
        (":path", &path),
        ("user-agent", agents[mixed % 3]),
        ("x-forwarded-for", &client),
        ("traceparent", &parent),
    ]);
    let stream = host.open_stream(StreamProperties::new().listener_direction(1));
    let _ = host.request_headers(stream, headers, EndOfStream::Yes);
    let _ = host.response_headers(stream, [(":status", status)], EndOfStream::Yes);
    host.end(stream, Ending::Complete).expect("one end");
}
