//! The tests of OTLP in JSON: exact when written, lenient when read.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use super::*;
use crate::store::golden;
use crate::store::{Limits, Place, Store};

fn read(json: serde_json::Value) -> Result<(ExportTraceServiceRequest, Warnings), JsonError> {
    read_request(json.to_string().as_bytes())
}

/// Reads one span with ids, and further fields.
fn read_span(fields: serde_json::Value) -> Result<(Span, Warnings), JsonError> {
    let mut span = json!({"traceId": "ab".repeat(16), "spanId": "0c".repeat(8)});
    let all = span.as_object_mut().unwrap();
    all.extend(fields.as_object().unwrap().clone());
    let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let (mut request, warnings) = read(request)?;
    let span = request.resource_spans[0].scope_spans[0].spans.remove(0);
    Ok((span, warnings))
}

fn read_value(value: serde_json::Value) -> Result<Option<Value>, JsonError> {
    let (span, _) = read_span(json!({"attributes": [{"key": "k", "value": value}]}))?;
    Ok(span.attributes[0].value.clone().unwrap_or_default().value)
}

#[test]
fn writes_what_the_specification_says_and_no_default() {
    let written = write_request(&golden::request());
    let expected = concat!(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}],"#,
        r#""droppedAttributesCount":6},"scopeSpans":[{"scope":{"name":"lib","version":"1.2","#,
        r#""attributes":[{"key":"scope","value":{"boolValue":false}}],"droppedAttributesCount":7},"#,
        r#""spans":[{"traceId":"abababababababababababababababab","spanId":"0c0c0c0c0c0c0c0c","traceState":"ot=th:8","#,
        r#""parentSpanId":"0d0d0d0d0d0d0d0d","flags":769,"name":"GET /orders \u0000\"\\<b>é"#,
        "\u{10FFFF}",
        r#"","kind":2,"startTimeUnixNano":"10","endTimeUnixNano":"25","attributes":["#,
        r#"{"key":"s","value":{"stringValue":"v"}},{"key":"b","value":{"boolValue":true}},"#,
        r#"{"key":"i","value":{"intValue":"-9223372036854775808"}},{"key":"d","value":{"doubleValue":1.5}},"#,
        r#"{"key":"inf","value":{"doubleValue":"-Infinity"}},{"key":"y","value":{"bytesValue":"AP8+"}},"#,
        r#"{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{}]}}},{"key":"a0","value":{"arrayValue":{}}},"#,
        r#"{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"2"}}]}}},"#,
        r#"{"value":{"stringValue":""}},{"key":"none"},{"key":"s","value":{"stringValue":"again"}}],"#,
        r#""droppedAttributesCount":1,"events":[{"timeUnixNano":"12","name":"retry","#,
        r#""attributes":[{"key":"n","value":{"intValue":"3"}}],"droppedAttributesCount":2}],"droppedEventsCount":3,"#,
        r#""links":[{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","traceState":"a=b","#,
        r#""attributes":[{"key":"l","value":{"doubleValue":-0.0}}],"droppedAttributesCount":4,"flags":257}],"#,
        r#""droppedLinksCount":4294967295,"status":{"message":"boom","code":2}},"#,
        r#"{"traceId":"abababababababababababababababab","spanId":"0e0e0e0e0e0e0e0e","kind":17,"#,
        r#""startTimeUnixNano":"18446744073709551615","status":{}}],"schemaUrl":"scope-schema"}],"#,
        r#""schemaUrl":"resource-schema"}]}"#,
    );
    assert_eq!(String::from_utf8(written).unwrap(), expected);
}

#[test]
fn reads_back_everything_that_it_writes_without_a_warning() {
    let written = write_request(&golden::request());
    let (request, warnings) = read_request(&written).unwrap();
    assert_eq!(request, golden::request());
    assert_eq!(warnings, Warnings::default());
    assert_eq!(write_request(&ExportTraceServiceRequest::default()), b"{}");
    assert_eq!(
        read_request(b"{}").unwrap().0,
        ExportTraceServiceRequest::default()
    );
}

#[test]
fn writes_a_response_as_the_collector_does() {
    let response = |rejected_spans, error_message: &str| ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: error_message.into(),
        }),
    };
    assert_eq!(
        write_response(&response(0, "")),
        br#"{"partialSuccess":{}}"#
    );
    let partial = write_response(&response(3, "no \"room\""));
    let expected = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no \"room\""}}"#;
    assert_eq!(partial, expected);
    assert_eq!(
        write_response(&ExportTraceServiceResponse::default()),
        b"{}"
    );
}

#[test]
fn reads_numbers_as_numbers_and_as_text() {
    let rows = [json!("10"), json!(10), json!(10.0), json!("1e1")];
    for row in rows {
        let (span, warnings) =
            read_span(json!({"startTimeUnixNano": row, "flags": row, "kind": row})).unwrap();
        assert_eq!(
            (span.start_time_unix_nano, span.flags, span.kind),
            (10, 10, 10),
            "{row}"
        );
        assert_eq!(warnings, Warnings::default());
    }
    let (span, _) =
        read_span(json!({"startTimeUnixNano": u64::MAX, "endTimeUnixNano": u64::MAX.to_string()}))
            .unwrap();
    assert_eq!(
        (span.start_time_unix_nano, span.end_time_unix_nano),
        (u64::MAX, u64::MAX)
    );
}

#[test]
fn reads_enumerations_by_name_and_counts_them() {
    let fields = json!({"kind": "SPAN_KIND_SERVER", "status": {"code": "STATUS_CODE_ERROR"}});
    let (span, warnings) = read_span(fields).unwrap();
    assert_eq!((span.kind, span.status.unwrap().code), (2, 2));
    assert_eq!(warnings.enum_names, 2);
}

#[test]
fn reads_snake_case_and_counts_it_and_passes_over_what_no_message_has() {
    let json = json!({"resource_spans": [{"scope_spans": [{"spans": [
        {"trace_id": "AB".repeat(16), "span_id": "0C".repeat(8), "start_time_unix_nano": "7", "no_such": 1, "nor": {"x": []}}
    ]}]}]});
    let (request, warnings) = read(json).unwrap();
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(
        (span.trace_id.as_slice(), span.start_time_unix_nano),
        ([0xAB; 16].as_slice(), 7)
    );
    assert_eq!(
        warnings,
        Warnings {
            snake_case: 5,
            enum_names: 0,
            unknown: 2
        }
    );
}

#[test]
fn reads_null_as_absent_everywhere() {
    let json = json!({"resourceSpans": [
        {"resource": null, "scopeSpans": null, "schemaUrl": null},
        {"scopeSpans": [{"scope": null, "spans": [{
            "traceId": null, "spanId": null, "parentSpanId": null, "traceState": null, "flags": null, "name": null, "kind": null,
            "startTimeUnixNano": null, "attributes": null, "events": null, "links": null, "status": null,
        }]}]},
    ]});
    let (request, _) = read(json).unwrap();
    assert_eq!(
        request.resource_spans[1].scope_spans[0].spans,
        [Span::default()]
    );
    assert_eq!(
        read(json!({"resourceSpans": null})).unwrap().0,
        ExportTraceServiceRequest::default()
    );
    let value = json!({"intValue": "5", "stringValue": null});
    assert_eq!(
        read_value(value),
        Ok(Some(Value::IntValue(5))),
        "null is not the last value"
    );
}

#[test]
fn reads_every_form_of_a_value() {
    let rows = [
        (json!({}), None),
        (
            json!({"arrayValue": {}}),
            Some(Value::ArrayValue(Default::default())),
        ),
        (
            json!({"kvlistValue": {"values": null}}),
            Some(Value::KvlistValue(Default::default())),
        ),
        (
            json!({"doubleValue": "1e300"}),
            Some(Value::DoubleValue(1e300)),
        ),
        (json!({"doubleValue": 3}), Some(Value::DoubleValue(3.0))),
        (
            json!({"doubleValue": "Infinity"}),
            Some(Value::DoubleValue(f64::INFINITY)),
        ),
        (
            json!({"bytesValue": "AP8+"}),
            Some(Value::BytesValue(vec![0, 255, 62])),
        ),
        (
            json!({"bytesValue": "AP8-"}),
            Some(Value::BytesValue(vec![0, 255, 62])),
        ),
        (
            json!({"bytesValue": "AA"}),
            Some(Value::BytesValue(vec![0])),
        ),
        (
            json!({"bytesValue": "AA=="}),
            Some(Value::BytesValue(vec![0])),
        ),
    ];
    for (json, expected) in rows {
        assert_eq!(read_value(json.clone()), Ok(expected), "{json}");
    }
    let nan = read_value(json!({"doubleValue": "NaN"})).unwrap();
    assert!(matches!(nan, Some(Value::DoubleValue(number)) if number.is_nan()));
}

#[test]
fn names_the_place_of_what_it_cannot_read() {
    let at = "$.resourceSpans[0].scopeSpans[0].spans[0]";
    let rows = [
        (
            json!({"traceId": "ab"}),
            "expected 32 hexadecimal digits",
            ".traceId",
        ),
        (
            json!({"traceId": "q83v".repeat(6)}),
            "expected 32 hexadecimal digits",
            ".traceId",
        ),
        (
            json!({"spanId": "zz".repeat(8)}),
            "expected 16 hexadecimal digits",
            ".spanId",
        ),
        (
            json!({"parentSpanId": "0d0d"}),
            "expected 16 hexadecimal digits",
            ".parentSpanId",
        ),
        (
            json!({"links": [{"traceId": "01"}]}),
            "expected 32 hexadecimal digits",
            ".links[0].traceId",
        ),
        (
            json!({"name": 5}),
            "expected a text, found another number",
            ".name",
        ),
        (
            json!({"kind": "SERVER"}),
            "expected a whole number of 32 bits, found another text",
            ".kind",
        ),
        (
            json!({"flags": -1}),
            "expected a whole number from 0 to 4294967295, found another number",
            ".flags",
        ),
        (
            json!({"startTimeUnixNano": 1.5}),
            "expected a whole number from 0 to 18446744073709551615, found another number",
            ".startTimeUnixNano",
        ),
        (
            json!({"events": {}}),
            "expected a list, found an object",
            ".events",
        ),
        (
            json!({"status": []}),
            "expected an object, found a list",
            ".status",
        ),
        (
            json!({"attributes": [{"key": "k", "value": {"bytesValue": "!"}}]}),
            "expected bytes in base64",
            ".attributes[0].value.bytesValue",
        ),
    ];
    for (json, problem, place) in rows {
        let error = read_span(json.clone()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{problem} at {at}{place}"),
            "{json}"
        );
    }
    assert_eq!(
        read(json!([])).unwrap_err().to_string(),
        "expected an object, found a list at $"
    );
}

#[test]
fn refuses_broken_and_deep_json_without_falling() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for text in ["", "{", "nul", "{\"resourceSpans\":", "{} {}", &deep] {
        assert_eq!(read_request(text.as_bytes()).unwrap_err().path, "$");
    }
    assert!(read_request(&[b'"', 0xFF, b'"']).is_err(), "not UTF-8");
}

#[tokio::test]
async fn a_file_comes_back_as_the_store_that_wrote_it() {
    let store = Store::open(Place::Memory, Limits::default()).unwrap();
    let line = write_request(&golden::request());
    let mut file = [line.as_slice(), b"\n\r\n", line.as_slice()].concat();
    let imported = import(&store, &mut file.as_slice()).await.unwrap();
    assert_eq!(
        (imported.lines, imported.kept, imported.duplicates),
        (2, 2, 2)
    );
    let mut out = Vec::new();
    assert_eq!(export(&store, &mut out).await.unwrap().traces, 1);
    assert_eq!(out, [line.as_slice(), b"\n"].concat());
    file.extend(b"\n{\"resourceSpans\":5}\n");
    let error = import(&store, &mut file.as_slice()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 4: expected a list, found another number at $.resourceSpans"
    );
}
