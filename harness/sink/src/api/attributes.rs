//! The names and values of attributes, for whoever completes what a person types.
//!
//! `attributes?scope=span` and `attributes/{name}?scope=span&prefix=ca&limit=20`: those that most spans have come first. They
//! are of the newest spans; `spansLeft` counts the spans that were not looked at.

use http::{Response, StatusCode};
use serde_json::json;
use tonic::body::Body;

use super::answer::{error, value};
use crate::store::{Sample, Store, StoreError, TagScope};

const LIMIT: usize = 1_000;

/// The parameters, each at most once.
struct Wanted {
    scopes: Vec<TagScope>,
    prefix: String,
    limit: usize,
}

/// Answers `attributes`.
pub(super) async fn names(store: &Store, parameters: &str) -> Result<Response<Body>, StoreError> {
    let wanted = match wanted(parameters) {
        Ok(wanted) => wanted,
        Err(cause) => return Ok(error(StatusCode::BAD_REQUEST, &cause)),
    };
    let found = store.tag_names().await?;
    let mut rows: Vec<(u64, TagScope, String)> = Vec::new();
    for (scope, names) in found.names {
        let is_wanted =
            |name: &String| wanted.scopes.contains(&scope) && name.starts_with(&wanted.prefix);
        let named = names.into_iter().filter(|(name, _)| is_wanted(name));
        rows.extend(named.map(|(name, spans)| (spans, scope, name)));
    }
    // The sort is stable: the same number of spans leaves the order of scopes and names.
    rows.sort_by_key(|row| std::cmp::Reverse(row.0));
    let left = rows.len().saturating_sub(wanted.limit);
    rows.truncate(wanted.limit);
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(spans, scope, key)| json!({ "key": key, "scope": scope.name(), "spans": spans }))
        .collect();
    Ok(answer("attributes", rows, &found.sample, left))
}

/// Answers `attributes/{name}`, with the name as it stands in the URL.
pub(super) async fn values(
    store: &Store,
    name: &str,
    parameters: &str,
) -> Result<Response<Body>, StoreError> {
    let wanted = match wanted(parameters) {
        Ok(wanted) => wanted,
        Err(cause) => return Ok(error(StatusCode::BAD_REQUEST, &cause)),
    };
    let name = percent_decoded(name);
    let found = store.tag_values(&wanted.scopes, &name).await?;
    let values = found.values.into_iter();
    let mut rows: Vec<_> = values
        .filter(|(value, _)| value.text.starts_with(&wanted.prefix))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.1));
    let left = rows.len().saturating_sub(wanted.limit);
    rows.truncate(wanted.limit);
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(value, spans)| json!({ "value": value.text, "type": value.kind, "spans": spans }))
        .collect();
    Ok(answer("values", rows, &found.sample, left))
}

fn answer(
    list: &str,
    rows: Vec<serde_json::Value>,
    sample: &Sample,
    beyond_limit: usize,
) -> Response<Body> {
    let left = u64::try_from(beyond_limit).unwrap_or(u64::MAX);
    let body = json!({
        list: rows,
        "spans": sample.spans,
        "spansLeft": sample.spans_left,
        "leftOut": sample.left_out.saturating_add(left),
    });
    value(StatusCode::OK, &body)
}

fn wanted(parameters: &str) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        scopes: TagScope::ALL.to_vec(),
        prefix: String::new(),
        limit: LIMIT,
    };
    for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
        match &*name {
            "scope" => {
                let scope = TagScope::named(&value).ok_or_else(|| {
                    format!(
                        "parameter scope: expected resource, span, event, link or instrumentation, found {value:?}"
                    )
                })?;
                wanted.scopes = vec![scope];
            }
            "prefix" => wanted.prefix = value.into_owned(),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| *limit > 0);
                wanted.limit = limit.ok_or_else(|| {
                    format!("parameter limit: expected a whole number above 0, found {value:?}")
                })?;
            }
            _ => {
                return Err(format!(
                    "unknown parameter {name:?}: accepted are scope, prefix and limit"
                ));
            }
        }
    }
    Ok(wanted)
}

/// Returns a part of a path without its escapes; what is no escape stays as it is.
pub(crate) fn percent_decoded(part: &str) -> String {
    // The parser of forms takes these three for parts of a form, and in a path they are themselves.
    let form = part
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('&', "%26");
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    pairs
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}
