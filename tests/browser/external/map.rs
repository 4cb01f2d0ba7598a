//! The map: its rates, errors, percentiles and edges are those of the requests that were made.
//!
//! The requests are made first, and their spans of them, as sidecars and SDKs write them; what the map must show is counted over
//! the requests, and knows nothing of spans.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::driver::{browse, sink};
use super::spans::{CLIENT, Made, NOON, SERVER, body, said, send};

const PRODUCER: u32 = 4;
const CONSUMER: u32 = 5;

/// A request that was made: by whom, to whom, how long it took for each, and how it ended.
struct Request {
    from: Option<&'static str>,
    to: &'static str,
    /// The caller's and the receiver's durations, in microseconds; `None` where the receiver writes no spans.
    took: (u64, Option<u64>),
    fails: bool,
    /// The times that it was received, and how many of them failed.
    received: (u64, u64),
}

/// The traces in the making.
#[derive(Default)]
struct Mesh {
    spans: Vec<Made>,
    requests: Vec<Request>,
    trace: u64,
    last: u64,
}

impl Mesh {
    fn span(
        &mut self,
        above: u64,
        who: (&str, &str, u32),
        start: u64,
        long: u64,
    ) -> (u64, &mut Made) {
        self.last += 1;
        let ids = (self.trace, self.last, above);
        self.spans.push(Made::new(ids, who, (start, start + long)));
        let last = self.spans.last_mut().expect("a span");
        (self.last, last)
    }

    /// A request that its receiver sees: by sidecars alone, or by SDKs as well. Returns the receiver's lowest span.
    fn call(
        &mut self,
        above: u64,
        from: &'static str,
        to: &'static str,
        at: (u64, u64),
        sdks: bool,
        fails: bool,
    ) -> u64 {
        let (start, long) = at;
        let mut above = above;
        let mut step = 0;
        let mut seen = |mesh: &mut Self, who, kind| {
            let (id, span) = mesh.span(
                above,
                (who, "GET /", kind),
                start + step * 100,
                long - step * 200,
            );
            if fails {
                *span = span.clone().fails("503");
            }
            above = id;
            step += 1;
        };
        if sdks {
            seen(self, from, CLIENT);
        }
        seen(self, from, CLIENT);
        seen(self, to, SERVER);
        if sdks {
            seen(self, to, SERVER);
        }
        let received = long - if sdks { 400 } else { 200 };
        self.requests.push(Request {
            from: Some(from),
            to,
            took: (long, Some(received)),
            fails,
            received: (1, u64::from(fails)),
        });
        above
    }

    /// A request to something that writes no spans.
    fn call_out(
        &mut self,
        above: u64,
        from: &'static str,
        (to, key, name): (&'static str, &str, &str),
        at: (u64, u64),
        fails: bool,
    ) {
        let (_, span) = self.span(above, (from, "call", CLIENT), at.0, at.1);
        *span = span.clone().with(key, name);
        if key == "db.system.name" {
            *span = span.clone().with("db.namespace", "shop");
        }
        if fails {
            *span = span.clone().fails("timeout");
        }
        self.requests.push(Request {
            from: Some(from),
            to,
            took: (at.1, None),
            fails,
            received: (1, u64::from(fails)),
        });
    }

    /// A request that fails at first and is sent again; each try is received.
    fn call_twice(
        &mut self,
        above: u64,
        from: &'static str,
        to: &'static str,
        (start, long): (u64, u64),
    ) {
        let (first, span) = self.span(above, (from, "GET /", CLIENT), start, 1_000);
        *span = span.clone().fails("503");
        let (_, span) = self.span(first, (to, "GET /", SERVER), start + 100, 800);
        *span = span.clone().fails("503");
        let (second, span) = self.span(above, (from, "GET /", CLIENT), start + 2_000, long - 2_000);
        *span = span.clone().set(
            "attributes",
            json!([{"key": "http.request.resend_count", "value": {"intValue": "1"}}]),
        );
        self.span(second, (to, "GET /", SERVER), start + 2_100, long - 2_200);
        self.requests.push(Request {
            from: Some(from),
            to,
            took: (long, Some(long - 2_200)),
            fails: false,
            received: (2, 1),
        });
        // The first try, for the receiver.
        self.requests.push(Request {
            from: None,
            to,
            took: (0, Some(800)),
            fails: true,
            received: (0, 0),
        });
    }

    fn trace(&mut self, number: u64) {
        (self.trace, self.last) = (number, 0);
        let at = number * 1_000_000;
        let (odd, fails) = (number % 2 == 1, number.is_multiple_of(8));
        let long = 200_000 + number * 997;
        let (root, span) = self.span(0, ("gateway", "GET /checkout", SERVER), at, long);
        if fails {
            *span = span.clone().fails("503");
        }
        self.requests.push(Request {
            from: None,
            to: "gateway",
            took: (0, Some(long)),
            fails,
            received: (1, u64::from(fails)),
        });
        let front = self.call(
            root,
            "gateway",
            "front",
            (at + 1_000, long - 5_000),
            !odd,
            fails,
        );
        for nth in 0..2 {
            let cart = self.call(
                front,
                "front",
                "cart",
                (at + 5_000 + nth * 20_000, 10_000 + number * 13 + nth),
                odd,
                false,
            );
            self.call_out(
                cart,
                "cart",
                ("postgresql shop", "db.system.name", "postgresql"),
                (at + 6_000 + nth * 20_000, 3_000 + number),
                false,
            );
        }
        if number.is_multiple_of(5) {
            self.call_twice(front, "front", "pay", (at + 60_000, 30_000 + number * 101));
        } else {
            let pay = self.call(
                front,
                "front",
                "pay",
                (at + 60_000, 90_000 + number * 101),
                true,
                fails,
            );
            self.call_out(
                pay,
                "pay",
                ("cards.example", "server.address", "cards.example"),
                (at + 62_000, 40_000 + number * 31),
                fails,
            );
        }
        if number.is_multiple_of(4) {
            self.call(
                front,
                "front",
                "front",
                (at + 160_000, 4_000 + number),
                true,
                false,
            );
        }
        let (sent, _) = self.span(
            front,
            ("front", "orders publish", PRODUCER),
            at + 170_000,
            500,
        );
        self.span(
            sent,
            ("shipping", "orders process", CONSUMER),
            at + 180_000,
            7_000 + number * 3,
        );
        self.requests.push(Request {
            from: Some("front"),
            to: "shipping",
            took: (7_000 + number * 3, Some(7_000 + number * 3)),
            fails: false,
            received: (1, 0),
        });
    }
}

/// Durations in microseconds and errors.
#[derive(Default)]
struct Counted {
    durations: Vec<u64>,
    errors: u64,
    tries: u64,
}

impl Counted {
    fn json(&mut self) -> Value {
        self.durations.sort_unstable();
        let total = self.durations.len();
        // Nearest rank, counted: the least duration that so many of a hundred do not exceed.
        let percentile = |share: usize| {
            let enough = |one: &&u64| {
                self.durations.iter().filter(|it| it <= one).count() * 100 >= share * total
            };
            self.durations
                .iter()
                .find(enough)
                .copied()
                .unwrap_or_default()
                * 1_000
        };
        let (p50, p99) = (percentile(50), percentile(99));
        // Ten minutes are asked for.
        let a_minute = total
            .is_multiple_of(10)
            .then(|| format!("{}/min", total / 10));
        let rate = match total >= 600 {
            true => Some(format!(
                "{:.1}/s",
                f64::from(u32::try_from(total).expect("few")) / 600.0
            )),
            false => a_minute,
        };
        json!({
            "requests": total, "errors": self.errors, "p50": p50, "p99": p99, "tries": self.tries, "p99Said": said(p99),
            "rate": rate,
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_every_request_once() {
    let sink = sink().await;
    let mut mesh = Mesh::default();
    for number in 1..=40 {
        mesh.trace(number);
    }
    send(&sink, &mesh.spans).await;
    let mut edges: BTreeMap<(&str, &str), Counted> = BTreeMap::new();
    let mut nodes: BTreeMap<&str, Counted> = BTreeMap::new();
    for request in &mesh.requests {
        if let Some(from) = request.from {
            let edge = edges.entry((from, request.to)).or_default();
            edge.durations.push(request.took.0);
            edge.errors += u64::from(request.fails);
            edge.tries += request.received.0;
        }
        let node = nodes.entry(request.to).or_default();
        node.durations
            .push(request.took.1.unwrap_or(request.took.0));
        node.errors += u64::from(request.fails);
    }
    let edges: Vec<Value> = edges
        .iter_mut()
        .map(|((from, to), counted)| json!({"from": from, "to": to, "is": counted.json()}))
        .collect();
    let nodes: Vec<Value> = nodes
        .iter_mut()
        .map(|(service, counted)| json!({"service": service, "is": counted.json()}))
        .collect();
    assert_eq!(
        (edges.len(), nodes.len()),
        (7, 7),
        "the requests that were made"
    );
    // One trace more, which the script sends while it looks.
    let mut later = Mesh::default();
    later.trace(41);
    let given = json!({
        "edges": edges, "nodes": nodes, "traces": 40,
        "failedInPay": (1..=40_u64).filter(|it| it.is_multiple_of(5) || it.is_multiple_of(8)).count(),
        "later": body(&later.spans),
        "noon": NOON / 1_000_000,
    });
    browse("map", &sink, given).await;
}
