//! `correlation.requestId`: an outbound request with the `x-request-id` of an inbound one, and with no context, is its
//! child.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use sidespan_core::shared_data::request_ids::{RequestId, SLOTS};
use sidespan_host::{
    Action, EndOfStream, Ending, Entropy, Headers, Host, LocalReply, Shared, StreamId,
    StreamProperties,
};
use sidespan_tests::effort;
use sidespan_tests::readme;
use sidespan_tests::worlds::module;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const ID: &str = "7f3a1c9e-5b2d-4e8f-9a6b-0c1d2e3f4a5b";
const ON: &str = r#"{"sampling": {"percentage": 0}, "correlation": {"requestId": true}}"#;
const OFF: &str = r#"{"sampling": {"percentage": 0}}"#;

/// One VM of a process.
struct Worker(Host);

/// A request that is under way.
struct Open {
    stream: StreamId,
    traceparent: Option<String>,
}

impl Open {
    fn field(&self, number: usize) -> &str {
        let traceparent = self.traceparent.as_deref().expect("a context");
        traceparent.split('-').nth(number).expect("four fields")
    }

    fn trace_id(&self) -> &str {
        self.field(1)
    }
}

impl Worker {
    fn of(process: &Shared, configuration: &str) -> Self {
        let host = Host::builder(module())
            .plugin_name("sidespan")
            .plugin_configuration(configuration)
            .property(["xds", "node", "id"], "sidecar~10.0.0.1~cart.payments")
            .cluster("collector")
            .entropy(Entropy::Os)
            .shared(process)
            .start();
        Self(host.unwrap_or_else(|error| panic!("{error}")))
    }

    fn comes_in(&mut self, headers: &[(&str, &str)]) -> Open {
        self.open(1, headers)
    }

    fn goes_out(&mut self, headers: &[(&str, &str)]) -> Open {
        let open = self.open(2, headers);
        self.end(&open, Ending::Complete);
        open
    }

    fn open(&mut self, direction: i64, headers: &[(&str, &str)]) -> Open {
        let properties = StreamProperties::new().listener_direction(direction);
        let stream = self.0.open_stream(properties);
        let usual = [(":method", "GET"), (":path", "/"), (":authority", "cart")];
        let headers: Headers = usual.iter().chain(headers).copied().collect();
        let action = self.0.request_headers(stream, headers, EndOfStream::Yes);
        assert_eq!(action, Action::Continue);
        assert_eq!(self.0.trap(), None);
        let headers = self.0.stream(stream).and_then(|it| it.request().headers());
        let mut headers = headers.expect("headers").iter();
        let traceparent = headers.find(|(name, _)| *name == b"traceparent");
        Open {
            stream,
            traceparent: traceparent.map(|(_, value)| String::from_utf8_lossy(value).into()),
        }
    }

    fn end(&mut self, open: &Open, ending: Ending) {
        if ending == Ending::Complete {
            let status = [(":status", "200")];
            let action = self
                .0
                .response_headers(open.stream, status, EndOfStream::Yes);
            assert_eq!(action, Action::Continue);
        }
        self.0.end(open.stream, ending).expect("one end");
        assert_eq!(self.0.trap(), None);
    }

    fn advance(&mut self, duration: Duration) {
        self.0.advance(duration);
    }
}

fn traceparent(trace_id: &str, flags: &str) -> String {
    format!("00-{trace_id}-{S}-{flags}")
}

fn came(traceparent: &str) -> [(&str, &str); 2] {
    [("traceparent", traceparent), ("x-request-id", ID)]
}

/// Returns another id whose note is in the same place.
fn rival(id: &str) -> String {
    let slot = |id: &str| RequestId::new(id.as_bytes()).expect("an id").slot();
    (0..)
        .map(|number| format!("rival-{number}"))
        .find(|other| slot(other) == slot(id))
        .expect("one in a thousand")
}

/// Counts the places that have ever been used; none of them may still hold a note.
fn places(process: &Shared) -> usize {
    let keys = (0..u16::MAX).map(|slot| format!("sidespan.request.{slot}"));
    let notes = keys.filter_map(|key| process.data("", &key));
    notes.inspect(|note| assert!(note.is_empty())).count()
}

#[test]
fn both_follow_one_decision_in_one_trace_whichever_workers_they_are_on() {
    let process = Shared::new();
    let [mut one, mut two] = [(); 2].map(|()| Worker::of(&process, ON));
    for flags in ["01", "00"] {
        let caller = traceparent(T, flags);
        let inbound = one.comes_in(&came(&caller));
        for worker in [&mut one, &mut two] {
            let outbound = worker.goes_out(&[("x-request-id", ID)]);
            assert_eq!(outbound.trace_id(), T);
            assert_eq!(outbound.field(3), flags);
            assert_ne!(outbound.field(2), inbound.field(2), "a span of its own");
        }
        one.end(&inbound, Ending::Complete);
    }
    one.advance(Duration::from_secs(1));
    two.advance(Duration::from_secs(1));
    assert_eq!(process.counter("sidespan.context.correlated"), Some(4));
    assert_eq!(process.counter("sidespan.sampled.received"), Some(3));
    assert_eq!(process.counter("sidespan.dropped.received"), Some(3));
}

#[test]
fn nothing_joins_a_request_that_has_ended_however_it_did() {
    let process = Shared::new();
    let mut worker = Worker::of(&process, ON);
    let caller = traceparent(T, "01");
    for ending in [
        Ending::Complete,
        Ending::ClientAbort,
        Ending::UpstreamReset,
        Ending::ConnectFailure,
        Ending::UpstreamTimeout,
    ] {
        let inbound = worker.comes_in(&came(&caller));
        worker.end(&inbound, ending);
        let outbound = worker.goes_out(&[("x-request-id", ID)]);
        assert_ne!(outbound.trace_id(), T, "{ending:?}");
    }
    let inbound = worker.comes_in(&came(&caller));
    let reply = LocalReply::new(503, "no_healthy_upstream");
    let action = worker.0.local_reply(inbound.stream, reply);
    assert_eq!(action, Action::LocalReply);
    worker.0.end(inbound.stream, Ending::Complete);
    let outbound = worker.goes_out(&[("x-request-id", ID)]);
    assert_ne!(outbound.trace_id(), T, "a local reply");
    worker.advance(Duration::from_secs(1));
    assert_eq!(process.counter("sidespan.context.correlated"), Some(0));
}

#[test]
fn a_note_whose_end_nobody_saw_is_good_for_five_minutes() {
    let process = Shared::new();
    let mut worker = Worker::of(&process, ON);
    let caller = traceparent(T, "01");
    let _inbound = worker.comes_in(&came(&caller));
    worker.advance(Duration::from_secs(299));
    let outbound = worker.goes_out(&[("x-request-id", ID)]);
    assert_eq!(outbound.trace_id(), T);
    worker.advance(Duration::from_secs(1));
    let outbound = worker.goes_out(&[("x-request-id", ID)]);
    assert_ne!(outbound.trace_id(), T);
}

#[test]
fn two_ids_in_one_place_lose_a_hint_and_no_span_is_put_under_another_request() {
    let process = Shared::new();
    let mut worker = Worker::of(&process, ON);
    let rival = rival(ID);
    let other = "0af7651916cd43dd8448eb211c80319c";
    let [mine, theirs] = [traceparent(T, "01"), traceparent(other, "00")];
    let first = worker.comes_in(&came(&mine));
    let second = worker.comes_in(&[("traceparent", &theirs), ("x-request-id", &rival)]);
    let lost = worker.goes_out(&[("x-request-id", ID)]);
    assert!(lost.trace_id() != T && lost.trace_id() != other, "a root");
    // The end of the first request leaves the second one's note.
    worker.end(&first, Ending::Complete);
    let joined = worker.goes_out(&[("x-request-id", &rival)]);
    assert_eq!((joined.trace_id(), joined.field(3)), (other, "00"));
    worker.end(&second, Ending::Complete);
    let late = worker.goes_out(&[("x-request-id", &rival)]);
    assert_ne!(late.trace_id(), other);
}

#[test]
fn of_two_requests_with_one_id_the_newer_is_joined() {
    let process = Shared::new();
    let mut worker = Worker::of(&process, ON);
    let caller = traceparent(T, "01");
    let first = worker.comes_in(&came(&caller));
    let other = "0af7651916cd43dd8448eb211c80319c";
    let second = worker.comes_in(&came(&traceparent(other, "01")));
    worker.end(&first, Ending::Complete);
    let outbound = worker.goes_out(&[("x-request-id", ID)]);
    assert_eq!(
        outbound.trace_id(),
        other,
        "not taken back by another's end"
    );
    worker.end(&second, Ending::Complete);
}

#[test]
fn a_context_of_its_own_goes_before_and_another_process_knows_nothing() {
    let [here, elsewhere] = [Shared::new(), Shared::new()];
    let mut worker = Worker::of(&here, ON);
    let caller = traceparent(T, "01");
    let _inbound = worker.comes_in(&came(&caller));
    let other = "0af7651916cd43dd8448eb211c80319c";
    let outbound = worker.goes_out(&came(&traceparent(other, "01")));
    assert_eq!(outbound.trace_id(), other);
    for (process, configuration) in [(&elsewhere, ON), (&here, OFF)] {
        let mut worker = Worker::of(process, configuration);
        let outbound = worker.goes_out(&[("x-request-id", ID)]);
        assert_ne!(outbound.trace_id(), T);
    }
}

#[test]
fn an_id_that_is_none_is_not_noted() {
    let process = Shared::new();
    let mut worker = Worker::of(&process, ON);
    let caller = traceparent(T, "01");
    let long = "x".repeat(129);
    for id in ["", "two words", "caf\u{e9}", &long] {
        let headers = [("traceparent", &*caller), ("x-request-id", id)];
        let inbound = worker.comes_in(&headers);
        let outbound = worker.goes_out(&[("x-request-id", id)]);
        assert_ne!(outbound.trace_id(), T, "{id:?}");
        worker.end(&inbound, Ending::Complete);
    }
    assert_eq!(places(&process), 0);
}

#[test]
fn a_hundred_thousand_ids_take_no_more_places_than_there_are() {
    let process = Shared::new();
    let mut worker = Worker::of(&process, ON);
    let caller = traceparent(T, "00");
    let mut memory = 0;
    for number in 0..effort::share(100_000, 25_000) {
        let id = format!("{number:08x}-5b2d-4e8f-9a6b-0c1d2e3f4a5b");
        let inbound = worker.comes_in(&[("traceparent", &caller), ("x-request-id", &id)]);
        if number % 3 > 0 {
            worker.end(&inbound, Ending::Complete);
        } else {
            worker.end(&inbound, Ending::ClientAbort);
        }
        if number == 20_000 {
            memory = worker.0.memory_bytes();
        }
    }
    assert_eq!(places(&process), usize::from(SLOTS));
    assert_eq!(worker.0.memory_bytes(), memory, "flat");
}

#[test]
fn the_calls_of_correlation_are_those_that_are_documented() {
    let w3c = traceparent(T, "00");
    let (id, context) = (("x-request-id", ID), ("traceparent", &*w3c));
    let rows = [
        ("comes in", 1, &[id, context][..]),
        ("comes in without an id", 1, &[context]),
        ("goes out with a context", 2, &[id, context]),
        ("goes out without one, and joins", 2, &[id]),
        (
            "goes out without one, and finds nothing",
            2,
            &[("x-request-id", "other")],
        ),
    ];
    let mut table =
        "| a request that | shared data read | shared data written | time | property | all |\n\
                     |---|---|---|---|---|---|\n"
            .to_owned();
    for (what, direction, headers) in rows {
        let [with, without] = [ON, OFF].map(|configuration| {
            let mut worker = Worker::of(&Shared::new(), configuration);
            // The first request draws randomness for many.
            let _inbound = worker.comes_in(&[id, context]);
            worker.0.clear_transcript();
            let open = worker.open(direction, headers);
            worker.end(&open, Ending::Complete);
            worker.0.transcript().calls()
        });
        let more: BTreeMap<&str, u64> = with
            .iter()
            .map(|(name, count)| (*name, count - without.get(name).unwrap_or(&0)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let cells = COLUMNS.map(|name| more.get(name).map(u64::to_string).unwrap_or_default());
        let all: u64 = more.values().sum();
        let counted: u64 = COLUMNS.iter().filter_map(|name| more.get(name)).sum();
        assert_eq!(all, counted, "{what}: {more:?}");
        writeln!(table, "| {what} | {} | {all} |", cells.join(" | ")).expect("a string");
    }
    readme::documents("calls of correlation", &table);
}

const COLUMNS: [&str; 4] = [
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_property",
];
