use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::config::Config;
use crate::filter::{Filter, StreamState};
use crate::id_generator::SequentialBytes;
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::proxy::InMemoryProxy;
use crate::in_memory::stream_record::Record;
use crate::node::Node;
use crate::span::{SpanKind, Status};

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";

/// One request, whose tries share a header map and the state of the stream.
struct Tries {
    filter: Filter<InMemoryProxy, SequentialBytes, Vec<Span>>,
}

impl Tries {
    fn of(headers: &[(&str, &str)]) -> Self {
        let config = br#"{"role": "attempt", "export": {"otlp": {"cluster": "c"}}}"#;
        let config = Config::parse(config).unwrap();
        let (node, proxy) = (Node::default(), InMemoryProxy::default());
        proxy.open(HeaderList::new(headers.iter().copied()));
        let random = SequentialBytes(1);
        Self {
            filter: Filter::new(&config, &node, "", proxy, random, Some(Vec::new()), None),
        }
    }

    fn begin(&mut self) -> Option<StreamState> {
        self.filter.proxy.now.set(Nanos(10));
        let mut stream = StreamState::default();
        self.filter.on_request_headers(&mut stream);
        stream.is_open().then_some(stream)
    }

    fn span(&mut self, exchange: &Record) -> Span {
        let mut stream = self.begin().expect("a span");
        self.filter.proxy.respond(exchange.clone());
        self.filter.on_response_headers(&mut stream, true);
        self.finish(stream, Record::default())
    }

    fn finish(&mut self, mut stream: StreamState, exchange: Record) -> Span {
        self.filter.proxy.respond(exchange);
        self.filter.proxy.now.set(Nanos(20));
        self.filter.on_end(&mut stream);
        let spans = self.filter.exporter.replace(Vec::new()).unwrap();
        assert_eq!(spans.len(), 1);
        spans.into_iter().next().unwrap()
    }

    fn headers(&self) -> HeaderList {
        self.filter.proxy.request.borrow().clone()
    }

    fn value(&self, name: &str) -> Option<String> {
        let headers = self.headers();
        let (_, value) = headers.iter().find(|(other, _)| *other == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

fn hex(id: SpanId) -> String {
    String::from_utf8(id.to_hex().into()).unwrap()
}

#[test]
fn each_try_is_a_client_span_under_the_same_parent() {
    let traceparent = format!("00-{T}-{S}-01");
    let mut tries = Tries::of(&[(":method", "GET"), ("traceparent", &traceparent)]);
    let mut seen = Vec::new();
    for status in [503, 503, 200] {
        let span = tries.span(&Record::answered(status));
        assert_eq!(span.kind, SpanKind::Client);
        assert_eq!(
            span.parent_span_id.map(hex).as_deref(),
            Some(S),
            "not the last try"
        );
        assert_eq!(span.status == Status::Error, status == 503);
        assert_eq!((span.start, span.end), (Nanos(10), Nanos(20)));
        assert_eq!(
            span.flags, 0x01,
            "nobody knows whether the parent is remote"
        );
        let written = format!("00-{T}-{}-01", hex(span.span_id));
        assert_eq!(tries.value("traceparent"), Some(written));
        assert_eq!(tries.value("x-b3-spanid"), Some(hex(span.span_id)));
        assert!(!seen.contains(&span.span_id));
        seen.push(span.span_id);
    }
}

#[test]
fn a_tracer_that_writes_for_each_try_tells_of_a_new_parent() {
    let traceparent = |span: &str| format!("00-{T}-{span}-01");
    let b3 = |span: &str| format!("{T}-{span}-1");
    let (first, second) = ("00000000000000a1", "00000000000000a2");
    for is_w3c in [true, false] {
        let mut tries = Tries::of(&[]);
        let write = |headers: &mut HeaderList, span: &str| match is_w3c {
            true => headers.set("traceparent", traceparent(span).as_bytes()),
            false => headers.set("b3", b3(span).as_bytes()),
        };
        for parent in [first, second] {
            write(&mut tries.filter.proxy.request.borrow_mut(), parent);
            let span = tries.span(&Record::answered(200));
            assert_eq!(
                span.parent_span_id.map(hex).as_deref(),
                Some(parent),
                "{is_w3c}"
            );
        }
    }
}

#[test]
fn an_unsampled_try_is_translated_and_makes_no_span() {
    for headers in [
        &[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        )][..],
        &[("x-b3-traceid", T), ("x-b3-spanid", S)],
    ] {
        let mut tries = Tries::of(headers);
        assert!(tries.begin().is_none());
        assert_eq!(
            tries.value("x-b3-spanid").as_deref(),
            Some(S),
            "the caller's"
        );
    }
    let mut nothing = Tries::of(&[(":method", "GET")]);
    let before = nothing.headers();
    assert!(nothing.begin().is_none());
    assert_eq!(nothing.headers(), before);
}

#[test]
fn a_try_without_a_response_says_what_broke_it() {
    let traceparent = format!("00-{T}-{S}-01");
    let refused = Record::default().property("upstream.transport_failure_reason", "refused");
    let present = Record::answered(200).property("upstream.transport_failure_reason", "");
    for (heard, end, error) in [
        (&Record::default(), Record::default(), Some("_OTHER")),
        (
            &Record::default(),
            refused,
            Some("upstream_connect_failure"),
        ),
        (
            &Record::default(),
            Record::default().number("response.flags", 0x8000 | 0x4),
            Some("upstream_timeout"),
        ),
        (
            &Record::default(),
            Record::default().number("response.flags", 0x4000),
            None,
        ),
        (&present, Record::default(), Some("_OTHER")),
        (&Record::answered(101), Record::default(), None),
        (
            &present,
            Record::default().number("response.flags", 0x8000),
            Some("_OTHER"),
        ),
        (
            &present,
            Record::default().number("response.flags", 0x40),
            Some("upstream_reset"),
        ),
    ] {
        let mut tries = Tries::of(&[("traceparent", &traceparent)]);
        let mut stream = tries.begin().unwrap();
        tries.filter.proxy.stream.replace(heard.clone());
        tries.filter.on_response_headers(&mut stream, false);
        tries.filter.proxy.stream.replace(Record::default());
        let span = tries.finish(stream, end);
        let text = String::from_utf8_lossy(span.attributes.as_encoded()).into_owned();
        assert_eq!(text.contains("error.type"), error.is_some(), "{text:?}");
        assert!(text.contains(error.unwrap_or_default()), "{text:?}");
        assert_eq!(span.status == Status::Error, error.is_some());
    }
}

#[test]
fn the_answer_that_opens_a_tunnel_has_no_end_of_its_own() {
    let traceparent = format!("00-{T}-{S}-01");
    for (method, is_failed) in [("CONNECT", false), ("GET", true)] {
        let mut tries = Tries::of(&[(":method", method), ("traceparent", &traceparent)]);
        let mut stream = tries.begin().unwrap();
        tries.filter.proxy.stream.replace(Record::answered(200));
        tries.filter.on_response_headers(&mut stream, false);
        tries.filter.proxy.stream.replace(Record::default());
        let span = tries.finish(stream, Record::default());
        assert_eq!(span.status == Status::Error, is_failed, "{method}");
    }
}

#[test]
fn grpc_status_is_heard_in_trailers_after_headers() {
    let traceparent = format!("00-{T}-{S}-01");
    let call = [
        (":path", "/shop.Cart/Add"),
        ("content-type", "application/grpc"),
        ("traceparent", &traceparent),
    ];
    let mut tries = Tries::of(&call);
    let mut stream = tries.begin().unwrap();
    tries.filter.proxy.respond(Record::answered(200));
    tries.filter.on_response_headers(&mut stream, false);
    let trailers = Record::default().trailer("grpc-status", "14");
    tries.filter.proxy.respond(trailers);
    tries.filter.on_response_trailers(&mut stream);
    let span = tries.finish(stream, Record::default());
    assert_eq!(
        (span.name.as_ref(), span.status),
        ("shop.Cart/Add", Status::Error)
    );
    let text = String::from_utf8_lossy(span.attributes.as_encoded()).into_owned();
    assert!(text.contains("UNAVAILABLE"), "{text:?}");
}

#[test]
fn a_memory_of_somebody_else_is_none() {
    assert_eq!(AttemptState::read(b""), None);
    assert_eq!(AttemptState::read(&[0; 32]), None);
    assert_eq!(AttemptState::read(&[1; 31]), None);
    assert_eq!(AttemptState::read(&[1; 33]), None);
    let memory = AttemptState::read(&[1; 32]).unwrap();
    assert_eq!(memory.to_bytes(), [1; 32]);
}

#[test]
fn a_try_without_randomness_loses_its_span_in_a_counter() {
    struct Exhausted;
    impl Random for Exhausted {
        fn fill(&mut self, _: &mut [u8]) -> bool {
            false
        }
    }
    let config = br#"{"role": "attempt", "export": {"otlp": {"cluster": "c"}}}"#;
    let config = Config::parse(config).unwrap();
    let (node, proxy) = (Node::default(), InMemoryProxy::default());
    let spans = Some(Vec::new());
    let mut filter: Filter<_, _, Vec<Span>> =
        Filter::new(&config, &node, "", proxy, Exhausted, spans, None);
    for (flags, failures) in [("01", 1), ("00", 1)] {
        let traceparent = format!("00-{T}-{S}-{flags}");
        filter
            .proxy
            .open(HeaderList::new([("traceparent", &*traceparent)]));
        let mut stream = StreamState::default();
        filter.on_request_headers(&mut stream);
        assert!(!stream.is_open());
        let counted = filter.state.stats.get(Counter::EntropyFailures);
        assert_eq!(counted, failures, "{flags}");
    }
}
