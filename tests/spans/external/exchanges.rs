//! A table of exchanges on a real Envoy, each with the spans that it makes, exactly: kind, name, status, all attributes.
//!
//! All rows run before the table fails, and then the whole table is printed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use sidespan_sink::{SpanKind, StoredSpan};
use sidespan_tests::caller::Caller;
use sidespan_tests::http::{Request, send};

mod caller;
mod expected;
mod faults;
mod grpc;
mod http;
mod scene;
mod upstream;

use expected::{Exchange, lines_of};
use scene::{Scene, Way};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_exchange_makes_exactly_these_spans() {
    let scene = Scene::start();
    let exchanges = [
        http::answered(),
        faults::local(),
        faults::broken(),
        grpc::calls(),
    ];
    let exchanges: Vec<Exchange> = exchanges.into_iter().flatten().collect();
    let todo = exchanges
        .iter()
        .flat_map(|row| Way::ALL.map(|way| (row, way)));
    let todo: Vec<_> = todo.collect();
    let next = Mutex::new(todo.into_iter().enumerate());
    let done: Mutex<Vec<(usize, Run<'_>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().expect("no row panics").next();
                    let Some((index, (exchange, way))) = taken else {
                        return;
                    };
                    let run = Run::new(&scene, exchange, way);
                    done.lock().expect("no row panics").push((index, run));
                }
            });
        }
    });
    // Where no full batch waits, a worker's spans arrive in the order in which they ended, so all have arrived when those
    // of a later request have.
    let later = Caller::fresh();
    let request = Request::get("/app/status/200").header("traceparent", later.traceparent());
    assert_eq!(send(scene.address(Way::Edge), &request).status, 200);
    scene.collector.trace(&later.trace_id, 2);

    let mut done: Vec<(usize, Run<'_>)> = done.into_inner().expect("no row panics");
    done.sort_by_key(|(index, _)| *index);
    let mut failures = Vec::new();
    // Rows with a difference come last, where a terminal shows them.
    let (mut table, mut rest) = (String::new(), String::new());
    for (_, run) in &done {
        let (text, is_good) = run.compare(&scene);
        if is_good {
            table.push_str(&text);
        } else {
            rest.push_str(&text);
            failures.push(format!("{} ({})", run.exchange.title, run.way.name()));
        }
    }
    assert!(
        failures.is_empty(),
        "{table}{rest}\n{} of {} exchanges are not as expected:\n{}",
        failures.len(),
        done.len(),
        failures.join("\n")
    );
}

/// The number of rows that run at the same time, because most of them wait for something.
const AT_A_TIME: usize = 12;

/// A finished exchange.
struct Run<'a> {
    exchange: &'a Exchange,
    way: Way,
    caller: Caller,
    status: Option<u16>,
    port: u16,
    began: u128,
    ended: u128,
}

impl<'a> Run<'a> {
    fn new(scene: &Scene, exchange: &'a Exchange, way: Way) -> Self {
        let caller = Caller::fresh();
        let began = now();
        let answer = exchange.call.run(scene, scene.address(way), &caller);
        let count = exchange.spans(way).len();
        scene.collector.trace_if_any(&caller.trace_id, count);
        Self {
            exchange,
            way,
            caller,
            status: answer.status,
            port: answer.port,
            began,
            ended: now(),
        }
    }

    /// Returns the row as it is printed, and true if it is as expected.
    fn compare(&self, scene: &Scene) -> (String, bool) {
        let mut ports: HashMap<i64, &str> = scene.ports.clone();
        ports.insert(i64::from(self.port), "caller");
        let spans = chain(
            &self.caller.span_id,
            scene.collector.sink().trace(&self.caller.trace_id),
        );
        let told = |status: Option<u16>| vec![format!("the caller sees {status:?}")];
        let mut wanted = told(self.exchange.answer());
        for span in self.exchange.spans(self.way) {
            wanted.extend(span.lines());
        }
        let mut found = told(self.status);
        for (index, span) in spans.iter().enumerate() {
            found.extend(lines_of(span, &ports));
            let above = index.checked_sub(1).and_then(|above| spans.get(above));
            found.extend(self.faults(span, above));
        }
        let is_good = wanted == found;
        let verdict = if is_good {
            ""
        } else {
            "   <-- NOT AS EXPECTED"
        };
        let title = format!("\n{} ({}){verdict}\n", self.exchange.title, self.way.name());
        let mut text = title + &side_by_side(&wanted, &found);
        if !is_good {
            let log = scene.access_log(self.way);
            let own = log
                .lines()
                .filter(|line| line.contains(&self.caller.trace_id));
            own.for_each(|line| text.push_str(&format!("  Envoy: {line}\n")));
        }
        (text, is_good)
    }

    /// Returns the violations of what holds for every span.
    fn faults(&self, span: &StoredSpan, above: Option<&StoredSpan>) -> Vec<String> {
        let (parent, flags) = match above {
            // The CLIENT span of an edge, whose parent is of the same process.
            Some(above) if span.kind == SpanKind::Client && above.kind == SpanKind::Server => {
                (&above.span_id, 0x101)
            }
            Some(above) => (&above.span_id, 0x301),
            None => (&self.caller.span_id, 0x301),
        };
        let (start, end) = (
            u128::from(span.start_unix_nanos),
            u128::from(span.end_unix_nanos),
        );
        let checks = [
            (
                span.parent_span_id.as_ref() == Some(parent),
                "another parent",
            ),
            (span.flags == flags, "other flags"),
            (start <= end, "an end before the start"),
            (
                start >= self.began && end <= self.ended,
                "times out of the exchange's",
            ),
            (span.trace_state.is_empty(), "a tracestate"),
            (span.status.message.is_empty(), "a message of the status"),
            (
                span.links.is_empty() && span.events.is_empty(),
                "links or events",
            ),
            (span.dropped_attributes_count == 0, "dropped attributes"),
        ];
        let wrong = checks.into_iter().filter(|(is_so, _)| !is_so);
        wrong
            .map(|(_, what)| format!("  ! {what}: {span:?}"))
            .collect()
    }
}

/// Returns the spans, each behind its parent, and at the end those without one among them.
fn chain(caller: &str, mut spans: Vec<StoredSpan>) -> Vec<StoredSpan> {
    let mut chain: Vec<StoredSpan> = Vec::new();
    loop {
        let above = chain.last().map_or(caller, |span| &span.span_id);
        let next = spans
            .iter()
            .position(|span| span.parent_span_id.as_deref() == Some(above));
        let Some(next) = next else {
            return [chain, spans].concat();
        };
        chain.push(spans.remove(next));
    }
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock that is right").as_nanos()
}

/// Returns two columns, with a mark at each line that is in one only.
fn side_by_side(wanted: &[String], found: &[String]) -> String {
    let line = |at: usize| {
        let left = wanted.get(at).map_or("", String::as_str);
        let right = found.get(at).map_or("", String::as_str);
        let mark = |line: &str, others: &[String]| {
            if line.is_empty() || others.iter().any(|other| other == line) {
                ' '
            } else {
                '*'
            }
        };
        let (l, r) = (mark(left, found), mark(right, wanted));
        format!(" {l}{left:<WIDTH$} |{r}{right}\n")
    };
    (0..wanted.len().max(found.len())).map(line).collect()
}

const WIDTH: usize = 76;
