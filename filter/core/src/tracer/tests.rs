use alloc::string::String;
use alloc::{format, vec};

use crate::config::Config;
use crate::direction::Direction;
use crate::filter::{Filter, StreamState};
use crate::id_generator::{Random, SequentialBytes};
use crate::ids::SpanId;
use crate::in_memory::header_list::HeaderList;
use crate::in_memory::proxy::InMemoryProxy;
use crate::in_memory::stream_record::Record;
use crate::node::Node;
use crate::span::{LinkReason, Span, SpanKind, Status};
use crate::stats::{Counter, Stats};
use crate::time::Nanos;
use alloc::vec::Vec;

mod attributes;
mod consistent;
mod correlated;
mod debug;
mod exclude;
mod trust;

const T: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const S: &str = "00f067aa0ba902b7";
const EXPORT: &str = r#""export": {"otlp": {"cluster": "collector"}}"#;

struct Exhausted;

impl Random for Exhausted {
    fn fill(&mut self, _: &mut [u8]) -> bool {
        false
    }
}

struct StreamInfo {
    headers: HeaderList,
    spans: Vec<Span>,
    stats: Stats,
}

impl StreamInfo {
    fn value(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

fn exchange(config: &str, direction: Direction, headers: &[(&str, &str)]) -> StreamInfo {
    exchange_with(SequentialBytes(1), config, direction, headers)
}

fn exchange_with(
    entropy: impl Random,
    config: &str,
    direction: Direction,
    headers: &[(&str, &str)],
) -> StreamInfo {
    let node = Node {
        namespace: Some("payments".into()),
        ..Node::default()
    };
    let mut filter = filter(entropy, config, direction, &node);
    let mut stream = StreamState::default();
    filter.proxy.open(HeaderList::new(headers.iter().copied()));
    filter.on_request_headers(&mut stream);
    end(filter, stream)
}

type InMemoryFilter<R> = Filter<InMemoryProxy, R, Vec<Span>>;

fn filter<R: Random>(
    entropy: R,
    config: &str,
    direction: Direction,
    node: &Node,
) -> InMemoryFilter<R> {
    let config = Config::parse(config.as_bytes()).unwrap();
    let proxy = InMemoryProxy::default();
    proxy.face(direction);
    proxy.now.set(Nanos(1));
    Filter::new(&config, node, "", proxy, entropy, Some(Vec::new()), None)
}

/// Answers the request, which began at 10, and ends it at 20.
fn end(mut filter: InMemoryFilter<impl Random>, mut stream: StreamState) -> StreamInfo {
    let answer = Record::answered(200).number("request.time", 10);
    filter.proxy.respond(answer);
    filter.on_response_headers(&mut stream, true);
    filter.proxy.now.set(Nanos(20));
    filter.on_end(&mut stream);
    StreamInfo {
        headers: filter.proxy.request.take(),
        spans: filter.exporter.unwrap(),
        stats: filter.state.stats,
    }
}

fn sampled() -> (&'static str, String) {
    ("traceparent", format!("00-{T}-{S}-01"))
}

#[test]
fn map_10_makes_our_span_the_callers_child_and_the_next_ones_parent() {
    let (name, value) = sampled();
    let config = format!("{{{EXPORT}}}");
    for (direction, kind) in [
        (Direction::Inbound, SpanKind::Server),
        (Direction::Outbound, SpanKind::Client),
    ] {
        let done = exchange(&config, direction, &[(name, &value)]);
        let [span] = &done.spans[..] else {
            panic!("{:?}", done.spans);
        };
        assert_eq!(span.kind, kind);
        assert_eq!(&span.trace_id.to_hex(), T.as_bytes());
        assert_eq!(
            span.parent_span_id.map(SpanId::to_hex).as_ref(),
            S.as_bytes().first_chunk()
        );
        assert_eq!((span.start, span.end), (Nanos(10), Nanos(20)));
        assert_eq!(span.status, Status::Unset);
        let ours = String::from_utf8(span.span_id.to_hex().into()).unwrap();
        assert_eq!(done.value("traceparent"), Some(format!("00-{T}-{ours}-01")));
    }
}

#[test]
fn an_edge_makes_two_spans_and_sends_the_id_of_the_second() {
    let (name, value) = sampled();
    let done = exchange(&format!("{{{EXPORT}}}"), Direction::Edge, &[(name, &value)]);
    let [server, client] = &done.spans[..] else {
        panic!("{:?}", done.spans);
    };
    assert_eq!(
        (server.kind, client.kind),
        (SpanKind::Server, SpanKind::Client)
    );
    assert_eq!(client.parent_span_id, Some(server.span_id));
    let sent = String::from_utf8(client.span_id.to_hex().into()).unwrap();
    assert_eq!(done.value("x-b3-spanid"), Some(sent));
}

#[test]
fn ms_4_says_where_the_parent_is() {
    let (name, value) = sampled();
    let random = format!("00-{T}-{S}-03");
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    for (traceparent, flags) in [
        (Some(&value), [0x301, 0x101]),
        (Some(&random), [0x303, 0x103]),
        (None, [0x101, 0x101]),
    ] {
        let headers: Vec<_> = traceparent
            .map(|value| (name, value.as_str()))
            .into_iter()
            .collect();
        let done = exchange(&config, Direction::Edge, &headers);
        let found: Vec<_> = done.spans.iter().map(|span| span.flags).collect();
        assert_eq!(found, flags, "{traceparent:?}");
    }
}

#[test]
fn map_12_and_fl_6_write_a_new_parent_also_when_nothing_is_recorded() {
    let config = format!("{{{EXPORT}}}");
    let done = exchange(
        &config,
        Direction::Inbound,
        &[("traceparent", &format!("00-{T}-{S}-02"))],
    );
    assert!(done.spans.is_empty());
    let sent = done.value("traceparent").unwrap();
    assert!(sent.starts_with(&format!("00-{T}-")) && sent.ends_with("-02"));
    assert!(!sent.contains(S));
    assert_eq!(done.stats.get(Counter::DroppedReceived), 1);
}

#[test]
fn tp_7_and_map_11_start_a_new_trace_without_a_usable_context() {
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    for headers in [
        &[][..],
        &[("traceparent", "00-bad"), ("tracestate", "foo=1")],
        &[("x-request-id", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")],
    ] {
        let done = exchange(&config, Direction::Inbound, headers);
        let [span] = &done.spans[..] else {
            panic!("{headers:?}");
        };
        assert_eq!(span.parent_span_id, None);
        assert!(done.value("traceparent").unwrap().ends_with("-01"));
        assert_eq!(
            done.value("tracestate").as_deref(),
            Some("ot=th:0"),
            "TH-12"
        );
        assert_eq!(done.stats.get(Counter::SampledDefault), 1);
    }
}

#[test]
fn fl_4_fl_5_and_fl_7_start_with_the_sampled_flag_at_most() {
    for (percentage, flags) in [(100, "01"), (0, "00")] {
        let config = format!(r#"{{"sampling": {{"percentage": {percentage}}}, {EXPORT}}}"#);
        let done = exchange(&config, Direction::Inbound, &[]);
        assert!(done.value("traceparent").unwrap().ends_with(flags));
    }
}

#[test]
fn a15_decides_a_deferred_context_by_its_own_trace_id() {
    for (percentage, is_kept) in [(10, false), (20, true)] {
        let config = format!(r#"{{"sampling": {{"percentage": {percentage}}}, {EXPORT}}}"#);
        let done = exchange(&config, Direction::Inbound, &[("b3", &format!("{T}-{S}"))]);
        assert_eq!(done.spans.len(), usize::from(is_kept));
        let state = if is_kept { "-1" } else { "-0" };
        assert!(done.value("b3").unwrap().ends_with(state));
        assert!(done.value("b3").unwrap().starts_with(T));
    }
}

#[test]
fn a16_gives_a_decision_without_ids_to_the_trace_it_starts() {
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    let rows = [
        ("0", "-0", "-00", 0),
        ("1", "-1", "-01", 1),
        ("d", "-d", "-01", 1),
    ];
    for (b3, state, flags, spans) in rows {
        let done = exchange(&config, Direction::Inbound, &[("b3", b3)]);
        assert!(done.value("b3").unwrap().ends_with(state), "{b3}");
        assert!(done.value("traceparent").unwrap().ends_with(flags), "{b3}");
        assert_eq!(done.spans.len(), spans, "{b3}");
    }
}

#[test]
fn sm_10_follows_a_received_decision_whatever_is_configured() {
    for (percentage, flags, spans) in [(0, "01", 1), (100, "00", 0)] {
        let config = format!(
            r#"{{"sampling": {{"percentage": {percentage}, "namespaces": {{"payments": {percentage}}}}}, {EXPORT}}}"#
        );
        let done = exchange(
            &config,
            Direction::Inbound,
            &[("traceparent", &format!("00-{T}-{S}-{flags}"))],
        );
        assert_eq!(done.spans.len(), spans);
        assert!(done.value("traceparent").unwrap().ends_with(flags));
    }
}

#[test]
fn samples_roots_by_the_workloads_namespace() {
    for (namespaces, spans, counter) in [
        (r#"{"payments": 100, "*": 0}"#, 1, Counter::SampledNamespace),
        (r#"{"orders": 100, "*": 0}"#, 0, Counter::DroppedNamespace),
        (r#"{"orders": 100}"#, 0, Counter::DroppedDefault),
    ] {
        let config =
            format!(r#"{{"sampling": {{"percentage": 0, "namespaces": {namespaces}}}, {EXPORT}}}"#);
        let done = exchange(&config, Direction::Inbound, &[]);
        assert_eq!(done.spans.len(), spans, "{namespaces}");
        assert_eq!(done.stats.get(counter), 1, "{namespaces}");
    }
}

#[test]
fn an_empty_configuration_touches_nothing_without_a_context() {
    let headers = [("host", "a"), ("tracestate", "foo=1"), ("baggage", "a=1")];
    let done = exchange("{}", Direction::Inbound, &headers);
    assert_eq!(done.headers, HeaderList::new(headers));
    assert!(done.spans.is_empty());
    assert_eq!(done.stats, Stats::default());
}

#[test]
fn an_empty_configuration_translates_and_keeps_the_callers_span() {
    let (name, value) = sampled();
    let done = exchange("{}", Direction::Inbound, &[(name, &value)]);
    assert_eq!(done.value("traceparent"), Some(value));
    assert_eq!(done.value("x-b3-traceid").as_deref(), Some(T));
    assert_eq!(done.value("x-b3-spanid").as_deref(), Some(S));
    assert!(done.spans.is_empty());
}

#[test]
fn an_empty_configuration_leaves_an_undecided_context_undecided() {
    let done = exchange("{}", Direction::Inbound, &[("b3", &format!("{T}-{S}"))]);
    assert_eq!(done.value("traceparent"), None);
    assert_eq!(done.value("b3"), Some(format!("{T}-{S}")));
    assert_eq!(done.value("x-b3-traceid").as_deref(), Some(T));
    assert_eq!(done.value("x-b3-sampled"), None);
}

#[test]
fn decides_without_recording_where_nothing_is_exported() {
    let done = exchange(
        r#"{"sampling": {"percentage": 100}}"#,
        Direction::Inbound,
        &[],
    );
    assert!(done.value("traceparent").unwrap().ends_with("-01"));
    assert!(done.spans.is_empty());
}

#[test]
fn en_14_starts_nothing_without_randomness() {
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    let done = exchange_with(Exhausted, &config, Direction::Inbound, &[]);
    assert_eq!(done.headers, HeaderList::default());
    assert_eq!(done.stats.get(Counter::EntropyFailures), 1);

    let (name, value) = sampled();
    let done = exchange_with(Exhausted, &config, Direction::Edge, &[(name, &value)]);
    assert_eq!(done.value("traceparent"), Some(value));
    assert!(done.spans.is_empty());

    // A decision alone is no trace, and leaves as it came.
    let done = exchange_with(Exhausted, &config, Direction::Edge, &[("b3", "0")]);
    assert_eq!(done.value("b3").as_deref(), Some("0"));
    assert!(done.spans.is_empty());
}

#[test]
fn map_1_tells_of_datadogs_values_in_a_tracestate_where_none_came() {
    let config = format!(
        r#"{{"propagation": {{"inject": ["tracecontext", "datadog"]}}, "sampling": {{"percentage": 100}}, {EXPORT}}}"#
    );
    let headers = [
        ("x-datadog-trace-id", "1311768467463790320"),
        ("x-datadog-parent-id", "67667974448284343"),
        ("x-datadog-sampling-priority", "1"),
        ("x-datadog-origin", "rum"),
    ];
    let done = exchange(&config, Direction::Inbound, &headers);
    assert_eq!(
        done.value("tracestate").as_deref(),
        Some("dd=s:1;o:rum;p:00f067aa0ba902b7")
    );
}

#[test]
fn th_21_exports_the_tracestate_that_goes_upstream() {
    let (name, value) = sampled();
    let done = exchange(
        &format!("{{{EXPORT}}}"),
        Direction::Edge,
        &[(name, &value), ("tracestate", "a=1"), ("tracestate", "b=2")],
    );
    for span in &done.spans {
        assert_eq!(span.trace_state, b"a=1,b=2");
    }
    assert_eq!(done.value("tracestate").as_deref(), Some("a=1,b=2"));
}

fn with_trust(trust: &str) -> String {
    format!(r#"{{"sampling": {{"percentage": 0}}, {trust}, {EXPORT}}}"#)
}

#[test]
fn mf_4_links_to_the_context_that_lost_and_says_why() {
    let (name, value) = sampled();
    let b3 = "11111111111111111111111111111111-05e3ac9a4f6e3b90-1";
    let done = exchange(
        &format!("{{{EXPORT}}}"),
        Direction::Edge,
        &[(name, &value), ("b3", b3)],
    );
    let [server, client] = &done.spans[..] else {
        panic!("{:?}", done.spans);
    };
    let link = server.link.as_ref().unwrap();
    assert_eq!(link.trace_id.to_bytes(), [0x11; 16]);
    assert_eq!(&link.span_id.to_hex(), b"05e3ac9a4f6e3b90");
    assert_eq!(link.reason, LinkReason::ConflictingFormat);
    assert_eq!(client.link, None, "once is enough");
    assert_eq!(&server.trace_id.to_hex(), T.as_bytes());
}

#[test]
fn adds_at_most_the_five_headers_that_the_readme_says() {
    let config = format!(r#"{{"sampling": {{"percentage": 100}}, {EXPORT}}}"#);
    let ids = |state: &str| format!("{T}-{S}{state}");
    let rows: [&[(&str, &str)]; 6] = [
        &[],
        &[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )],
        &[("b3", &ids("-d"))],
        &[("b3", &ids("-1"))],
        &[(
            "uber-trace-id",
            "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1",
        )],
        &[
            ("x-datadog-trace-id", "11803532876627986230"),
            ("x-datadog-parent-id", "67667974448284343"),
            ("x-datadog-sampling-priority", "2"),
            ("x-datadog-origin", "rum"),
            ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6"),
        ],
    ];
    let added = rows.map(|headers| {
        let done = exchange(&config, Direction::Inbound, headers);
        done.headers.iter().count() - headers.len()
    });
    assert_eq!(added.into_iter().max(), Some(5), "{added:?}");
}

#[test]
fn b3_50_keeps_a_short_id_short_through_a_hop_that_also_spoke_w3c() {
    let short = "a3ce929d0e0e4736";
    let config = format!(
        r#"{{"propagation": {{"keep64bit": true}}, "sampling": {{"percentage": 0}}, {EXPORT}}}"#
    );
    let first = [
        ("x-b3-traceid", short),
        ("x-b3-spanid", S),
        ("x-b3-sampled", "1"),
    ];
    let first = exchange(&config, Direction::Outbound, &first);
    let between: Vec<(&str, String)> = first
        .headers
        .iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(value).into_owned()))
        .collect();
    let between: Vec<(&str, &str)> = between
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let second = exchange(&config, Direction::Inbound, &between);
    assert_eq!(second.value("x-b3-traceid").as_deref(), Some(short));
    let traceparent = second.value("traceparent").unwrap();
    assert!(
        traceparent.starts_with(&format!("00-{short:0>32}-")),
        "{traceparent}"
    );
}

#[test]
fn mf_2_gives_a_decision_without_ids_to_ids_without_a_decision() {
    let config = with_trust(r#""trust": {}"#).replace("\"percentage\": 0", "\"percentage\": 100");
    let ids = [("x-b3-traceid", T), ("x-b3-spanid", S)];
    let done = exchange(&config, Direction::Inbound, &[ids[0], ids[1], ("b3", "0")]);
    assert_eq!(done.value("x-b3-sampled").as_deref(), Some("0"));
    assert!(done.spans.is_empty());
}

#[test]
fn xr_3_sends_a_question_mark_to_nobody_who_did_not_send_one() {
    let ids = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7";
    for received in [String::from(ids), format!("{ids};Sampled=?")] {
        let done = exchange("{}", Direction::Inbound, &[("x-amzn-trace-id", &received)]);
        assert_eq!(done.value("x-amzn-trace-id"), Some(received));
    }
}

#[test]
fn mf_4_counts_a_conflict_once_a_request() {
    let (name, value) = sampled();
    let other = "11111111111111111111111111111111";
    let done = exchange(
        &format!("{{{EXPORT}}}"),
        Direction::Inbound,
        &[
            (name, &value),
            ("b3", &format!("{other}-{S}-1")),
            ("uber-trace-id", &format!("{other}:{S}:0:1")),
        ],
    );
    assert_eq!(done.stats.get(Counter::ContextConflict), 1);
}
