//! Traces in which everything is that Jaeger shows in its own way: skewed clocks, shared ids, links, errors, odd values.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::corpus;

/// Microseconds in nanoseconds.
const MICROS: u64 = 1_000;

/// Returns the requests, a trace each, in the order to be sent. Their times are a minute ago, and within a second.
pub(super) fn requests() -> Vec<ExportTraceServiceRequest> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = u64::try_from(since.expect("a clock").as_nanos()).expect("a time");
    let start = now - 60_000_000_000;
    vec![
        odd(),
        shop(start),
        skewed(start),
        shared_ids(start),
        references(start),
        kept(start),
        short_id(start),
    ]
}

/// Returns the ids of the traces of some requests, as hexadecimal digits.
pub(super) fn ids(requests: &[ExportTraceServiceRequest]) -> Vec<String> {
    let first = |it: &ExportTraceServiceRequest| {
        hex::encode(&it.resource_spans[0].scope_spans[0].spans[0].trace_id)
    };
    requests.iter().map(first).collect()
}

/// Every field, odd values; a number that is infinite is a difference of its own.
fn odd() -> ExportTraceServiceRequest {
    let mut request = corpus::request();
    let strip = |attributes: &mut Vec<KeyValue>| attributes.retain(|it| it.key != "infinite");
    for resource_spans in &mut request.resource_spans {
        strip(&mut resource_spans.resource.get_or_insert_default().attributes);
        for scope_spans in &mut resource_spans.scope_spans {
            strip(&mut scope_spans.scope.get_or_insert_default().attributes);
            for span in &mut scope_spans.spans {
                strip(&mut span.attributes);
                span.attributes
                    .push(pair("large", Value::DoubleValue(1e300)));
                span.attributes.push(pair("whole", Value::DoubleValue(3.0)));
                span.events
                    .iter_mut()
                    .for_each(|it| strip(&mut it.attributes));
                span.links
                    .iter_mut()
                    .for_each(|it| strip(&mut it.attributes));
            }
        }
    }
    request
}

/// Three services in order, an error with an exception, a status that is good.
fn shop(start: u64) -> ExportTraceServiceRequest {
    let id = [0xa1; 16];
    let ms = 1_000 * MICROS;
    let mut front = span(id, 1, 0, "GET /buy", 2, (start, start + 90 * ms));
    front.attributes = vec![
        text("http.request.method", "GET"),
        pair("http.response.status_code", Value::IntValue(502)),
        text("telemetry.sdk.name", "of the span"),
    ];
    front.status = Some(Status {
        code: 2,
        message: "upstream reset".into(),
    });
    front.events = vec![
        event(start + ms, "zeta", vec![text("b", "2"), text("a", "1")]),
        event(
            start + 2 * ms,
            "exception",
            vec![
                text("exception.type", "Timeout"),
                text("event", "named by an attribute"),
            ],
        ),
        event(start + 3 * ms, "", vec![]),
    ];
    let call = span(id, 2, 1, "call cart", 3, (start + ms, start + 80 * ms));
    let mut cart = span(id, 3, 2, "GET /cart", 2, (start + 2 * ms, start + 70 * ms));
    cart.status = Some(Status {
        code: 1,
        message: String::new(),
    });
    let inner = span(id, 4, 3, "sort", 1, (start + 3 * ms, start + 4 * ms));
    let publish = span(id, 5, 3, "publish", 4, (start + 5 * ms, start + 6 * ms));
    let consume = span(id, 6, 5, "consume", 5, (start + 7 * ms, start + 69 * ms));
    request(vec![
        (
            "front",
            vec![text("k8s.pod.name", "front-1")],
            vec![front, call],
        ),
        (
            "cart",
            vec![text("k8s.pod.name", "cart-1")],
            vec![cart, inner, publish],
        ),
        ("mail", vec![], vec![consume]),
    ])
}

/// Clocks that do not agree, on hosts that are known or not, and a parent that is not there.
fn skewed(start: u64) -> ExportTraceServiceRequest {
    let id = [0xa2; 16];
    let end = start + 1_000 * MICROS;
    let root = span(id, 1, 0, "root", 2, (start, end));
    let early = span(id, 2, 1, "early", 3, (start - 457_094, start + 100_000));
    let long = span(
        id,
        3,
        1,
        "long",
        3,
        (start - 5_000_000_000, end + 7_000_000_000),
    );
    let late = span(id, 4, 1, "late", 3, (end + 10_000, end + 20_000));
    let below = span(id, 5, 4, "below", 1, (end + 10_500, end + 10_700));
    let lost = span(id, 6, 77, "lost", 2, (start, end));
    let again = span(id, 2, 1, "again", 1, (start + 5_000, start + 6_000));
    let same_host = span(id, 8, 1, "same host", 1, (start - 2_000, start + 6_000));
    request(vec![
        (
            "one",
            vec![text("ip", "10.0.0.1"), text("host.name", "a")],
            vec![root, same_host],
        ),
        (
            "two",
            vec![
                pair("ip", Value::IntValue(0x0a00_0002)),
                text("host.name", "b"),
            ],
            vec![early, long],
        ),
        ("three", vec![text("host.id", "c")], vec![late, below, lost]),
        ("four", vec![], vec![again]),
    ])
}

/// A client and a server with one id, as Zipkin's clients make them, and a child of the server.
fn shared_ids(start: u64) -> ExportTraceServiceRequest {
    let id = [0xa3; 16];
    let end = start + 1_000_000;
    let client = span(id, 0x51, 0, "call", 3, (start, end));
    let server = span(id, 0x51, 0, "serve", 2, (start + 1_000, end - 1_000));
    let child = span(id, 1, 0x51, "work", 1, (start + 2_000, end - 2_000));
    request(vec![
        ("caller", vec![], vec![client]),
        ("called", vec![], vec![server, child]),
    ])
}

/// Links: to another trace, to the parent, of a type, to nothing, and into the own trace without a parent.
fn references(start: u64) -> ExportTraceServiceRequest {
    let id = [0xa4; 16];
    let end = start + 1_000_000;
    let root = span(id, 1, 0, "root", 2, (start, end));
    let mut many = span(id, 2, 1, "many", 1, (start + 10, end - 10));
    many.links = vec![
        link([0xee; 16], 9, vec![text("link.reason", "restarted")]),
        link(id, 1, vec![]),
        link([0; 16], 3, vec![]),
        link(
            [0xee; 16],
            7,
            vec![text("opentracing.ref_type", "child_of")],
        ),
    ];
    let mut orphan = span(id, 3, 0, "orphan", 1, (start + 20, end - 20));
    orphan.links = vec![link([0xee; 16], 4, vec![]), link(id, 1, vec![])];
    request(vec![("links", vec![], vec![root, many, orphan])])
}

/// Spans as the filter keeps them beyond its sampling.
fn kept(start: u64) -> ExportTraceServiceRequest {
    let id = [0xa5; 16];
    let mut span = span(id, 1, 0, "GET", 2, (start, start + 700_000_000));
    span.trace_state = "ot=th:fffffff0000000;rv:00000000000001".into();
    span.flags = 0x300;
    span.attributes = vec![
        text("sidespan.kept", "slow"),
        text("sidespan.decision", "default"),
        pair("peer.ipv4", Value::IntValue(0x7f00_0001)),
        text("@jaeger@warnings", "from elsewhere"),
    ];
    request(vec![(
        "gateway",
        vec![text("istio.mesh_id", "m1")],
        vec![span],
    )])
}

/// A trace whose id has 64 bits.
fn short_id(start: u64) -> ExportTraceServiceRequest {
    let mut id = [0; 16];
    id[8..].fill(0xa6);
    let span = span(id, 1, 0, "old", 3, (start, start + 1_234_567));
    request(vec![("old client", vec![], vec![span])])
}

/// Returns a request of services with their resources' other attributes and their spans.
pub(super) fn request(
    services: Vec<(&str, Vec<KeyValue>, Vec<Span>)>,
) -> ExportTraceServiceRequest {
    let resource_spans = services.into_iter().map(|(service, attributes, spans)| {
        let name = (!service.is_empty()).then(|| text("service.name", service));
        ResourceSpans {
            resource: Some(Resource {
                attributes: name.into_iter().chain(attributes).collect(),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "worlds".into(),
                    version: "1".into(),
                    attributes: vec![text("scope.of", service)],
                    ..InstrumentationScope::default()
                }),
                spans,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }
    });
    ExportTraceServiceRequest {
        resource_spans: resource_spans.collect(),
    }
}

/// Returns a span with numbers for ids; a parent of 0 is none.
pub(super) fn span(
    trace_id: [u8; 16],
    id: u64,
    parent: u64,
    name: &str,
    kind: i32,
    (start, end): (u64, u64),
) -> Span {
    Span {
        trace_id: trace_id.into(),
        span_id: id.to_be_bytes().into(),
        parent_span_id: match parent {
            0 => Vec::new(),
            parent => parent.to_be_bytes().into(),
        },
        name: name.into(),
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        ..Span::default()
    }
}

fn event(at: u64, name: &str, attributes: Vec<KeyValue>) -> Event {
    Event {
        time_unix_nano: at,
        name: name.into(),
        attributes,
        dropped_attributes_count: 0,
    }
}

fn link(trace_id: [u8; 16], id: u64, attributes: Vec<KeyValue>) -> Link {
    Link {
        trace_id: trace_id.into(),
        span_id: id.to_be_bytes().into(),
        attributes,
        ..Link::default()
    }
}

/// Returns an attribute of text.
pub(super) fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

/// Returns an attribute.
pub(super) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
