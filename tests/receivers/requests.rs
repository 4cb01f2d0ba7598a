//! Requests of 100 spans: made once, with new ids and times stamped into the bytes of each, because a sender that encodes
//! every request has no time left for a fast receiver.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// Spans of a request.
pub(crate) const SPANS: u64 = 100;
/// Spans of a trace.
const SPANS_OF_A_TRACE: u64 = 10;

/// The bytes of a request, and where in them its ids and times stand.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    trace_ids: Vec<usize>,
    span_ids: Vec<usize>,
    parents: Vec<usize>,
    times: Vec<usize>,
}

impl Template {
    pub(crate) fn new() -> Self {
        let bytes = request().encode_to_vec();
        let template = Self {
            trace_ids: places(&bytes, &TRACE_ID),
            span_ids: places(&bytes, &SPAN_ID),
            parents: places(&bytes, &PARENT),
            times: places(&bytes, &TIME.to_le_bytes()),
            bytes,
        };
        let places = [&template.trace_ids, &template.span_ids, &template.parents];
        let roots = SPANS / SPANS_OF_A_TRACE;
        let counts = places.map(|places| places.len() as u64);
        assert_eq!(counts, [SPANS, SPANS, SPANS - roots]);
        assert_eq!(template.times.len() as u64, 2 * SPANS);
        template
    }

    /// Returns the bytes of request `number`; of two numbers, no id is the same. In a trace all spans but the first are its
    /// children.
    pub(crate) fn request(&self, number: u64) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let mut write = |at: usize, value: u64| {
            bytes[at..at + 8].copy_from_slice(&value.to_be_bytes());
        };
        let first = number * SPANS;
        let mut parents = self.parents.iter();
        for (index, (trace_id, span_id)) in (0..).zip(self.trace_ids.iter().zip(&self.span_ids)) {
            let root = first + index / SPANS_OF_A_TRACE * SPANS_OF_A_TRACE;
            write(*trace_id, scatter(root));
            write(*trace_id + 8, scatter(!root));
            write(*span_id, scatter(first + index));
            if first + index != root
                && let Some(parent) = parents.next()
            {
                write(*parent, scatter(root));
            }
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0));
        for at in &self.times {
            bytes[*at..*at + 8].copy_from_slice(&now.to_le_bytes());
        }
        bytes
    }
}

/// Returns a number that looks random, another one for every argument (splitmix64's last steps, by Sebastiano Vigna), because
/// ids are random in life, and an index is slower for it.
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn places(bytes: &[u8], marker: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(marker.len()).enumerate();
    windows
        .filter(|(_, window)| *window == marker)
        .map(|(at, _)| at)
        .collect()
}

fn request() -> ExportTraceServiceRequest {
    let spans = (0..SPANS).map(|index| Span {
        trace_id: TRACE_ID.into(),
        span_id: SPAN_ID.into(),
        parent_span_id: match index % SPANS_OF_A_TRACE {
            0 => Vec::new(),
            _ => PARENT.into(),
        },
        flags: 0x301,
        name: "GET /api/orders/{id}".into(),
        kind: if index % 2 == 0 { 2 } else { 3 },
        start_time_unix_nano: TIME,
        end_time_unix_nano: TIME,
        attributes: ATTRIBUTES.map(|(key, value)| text(key, value)).into(),
        ..Span::default()
    });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: RESOURCE.map(|(key, value)| text(key, value)).into(),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "sidespan".into(),
                    version: "0.1.0".into(),
                    ..InstrumentationScope::default()
                }),
                spans: spans.collect(),
                schema_url: "https://opentelemetry.io/schemas/1.44.0".into(),
            }],
            schema_url: String::new(),
        }],
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Value::StringValue(value.into());
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

const TRACE_ID: [u8; 16] = *b"\xa5the trace's id\xa5";
const SPAN_ID: [u8; 8] = *b"\xa5span id";
const PARENT: [u8; 8] = *b"\xa5parent\xa5";
const TIME: u64 = 0xa5_74_69_6d_65_a5_a5_a5;

/// Attributes as the filter writes them.
const ATTRIBUTES: [(&str, &str); 12] = [
    ("http.request.method", "GET"),
    ("url.scheme", "http"),
    ("url.path", "/api/orders/4711/positions"),
    ("http.route", "/api/orders/{id}/positions"),
    ("server.address", "orders.shop.svc.cluster.local"),
    ("network.protocol.version", "1.1"),
    ("http.response.status_code", "200"),
    ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
    ("client.address", "10.244.0.17"),
    ("istio.namespace", "shop"),
    ("sidespan.decision", "received"),
    ("network.peer.address", "10.244.0.10"),
];
const RESOURCE: [(&str, &str); 5] = [
    ("service.name", "orders"),
    ("service.namespace", "shop"),
    ("k8s.pod.name", "orders-7d9c5b8f6-x2x4z"),
    ("k8s.deployment.name", "orders"),
    ("k8s.cluster.name", "Kubernetes"),
];
