//! The states of traces: whole or broken, and where an error began. The list asks for those in sight, because they cost a read
//! of every span.

use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tonic::body::Body;

use super::json::json as answer;
use crate::store::{Store, StoreError, StoredSpan};
use crate::view::{Top, arrange, is_complete};

/// The path of the states.
pub(crate) const STATES: &str = "/api/sidespan/v1/states";

/// The most traces of one request.
const MOST: usize = 100;

/// Answers `GET states?id=…&id=…`.
pub(crate) async fn states(store: &Store, request: &Parts) -> Response<Body> {
    let refused = |status, cause: &str| answer(status, &json!({ "error": cause }));
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "this path takes GET, HEAD");
    }
    let mut ids = Vec::new();
    for (name, value) in form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes())
    {
        let mut id = [0; 16];
        let is_id = name == "id" && hex::decode_to_slice(&*value, &mut id).is_ok();
        if !is_id || ids.len() == MOST {
            let cause = format!(
                "states takes id, the 32 hexadecimal digits of a trace id, up to {MOST} times, found {name}={value}"
            );
            return refused(StatusCode::BAD_REQUEST, &cause);
        }
        ids.push(id);
    }
    match read(store, ids).await {
        Ok(states) => answer(StatusCode::OK, &json!({ "states": states })),
        Err(error) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn read(store: &Store, ids: Vec<[u8; 16]>) -> Result<Vec<Value>, StoreError> {
    let mut states = Vec::new();
    for id in ids {
        let spans = store.trace(id).await?;
        if !spans.is_empty() {
            states.push(state(&hex::encode(id), &spans));
        }
    }
    Ok(states)
}

/// Returns the state of a trace. An error began at a span with an error and none below it; of several, at the one that ended first.
fn state(id: &str, spans: &[StoredSpan]) -> Value {
    let all: Vec<&StoredSpan> = spans.iter().collect();
    let places = arrange(&all);
    let mut fails_below = Vec::new();
    let mut origins = Vec::new();
    for place in places.iter().rev() {
        fails_below.resize(place.depth + 2, false);
        let below = std::mem::take(fails_below.last_mut().unwrap_or(&mut false));
        if place.span.is_error() && !below {
            origins.push(place.span);
        }
        if let Some(fails) = fails_below.get_mut(place.depth) {
            *fails |= below || place.span.is_error();
        }
    }
    let origin = origins
        .into_iter()
        .min_by_key(|span| (span.end_unix_nanos, span.start_unix_nanos));
    let is_whole = is_complete(spans).is_ok();
    let broken = places
        .iter()
        .filter(|place| place.top.is_some_and(|top| top != Top::Root))
        .chain(places.iter().filter(|place| place.top.is_some()).skip(1))
        .map(|place| place.span.service());
    json!({
        "traceId": id,
        "isWhole": is_whole,
        "brokenService": broken.filter(|_| !is_whole).next(),
        "errorService": origin.map(StoredSpan::service),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::span;
    use crate::store::{SpanStatus, StatusCode};

    fn failed(span: StoredSpan, end: u64) -> StoredSpan {
        let status = SpanStatus {
            code: StatusCode::Error,
            message: String::new(),
        };
        StoredSpan {
            status,
            end_unix_nanos: end,
            ..span
        }
    }

    fn of(service: &str, span: StoredSpan) -> StoredSpan {
        let mut resource = (*span.resource).clone();
        for attribute in &mut resource.attributes {
            attribute.value = crate::store::Value::String(service.into());
        }
        StoredSpan {
            resource: resource.into(),
            ..span
        }
    }

    #[test]
    fn an_error_began_where_none_is_below_and_first() {
        let rows = [
            ("none", vec![span("1", None), span("2", Some("1"))], None),
            (
                "deepest",
                vec![
                    failed(of("a", span("1", None)), 90),
                    failed(of("b", span("2", Some("1"))), 80),
                    of("c", span("3", Some("2"))),
                    failed(of("d", span("4", Some("3"))), 85),
                ],
                Some("d"),
            ),
            (
                "the first of two",
                vec![
                    failed(of("a", span("1", None)), 90),
                    failed(of("b", span("2", Some("1"))), 80),
                    failed(of("c", span("3", Some("1"))), 70),
                    failed(of("d", span("4", Some("2"))), 75),
                ],
                Some("c"),
            ),
        ];
        for (name, spans, expected) in rows {
            let found = state("ab", &spans);
            assert_eq!(found["errorService"].as_str(), expected, "{name}");
            assert_eq!(found["isWhole"], true, "{name}");
            assert_eq!(found["brokenService"], Value::Null, "{name}");
        }
    }

    #[test]
    fn a_trace_is_broken_at_the_service_whose_parent_is_missing() {
        let orphan = [of("a", span("1", None)), of("b", span("2", Some("f")))];
        let found = state("ab", &orphan);
        assert_eq!(
            (&found["isWhole"], &found["brokenService"]),
            (&json!(false), &json!("b"))
        );
        let roots = [of("a", span("1", None)), of("b", span("2", None))];
        assert_eq!(state("ab", &roots)["brokenService"], "b");
    }
}
