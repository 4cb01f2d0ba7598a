//! Hostile requests, generated, through the compiled filter: nothing of the request is lost but contexts, what leaves is well formed,
//! all formats that leave tell of one trace, no id is zero, memory stays, and the VM lives.
//!
//! A million of them: `SIDESPAN_LOAD=1000000 cargo test -p sidespan-tests security::hostile -- --nocapture`. `SIDESPAN_SEED` begins elsewhere; a
//! failure names the seed and the number of its request.

pub(super) mod contexts;
pub(super) mod generate;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use contexts::{Line, agreed, is_context, shown, spans};
use generate::{Generated, request};
use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_host::{Action, EndOfStream, Ending, Headers, StreamProperties};
use sidespan_tests::effort;
use sidespan_tests::worlds::Guest;

/// The requests of the short form, for all configurations together.
const REQUESTS: u64 = 30_000;
pub(super) const SEED: u64 = 24;
/// Configurations that decide, so that every format leaves with every request.
pub(super) const CONFIGURATIONS: [&str; 3] = [
    r#""sampling": {"percentage": 50, "keep": {"errors": false}}, "correlation": {"requestId": true}"#,
    r#""sampling": {"percentage": 50, "keep": {"errors": false}}, "gateway": {"trust": {"context": "restart"}, "exclude": []},
       "spans": {"accessLog": true, "conventions": "both", "routes": ["/orders/{id}"],
                 "attributes": [{"name": "tenant", "baggage": "k", "default": "none"}]}"#,
    r#""sampling": {"percentage": 0.1, "rateLimit": {"tracesPerSecond": 5}, "keep": {"errors": false}, "consistent": false},
       "trust": {"decision": "ignore", "jaegerDebug": true}"#,
];

/// Returns the filter's configuration, of one of these.
pub(super) fn configuration(more: &str, index: usize) -> String {
    let inject = Format::ALL.map(|format| format!("{:?}", format.name()));
    let baggage = match index {
        0 => "{}",
        _ => r#"{"deny": ["secret"], "maxBytes": 2000, "from": ["jaeger", "ottrace"]}"#,
    };
    format!(
        r#"{{"propagation": {{"inject": [{}], "keep64bit": {}, "baggage": {baggage}}}, {more},
            "export": {{"otlp": {{"cluster": "collector", "protocol": "http/protobuf"}}}}}}"#,
        inject.join(", "),
        index == 1,
    )
}

#[test]
fn no_generated_request_breaks_a_promise() {
    let seed = seed();
    let each = effort::requests(REQUESTS) / 3;
    let mut numbers = 0..;
    for (index, more) in CONFIGURATIONS.into_iter().enumerate() {
        let mut guest = Guest::start(&configuration(more, index));
        let (mut recorded, mut exported, mut memory) = (0, 0, 0);
        for (done, number) in (1..=each).zip(&mut numbers) {
            let generated = request(seed, number);
            let tried = AssertUnwindSafe(|| promises(&mut guest, &generated));
            recorded += catch_unwind(tried).unwrap_or_else(|panic| {
                eprintln!(
                    "SIDESPAN_SEED={seed}, configuration {index}, request {number}: {generated}"
                );
                resume_unwind(panic)
            });
            if done % 100 == 0 {
                guest.host.advance(Duration::from_secs(2));
                exported += exports(&mut guest);
            }
            if done == each / 2 {
                memory = guest.host.memory_bytes();
            }
        }
        guest.host.advance(Duration::from_secs(2));
        exported += exports(&mut guest);
        let grown = guest.host.memory_bytes() - memory;
        let counters = guest.counters();
        let of = |end: &str| -> u64 {
            let all = counters.iter().filter(|(name, _)| name.ends_with(end));
            all.map(|(_, count)| count).sum()
        };
        let (valid, malformed) = (of(".valid"), of(".malformed"));
        println!(
            "configuration {index}: {each} requests, {valid} valid and {malformed} malformed contexts, {} conflicts, {exported} spans, \
             {memory} bytes of memory at half and {grown} more at the end",
            of("context.conflict")
        );
        assert_eq!(recorded, exported, "spans of sampled requests");
        assert!(grown <= 1 << 20, "{grown} bytes more");
        assert!(
            valid > each && malformed > each / 10,
            "the generator tries both"
        );
    }
}

/// Returns the seed of the requests: the usual one, or that of `SIDESPAN_SEED`.
pub(super) fn seed() -> u64 {
    env::var("SIDESPAN_SEED").map_or(SEED, |text| text.parse().expect("a number"))
}

/// Sends a request, checks every promise, and returns how many spans it is to make.
fn promises(guest: &mut Guest, generated: &Generated) -> u64 {
    let left = exchange(guest, generated);
    // What is no context leaves as it came, in order; `baggage` may be rewritten.
    let is_other = |name: &[u8]| name != b"baggage" && !is_context(name);
    let sent = generated.headers.iter();
    let sent = sent.map(|(name, value)| (name.as_bytes(), value.as_slice()));
    let passed = left
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    assert!(
        sent.filter(|(name, _)| is_other(name))
            .eq(passed.filter(|(name, _)| is_other(name))),
        "{}",
        shown(&left)
    );
    spans(&agreed(generated, &left), generated.direction)
}

/// Sends a request and its response; returns the headers that went upstream. The response passes as it is.
fn exchange(guest: &mut Guest, generated: &Generated) -> Vec<Line> {
    let host = &mut guest.host;
    let direction = match generated.direction {
        Direction::Inbound => 1,
        Direction::Outbound => 2,
        Direction::Edge => 0,
    };
    let stream = host.open_stream(StreamProperties::new().listener_direction(direction));
    let headers: Headers = generated.headers.iter().cloned().collect();
    let asked = host.request_headers(stream, headers, EndOfStream::Yes);
    let status = generated.status.to_string();
    let response = [(":status", status.as_str()), ("x-answer", "as it is")];
    let answered = host.response_headers(stream, response, EndOfStream::Yes);
    assert_eq!([asked, answered], [Action::Continue; 2], "it is answered");
    let ended = host.end(stream, Ending::Complete).expect("one end");
    assert_eq!(host.trap(), None);
    let answer = ended.response().headers().expect("a response").iter();
    let response = response
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    assert!(answer.eq(response), "the response passes");
    let headers = ended.request().headers().expect("a request");
    headers
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

/// Takes the spans that are due, each of them with ids, and returns how many.
fn exports(guest: &mut Guest) -> u64 {
    let spans = guest.exported();
    for span in &spans {
        let is_id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
        assert!(
            is_id(&span.trace_id, 16) && is_id(&span.span_id, 8),
            "{span:?}"
        );
    }
    u64::try_from(spans.len()).expect("a few")
}
