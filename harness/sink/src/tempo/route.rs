//! The paths of the API.

use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::json;
use tonic::body::Body;

use super::trace::{Version, trace};
use super::{answer, search, tags};
use crate::store::{Store, StoreError};

/// A path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path<'a> {
    Echo,
    Build,
    Trace(Version, &'a str),
    Search,
    Names(Version),
    Values(Version, &'a str),
    /// A part of Tempo that this sink has not.
    Beyond,
}

fn path(path: &str) -> Option<Path<'_>> {
    let values = |rest: &'_ str| {
        rest.strip_suffix("/values")
            .filter(|name| !name.is_empty())
            .map(str::len)
    };
    Some(match path {
        "/api/echo" => Path::Echo,
        "/api/status/buildinfo" => Path::Build,
        "/api/search" => Path::Search,
        "/api/search/tags" => Path::Names(Version::One),
        "/api/v2/search/tags" => Path::Names(Version::Two),
        "/api/v2/traces/diff" => Path::Beyond,
        _ if path.starts_with("/api/metrics/") => Path::Beyond,
        _ => {
            if let Some(id) = path.strip_prefix("/api/v2/traces/") {
                return Some(Path::Trace(Version::Two, id));
            }
            if let Some(id) = path.strip_prefix("/api/traces/") {
                return Some(Path::Trace(Version::One, id));
            }
            let (version, rest) = match path.strip_prefix("/api/v2/search/tag/") {
                Some(rest) => (Version::Two, rest),
                None => (Version::One, path.strip_prefix("/api/search/tag/")?),
            };
            let length = values(rest)?;
            Path::Values(version, rest.get(..length)?)
        }
    })
}

/// Returns true if a path is of the API.
pub(crate) fn is_of_api(text: &str) -> bool {
    path(text).is_some()
}

/// Answers a request.
pub(crate) async fn serve(store: &Store, request: &Parts) -> Response<Body> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return answer::not_allowed();
    }
    let answer = match path(request.uri.path()) {
        Some(path) => of_path(store, request, path).await,
        None => Ok(answer::text(StatusCode::NOT_FOUND, "404 page not found")),
    };
    answer.unwrap_or_else(|failed| {
        log::error!("Tempo's API cannot answer: {failed}");
        answer::text(StatusCode::SERVICE_UNAVAILABLE, failed.to_string())
    })
}

async fn of_path(
    store: &Store,
    request: &Parts,
    path: Path<'_>,
) -> Result<Response<Body>, StoreError> {
    let query = request.uri.query().unwrap_or_default();
    match path {
        Path::Echo => Ok(answer::text(StatusCode::OK, "echo\n")),
        Path::Build => Ok(answer::json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "revision": "",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        }))),
        Path::Trace(version, id) => trace(store, request, id, version).await,
        Path::Search => search::search(store, query).await,
        Path::Names(Version::One) => tags::names(store, query).await,
        Path::Names(Version::Two) => tags::names_by_scope(store, query).await,
        Path::Values(Version::One, name) => tags::texts(store, name, query).await,
        Path::Values(Version::Two, name) => tags::typed(store, name, query).await,
        Path::Beyond => Ok(answer::text(StatusCode::BAD_REQUEST, BEYOND)),
    }
}

/// Grafana shows this line to the person who asked.
const BEYOND: &str = "this sink answers searches and traces, and no metrics of TraceQL and no differences of traces: rates and \
                      durations by service and route are at /metrics, for Prometheus, and a Tempo that the sink forwards to \
                      answers the rest";
