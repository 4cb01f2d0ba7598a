use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::*;
use crate::config::Config;
use crate::filter::{Filter, StreamState};
use crate::headers::HeaderWriter;
use crate::id_generator::SequentialBytes;
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::proxy::InMemoryProxy;
use crate::in_memory::stream_record::Record;
use crate::node::Node;
use crate::span::{Span, Status};
use crate::stats::Counter;

mod calls;
mod confirmed;
mod limits;
mod received;
mod rewritten;
mod words;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const SECOND: u64 = 1_000_000_000;

/// A worker of a pod.
struct Pod {
    filter: Filter<InMemoryProxy, SequentialBytes, Vec<Span>>,
    // Headers that a route sets.
    routed: Vec<(&'static str, &'static str)>,
    body: Body,
}

/// The part of a response behind its headers.
#[derive(Clone, Copy)]
enum Body {
    /// Not its end.
    Cut,
    /// The rest of it, at once.
    Whole,
    /// The rest of it, two seconds later.
    Slow,
}

/// The result of one request.
struct Done {
    spans: Vec<Span>,
    sent: HeaderList,
    words: Vec<HeaderChange>,
}

impl Pod {
    fn of(keep: &str) -> Self {
        Self::with(&keeping(keep))
    }

    fn with(config: &str) -> Self {
        let config = Config::parse(config.as_bytes()).unwrap();
        let (node, proxy) = (Node::default(), InMemoryProxy::default());
        proxy.now.set(Nanos(1_000 * SECOND));
        let random = SequentialBytes(1);
        Self {
            filter: Filter::new(&config, &node, "", proxy, random, Some(Vec::new()), None),
            routed: Vec::new(),
            body: Body::Cut,
        }
    }

    /// One request with these headers, answered by the headers and trailers of a record, and so late.
    fn exchange(
        &mut self,
        direction: Direction,
        headers: &[(&str, &str)],
        exchange: &Record,
        seconds: u64,
    ) -> Done {
        let filter = &mut self.filter;
        filter.proxy.face(direction);
        filter.proxy.open(HeaderList::new(headers.iter().copied()));
        let mut stream = StreamState::default();
        filter.on_request_headers(&mut stream);
        for counter in RECORDED {
            assert_eq!(filter.state.stats.get(counter), 0, "{counter:?}");
        }
        let sent = filter.proxy.request.borrow().clone();
        let mut words = Vec::new();
        wait(filter, seconds);
        let response = match self.body {
            Body::Cut => exchange.clone(),
            // Envoy knows then how long the upstream took.
            Body::Whole | Body::Slow => exchange.clone().number("response.backend_latency", 1),
        };
        filter.proxy.respond(response);
        // Who gets no answer hears nothing of one.
        if exchange.response_header(":status").is_some() {
            filter.on_response_headers(&mut stream, false);
            words.push(word_said(&filter.proxy));
            if let Body::Slow = self.body {
                wait(filter, 2);
            }
            // A call ends with trailers, though they say nothing.
            if headers.contains(&("content-type", "application/grpc")) {
                filter.on_response_trailers(&mut stream);
                words.push(word_said(&filter.proxy));
            }
        }
        for (name, value) in &self.routed {
            filter
                .proxy
                .request
                .borrow_mut()
                .set(name, value.as_bytes());
        }
        filter.on_end(&mut stream);
        Done {
            spans: filter.exporter.replace(Vec::new()).unwrap(),
            sent,
            words,
        }
    }

    fn notes(&self) -> usize {
        self.filter.proxy.shared_keys(b"sidespan.keep.").len()
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.filter.state.stats.get(counter)
    }
}

fn keeping(keep: &str) -> String {
    format!(
        r#"{{"sampling": {{"percentage": 0, "keep": {keep}}}, "export": {{"otlp": {{"cluster": "c"}}}}}}"#
    )
}

fn wait(filter: &Filter<InMemoryProxy, SequentialBytes, Vec<Span>>, seconds: u64) {
    let Nanos(now) = filter.proxy.now.get();
    filter.proxy.now.set(Nanos(now + seconds * SECOND));
}

/// Returns the change that the filter has made to the part of the response that has just passed.
fn word_said(proxy: &InMemoryProxy) -> HeaderChange {
    match &proxy.response_changes.take()[..] {
        [] => HeaderChange::Leave,
        [("server-timing", Some(value))] => HeaderChange::Set(value.clone()),
        [("server-timing", None)] => HeaderChange::Remove,
        changes => panic!("{changes:?}"),
    }
}

/// The counters of requests that are recorded at once, none of which comes here.
const RECORDED: [Counter; 6] = [
    Counter::SampledReceived,
    Counter::SampledDebug,
    Counter::SampledRule,
    Counter::SampledNamespace,
    Counter::SampledDefault,
    Counter::SampledRemote,
];

fn unsampled() -> [(&'static str, String); 3] {
    [
        (":method", "GET".into()),
        (":path", "/cart/7".into()),
        ("traceparent", format!("00-{T}-{S}-00")),
    ]
}

fn exchange(pod: &mut Pod, direction: Direction, answer: &Record) -> Done {
    let headers = unsampled();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    pod.exchange(direction, &headers, answer, 0)
}

fn text(span: &Span) -> String {
    String::from_utf8_lossy(span.attributes.as_encoded()).into_owned()
}

fn hex(id: crate::ids::SpanId) -> String {
    String::from_utf8(id.to_hex().into()).unwrap()
}

fn word(span: &Span) -> HeaderChange {
    HeaderChange::Set(format!("trace;desc=00-{T}-{}-01", hex(span.span_id)).into_bytes())
}

#[test]
fn a_span_that_failed_is_kept_with_the_id_that_was_sent_and_the_flag_stays() {
    for direction in [Direction::Inbound, Direction::Outbound] {
        let mut pod = Pod::of("{}");
        let done = exchange(&mut pod, direction, &Record::answered(503));
        let [span] = &done.spans[..] else {
            panic!("{direction:?}");
        };
        assert_eq!(span.flags, 0x300, "not sampled, and the parent is remote");
        assert_eq!(span.parent_span_id.map(hex).as_deref(), Some(S));
        let sent =
            String::from_utf8_lossy(done.sent.iter().find(|it| it.0 == "traceparent").unwrap().1)
                .into_owned();
        assert_eq!(sent, format!("00-{T}-{}-00", hex(span.span_id)));
        assert!(span.trace_state.is_empty(), "no th");
        let said = text(span);
        for part in ["sidespan.kept", "error", "url.", "received"] {
            assert!(said.contains(part), "{part}: {said:?}");
        }
        assert_eq!(span.status, Status::Error);
        assert_eq!(pod.counted(Counter::KeptError), 1);
        assert_eq!(pod.counted(Counter::DroppedReceived), 1);
    }
}

#[test]
fn what_did_not_fail_leaves_nothing() {
    for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
        for status in [200, 302, 404, 429] {
            let mut pod = Pod::of("{}");
            let done = exchange(&mut pod, direction, &Record::answered(status));
            assert_eq!(done.spans, [], "{direction:?} {status}");
            assert!(done.words.iter().all(|word| *word == HeaderChange::Leave));
            assert!(pod.notes() == 0);
        }
    }
}

#[test]
fn grpc_says_at_its_end_how_it_was() {
    let call = [
        (":path", "/shop.Cart/Add"),
        ("content-type", "application/grpc"),
        ("traceparent", &*format!("00-{T}-{S}-00")),
    ];
    for (answer, part, is_kept) in [
        (Record::answered(200).trailer("grpc-status", "14"), 1, true),
        (Record::answered(200).header("grpc-status", "14"), 0, true),
        (Record::answered(503), 0, true),
        (Record::answered(404), 0, true),
        (Record::answered(200), 1, true),
        (Record::answered(401), 0, false),
        (Record::answered(403), 0, false),
        (Record::answered(200).trailer("grpc-status", "5"), 1, false),
        (Record::answered(200).trailer("grpc-status", "0"), 1, false),
    ] {
        let mut pod = Pod::of("{}");
        let done = pod.exchange(Direction::Inbound, &call, &answer, 0);
        assert_eq!(done.spans.len(), usize::from(is_kept), "{answer:?}");
        if let Some(span) = done.spans.first() {
            assert_eq!(done.words[part], word(span), "{answer:?}");
        }
    }
    let said = format!("trace;desc=00-{T}-{S}-01");
    let told = Record::answered(200)
        .trailer("grpc-status", "0")
        .trailer("server-timing", &said);
    let mut pod = Pod::of("{}");
    let done = pod.exchange(Direction::Outbound, &call, &told, 0);
    assert!(text(&done.spans[0]).contains("callee"));
}

#[test]
fn what_is_slow_is_kept_where_that_is_asked_for() {
    let headers = unsampled();
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    for (keep, seconds, is_kept) in [
        ("{}", 100, false),
        (r#"{"slowerThan": "2s"}"#, 1, false),
        (r#"{"slowerThan": "2s"}"#, 2, true),
        (r#"{"slowerThan": "2s", "errors": false}"#, 2, true),
    ] {
        let mut pod = Pod::of(keep);
        let answer = Record::answered(200);
        let done = pod.exchange(Direction::Inbound, &headers, &answer, seconds);
        assert_eq!(done.spans.len(), usize::from(is_kept), "{keep} {seconds}");
        if let Some(span) = done.spans.first() {
            assert!(text(span).contains("slow"));
            assert_eq!(done.words[0], word(span));
            assert_eq!(span.end.0 - span.start.0, seconds * SECOND);
        }
    }
    // As a whole, though its headers came in time.
    let mut pod = Pod::of(r#"{"slowerThan": "2s"}"#);
    pod.body = Body::Slow;
    let done = exchange(&mut pod, Direction::Inbound, &Record::answered(200));
    assert!(text(&done.spans[0]).contains("slow"));
    assert_eq!(done.words[0], HeaderChange::Leave, "too late to say");
    assert_eq!(pod.counted(Counter::KeptSlow), 1);
}

#[test]
fn what_breaks_off_is_kept_and_a_caller_that_had_its_answer_is_not() {
    for (answer, is_kept) in [
        (Record::answered(200).number("response.flags", 0x40), true),
        (Record::default().number("response.flags", 0x4), true),
        (Record::answered(404).number("response.flags", 0x100), true),
        (Record::answered(429).number("response.flags", 0x800), false),
        (
            Record::answered(200).number("response.flags", 0x4000),
            false,
        ),
    ] {
        let mut pod = Pod::of("{}");
        let done = exchange(&mut pod, Direction::Outbound, &answer);
        assert_eq!(done.spans.len(), usize::from(is_kept), "{answer:?}");
        assert_eq!(pod.notes(), usize::from(is_kept));
    }
}

#[test]
fn a_response_that_has_come_to_its_end_is_not_broken_whatever_comes_behind_it() {
    let flagged = Record::answered(200).number("response.flags", 0x40);
    let of_upstream = flagged.clone().header("x-envoy-upstream-service-time", "3");
    for (body, answer, is_kept) in [
        (Body::Cut, &of_upstream, true),
        (Body::Whole, &of_upstream, false),
        // Nobody vouches for it: it may be the proxy's own answer, under a code that the configuration has given it.
        (Body::Whole, &flagged, true),
    ] {
        let mut pod = Pod::of("{}");
        pod.body = body;
        let done = exchange(&mut pod, Direction::Outbound, answer);
        assert_eq!(done.spans.len(), usize::from(is_kept), "{answer:?}");
    }
}

#[test]
fn keep_is_inert_where_it_is_off_or_nothing_is_exported() {
    for config in [
        r#"{"sampling": {"percentage": 0}}"#,
        r#"{"sampling": {"percentage": 0, "keep": {"errors": false}}, "export": {"otlp": {"cluster": "c"}}}"#,
        r#"{"sampling": {"percentage": 0, "keep": {"spansPerSecond": 0}}, "export": {"otlp": {"cluster": "c"}}}"#,
    ] {
        let mut pod = Pod::with(config);
        let headers = [("traceparent", &*format!("00-{T}-{S}-00"))];
        pod.filter.proxy.face(Direction::Inbound);
        pod.filter.proxy.open(HeaderList::new(headers));
        let mut stream = StreamState::default();
        pod.filter.on_request_headers(&mut stream);
        assert!(!stream.is_open(), "{config}");
        let asked = pod.filter.proxy.direction_reads.get();
        assert_eq!(asked, 0, "and costs nothing");
    }
    let gateway = r#"{"sampling": {"percentage": 0, "keep": {"errors": false}}, "gateway": {"keep": {}},
        "export": {"otlp": {"cluster": "c"}}}"#;
    let mut pod = Pod::with(gateway);
    let failed = Record::answered(503);
    assert_eq!(exchange(&mut pod, Direction::Inbound, &failed).spans, []);
    assert_eq!(exchange(&mut pod, Direction::Edge, &failed).spans.len(), 2);
}

#[test]
fn over_the_limit_the_traces_own_randomness_chooses() {
    let mut pod = Pod::of(r#"{"spansPerSecond": 20}"#);
    let mut kept = Vec::new();
    for number in 0..2_000_u64 {
        // A hundred a second.
        let now = Nanos(1_000 * SECOND + number * SECOND / 100);
        pod.filter.proxy.now.set(now);
        let low = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let traceparent = format!("00-4bf92f3577b34da6{low:016x}-{S}-00");
        let headers = [("traceparent", traceparent.as_str())];
        let answer = Record::answered(503);
        let done = pod.exchange(Direction::Inbound, &headers, &answer, 0);
        if !done.spans.is_empty() {
            kept.push(low & 0xff_ffff_ffff_ffff);
        }
    }
    // Ten a second are for SERVER spans, and in the first second nothing is known.
    assert!((150..=300).contains(&kept.len()), "{}", kept.len());
    let late = &kept[kept.len() - 50..];
    let least = late.iter().min().unwrap();
    assert!(
        *least > 0xe0_0000_0000_0000,
        "the same on every host: {least:x}"
    );
    let lost = pod.counted(Counter::SpansDroppedRate);
    assert_eq!(lost, 2_000 - u64::try_from(kept.len()).unwrap());
    assert_eq!(
        pod.counted(Counter::SpansFinished),
        lost,
        "all others are the exporter's to count"
    );
}

#[test]
fn who_got_no_answer_was_failed_and_a_note_still_counts() {
    for direction in [Direction::Inbound, Direction::Outbound, Direction::Edge] {
        let mut pod = Pod::of("{}");
        let gone = Record::default().number("response.flags", 0x4000);
        let done = exchange(&mut pod, direction, &gone);
        let statuses: Vec<_> = done.spans.iter().map(|span| span.status).collect();
        let expected = match direction {
            Direction::Inbound => &[Status::Error][..],
            Direction::Outbound => &[Status::Unset],
            Direction::Edge => &[Status::Error, Status::Unset],
        };
        assert_eq!(statuses, expected, "{direction:?}");
    }
    let mut pod = Pod::of(r#"{"errors": false, "slowerThan": "9s"}"#);
    let said = format!("trace;desc=00-{T}-{S}-01");
    let told = Record::answered(200).header("server-timing", &said);
    assert_eq!(
        exchange(&mut pod, Direction::Outbound, &told).spans.len(),
        1
    );
    let gone = Record::default().number("response.flags", 0x4000);
    let done = exchange(&mut pod, Direction::Inbound, &gone);
    assert!(text(&done.spans[0]).contains("callee"));
}

#[test]
fn a_call_that_ends_without_a_status_has_failed() {
    let call = [
        (":path", "/shop.Cart/Add"),
        ("content-type", "application/grpc"),
    ];
    let mut filter = Pod::of("{}").filter;
    filter.proxy.face(Direction::Inbound);
    filter.proxy.open(HeaderList::new(call));
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);
    filter.proxy.respond(Record::answered(200));
    // Its headers end it, and no trailers come.
    filter.on_response_headers(&mut stream, true);
    filter.on_end(&mut stream);
    assert_eq!(filter.exporter.unwrap().len(), 1);
}
