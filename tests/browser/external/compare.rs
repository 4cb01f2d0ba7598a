//! The comparison: its differences are those of the two traces that were sent, and its medians those of their like.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::driver::{browse, sink};
use super::spans::{CLIENT, INTERNAL, Made, SERVER, send, trace_id};

/// A step of a trace: its name, which no other step has, the step that it is below, its service and kind, and its time in
/// microseconds; siblings do not overlap.
type Step = (&'static str, &'static str, &'static str, u32, u64, u64);

/// The older trace.
const BEFORE: [Step; 7] = [
    ("GET /checkout", "", "front", SERVER, 0, 100_000),
    (
        "read session",
        "GET /checkout",
        "front",
        INTERNAL,
        1_000,
        3_000,
    ),
    ("POST", "GET /checkout", "front", CLIENT, 5_000, 70_000),
    ("POST /pay", "POST", "pay", SERVER, 6_000, 68_000),
    ("old check", "POST /pay", "pay", INTERNAL, 7_000, 9_000),
    ("INSERT", "POST /pay", "pay", CLIENT, 20_000, 10_000),
    ("render", "GET /checkout", "front", INTERNAL, 80_000, 8_000),
];

/// The newer one: `INSERT` takes 180 ms longer, `POST /pay` 21 ms by itself, a check is new, another is gone.
const AFTER: [Step; 8] = [
    ("GET /checkout", "", "front", SERVER, 0, 320_000),
    (
        "read session",
        "GET /checkout",
        "front",
        INTERNAL,
        1_000,
        3_000,
    ),
    ("POST", "GET /checkout", "front", CLIENT, 5_000, 290_000),
    ("POST /pay", "POST", "pay", SERVER, 6_000, 288_000),
    ("INSERT", "POST /pay", "pay", CLIENT, 20_000, 190_000),
    ("check risk", "POST /pay", "pay", CLIENT, 220_000, 28_000),
    ("POST /risk", "check risk", "risk", SERVER, 221_000, 26_000),
    ("render", "GET /checkout", "front", INTERNAL, 300_000, 8_000),
];

fn spans(trace: u64, at: u64, steps: &[Step]) -> Vec<Made> {
    let id = |name: &str| {
        let place = steps.iter().position(|step| step.0 == name);
        place.map_or(0, |place| u64::try_from(place).expect("few") + 1)
    };
    let made = steps
        .iter()
        .map(|(name, above, service, kind, start, long)| {
            let start = at + start;
            let span = Made::new(
                (trace, id(name), id(above)),
                (service, name, *kind),
                (start, start + long),
            );
            match *name == "POST /risk" {
                true => span.fails("denied"),
                false => span,
            }
        });
    made.collect()
}

/// The durations and the times that a step takes itself, in nanoseconds, by its name.
fn times(steps: &[Step]) -> BTreeMap<&'static str, (i64, i64)> {
    let nanos = |micros: u64| i64::try_from(micros * 1_000).expect("short");
    let of = |step: &Step| {
        let below: u64 = steps
            .iter()
            .filter(|it| it.1 == step.0)
            .map(|it| it.5)
            .sum();
        (step.0, (nanos(step.5), nanos(step.5 - below)))
    };
    steps.iter().map(of).collect()
}

/// Returns what must be seen of each step, and the three that took longest by themselves.
fn expected(a: &[Step], b: &[Step]) -> Value {
    let (own, other) = (times(a), times(b));
    let mut rows = Vec::new();
    let mut selfs = Vec::new();
    let names: std::collections::BTreeSet<&str> = own.keys().chain(other.keys()).copied().collect();
    for name in names {
        let (one, two) = (own.get(name), other.get(name));
        let state = match (one, two) {
            (Some(one), Some(two)) if one.0 > two.0 => "more",
            (Some(one), Some(two)) if one.0 < two.0 => "less",
            (Some(_), Some(_)) => "same",
            (Some(_), None) => "a",
            _ => "b",
        };
        rows.push(
            json!({"name": name, "state": state, "a": one.map(|it| it.0), "b": two.map(|it| it.0)}),
        );
        let by = one.map_or(0, |it| it.1) - two.map_or(0, |it| it.1);
        selfs.push((by, name));
    }
    selfs.sort_unstable();
    let causes: Vec<Value> = selfs
        .iter()
        .rev()
        .take(3)
        .map(|(by, name)| json!([name, by]))
        .collect();
    json!({
        "rows": rows, "causes": causes,
        "difference": own["GET /checkout"].0 - other["GET /checkout"].0,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_what_grew_and_what_is_only_in_one() {
    let sink = sink().await;
    send(&sink, &spans(1, 0, &BEFORE)).await;
    send(&sink, &spans(2, 1_000_000, &AFTER)).await;
    // Its like: the older trace again, a little longer each time; and others, which are not like it.
    let mut roots = vec![100_000_u64];
    for number in 3..=8_u64 {
        let mut steps = BEFORE;
        let longer = number * number * 100;
        steps[0].5 += longer;
        roots.push(steps[0].5);
        send(&sink, &spans(number, number * 1_000_000, &steps)).await;
    }
    let other = [("GET /other", "", "front", SERVER, 0, 1_000)];
    send(&sink, &spans(20, 20_000_000, &other)).await;
    let inner = [
        ("GET /outer", "", "gateway", SERVER, 0, 1_000),
        ("GET /checkout", "GET /outer", "front", SERVER, 100, 500),
    ];
    send(&sink, &spans(21, 21_000_000, &inner)).await;
    roots.sort_unstable();
    let median = roots[roots.len().div_ceil(2) - 1] * 1_000;
    let given = json!({
        "a": trace_id(2), "b": trace_id(1), "alone": trace_id(20),
        "both": expected(&AFTER, &BEFORE),
        "like": {"traces": roots.len(), "median": median, "difference": 320_000_000 - median},
    });
    browse("compare", &sink, given).await;
}
