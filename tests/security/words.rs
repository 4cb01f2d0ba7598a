//! Words of others about kept traces: a callee that lies gets no more spans than are kept in a second, and a caller none.

use std::time::Duration;

use sidespan_host::{Action, EndOfStream, Ending, Headers, StreamProperties};
use sidespan_tests::worlds::Guest;

const SECONDS: usize = 20;
const REQUESTS_PER_SECOND: usize = 100;

fn configuration(keep: &str) -> String {
    format!(
        r#"{{"sampling": {{"percentage": 0, "keep": {keep}}},
            "export": {{"otlp": {{"cluster": "collector", "protocol": "http/protobuf"}}}}}}"#
    )
}

/// Sends a request without a context, and lets its callee answer that this very trace was kept. A caller says so, too.
fn exchange(guest: &mut Guest, direction: i64) {
    let stream = guest
        .host
        .open_stream(StreamProperties::new().listener_direction(direction));
    let word = "trace;desc=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = [
        (":method", "GET"),
        (":path", "/"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        ),
        ("server-timing", word),
    ];
    let headers: Headers = match direction {
        OUTBOUND => request[..2].iter().copied().collect(),
        _ => request.iter().copied().collect(),
    };
    let asked = guest
        .host
        .request_headers(stream, headers, EndOfStream::Yes);
    let sent = guest
        .host
        .stream(stream)
        .and_then(|it| it.request().headers());
    let sent = sent.and_then(|headers| headers.text("traceparent"));
    let lie = format!(
        "trace;desc={}01",
        sent.expect("a context").trim_end_matches("00")
    );
    let mut answer: Headers = [(":status", "200")].into_iter().collect();
    if direction == OUTBOUND {
        answer = [(":status", "200"), ("server-timing", lie.as_str())]
            .into_iter()
            .collect();
    }
    let answered = guest
        .host
        .response_headers(stream, answer, EndOfStream::Yes);
    assert_eq!([asked, answered], [Action::Continue; 2]);
    guest.host.end(stream, Ending::Complete).expect("one end");
}

/// Returns how many spans were kept, in the first seconds and in the last five.
fn kept(keep: &str, direction: i64) -> [usize; 2] {
    let mut guest = Guest::start(&configuration(keep));
    let mut kept = [0; 2];
    for second in 0..SECONDS {
        for _ in 0..REQUESTS_PER_SECOND {
            exchange(&mut guest, direction);
            guest.host.advance(Duration::from_secs(1) / 100);
        }
        kept[usize::from(second >= SECONDS - 5)] += guest.exported().len();
    }
    kept
}

const INBOUND: i64 = 1;
const OUTBOUND: i64 = 2;

#[test]
fn a_callee_that_lies_gets_no_more_spans_than_are_kept_in_a_second() {
    let [first, last] = kept("{}", OUTBOUND);
    // Half of 50 a second are for CLIENT spans.
    assert!((5 * 15..5 * 35).contains(&last), "{first}, then {last}");
    let [first, last] = kept(r#"{"spansPerSecond": 4}"#, OUTBOUND);
    assert!((1..5 * 5).contains(&last), "{first}, then {last}");
    assert_eq!(kept(r#"{"errors": false}"#, OUTBOUND), [0, 0]);
}

#[test]
fn a_caller_that_says_so_is_not_heard() {
    assert_eq!(kept("{}", INBOUND), [0, 0]);
}
