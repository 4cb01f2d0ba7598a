//! The services by HTTP/1.1: each passes on `traceparent` and nothing else, and answers with the worst status that it got.
//!
//! | case | then |
//! |---|---|
//! | `healthy` | all answer 200 |
//! | `failing` | the bank answers 503 |
//! | `hidden` | as `failing`, and orders answers 200 all the same |
//! | `hidden-early` | as `failing`, and payments answers 200 all the same |
//! | `parallel` | the bank answers 503, and orders calls both of its callees at once |
//! | `late` | as `hidden`, and orders is busy for a while before it answers |
//! | `retried` | the bank answers 503 and then 200, and payments calls until it does |
//! | `slow` | the bank sends nothing for longer than `slowerThan`, and then 200 |
//! | `lines` | as `failing`, and each service sends `server-timing` in two lines |
//! | `broken` | the bank breaks its response off |

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use sidespan_tests::http::{Connection, Received, Reply, Request, Server};

use super::mesh::{WaysOut, at_once};

/// The value of `slowerThan`.
pub(super) const SLOWER_THAN: &str = "200ms";
const SILENCE: Duration = Duration::from_millis(400);
/// A duration that is short for a person, and long beside a request.
const WORK: Duration = Duration::from_millis(60);

/// Starts a service.
pub(super) fn start(name: &'static str, callees: &'static [&'static str], out: &WaysOut) -> Server {
    let out = WaysOut::clone(out);
    let seen: Mutex<HashSet<String>> = Mutex::default();
    Server::start(move |request| {
        let case = case(&request.path);
        if name == "bank" {
            return bank(case, request, &seen);
        }
        let worst = called(case, name, callees, request, &out);
        let hides = match case {
            "hidden" | "late" => name == "orders",
            "hidden-early" => name == "payments",
            _ => false,
        };
        if (case, name) == ("late", "orders") {
            thread::sleep(WORK);
        }
        let status = if hides { 200 } else { worst };
        let timing = |text| ("server-timing".to_owned(), text);
        let mut headers = vec![timing(format!("{name};dur=53"))];
        if case == "lines" {
            headers.push(timing("db;dur=1".into()));
        }
        Reply::Answer(status, headers, Vec::new())
    })
}

fn bank(case: &str, request: &Received, seen: &Mutex<HashSet<String>>) -> Reply {
    let traceparent = request.headers.one("traceparent").expect("a context");
    let trace = traceparent.split('-').nth(1).expect("an id").to_owned();
    match case {
        "healthy" => Reply::status(200),
        "slow" => {
            thread::sleep(SILENCE);
            Reply::status(200)
        }
        "retried" => {
            let is_first = seen.lock().expect("no reply panics").insert(trace);
            Reply::status(if is_first { 503 } else { 200 })
        }
        "broken" => Reply::Cut,
        _ => Reply::status(503),
    }
}

/// Calls all callees, and returns the worst status.
fn called(
    case: &str,
    name: &str,
    callees: &[&'static str],
    request: &Received,
    out: &WaysOut,
) -> u16 {
    let traceparent = request.headers.one("traceparent").expect("a context");
    let fields: Vec<&str> = request.path.split('/').collect();
    let out = out.get().expect("requests come after the start")[fields[1]];
    let call = |callee: &str| {
        let path = format!("/{}/http/{callee}/{case}", fields[1]);
        let request = Request::get(&path).header("traceparent", &traceparent);
        let answer = Connection::open(out).and_then(|mut open| open.exchange(&request));
        // A service answers a broken response of its callee with 502.
        answer.map_or(502, |answer| answer.status)
    };
    let statuses = if case == "parallel" {
        let calls = callees.iter().map(|callee| || call(callee));
        at_once(calls.collect())
    } else {
        callees.iter().map(|callee| call(callee)).collect()
    };
    let worst = statuses.into_iter().max().unwrap_or(200);
    match (case, name) {
        ("retried", "payments") if worst >= 500 => call("bank"),
        _ => worst,
    }
}

/// Returns the last segment of a path, the case.
pub(super) fn case(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
