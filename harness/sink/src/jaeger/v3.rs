//! `/api/v3/…`: OTLP in JSON, with the parameters that Jaeger's own gateway reads.

use http::{Response, StatusCode};
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use serde_json::{Map, Value, json};
use tonic::body::Body;

use super::answer::{stream, v3_error, value_of};
use super::enrich::enrich;
use super::form::Form;
use super::go::{duration, integer, rfc3339, truth};
use super::parameters::{self, DEFAULT_LIMIT};
use super::route::operations_of;
use super::sanitize::sanitize;
use super::search::{Search, SearchError, read};
use super::shared_ids::spans;
use crate::api::{Broken, Pipe, Produced};
use crate::otlp_json::write_request;
use crate::store::{Store, StoreError};

/// Answers the request for a path below `/api/v3/`.
pub(super) async fn answer(store: &Store, path: &str, form: &Form) -> Response<Body> {
    let answer = match path {
        "services" => services(store).await,
        "operations" => operations(store, form).await,
        "traces" => traces(store, form).await,
        _ => match path.strip_prefix("traces/") {
            Some(id) if !id.is_empty() && !id.contains('/') => one_trace(store, id, form).await,
            _ => Ok(v3_error(StatusCode::NOT_FOUND, NOTHING_HERE)),
        },
    };
    answer.unwrap_or_else(|failed| {
        log::error!("Jaeger's API cannot answer: {failed}");
        v3_error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string())
    })
}

async fn services(store: &Store) -> Result<Response<Body>, StoreError> {
    let services = store.services().await?;
    let answer = match services.is_empty() {
        true => json!({}),
        false => json!({ "services": services }),
    };
    Ok(value_of(StatusCode::OK, &answer))
}

async fn operations(store: &Store, form: &Form) -> Result<Response<Body>, StoreError> {
    let found = operations_of(store, form.first("service"), form.first("span_kind")).await?;
    let shown = found.iter().map(|(name, kind)| {
        let fields = [("name", name.as_str()), ("spanKind", kind)];
        let fields = fields.into_iter().filter(|(_, text)| !text.is_empty());
        let fields: Map<String, Value> = fields
            .map(|(key, text)| (key.to_owned(), text.into()))
            .collect();
        fields
    });
    let answer = json!({"operations": shown.collect::<Vec<_>>()});
    Ok(value_of(StatusCode::OK, &answer))
}

async fn one_trace(store: &Store, id: &str, form: &Form) -> Result<Response<Body>, StoreError> {
    let id = parameters::trace_id(id).map_err(|cause| malformed("trace_id", &cause));
    let wanted = id.and_then(|id| {
        for name in ["start_time", "end_time"] {
            optional(form, name, rfc3339)?;
        }
        Ok((id, optional(form, "raw_traces", truth)?.unwrap_or_default()))
    });
    match wanted {
        Ok((id, is_raw)) => found(store, vec![id], is_raw).await,
        Err(cause) => Ok(v3_error(StatusCode::BAD_REQUEST, &cause)),
    }
}

async fn traces(store: &Store, form: &Form) -> Result<Response<Body>, StoreError> {
    let (search, is_raw) = match search(form) {
        Ok(wanted) => wanted,
        Err(cause) => return Ok(v3_error(StatusCode::BAD_REQUEST, &cause)),
    };
    match search.run(store).await {
        Ok(ids) => found(store, ids, is_raw).await,
        Err(SearchError::Store(failed)) => Err(failed),
        Err(refused) => Ok(v3_error(StatusCode::BAD_REQUEST, &refused.to_string())),
    }
}

fn search(form: &Form) -> Result<(Search, bool), String> {
    let [from, to] = ["query.start_time_min", "query.start_time_max"];
    if form.first(from).is_empty() || form.first(to).is_empty() {
        return Err(format!("{from} and {to} are required"));
    }
    let (from, to) = (optional(form, from, rfc3339)?, optional(form, to, rfc3339)?);
    // Jaeger's later name for the same comes second.
    let count =
        |text: &str| integer(text, 64).map_err(|cause| cause.replacen("ParseInt", "Atoi", 1));
    let limit = match optional(form, "query.num_traces", count)? {
        None => optional(form, "query.search_depth", count)?,
        limit => limit,
    };
    let shortest = optional(form, "query.duration_min", duration)?;
    let longest = optional(form, "query.duration_max", duration)?;
    let is_raw = optional(form, "query.raw_traces", truth)?;
    let search = Search {
        service: form.first("query.service_name").to_owned(),
        operation: form.first("query.operation_name").to_owned(),
        tags: Vec::new(),
        from,
        to,
        shortest: shortest.unwrap_or_default(),
        longest: longest.unwrap_or_default(),
        limit: limit.unwrap_or(DEFAULT_LIMIT),
    };
    Ok((search, is_raw.unwrap_or_default()))
}

fn optional<T>(
    form: &Form,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    match form.first(name) {
        "" => Ok(None),
        text => read(text)
            .map(Some)
            .map_err(|cause| malformed(name, &cause)),
    }
}

fn malformed(name: &str, cause: &str) -> String {
    format!("malformed parameter {name}: {cause}")
}

/// Answers with traces, the first of which must be here.
async fn found(
    store: &Store,
    ids: Vec<[u8; 16]>,
    is_raw: bool,
) -> Result<Response<Body>, StoreError> {
    let mut ids = ids.into_iter();
    let first = match ids.next() {
        Some(id) => read(store, id).await?,
        None => None,
    };
    let Some(first) = first else {
        return Ok(v3_error(StatusCode::NOT_FOUND, "No traces found"));
    };
    let store = store.clone();
    let body = Produced::by(move |pipe: Pipe| async move {
        let mut piece = [&br#"{"result":"#[..], OPEN, &written(first, is_raw).await?].concat();
        for id in ids {
            if pipe.send(Bytes::from(piece)).await.is_err() {
                return Ok(());
            }
            let spans = read(&store, id).await.map_err(|failed| {
                log::error!("an answer of Jaeger's API ended early: {failed}");
                Broken
            })?;
            piece = match spans {
                Some(spans) => [b",", &written(spans, is_raw).await?[..]].concat(),
                None => Vec::new(),
            };
        }
        piece.extend_from_slice(CLOSE);
        piece.push(b'}');
        let _ = pipe.send(Bytes::from(piece)).await;
        Ok(())
    });
    Ok(stream(body))
}

/// Writes the elements of `resourceSpans`, on a thread that may work long.
async fn written(mut data: Vec<ResourceSpans>, is_raw: bool) -> Result<Vec<u8>, Broken> {
    let written = tokio::task::spawn_blocking(move || {
        sanitize(&mut data);
        if !is_raw {
            enrich(&mut data);
        }
        // Fields that are messages are always there, as in the answers of Jaeger.
        for resource_spans in &mut data {
            resource_spans.resource.get_or_insert_default();
            for scope_spans in &mut resource_spans.scope_spans {
                scope_spans.scope.get_or_insert_default();
            }
        }
        for span in spans(&mut data) {
            span.status.get_or_insert_default();
            let of_links = span.links.iter_mut();
            let of_links = of_links.flat_map(|it| [&mut it.trace_id, &mut it.span_id]);
            for id in of_links.chain([&mut span.parent_span_id]) {
                if id.iter().all(|byte| *byte == 0) {
                    id.clear();
                }
            }
        }
        let json = write_request(&ExportTraceServiceRequest {
            resource_spans: data,
        });
        let inner = json
            .strip_prefix(OPEN)
            .and_then(|it| it.strip_suffix(CLOSE));
        inner.unwrap_or_default().to_vec()
    });
    written.await.map_err(|_| Broken)
}

/// What the writer of OTLP in JSON puts around the elements of `resourceSpans`.
const OPEN: &[u8] = br#"{"resourceSpans":["#;
const CLOSE: &[u8] = b"]}";
const NOTHING_HERE: &str = "this API has GET /api/v3/services, operations, traces and traces/{id}";
