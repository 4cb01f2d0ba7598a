//! Span ids that a client and a server share, as Zipkin's do: the server gets one of its own, below the client.

use std::collections::{HashMap, HashSet};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

/// Gives the servers their own ids, counted from 1.
pub(super) fn separate(data: &mut [ResourceSpans]) {
    let is = |span: &Span, kind: SpanKind| span.kind == i32::from(kind);
    let clients: HashSet<Vec<u8>> = spans(data)
        .filter(|span| is(span, SpanKind::Client))
        .map(|span| span.span_id.clone())
        .collect();
    let is_shared = |span: &Span| is(span, SpanKind::Server) && clients.contains(&span.span_id);
    if !spans(data).any(|span| is_shared(span)) {
        return;
    }
    let used: HashSet<Vec<u8>> = spans(data).map(|span| span.span_id.clone()).collect();
    let mut free = (1..u64::MAX)
        .map(|id| id.to_be_bytes().to_vec())
        .filter(|id| !used.contains(id));
    let mut new_ids = HashMap::new();
    for span in spans(data).filter(|span| is_shared(span)) {
        let Some(id) = free.next() else { break };
        span.parent_span_id = std::mem::replace(&mut span.span_id, id.clone());
        new_ids.insert(span.parent_span_id.clone(), id);
    }
    for span in spans(data) {
        if let Some(id) = new_ids.get(&span.parent_span_id)
            && *id != span.span_id
        {
            span.parent_span_id.clone_from(id);
        }
    }
}

/// Returns the spans of a trace.
pub(super) fn spans(data: &mut [ResourceSpans]) -> impl Iterator<Item = &mut Span> {
    let scopes = data.iter_mut().flat_map(|it| &mut it.scope_spans);
    scopes.flat_map(|it| &mut it.spans)
}
