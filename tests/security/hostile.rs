//! Hostile requests, generated, through the compiled filter: nothing of the request is lost but contexts, what leaves is well formed,
//! all formats that leave tell of one trace, no id is zero, memory stays, and the VM lives.
//!
//! A million of them: `SIDESPAN_LOAD=1000000 cargo test -p sidespan-tests security::hostile`. `SIDESPAN_SEED` begins elsewhere; a
//! failure names the seed and the number of its request.

mod generate;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use generate::{Generated, request};
use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_host::{Action, EndOfStream, Ending, Headers, StreamProperties};
use sidespan_tests::dialect::{self, Context, State};
use sidespan_tests::effort;
use sidespan_tests::worlds::Guest;

/// The requests of the short form, for all configurations together.
const REQUESTS: u64 = 30_000;
const SEED: u64 = 24;
/// Configurations that decide, so that every format leaves with every request.
const CONFIGURATIONS: [&str; 3] = [
    r#""sampling": {"percentage": 50, "keep": {"errors": false}}, "correlation": {"requestId": true}"#,
    r#""sampling": {"percentage": 50, "keep": {"errors": false}}, "gateway": {"trust": {"context": "restart"}, "exclude": []},
       "spans": {"accessLog": true, "conventions": "both", "routes": ["/orders/{id}"],
                 "attributes": [{"name": "tenant", "baggage": "k", "default": "none"}]}"#,
    r#""sampling": {"percentage": 0.1, "rateLimit": {"tracesPerSecond": 5}, "keep": {"errors": false}, "consistent": false},
       "trust": {"decision": "ignore", "jaegerDebug": true}"#,
];

/// A name and a value as they left.
type Line = (Vec<u8>, Vec<u8>);

fn configuration(more: &str, index: usize) -> String {
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
    let seed = env::var("SIDESPAN_SEED").map_or(SEED, |text| text.parse().expect("a number"));
    let each = effort::requests(REQUESTS) / 3;
    for (index, more) in CONFIGURATIONS.into_iter().enumerate() {
        let mut guest = Guest::start(&configuration(more, index));
        let (mut recorded, mut exported, mut memory) = (0, 0, 0);
        for number in 0..each {
            let generated = request(seed, number);
            let tried = AssertUnwindSafe(|| promises(&mut guest, &generated));
            recorded += catch_unwind(tried).unwrap_or_else(|panic| {
                eprintln!(
                    "SIDESPAN_SEED={seed}, configuration {index}, request {number}: {generated}"
                );
                resume_unwind(panic)
            });
            if number % 100 == 99 {
                guest.host.advance(Duration::from_secs(2));
                exported += exports(&mut guest);
            }
            if number == each / 2 {
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

/// Sends a request, checks every promise, and returns how many spans it is to make.
fn promises(guest: &mut Guest, generated: &Generated) -> u64 {
    let left = exchange(guest, generated);
    let text = |name: &str| {
        let value = left.iter().find(|(other, _)| other == name.as_bytes());
        value.map(|(_, value)| String::from_utf8(value.clone()).expect("ASCII"))
    };
    // What is no context leaves as it came, in order; `baggage` may be rewritten.
    let is_other = |name: &[u8]| {
        let is_listed = |format: &Format| {
            let mut names = format.headers().iter();
            names.any(|listed| listed.as_str().as_bytes() == name)
        };
        name != b"baggage" && !Format::ALL.iter().any(is_listed)
    };
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
    // What is a context leaves in one line, well formed.
    let mut one: Option<Context> = None;
    for format in Format::ALL {
        for name in format.headers() {
            let of_name = left
                .iter()
                .filter(|(other, _)| other == name.as_str().as_bytes());
            let lines: Vec<_> = of_name.collect();
            assert!(lines.len() <= 1, "{name:?}: {lines:?}");
            for (_, value) in lines {
                // Datadog's origin is its sender's word, and goes on as it came.
                let is_word = name.as_str() == "x-datadog-origin";
                let is_plain = |byte: &u8| is_word || matches!(byte, b' '..=b'~');
                assert!(
                    value.iter().all(is_plain) && value.len() <= 4_200,
                    "{value:?}"
                );
            }
        }
        // No more than half of an id has room there, and a half of zeros is none.
        let has_half = !matches!(format, Format::OtTrace | Format::Datadog);
        let Some(context) = dialect::read(format, text) else {
            let is_there = format
                .headers()
                .iter()
                .any(|name| text(name.as_str()).is_some());
            assert!(
                !has_half && !is_there,
                "{format:?} is missing or broken in {}",
                shown(&left)
            );
            continue;
        };
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        assert!(
            !is_zero(&context.trace_id) && !is_zero(&context.span_id),
            "{context:?}"
        );
        let first = one.get_or_insert_with(|| context.clone());
        assert_eq!(context.trace_id[16..], first.trace_id[16..], "{format:?}");
        assert_eq!(context.span_id, first.span_id, "{format:?}");
        assert_eq!(is_recorded(&context), is_recorded(first), "{format:?}");
        if format != Format::OtTrace {
            assert_eq!(context.trace_id, first.trace_id, "{format:?}");
        }
    }
    if let Some(list) = text("tracestate") {
        assert!(list.split(',').count() <= 32 && !list.is_empty(), "{list}");
    }
    let spans = match generated.direction {
        Direction::Edge => 2,
        Direction::Inbound | Direction::Outbound => 1,
    };
    match one.expect("a context leaves").state {
        State::Sampled | State::Debug => spans,
        State::Unsampled => 0,
        State::Deferred => panic!("undecided in {}", shown(&left)),
    }
}

/// Returns the contexts among the lines, as text.
fn shown(left: &[Line]) -> String {
    let lines = left.iter().map(|(name, value)| {
        let value = &value[..value.len().min(300)];
        format!("{}: {}\n", name.escape_ascii(), value.escape_ascii())
    });
    lines.collect()
}

fn is_recorded(context: &Context) -> bool {
    matches!(context.state, State::Sampled | State::Debug)
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
