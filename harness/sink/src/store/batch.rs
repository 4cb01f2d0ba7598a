//! The spans of one request, checked and cut up, each still as the bytes that were sent.
//!
//! A span with invalid ids is refused: the trace id must have 16 bytes and the span id 8, neither all zero (`trace.proto`,
//! "invalid"), and the parent id, where there is one, 8. The rest of the request is kept, and the answer counts the refused
//! spans in `partial_success`. An all-zero parent id is read as none, as the Collector does.

use std::ops::Range;

use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use super::span::UNKNOWN_SERVICE;
use super::token;
use super::wire::{Content, Field, MAX_DEPTH, MalformedRequest, Message, check_nested, next_field};

/// The spans of one request.
#[derive(Clone, Debug)]
pub struct SpanBatch {
    pub(super) body: Bytes,
    pub(super) groups: Vec<Group>,
    /// The tokens of all spans' attributes.
    tokens: Vec<u64>,
    invalid: Vec<&'static str>,
    spans: usize,
}

/// The spans of one resource and scope.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The fields of the `ResourceSpans` except its `scope_spans`, as sent.
    pub(super) resource: Vec<u8>,
    /// The fields of the `ScopeSpans` except its `spans`, as sent.
    pub(super) scope: Vec<u8>,
    pub(super) service: String,
    pub(super) spans: Vec<Cut>,
}

/// One span: the fields that it is found by, and its place in the body.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) is_root: bool,
    pub(super) name: Range<usize>,
    pub(super) kind: i32,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) status: i32,
    pub(super) body: Range<usize>,
    /// The place of its attributes' tokens.
    tokens: Range<usize>,
}

impl SpanBatch {
    /// Reads a request.
    ///
    /// # Errors
    /// [`MalformedRequest`] when the bytes are no `ExportTraceServiceRequest`.
    pub fn from_protobuf(body: Bytes) -> Result<Self, MalformedRequest> {
        let mut batch = Self {
            body: body.clone(),
            groups: Vec::new(),
            tokens: Vec::new(),
            invalid: Vec::new(),
            spans: 0,
        };
        let mut rest: &[u8] = &body;
        while !rest.is_empty() {
            let field = next_field(Message::Request, &mut rest)?;
            if let (1, Content::Bytes(resource_spans)) = (field.number, field.content) {
                batch.read_resource_spans(&body, resource_spans)?;
            }
        }
        batch.spans = batch.groups.iter().map(|group| group.spans.len()).sum();
        Ok(batch)
    }

    /// Cuts up a request that did not come as protobuf.
    pub fn from_request(request: &ExportTraceServiceRequest) -> Self {
        // What was encoded a moment ago can be read, except where it is nested too deep for any reader of protobuf.
        Self::from_protobuf(request.encode_to_vec().into()).unwrap_or_else(|_| Self {
            body: Bytes::new(),
            groups: Vec::new(),
            tokens: Vec::new(),
            invalid: vec!["nested too deep"; spans_of(request)],
            spans: 0,
        })
    }

    /// Returns the number of spans that can be kept.
    pub fn len(&self) -> usize {
        self.spans
    }

    /// Returns true if the request has no span that can be kept.
    pub fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Returns the number of spans that were sent.
    pub fn found(&self) -> usize {
        self.spans + self.invalid.len()
    }

    /// Returns the number of spans that are refused for their ids, and the first reason.
    pub fn invalid(&self) -> (usize, Option<&'static str>) {
        (self.invalid.len(), self.invalid.first().copied())
    }

    /// Returns the size of the request, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.body.len()
    }

    /// Drops the last spans, as a scripted partial success wants it, and returns how many there were.
    pub fn withhold(&mut self, last: usize) -> usize {
        let mut left = last;
        for group in self.groups.iter_mut().rev() {
            let dropped = left.min(group.spans.len());
            group.spans.truncate(group.spans.len() - dropped);
            left -= dropped;
        }
        self.spans -= last - left;
        last - left
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &str {
        let bytes = self.body.get(range.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(super) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.body.get(range.clone()).unwrap_or_default()
    }

    pub(super) fn tokens(&self, cut: &Cut) -> &[u64] {
        self.tokens.get(cut.tokens.clone()).unwrap_or_default()
    }

    fn read_resource_spans(&mut self, body: &[u8], bytes: &[u8]) -> Result<(), MalformedRequest> {
        let mut resource = Vec::new();
        let mut scopes = Vec::new();
        let mut service = None;
        let mut rest = bytes;
        while !rest.is_empty() {
            let field = next_field(Message::ResourceSpans, &mut rest)?;
            match (field.number, field.content) {
                (2, Content::Bytes(scope_spans)) => scopes.push(scope_spans),
                (number, content) => {
                    check_nested(Message::ResourceSpans, &field, MAX_DEPTH - 1)?;
                    resource.extend_from_slice(field.raw);
                    if let (1, Content::Bytes(bytes)) = (number, content) {
                        service = service.or(service_name(bytes));
                    }
                }
            }
        }
        let service = service.unwrap_or_else(|| UNKNOWN_SERVICE.to_owned());
        for scope_spans in scopes {
            let (scope, spans) = self.read_scope_spans(body, scope_spans)?;
            if !spans.is_empty() {
                self.groups.push(Group {
                    resource: resource.clone(),
                    scope,
                    service: service.clone(),
                    spans,
                });
            }
        }
        Ok(())
    }

    fn read_scope_spans(
        &mut self,
        body: &[u8],
        bytes: &[u8],
    ) -> Result<(Vec<u8>, Vec<Cut>), MalformedRequest> {
        let mut scope = Vec::new();
        let mut spans = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let field = next_field(Message::ScopeSpans, &mut rest)?;
            match (field.number, field.content) {
                (2, Content::Bytes(span)) => match read_span(body, span, &mut self.tokens)? {
                    Ok(span) => spans.push(span),
                    Err(reason) => self.invalid.push(reason),
                },
                _ => {
                    check_nested(Message::ScopeSpans, &field, MAX_DEPTH - 2)?;
                    scope.extend_from_slice(field.raw);
                }
            }
        }
        Ok((scope, spans))
    }
}

fn read_span(
    body: &[u8],
    bytes: &[u8],
    tokens: &mut Vec<u64>,
) -> Result<Result<Cut, &'static str>, MalformedRequest> {
    let first_token = tokens.len();
    let (mut trace_id, mut span_id, mut parent): (&[u8], &[u8], &[u8]) = (&[], &[], &[]);
    let mut cut = Cut {
        body: place(body, bytes),
        ..Cut::default()
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let field = next_field(Message::Span, &mut rest)?;
        check_nested(Message::Span, &field, MAX_DEPTH - 3)?;
        match (field.number, field.content) {
            (1, Content::Bytes(id)) => trace_id = id,
            (2, Content::Bytes(id)) => span_id = id,
            (4, Content::Bytes(id)) => parent = id,
            (5, Content::Bytes(name)) => cut.name = place(body, name),
            (6, Content::Number(kind)) => cut.kind = enumeration(kind),
            (7, Content::Number(start)) => cut.start = start,
            (8, Content::Number(end)) => cut.end = end,
            (9, Content::Bytes(pair)) => tokens.extend(token::of_pair(pair)),
            (15, Content::Bytes(status)) => cut.status = status_code(status, cut.status)?,
            _ => {}
        }
    }
    cut.tokens = first_token..tokens.len();
    Ok(with_ids(cut, trace_id, span_id, parent))
}

fn with_ids(cut: Cut, trace_id: &[u8], span_id: &[u8], parent: &[u8]) -> Result<Cut, &'static str> {
    if !matches!(parent.len(), 0 | 8) {
        return Err("expected a parent span id of 8 bytes");
    }
    let is_set = |id: &[u8]| id.iter().any(|byte| *byte != 0);
    match (trace_id.try_into(), span_id.try_into()) {
        (Ok(trace), Ok(span)) if is_set(trace_id) && is_set(span_id) => Ok(Cut {
            trace_id: trace,
            span_id: span,
            is_root: !is_set(parent),
            ..cut
        }),
        (Ok(_), _) if is_set(trace_id) => Err("expected a span id of 8 bytes, not all zero"),
        _ => Err("expected a trace id of 16 bytes, not all zero"),
    }
}

/// Returns the place of a part in the bytes that the part was cut from.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// Reads an enumeration's number as prost does, which cuts a varint to 32 bits.
fn enumeration(number: u64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn status_code(status: &[u8], before: i32) -> Result<i32, MalformedRequest> {
    let mut code = before;
    let mut rest = status;
    while !rest.is_empty() {
        let field: Field<'_> = next_field(Message::Status, &mut rest)?;
        if let (3, Content::Number(number)) = (field.number, field.content) {
            code = enumeration(number);
        }
    }
    Ok(code)
}

fn service_name(resource: &[u8]) -> Option<String> {
    let resource = Resource::decode(resource).ok()?;
    let named = resource
        .attributes
        .into_iter()
        .find(|pair| pair.key == "service.name");
    match named?.value?.value? {
        Value::StringValue(name) => Some(name),
        _ => None,
    }
}

fn spans_of(request: &ExportTraceServiceRequest) -> usize {
    let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
    scopes.map(|scope| scope.spans.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

    use crate::store::golden::{self, full};

    fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                scope_spans: vec![ScopeSpans {
                    spans,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        }
    }

    #[test]
    fn refuses_a_span_whose_ids_are_not_ids_and_keeps_its_neighbours() {
        let trace = "expected a trace id of 16 bytes, not all zero";
        let span = "expected a span id of 8 bytes, not all zero";
        let parent = "expected a parent span id of 8 bytes";
        type Row = (&'static str, fn(&mut Span), &'static str);
        let rows: [Row; 8] = [
            ("no trace id", |s| s.trace_id.clear(), trace),
            ("short trace id", |s| s.trace_id.truncate(15), trace),
            ("long trace id", |s| s.trace_id.push(1), trace),
            ("zero trace id", |s| s.trace_id.fill(0), trace),
            ("no span id", |s| s.span_id.clear(), span),
            ("long span id", |s| s.span_id.push(1), span),
            ("zero span id", |s| s.span_id.fill(0), span),
            ("short parent", |s| s.parent_span_id.truncate(7), parent),
        ];
        for (name, change, reason) in rows {
            let mut changed = full();
            change(&mut changed);
            let batch = SpanBatch::from_request(&request(vec![full(), changed]));
            assert_eq!(batch.invalid(), (1, Some(reason)), "{name}");
            assert_eq!((batch.len(), batch.found()), (1, 2), "{name}");
        }
    }

    #[test]
    fn reads_what_a_span_is_found_by() {
        let batch = SpanBatch::from_request(&golden::request());
        let cut = &batch.groups[0].spans[0];
        assert_eq!((cut.trace_id, cut.span_id), ([0xAB; 16], [0x0C; 8]));
        assert_eq!((cut.kind, cut.status, cut.start, cut.end), (2, 2, 10, 25));
        assert_eq!(batch.text(&cut.name), full().name);
        assert_eq!(Span::decode(batch.bytes(&cut.body)), Ok(full()));
        assert_eq!(batch.groups[0].service, "cart");
        let second = &batch.groups[0].spans[1];
        assert!(second.is_root && !cut.is_root);
        assert_eq!(
            (batch.text(&second.name), second.kind, second.start),
            ("", 17, u64::MAX)
        );
    }

    #[test]
    fn reads_a_zero_parent_as_none_and_an_absent_service_as_unknown() {
        let zero = Span {
            parent_span_id: vec![0; 8],
            ..full()
        };
        let batch = SpanBatch::from_request(&request(vec![zero]));
        assert!(batch.groups[0].spans[0].is_root);
        assert_eq!(batch.groups[0].service, "unknown_service");
    }

    #[test]
    fn withholds_the_last_spans_over_all_groups() {
        let mut both = golden::request();
        both.resource_spans
            .extend(request(vec![full()]).resource_spans);
        let mut batch = SpanBatch::from_request(&both);
        assert_eq!(batch.withhold(2), 2);
        assert_eq!(
            (
                batch.len(),
                batch.groups[0].spans.len(),
                batch.groups[1].spans.len()
            ),
            (1, 1, 0)
        );
        assert_eq!(batch.withhold(2), 1);
        assert!(batch.is_empty());
    }

    #[test]
    fn an_empty_body_is_a_request_without_spans() {
        assert_eq!(SpanBatch::from_protobuf(Bytes::new()).unwrap().found(), 0);
    }
}
