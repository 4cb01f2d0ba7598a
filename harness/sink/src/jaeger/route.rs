//! The paths of `/api/…`, and what each answers.

use std::collections::BTreeSet;

use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Bytes;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use serde_json::{Value, json};
use tonic::body::Body;

use super::answer::{behind_data, data, error, not_allowed, stream};
use super::form::{Form, unescaped};
use super::search::{SearchError, read};
use super::translate::trace_id as written_id;
use super::{dependencies, metrics, parameters, trace, v3};
use crate::api::{Broken, Pipe, Produced};
use crate::store::{Operation, SpanKind, Store, StoreError};

/// Returns true if a path is of Jaeger's query API. `/api/traces/{id}` is Tempo's, too.
pub(crate) fn is_of_api(path: &str) -> bool {
    let Some(path) = path.strip_prefix("/api/") else {
        return false;
    };
    matches!(path, "services" | "operations" | "traces" | "dependencies")
        || ["traces/", "v3/"].iter().any(|it| path.starts_with(it))
        || service_of(path).is_some()
        || path.strip_prefix("metrics/").is_some_and(metrics::is_known)
}

/// Answers a request.
pub(crate) async fn serve(store: &Store, request: &Parts) -> Response<Body> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return not_allowed();
    }
    let form = Form::read(request.uri.query().unwrap_or_default());
    let path = request.uri.path();
    let path = path.strip_prefix("/api/").unwrap_or_default();
    if let Some(path) = path.strip_prefix("v3/") {
        return v3::answer(store, path, &form).await;
    }
    let answer = match path {
        "services" => services(store).await,
        "operations" => operations(store, &form).await,
        "traces" => traces(store, &form).await,
        "dependencies" => dependencies::answer(store, &form).await,
        _ => match (path.strip_prefix("traces/"), service_of(path)) {
            (Some(id), _) => one_trace(store, id, &form).await,
            (None, Some(service)) => names(store, service).await,
            (None, None) => {
                let name = path.strip_prefix("metrics/").unwrap_or_default();
                Ok(metrics::answer(name, &form))
            }
        },
    };
    answer.unwrap_or_else(|failed| {
        log::error!("Jaeger's API cannot answer: {failed}");
        error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string())
    })
}

/// Returns the service of `services/{service}/operations`, as the path has it.
fn service_of(path: &str) -> Option<&str> {
    let service = path
        .strip_prefix("services/")?
        .strip_suffix("/operations")?;
    (!service.is_empty() && !service.contains('/')).then_some(service)
}

async fn services(store: &Store) -> Result<Response<Body>, StoreError> {
    let services = store.services().await?;
    Ok(data(some(&services), services.len()))
}

/// Answers with the operations of a service by name alone.
async fn names(store: &Store, service: &str) -> Result<Response<Body>, StoreError> {
    let service = unescaped(service).unwrap_or_default();
    let operations = store.operations(&service).await?;
    let names: BTreeSet<&str> = operations.iter().map(|it| it.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    Ok(data(some(&names), names.len()))
}

async fn operations(store: &Store, form: &Form) -> Result<Response<Body>, StoreError> {
    let service = form.first("service");
    if service.is_empty() {
        let cause = parameters::SERVICE_REQUIRED;
        return Ok(error(StatusCode::BAD_REQUEST, cause));
    }
    let found = operations_of(store, service, form.first("spanKind")).await?;
    let shown = found
        .iter()
        .map(|(name, kind)| json!({"name": name, "spanKind": kind}));
    Ok(data(shown.collect::<Vec<_>>(), found.len()))
}

/// Returns the names and kinds of a service's spans; those of one kind if it is not empty.
pub(super) async fn operations_of(
    store: &Store,
    service: &str,
    kind: &str,
) -> Result<Vec<(String, &'static str)>, StoreError> {
    let named = |it: Operation| (it.name, kind_of(it.kind));
    let all = store.operations(service).await?.into_iter().map(named);
    let mut found: Vec<_> = all
        .filter(|(_, own)| kind.is_empty() || *own == kind)
        .collect();
    found.dedup();
    Ok(found)
}

fn kind_of(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified | SpanKind::Unknown(_) => "",
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

/// Returns a list as Go writes one that nothing was added to.
fn some<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

async fn one_trace(store: &Store, id: &str, form: &Form) -> Result<Response<Body>, StoreError> {
    let read_all = parameters::trace_id(id).and_then(|id| Ok((id, parameters::one_trace(form)?)));
    let (id, is_raw) = match read_all {
        Ok(wanted) => wanted,
        Err(cause) => return Ok(error(StatusCode::BAD_REQUEST, &cause)),
    };
    let Some(spans) = read(store, id).await? else {
        return Ok(error(StatusCode::NOT_FOUND, NOT_FOUND));
    };
    let body = Produced::by(move |pipe: Pipe| async move {
        let trace = written(spans, is_raw).await?;
        let pieces = [BEFORE_DATA.into(), trace, behind_data(&[]).into_bytes()];
        let _ = pipe.send(Bytes::from(pieces.concat())).await;
        Ok(())
    });
    Ok(stream(body))
}

async fn traces(store: &Store, form: &Form) -> Result<Response<Body>, StoreError> {
    let wanted = match parameters::traces(form) {
        Ok(wanted) => wanted,
        Err(cause) => return Ok(error(StatusCode::BAD_REQUEST, &cause)),
    };
    let tells_missing = !wanted.ids.is_empty();
    let ids = match tells_missing {
        true => wanted.ids,
        false => match wanted.search.run(store).await {
            Ok(ids) => ids,
            Err(SearchError::Store(failed)) => return Err(failed),
            Err(refused) => return Ok(error(StatusCode::BAD_REQUEST, &refused.to_string())),
        },
    };
    let (store, is_raw) = (store.clone(), wanted.is_raw);
    let body = Produced::by(move |pipe| async move {
        let missing = write_traces(&store, ids, is_raw, &pipe).await?;
        let errors = missing.iter().filter(|_| tells_missing);
        let errors: Vec<Value> = errors
            .map(|id| json!({"msg": NOT_FOUND, "traceID": written_id(id)}))
            .collect();
        let _ = pipe.send(Bytes::from(behind_data(&errors))).await;
        Ok(())
    });
    Ok(stream(body))
}

/// Writes traces one by one, and returns the ids of those that are not here.
async fn write_traces(
    store: &Store,
    ids: Vec<[u8; 16]>,
    is_raw: bool,
    pipe: &Pipe,
) -> Result<Vec<[u8; 16]>, Broken> {
    let mut missing = Vec::new();
    let mut before = BEFORE_DATA;
    for id in ids {
        let spans = read(store, id).await.map_err(|failed| {
            log::error!("an answer of Jaeger's API ended early: {failed}");
            Broken
        })?;
        let Some(spans) = spans else {
            missing.push(id);
            continue;
        };
        let trace = written(spans, is_raw).await?;
        let piece = Bytes::from([before.as_bytes(), &trace].concat());
        if pipe.send(piece).await.is_err() {
            return Ok(missing);
        }
        before = ",";
    }
    if before == BEFORE_DATA {
        let _ = pipe.send(Bytes::from_static(BEFORE_DATA.as_bytes())).await;
    }
    Ok(missing)
}

/// Writes a trace, on a thread that may work long.
async fn written(spans: Vec<ResourceSpans>, is_raw: bool) -> Result<Vec<u8>, Broken> {
    let written = tokio::task::spawn_blocking(move || {
        serde_json::to_vec(&trace::trace(spans, is_raw)).unwrap_or_default()
    });
    written.await.map_err(|_| Broken)
}

const BEFORE_DATA: &str = r#"{"data":["#;
const NOT_FOUND: &str = "trace not found";
