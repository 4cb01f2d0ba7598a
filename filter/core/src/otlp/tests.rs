use alloc::boxed::Box;
use alloc::vec;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue as ProtoKeyValue,
};
use opentelemetry_proto::tonic::resource::v1 as proto_resource;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;

use super::span::{self, encode};
use crate::export::grpc_frame::{grpc_message, grpc_prefix};
use crate::export::settings::Compression;
use crate::ids::{SpanId, TraceId};
use crate::node::Node;
use crate::otlp::request::RequestFrame;
use crate::otlp::response::rejected_spans;
use crate::otlp::span::write_span;
use crate::semconv::settings::{SCHEMA_URL, Spans};
use crate::span::attributes::Attributes;
use crate::span::{Link, LinkReason, Span, SpanKind, Status};
use crate::time::Nanos;

fn text(key: &str, value: &str) -> ProtoKeyValue {
    ProtoKeyValue {
        key: key.into(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.into())),
        }),
        ..Default::default()
    }
}

fn number(key: &str, value: i64) -> ProtoKeyValue {
    ProtoKeyValue {
        key: key.into(),
        value: Some(AnyValue {
            value: Some(Value::IntValue(value)),
        }),
        ..Default::default()
    }
}

fn span() -> Span {
    let mut attributes = Attributes::default();
    attributes.text("url.path", b"/cart");
    attributes.text("empty", b"");
    attributes.number("http.response.status_code", 503);
    attributes.number("zero", 0);
    attributes.number("negative", -1);
    Span {
        trace_id: TraceId::from_bytes([0x4b; 16]).unwrap(),
        span_id: SpanId::from_bytes([0x0f; 8]).unwrap(),
        parent_span_id: SpanId::from_bytes([0x05; 8]),
        trace_state: b"foo=1".to_vec(),
        flags: 0x301,
        name: "GET".into(),
        kind: SpanKind::Server,
        start: Nanos(1_700_000_000_000_000_000),
        end: Nanos(1_700_000_000_000_000_007),
        attributes,
        link: None,
        status: Status::Error,
    }
}

fn expected() -> proto::Span {
    proto::Span {
        trace_id: vec![0x4b; 16],
        span_id: vec![0x0f; 8],
        trace_state: "foo=1".into(),
        parent_span_id: vec![0x05; 8],
        flags: 0x301,
        name: "GET".into(),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_000_000_007,
        attributes: vec![
            text("url.path", "/cart"),
            text("empty", ""),
            number("http.response.status_code", 503),
            number("zero", 0),
            number("negative", -1),
        ],
        status: Some(proto::Status {
            code: 2,
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[test]
fn ms_2_and_ms_3_write_what_other_peoples_code_reads() {
    assert_eq!(
        proto::Span::decode(&encode(&span())[..]).unwrap(),
        expected()
    );
}

#[test]
fn writes_the_very_bytes_that_prost_writes() {
    assert_eq!(encode(&span()), expected().encode_to_vec());
}

#[test]
fn writes_a_link_with_its_reason() {
    let mut linked = span();
    linked.link = Some(Box::new(Link {
        trace_id: TraceId::from_bytes([0x11; 16]).unwrap(),
        span_id: SpanId::from_bytes([0x22; 8]).unwrap(),
        reason: LinkReason::Restarted,
    }));
    let mut with_link = expected();
    with_link.links = vec![proto::span::Link {
        trace_id: vec![0x11; 16],
        span_id: vec![0x22; 8],
        attributes: vec![text("link.reason", "restarted")],
        flags: 0x300,
        ..Default::default()
    }];
    assert_eq!(encode(&linked), with_link.encode_to_vec());
}

#[test]
fn a4_leaves_out_what_a_root_without_failure_does_not_have() {
    let mut root = span();
    root.parent_span_id = None;
    root.trace_state.clear();
    root.status = Status::Unset;
    root.attributes = Attributes::default();
    root.flags = 0x101;
    let mut bare = expected();
    bare.parent_span_id.clear();
    bare.trace_state.clear();
    bare.status = None;
    bare.attributes.clear();
    bare.flags = 0x101;
    assert_eq!(encode(&root), bare.encode_to_vec());
}

#[test]
fn ms_5_never_ends_before_it_starts() {
    let mut backwards = span();
    backwards.end = Nanos(1);
    let read = proto::Span::decode(&encode(&backwards)[..]).unwrap();
    assert_eq!(read.end_time_unix_nano, read.start_time_unix_nano);
}

#[test]
fn ms_1_and_ms_7_put_spans_into_one_resource_and_scope() {
    let resource = Node::default().resource(&Spans::default(), "1.2.3", "01234567");
    let frame = RequestFrame::new(&resource, "sidespan", "1.2.3", "01234567", SCHEMA_URL);
    for count in [1, 2, 600] {
        let mut request = vec![0; frame.header_room()];
        for _ in 0..count {
            write_span(&mut request, &span());
        }
        let before = request.len();
        let at = frame.complete(&mut request, frame.header_room());
        assert_eq!(request.len(), before + frame.trailer_room());
        let expected = ExportTraceServiceRequest {
            resource_spans: vec![proto::ResourceSpans {
                resource: Some(proto_resource::Resource {
                    attributes: vec![
                        text("service.name", "unknown_service"),
                        text("telemetry.sdk.language", "rust"),
                        text("telemetry.sdk.name", "sidespan"),
                        text("telemetry.sdk.version", "1.2.3"),
                        text("sidespan.configuration", "01234567"),
                    ],
                    ..Default::default()
                }),
                scope_spans: vec![proto::ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "sidespan".into(),
                        version: "1.2.3".into(),
                        attributes: vec![text("sidespan.configuration", "01234567")],
                        ..Default::default()
                    }),
                    spans: vec![expected(); count],
                    schema_url: SCHEMA_URL.into(),
                }],
                schema_url: SCHEMA_URL.into(),
            }],
        };
        assert_eq!(request[at..], expected.encode_to_vec(), "{count}");
    }
}

#[test]
fn frames_and_unframes_a_grpc_message() {
    assert_eq!(&grpc_prefix(3, Compression::None), b"\0\0\0\0\x03");
    assert_eq!(&grpc_prefix(3, Compression::Gzip), b"\x01\0\0\0\x03");
    assert_eq!(grpc_message(b"\0\0\0\0\x03abc"), Some(&b"abc"[..]));
    for broken in [
        &b""[..],
        b"\0\0\0\0",
        b"\0\0\0\0\x04abc",
        b"\x01\0\0\0\x03abc",
    ] {
        assert_eq!(grpc_message(broken), None, "{broken:?}");
    }
}

#[test]
fn reads_rejected_spans_from_whatever_comes() {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    let response = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 7,
            error_message: "no room".into(),
        }),
    }
    .encode_to_vec();
    assert_eq!(rejected_spans(&response), 7);
    assert_eq!(rejected_spans(b""), 0);
    assert_eq!(rejected_spans(b"\x0a\x00"), 0);
    let negative = b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(rejected_spans(negative), 0);
    for at in 0..response.len() {
        for byte in 0..=255_u8 {
            let mut changed = response.clone();
            changed[at] = byte;
            rejected_spans(&changed);
        }
    }
}

#[test]
fn an_encoded_span_tells_whether_its_trace_was_sampled() {
    for (flags, is_sampled) in [(0x301, true), (0x300, false), (0x101, true), (0x100, false)] {
        let encoded = span::encode(&Span { flags, ..span() });
        assert_eq!(span::is_sampled(&encoded), is_sampled, "{flags:#x}");
    }
}
