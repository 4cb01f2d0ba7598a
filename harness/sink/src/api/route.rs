//! The paths of the API, and what each answers.

use std::time::SystemTime;

use http::request::Parts;
use http::{Method, Response, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::json;
use tonic::body::Body;

use super::answer::{error, json, not_allowed, stream, value};
use super::attributes;
use super::export::{all, export};
use super::follow::follow;
use super::forwarding::{forwarding, resend};
use super::parameters::{ParameterError, read_query};
use super::produced::Produced;
use super::summary::write_summaries;
use super::verdict::{verdict, verdicts};
use crate::forward::Destinations;
use crate::map::map;
use crate::otlp_json::write_request;
use crate::store::{Query, Store, StoreError};

/// The path that the API begins with.
pub const PREFIX: &str = "/api/sidespan/v1/";

/// Returns true if a path is of the API.
pub(crate) fn is_of_api(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers a request; `clear` empties the sink.
pub(crate) async fn serve(
    store: &Store,
    destinations: &Destinations,
    request: &Parts,
    clear: impl FnOnce() + Send + 'static,
) -> Response<Body> {
    let path = request.uri.path();
    let path = path.strip_prefix(PREFIX).unwrap_or_default();
    let text = request.uri.query().unwrap_or_default();
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    let answer = match (path, is_read) {
        ("traces", false) if request.method == Method::DELETE => {
            // Clearing waits for the database, which must not hold up other connections.
            let _ = tokio::task::spawn_blocking(clear).await;
            Ok(value(StatusCode::OK, &json!({})))
        }
        ("traces", false) => Ok(not_allowed("GET, HEAD, DELETE")),
        (
            "status" | "services" | "operations" | "attributes" | "export" | "map" | "verdicts"
            | "follow",
            false,
        ) => Ok(not_allowed("GET, HEAD")),
        ("status", true) => status(store, destinations).await,
        ("forward/resend", _) => match request.method {
            Method::POST => resend(store, destinations, text).await,
            _ => Ok(not_allowed("POST")),
        },
        ("traces", true) => match conditions(text) {
            Ok((query, _)) => store
                .search(query)
                .await
                .map(|found| json(write_summaries(&found).into_bytes())),
            Err(refused) => Ok(bad(&refused)),
        },
        ("services", true) => services(store).await,
        ("operations", true) => operations(store, text).await,
        ("export", true) => Ok(exported(store, text)),
        ("map", true) => match conditions(text) {
            Ok((mut query, limit)) => {
                query.limit = limit.unwrap_or(all().limit);
                map(store, query).await.map(|text| json(text.into_bytes()))
            }
            Err(refused) => Ok(bad(&refused)),
        },
        ("verdicts", true) => match conditions(text) {
            Ok((query, _)) => verdicts(store, query).await.map(json),
            Err(refused) => Ok(bad(&refused)),
        },
        ("follow", true) => Ok(followed(store, text)),
        ("attributes", true) => attributes::names(store, text).await,
        (path, true) if path.starts_with("attributes/") => {
            let name = path.strip_prefix("attributes/").unwrap_or_default();
            attributes::values(store, name, text).await
        }
        _ => match (path.strip_prefix("traces/"), is_read) {
            (Some(_), false) => Ok(not_allowed("GET, HEAD")),
            (Some(rest), true) => match rest.strip_suffix("/verdict") {
                Some(id) => of_trace(store, id, verdict).await,
                None => of_trace(store, rest, trace).await,
            },
            (None, _) => Ok(error(StatusCode::NOT_FOUND, NOTHING_HERE)),
        },
    };
    answer.unwrap_or_else(|failed| {
        log::error!("the API cannot answer: {failed}");
        error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string())
    })
}

async fn status(store: &Store, destinations: &Destinations) -> Result<Response<Body>, StoreError> {
    let (counts, size) = store.counts_and_size();
    let status = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "traces": size.traces,
        "spans": size.spans,
        "bytes": size.bytes,
        "counts": {
            "requests": counts.requests,
            "accepted": counts.accepted,
            "invalid": counts.invalid,
            "tooLarge": counts.too_large,
            "scripted": counts.scripted,
            "refused": counts.refused,
            "duplicates": counts.duplicates,
            "conflicts": counts.conflicts,
            "evicted": counts.evicted,
            "expired": counts.expired,
            "otherSignals": counts.other_signals,
        },
        "forwarding": forwarding(&destinations.state(store).await?),
    });
    Ok(value(StatusCode::OK, &status))
}

fn exported(store: &Store, text: &str) -> Response<Body> {
    let (mut query, limit) = match conditions(text) {
        Ok(read) => read,
        Err(refused) => return bad(&refused),
    };
    query.limit = limit.unwrap_or(all().limit);
    let store = store.clone();
    let body = Produced::by(|pipe| export(store, query, pipe));
    stream("application/x-ndjson", body)
}

fn followed(store: &Store, text: &str) -> Response<Body> {
    let query = match conditions(text) {
        Ok((query, _)) => query,
        Err(refused) => return bad(&refused),
    };
    // From this moment on, so that a client that has the answer misses nothing.
    let (store, arrivals) = (store.clone(), store.arrivals());
    let body = Produced::by(|pipe| follow(store, query, arrivals, pipe));
    stream("text/event-stream", body)
}

async fn services(store: &Store) -> Result<Response<Body>, StoreError> {
    let names = store.services().await?;
    let services: Vec<_> = names
        .into_iter()
        .map(|name| json!({ "name": name }))
        .collect();
    Ok(value(StatusCode::OK, &json!({ "services": services })))
}

async fn operations(store: &Store, text: &str) -> Result<Response<Body>, StoreError> {
    let mut asked = form_urlencoded::parse(text.as_bytes());
    let (Some((name, service)), None) = (asked.next(), asked.next()) else {
        return Ok(error(
            StatusCode::BAD_REQUEST,
            "operations takes the parameter service",
        ));
    };
    if name != "service" {
        let cause = format!("unknown parameter {name:?}: accepted is service");
        return Ok(error(StatusCode::BAD_REQUEST, &cause));
    }
    let found = store.operations(&service).await?;
    let operations: Vec<_> = found
        .into_iter()
        .map(|it| json!({"name": it.name, "kind": it.kind.to_string(), "spans": it.spans}))
        .collect();
    Ok(value(StatusCode::OK, &json!({ "operations": operations })))
}

/// Answers a request for the one trace that begins with these digits.
async fn of_trace<'a, F>(
    store: &'a Store,
    digits: &str,
    answer: impl FnOnce(&'a Store, [u8; 16]) -> F,
) -> Result<Response<Body>, StoreError>
where
    F: Future<Output = Result<Option<Vec<u8>>, StoreError>>,
{
    let is_id =
        (1..=32).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_id {
        let cause =
            format!("expected the 1 to 32 hexadecimal digits of a trace id, found {digits:?}");
        return Ok(error(StatusCode::BAD_REQUEST, &cause));
    }
    let found = store.ids_with_prefix(digits);
    let found = match &found[..] {
        [] => None,
        [id] => answer(store, *id).await?,
        _ => return Ok(ambiguous(digits, &found)),
    };
    Ok(found.map_or_else(
        || {
            let cause = format!("no trace {digits} is here: it never came, or it was evicted");
            error(StatusCode::NOT_FOUND, &cause)
        },
        json,
    ))
}

async fn trace(store: &Store, id: [u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
    let data = store.trace_data(id).await?;
    Ok(data.map(|data| {
        let request = ExportTraceServiceRequest::decode(data).unwrap_or_default();
        write_request(&request)
    }))
}

fn ambiguous(digits: &str, found: &[[u8; 16]]) -> Response<Body> {
    let ids: Vec<String> = found.iter().take(SHOWN).map(hex::encode).collect();
    let cause = format!(
        "{} traces begin with {digits}: give more digits",
        found.len()
    );
    value(
        StatusCode::CONFLICT,
        &json!({ "error": cause, "traceIds": ids }),
    )
}

fn conditions(text: &str) -> Result<(Query, Option<usize>), ParameterError> {
    read_query(text, SystemTime::now())
}

fn bad(refused: &ParameterError) -> Response<Body> {
    error(StatusCode::BAD_REQUEST, &refused.to_string())
}

const NOTHING_HERE: &str = "this API has GET /api/sidespan/v1/status, traces, traces/{id}, traces/{id}/verdict, services, operations, attributes, \
attributes/{name}, states, map, verdicts, export and follow, DELETE traces, and POST forward/resend";

/// The number of ids that an ambiguous beginning is answered with.
const SHOWN: usize = 10;
