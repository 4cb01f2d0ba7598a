//! A request with all that the protocol allows.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::attribute::{list, map, nothing, pair, text};

/// Texts that are something else to a page, a database, a terminal or a parser.
pub const TEXTS: [&str; 8] = [
    "",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE spans; --",
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m",
    "a\0b\r\nc\t\"\\",
    "日本語 🕸 e\u{301} \u{202e}reversed",
    "{\"resourceSpans\":[]}",
    "%s%n {} ../../etc/passwd",
];

/// Returns the request.
pub fn corpus() -> ExportTraceServiceRequest {
    let mut spans = vec![full()];
    spans.extend(
        TEXTS
            .iter()
            .zip(1..)
            .map(|(text, number)| of_text(text, number)),
    );
    spans.extend((0..6).map(|kind| Span {
        kind,
        status: Some(Status {
            code: kind % 3,
            message: String::new(),
        }),
        ..bare(0x40 + u8::try_from(kind).expect("a small number"))
    }));
    spans.push(Span {
        start_time_unix_nano: u64::MAX,
        end_time_unix_nano: u64::MAX,
        flags: u32::MAX,
        dropped_attributes_count: u32::MAX,
        ..bare(0x50)
    });
    ExportTraceServiceRequest {
        resource_spans: vec![
            ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![text("service.name", "cart"), text("<b>", TEXTS[1])],
                    dropped_attributes_count: 6,
                    ..Resource::default()
                }),
                schema_url: "https://opentelemetry.io/schemas/1.44.0".into(),
                scope_spans: vec![
                    ScopeSpans {
                        scope: Some(InstrumentationScope {
                            name: "lib".into(),
                            version: "1.2".into(),
                            attributes: vec![pair("scope", Any::IntValue(1))],
                            dropped_attributes_count: 7,
                        }),
                        schema_url: "scope-schema".into(),
                        spans,
                    },
                    ScopeSpans {
                        spans: vec![bare(0x60)],
                        ..ScopeSpans::default()
                    },
                ],
            },
            ResourceSpans {
                scope_spans: vec![ScopeSpans {
                    spans: vec![bare(0x61)],
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            },
        ],
    }
}

fn bare(id: u8) -> Span {
    Span {
        trace_id: vec![0xA0 | (id & 1); 16],
        span_id: vec![id; 8],
        ..Span::default()
    }
}

fn full() -> Span {
    Span {
        parent_span_id: vec![0xFF; 8],
        trace_state: "ot=th:8;rv:01234567890abc,vendor=a=b".into(),
        flags: 0x301,
        name: "GET /orders/{id}".into(),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_001,
        end_time_unix_nano: 1_700_000_000_999_999_999,
        attributes: values(),
        dropped_attributes_count: 1,
        events: vec![
            Event {
                time_unix_nano: 1_700_000_000_000_000_002,
                name: "exception".into(),
                attributes: values(),
                dropped_attributes_count: 2,
            },
            Event::default(),
        ],
        dropped_events_count: 3,
        links: vec![
            Link {
                trace_id: vec![1; 16],
                span_id: vec![2; 8],
                trace_state: "a=b".into(),
                attributes: values(),
                dropped_attributes_count: 4,
                flags: 0x101,
            },
            Link {
                trace_id: vec![0xFE; 16],
                span_id: vec![0xFD; 8],
                ..Link::default()
            },
        ],
        dropped_links_count: 5,
        status: Some(Status {
            message: "boom".into(),
            code: 2,
        }),
        ..bare(0x3F)
    }
}

fn of_text(it: &str, number: u8) -> Span {
    Span {
        name: it.into(),
        trace_state: it.into(),
        attributes: vec![text(it, it)],
        events: vec![Event {
            name: it.into(),
            ..Event::default()
        }],
        status: Some(Status {
            message: it.into(),
            code: 2,
        }),
        ..bare(number)
    }
}

/// Returns an attribute of each type, at the ends of its range.
fn values() -> Vec<KeyValue> {
    vec![
        pair("string", Any::StringValue("v".into())),
        pair("empty string", Any::StringValue(String::new())),
        pair("true", Any::BoolValue(true)),
        pair("false", Any::BoolValue(false)),
        pair("zero", Any::IntValue(0)),
        pair("least", Any::IntValue(i64::MIN)),
        pair("most", Any::IntValue(i64::MAX)),
        pair("double", Any::DoubleValue(0.1)),
        pair("whole double", Any::DoubleValue(3.0)),
        pair("large double", Any::DoubleValue(f64::MAX)),
        pair("small double", Any::DoubleValue(5e-324)),
        pair("negative zero", Any::DoubleValue(-0.0)),
        pair("nan", Any::DoubleValue(f64::NAN)),
        pair("infinity", Any::DoubleValue(f64::INFINITY)),
        pair("bytes", Any::BytesValue(vec![0, 255, 62, 63])),
        pair("no bytes", Any::BytesValue(vec![])),
        pair("no list", list(vec![])),
        pair("no map", map(vec![])),
        pair(
            "list",
            list(vec![
                Any::IntValue(1),
                Any::StringValue("two".into()),
                list(vec![Any::BoolValue(true)]),
            ]),
        ),
        pair("map", map(vec![pair("k", map(vec![text("deep", "er")]))])),
        text("repeated", "one"),
        text("repeated", "two"),
        nothing("nothing"),
    ]
}
