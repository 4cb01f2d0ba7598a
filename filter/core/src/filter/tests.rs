use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::{ATTEMPTS, Filter, SPAN_ID, StreamState, TRACE_ID};
use crate::config::Config;
use crate::direction::Direction;
use crate::export::collector::Collector;
use crate::export::exporter::SendTrigger;
use crate::id_generator::SequentialBytes;
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::proxy::InMemoryProxy;
use crate::in_memory::stream_record::Record;
use crate::node::Node;
use crate::otlp::request::RequestFrame;
use crate::proxy::SharedData;
use crate::shared_data::installations::MARK;
use crate::span::{Span, Status};
use crate::stats::Counter;
use crate::stream_info::source::{PassingResponse, StreamInfo};
use crate::time::Nanos;

type InMemoryFilter = Filter<InMemoryProxy, SequentialBytes, Vec<Span>>;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const SAMPLED: (&str, &str) = (
    "traceparent",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
);
const UNSAMPLED: (&str, &str) = (
    "traceparent",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
);
const EXPORT: &str = r#""export": {"otlp": {"cluster": "c"}}"#;
const NOW: Nanos = Nanos(1_000_000_000_000);

fn filter(config: &str, proxy: InMemoryProxy) -> InMemoryFilter {
    let config = Config::parse(config.as_bytes()).unwrap();
    proxy.now.set(NOW);
    let (node, random) = (Node::default(), SequentialBytes(1));
    Filter::new(&config, &node, "", proxy, random, Some(Vec::new()), None)
}

fn inbound(config: &str) -> InMemoryFilter {
    let proxy = InMemoryProxy::default();
    proxy.face(Direction::Inbound);
    filter(config, proxy)
}

/// Opens a stream with this request, and treats its headers.
fn request(filter: &mut InMemoryFilter, headers: &[(&str, &str)]) -> StreamState {
    filter.proxy.open(HeaderList::new(headers.iter().copied()));
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);
    stream
}

fn upstream(filter: &InMemoryFilter, name: &str) -> Option<String> {
    let headers = filter.proxy.request.borrow();
    let (_, value) = headers.iter().find(|(other, _)| *other == name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn spans(filter: &InMemoryFilter) -> &[Span] {
    filter.exporter.as_deref().unwrap()
}

fn on_end(filter: &mut InMemoryFilter, mut stream: StreamState) {
    filter.on_end(&mut stream);
    assert!(!stream.is_open() && !stream.listens());
}

#[test]
fn a_recorded_span_is_exported_at_the_end_of_its_stream() {
    let mut filter = inbound(&format!("{{{EXPORT}}}"));
    let mut stream = request(&mut filter, &[SAMPLED]);
    assert!(stream.is_open());
    assert!(!stream.listens(), "the proxy says all at the end");
    filter.proxy.respond(Record::answered(200));
    filter.on_response_headers(&mut stream, true);
    assert_eq!(spans(&filter), []);
    on_end(&mut filter, stream);
    let [span] = spans(&filter) else {
        panic!("{:?}", spans(&filter));
    };
    let span_id = String::from_utf8(span.span_id.to_hex().into()).unwrap();
    let sent = format!("00-{T}-{span_id}-01");
    assert_eq!(upstream(&filter, "traceparent"), Some(sent));
    assert_eq!((span.start, span.end), (NOW, NOW));
}

#[test]
fn a_second_installation_stands_aside_for_a_stream_that_the_first_has_seen() {
    let config = format!("{{{EXPORT}}}");
    let installed = |name: &str, proxy: InMemoryProxy| {
        let record = Record::default().property("plugin_name", name);
        proxy.stream.replace(record);
        filter(&config, proxy)
    };
    let proxy = InMemoryProxy::default();
    proxy.face(Direction::Inbound);
    let alone = installed("mesh", proxy);
    let mut second = installed("shop", alone.proxy);
    let mut first = installed("mesh", core::mem::take(&mut second.proxy));

    let stream = request(&mut first, &[SAMPLED]);
    assert!(stream.is_open());
    assert_eq!(first.proxy.property(MARK).as_deref(), Some(&b"1"[..]));
    let sent = first.proxy.request.borrow().clone();
    second.proxy = core::mem::take(&mut first.proxy);
    let mut aside = StreamState::default();
    second.on_request_headers(&mut aside);
    assert!(!aside.is_open() && !aside.listens());
    assert_eq!(*second.proxy.request.borrow(), sent);
    let counted = second.state.stats.get(Counter::ContextDuplicateInstall);
    assert_eq!(counted, 1);
    on_end(&mut second, aside);
    assert_eq!(spans(&second), []);
    first.proxy = core::mem::take(&mut second.proxy);
    on_end(&mut first, stream);
    assert_eq!(spans(&first).len(), 1);
}

#[test]
fn one_installation_alone_marks_nothing() {
    let mut filter = inbound("{}");
    request(&mut filter, &[SAMPLED]);
    assert_eq!(filter.proxy.property(MARK), None);
}

#[test]
fn baggage_is_rewritten_although_the_request_is_not_traced() {
    let baggage = r#""propagation": {"baggage": {"deny": ["secret-*"]}}"#;
    for (config, headers) in [
        (
            format!("{{{baggage}}}"),
            &[("baggage", "a=1,secret-b=2")][..],
        ),
        (
            format!("{{{baggage}, {EXPORT}}}"),
            &[(":path", "/health"), ("baggage", "a=1,secret-b=2")],
        ),
    ] {
        let mut filter = inbound(&config);
        let stream = request(&mut filter, headers);
        assert!(!stream.is_open(), "{config}");
        assert_eq!(upstream(&filter, "baggage").as_deref(), Some("a=1"));
        assert_eq!(upstream(&filter, "traceparent"), None);
    }
}

#[test]
fn an_excluded_request_loses_a_context_that_is_not_believed() {
    let access_log = r#""spans": {"accessLog": true}"#;
    for (trust, is_kept) in [("accept", true), ("restart", false)] {
        let mut filter = inbound(&format!(
            r#"{{"trust": {{"context": "{trust}"}}, {access_log}, {EXPORT}}}"#
        ));
        let sent = [(":path", "/health"), SAMPLED, ("x-other", "stays")];
        let stream = request(&mut filter, &sent);
        assert!(!stream.is_open());
        assert_eq!(
            upstream(&filter, "traceparent").is_some(),
            is_kept,
            "{trust}"
        );
        assert_eq!(upstream(&filter, "x-other").as_deref(), Some("stays"));
        assert_eq!(filter.proxy.property(TRACE_ID), None);
        assert_eq!(filter.state.stats.get(Counter::DroppedExclude), 1);
        on_end(&mut filter, stream);
        assert_eq!(spans(&filter), []);
    }
}

#[test]
fn a_line_explains_each_request_while_debug_is_on() {
    let mut filter = inbound(&format!("{{{EXPORT}}}"));
    request(&mut filter, &[SAMPLED]);
    assert!(filter.proxy.log.borrow().is_empty());
    filter.proxy.logs_debug.set(true);
    request(&mut filter, &[SAMPLED]);
    request(&mut filter, &[(":path", "/health")]);
    let log = filter.proxy.log.take();
    let [traced, excluded] = &log[..] else {
        panic!("{log:?}");
    };
    let said = "extracted tracecontext; decision sampled (received); injected tracecontext";
    assert!(traced.starts_with(said), "{traced}");
    let said = "extracted nothing (excluded); decision dropped (exclude); injected nothing";
    assert_eq!(excluded, said);
}

#[test]
fn an_access_log_finds_the_ids_of_what_went_upstream() {
    let mut filter = inbound(&format!(r#"{{"spans": {{"accessLog": true}}, {EXPORT}}}"#));
    request(&mut filter, &[UNSAMPLED]);
    assert_eq!(
        filter.proxy.property(TRACE_ID).as_deref(),
        Some(T.as_bytes())
    );
    let span_id = filter.proxy.property(SPAN_ID).unwrap();
    let sent = upstream(&filter, "traceparent").unwrap();
    assert_eq!(sent.as_bytes()[36..52], span_id);
}

#[test]
fn the_note_under_a_requests_id_is_taken_back_at_its_end() {
    let config = r#"{"correlation": {"requestId": true}}"#;
    for is_overwritten in [false, true] {
        let mut filter = inbound(config);
        let stream = request(&mut filter, &[SAMPLED, ("x-request-id", "7f3")]);
        assert!(stream.is_open(), "only a note is open");
        let keys = filter.proxy.shared_keys(b"sidespan.request.");
        let [key] = &keys[..] else {
            panic!("{keys:?}");
        };
        assert!(!filter.proxy.shared_data(key).is_empty());
        if is_overwritten {
            filter.proxy.set_shared_data(key, b"another's");
        }
        on_end(&mut filter, stream);
        let left: &[u8] = if is_overwritten { b"another's" } else { b"" };
        assert_eq!(filter.proxy.shared_data(key), left);
        assert_eq!(spans(&filter), []);
    }
}

#[test]
fn the_state_of_an_attempt_is_with_the_stream_for_the_next() {
    let mut filter = inbound(&format!(r#"{{"role": "attempt", {EXPORT}}}"#));
    filter.proxy.open(HeaderList::new([SAMPLED]));
    let mut written = Vec::new();
    for status in [503, 200] {
        let mut stream = StreamState::default();
        filter.on_request_headers(&mut stream);
        assert!(stream.is_open() && stream.listens());
        written.push(filter.proxy.property(ATTEMPTS).unwrap());
        filter.proxy.respond(Record::answered(status));
        filter.on_response_headers(&mut stream, true);
        filter.proxy.respond(Record::default());
        on_end(&mut filter, stream);
    }
    assert_eq!(written[0][..24], written[1][..24], "one parent");
    assert_ne!(written[0][24..], written[1][24..], "two spans");
    let [first, second] = spans(&filter) else {
        panic!("{:?}", spans(&filter));
    };
    for span in [first, second] {
        let parent = span.parent_span_id.unwrap().to_hex();
        assert_eq!(&parent, S.as_bytes());
    }
    assert_eq!(
        (first.status, second.status),
        (Status::Error, Status::Unset)
    );
    assert_eq!(
        filter.proxy.property(MARK),
        None,
        "only requests are marked"
    );
}

#[test]
fn a_span_that_was_not_sampled_is_exported_after_a_503() {
    let mut filter = inbound(&format!("{{{EXPORT}}}"));
    for (status, count) in [(200, 0), (503, 1)] {
        let mut stream = request(&mut filter, &[UNSAMPLED]);
        assert!(stream.is_open() && stream.listens());
        filter.proxy.respond(Record::answered(status));
        filter.on_response_headers(&mut stream, false);
        let said = filter.proxy.response_header("server-timing");
        on_end(&mut filter, stream);
        assert_eq!(spans(&filter).len(), count, "{status}");
        assert_eq!(said.is_some(), count > 0, "the caller is told");
    }
    let span = &spans(&filter)[0];
    let attributes = String::from_utf8_lossy(span.attributes.as_encoded());
    assert!(attributes.contains("sidespan.kept"), "{attributes:?}");
    assert_eq!(span.flags & 1, 0);
}

#[test]
fn an_edge_takes_the_word_out_of_every_response() {
    let proxy = InMemoryProxy::default();
    proxy.face(Direction::Edge);
    let mut filter = filter(&format!("{{{EXPORT}}}"), proxy);
    for headers in [[SAMPLED], [(":path", "/health")]] {
        let mut stream = request(&mut filter, &headers);
        let said = format!("trace;desc=00-{T}-{S}-01, db;dur=53");
        let answer = Record::answered(200).header("server-timing", &said);
        filter.proxy.respond(answer.trailer("server-timing", &said));
        let is_excluded = headers[0] != SAMPLED;
        // Nothing that is excluded asks for its listener's direction.
        assert_eq!(stream.listens(), !is_excluded);
        filter.on_response_headers(&mut stream, false);
        filter.on_response_trailers(&mut stream);
        let expected = if is_excluded { &said } else { "db;dur=53" };
        for left in [
            filter.proxy.response_header("server-timing"),
            filter.proxy.response_trailer("server-timing"),
        ] {
            assert_eq!(left.as_deref(), Some(expected.as_bytes()));
        }
        on_end(&mut filter, stream);
    }
}

#[test]
fn a_tick_sends_what_is_queued_and_an_answer_is_counted() {
    let config = Config::parse(format!("{{{EXPORT}}}").as_bytes()).unwrap();
    let node = Node::default();
    let resource = node.resource(&config.spans, "1", "digest");
    let frame = RequestFrame::new(&resource, "sidespan", "1", "digest", "");
    let collector = Collector::new(&config.export, frame, Vec::new(), "sidespan");
    let (proxy, random) = (InMemoryProxy::default(), SequentialBytes(1));
    proxy.now.set(NOW);
    let mut filter = Filter::new(&config, &node, "", proxy, random, collector, None);
    filter.proxy.face(Direction::Inbound);
    filter.proxy.open(HeaderList::new([SAMPLED]));
    let mut stream = StreamState::default();
    filter.on_request_headers(&mut stream);
    filter.on_end(&mut stream);
    assert_eq!(filter.queued_spans().spans, 1);

    let later = NOW.after(Duration::from_secs(2));
    filter.proxy.now.set(later);
    filter.on_tick(false);
    filter.send(SendTrigger::Tick);
    assert_eq!(filter.proxy.calls.borrow().len(), 1);
    let answer = HeaderList::new([(":status", "200"), ("grpc-status", "0")]);
    filter.proxy.answer.replace((answer, Vec::new()));
    assert!(filter.on_call_response(0, 0, true), "the collector's");
    assert_eq!(filter.queued_spans().spans, 0);
    assert_eq!(filter.state.stats.get(Counter::SpansExported), 1);
    assert_eq!(filter.state.stats.get(Counter::WorkerTicks), 1);
}

#[test]
fn early_ticks_are_no_more_signs_of_life() {
    let config = Config::parse(b"{}").unwrap();
    let (node, proxy) = (Node::default(), InMemoryProxy::default());
    let random = SequentialBytes(1);
    let mut filter: Filter<_, _, Collector> =
        Filter::new(&config, &node, "", proxy, random, None, None);
    for (millis, signs) in [(0, 1), (1, 1), (999, 1), (1_000, 2), (1_950, 2), (3_001, 3)] {
        let moment = NOW.after(Duration::from_millis(millis));
        filter.proxy.now.set(moment);
        filter.on_tick(false);
        let counted = filter.state.stats.get(Counter::WorkerTicks);
        assert_eq!(counted, signs, "after {millis} ms");
    }
}

#[test]
fn a_tracestate_that_the_application_drops_is_put_back() {
    let b3 = format!("{T}-{S}-1");
    let traceparent = |state: &'static str| [SAMPLED, ("tracestate", state)];
    let inbound: [(&[(&str, &str)], &str); 5] = [
        (
            &traceparent("ot=th:c;rv:f0000000000000,congo=1,b3=x,dd=s:1"),
            "ot=th:c;rv:f0000000000000,congo=1",
        ),
        (&[("b3", b3.as_str()), ("tracestate", "ot=th:c")], ""),
        (&traceparent("ot=th:0,congo=1"), ""),
        (&traceparent("congo=1"), ""),
        (&[UNSAMPLED, ("tracestate", "ot=th:c")], ""),
    ];
    for (came_in, noted) in inbound {
        for (sent, own) in [
            (vec![("b3", b3.as_str())], ""),
            (vec![SAMPLED], ""),
            (vec![SAMPLED, ("tracestate", "own=2")], "own=2"),
        ] {
            let proxy = InMemoryProxy::default();
            proxy.face(Direction::Inbound);
            let mut filter = filter(&format!("{{{EXPORT}}}"), proxy);
            let mut stream = request(&mut filter, came_in);
            stream.end_response();
            filter.proxy.face(Direction::Outbound);
            request(&mut filter, &sent);
            let expected = match (noted, own) {
                ("", own) => String::from(own),
                (noted, "") => noted.into(),
                (noted, own) => {
                    let (ot, _) = noted.split_once(',').unwrap();
                    format!("{ot},{own}")
                }
            };
            let left = upstream(&filter, "tracestate").unwrap_or_default();
            assert_eq!(left, expected, "{came_in:?} {sent:?}");
            let restored = filter.state.stats.get(Counter::TracestateRestored);
            assert_eq!(restored, u64::from(!noted.is_empty()), "{came_in:?}");
        }
    }
}

#[test]
fn nothing_is_put_back_where_the_key_says_no() {
    let proxy = InMemoryProxy::default();
    proxy.face(Direction::Inbound);
    let config = format!(r#"{{"propagation": {{"restoreTracestate": false}}, {EXPORT}}}"#);
    let mut filter = filter(&config, proxy);
    request(
        &mut filter,
        &[SAMPLED, ("tracestate", "ot=th:c;rv:f0000000000000")],
    );
    filter.proxy.face(Direction::Outbound);
    request(&mut filter, &[SAMPLED]);
    assert_eq!(upstream(&filter, "tracestate"), None);
}
