//! The pieces of a trace that go over gRPC one by one, because a client takes messages of 4 MiB by default.

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, TracesData};
use prost::Message as _;

/// The size of a piece beyond which no span is added to it, in bytes. A larger span is a piece of its own.
const ENOUGH: usize = 1 << 20;

/// Cuts a trace into pieces, each with the resource and scope of its spans.
pub(super) fn chunks(data: Vec<ResourceSpans>) -> Vec<TracesData> {
    let mut pieces = Vec::new();
    let mut piece = TracesData::default();
    let mut size = 0;
    for resource_spans in data {
        let (scopes, resource) = (
            resource_spans.scope_spans,
            ResourceSpans {
                resource: resource_spans.resource,
                scope_spans: Vec::new(),
                schema_url: resource_spans.schema_url,
            },
        );
        for scope_spans in scopes {
            let scope = ScopeSpans {
                scope: scope_spans.scope,
                spans: Vec::new(),
                schema_url: scope_spans.schema_url,
            };
            let around = resource.encoded_len() + scope.encoded_len();
            let mut spans = Vec::new();
            for span in scope_spans.spans {
                let own = span.encoded_len();
                if size > 0 && size + around + own > ENOUGH {
                    add(&mut piece, &resource, &scope, std::mem::take(&mut spans));
                    pieces.extend(full(&mut piece));
                    size = 0;
                }
                size += own + if spans.is_empty() { around } else { 0 };
                spans.push(span);
            }
            add(&mut piece, &resource, &scope, spans);
        }
    }
    pieces.extend(full(&mut piece));
    pieces
}

fn add(
    piece: &mut TracesData,
    resource: &ResourceSpans,
    scope: &ScopeSpans,
    spans: Vec<opentelemetry_proto::tonic::trace::v1::Span>,
) {
    if !spans.is_empty() {
        piece.resource_spans.push(ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..scope.clone()
            }],
            ..resource.clone()
        });
    }
}

/// Takes a piece that has spans.
fn full(piece: &mut TracesData) -> Option<TracesData> {
    (!piece.resource_spans.is_empty()).then(|| std::mem::take(piece))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message as _;

    use super::{ENOUGH, chunks};

    #[test]
    fn a_large_trace_is_cut_between_spans_and_stays_in_order() {
        let span = |number: u8| Span {
            span_id: vec![number; 8],
            name: "x".repeat(ENOUGH / 3),
            ..Span::default()
        };
        let scopes = [0..4, 4..5, 5..9].map(|numbers| ScopeSpans {
            spans: numbers.map(span).collect(),
            ..ScopeSpans::default()
        });
        let data = ResourceSpans {
            resource: Some(Resource::default()),
            scope_spans: scopes.into(),
            schema_url: "schema".into(),
        };
        let pieces = chunks(vec![data]);
        assert!(pieces.len() > 3, "{} pieces", pieces.len());
        for piece in &pieces {
            assert!(
                piece.encoded_len() <= ENOUGH + 64,
                "{}",
                piece.encoded_len()
            );
            assert!(
                piece
                    .resource_spans
                    .iter()
                    .all(|it| it.schema_url == "schema")
            );
        }
        let scopes = pieces.iter().flat_map(|it| &it.resource_spans);
        let spans = scopes
            .flat_map(|it| &it.scope_spans)
            .flat_map(|it| &it.spans);
        let numbers: Vec<u8> = spans.map(|span| span.span_id[0]).collect();
        assert_eq!(numbers, (0..9).collect::<Vec<u8>>());
    }

    #[test]
    fn a_trace_without_spans_has_no_piece() {
        assert!(chunks(vec![ResourceSpans::default()]).is_empty());
    }
}
