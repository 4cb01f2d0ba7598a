//! The names and values of tags, of the newest spans: what Grafana completes a query with.

use std::collections::{BTreeMap, BTreeSet};

use http::{Response, StatusCode};
use serde_json::{Value, json};
use tonic::body::Body;

use super::answer;
use super::parameters::{self, Search};
use super::search::find;
use super::traceql::{
    Expression, Facts, Field, Intrinsic, Term, holds, parse, parse_field, values,
};
use crate::api::percent_decoded;
use crate::store::{MAX_TAGS, SAMPLED_SPANS, Store, StoreError, TagNames, TagScope};

const INTRINSIC: &str = "intrinsic";

/// The traces whose roots are looked at.
const ROOTS: usize = 1_000;

/// The parameters; those that are not named here are passed over, as by Tempo.
struct Wanted {
    scope: Option<String>,
    condition: Option<Expression>,
    limit: usize,
}

/// Answers `/api/search/tags`: the names in one list.
pub(super) async fn names(store: &Store, query: &str) -> Result<Response<Body>, StoreError> {
    let scopes = match scopes(store, query).await? {
        Ok(scopes) => scopes,
        Err(cause) => return Ok(answer::text(StatusCode::BAD_REQUEST, cause)),
    };
    // Names of fields are told only where they are asked for.
    let is_asked = scopes.len() == 1;
    let all: BTreeSet<String> = scopes
        .into_iter()
        .filter(|(scope, _)| is_asked || *scope != INTRINSIC)
        .flat_map(|(_, names)| names)
        .collect();
    Ok(answer::json(&json!({ "tagNames": all, "metrics": {} })))
}

/// Answers `/api/v2/search/tags`: the names of each scope.
pub(super) async fn names_by_scope(
    store: &Store,
    query: &str,
) -> Result<Response<Body>, StoreError> {
    let scopes = match scopes(store, query).await? {
        Ok(scopes) => scopes,
        Err(cause) => return Ok(answer::text(StatusCode::BAD_REQUEST, cause)),
    };
    let scopes: Vec<Value> = scopes
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(name, tags)| json!({ "name": name, "tags": tags }))
        .collect();
    Ok(answer::json(&json!({ "scopes": scopes, "metrics": {} })))
}

type Scopes = Vec<(&'static str, Vec<String>)>;

async fn scopes(store: &Store, query: &str) -> Result<Result<Scopes, String>, StoreError> {
    let wanted = wanted(query);
    let scope = match wanted.scope.as_deref() {
        None | Some("" | "none") => None,
        Some(INTRINSIC) => Some(INTRINSIC),
        Some(name) => match TagScope::named(name) {
            Some(scope) => Some(scope.name()),
            None => {
                return Ok(Err(format!(
                    "invalid scope: expected resource, span, event, link, instrumentation or intrinsic, found {name:?}"
                )));
            }
        },
    };
    let mut found = TagNames::default();
    if scope != Some(INTRINSIC) {
        let mut newest = store.newest(SAMPLED_SPANS);
        loop {
            let page = newest.page().await?;
            if page.is_empty() {
                break;
            }
            found.add(page.iter().filter(|span| {
                let condition = wanted.condition.as_ref();
                condition.is_none_or(|it| holds(it, span, &Facts::default()))
            }));
        }
    }
    let mut scopes: Scopes = TagScope::ALL
        .into_iter()
        .map(|scope| {
            let names = found.names.remove(&scope).unwrap_or_default();
            (scope.name(), names.into_keys().take(wanted.limit).collect())
        })
        .collect();
    scopes.push((
        INTRINSIC,
        Intrinsic::names().into_iter().map(str::to_owned).collect(),
    ));
    Ok(Ok(scopes
        .into_iter()
        .filter(|(name, _)| scope.is_none_or(|scope| scope == *name))
        .collect()))
}

/// Answers `/api/search/tag/{name}/values`: texts, of a tag's name without its scope.
pub(super) async fn texts(
    store: &Store,
    name: &str,
    query: &str,
) -> Result<Response<Body>, StoreError> {
    let name = percent_decoded(name);
    let intrinsic = Intrinsic::named(&name).map(Field::Intrinsic);
    let field = intrinsic.unwrap_or(Field::Attribute(None, name));
    let found = values_of(store, &field, &wanted(query)).await?;
    let texts: BTreeSet<String> = found.into_iter().map(|(_, text)| text).collect();
    Ok(answer::json(&json!({ "tagValues": texts, "metrics": {} })))
}

/// Answers `/api/v2/search/tag/{field}/values`: values with their types, of a field as TraceQL names it.
pub(super) async fn typed(
    store: &Store,
    name: &str,
    query: &str,
) -> Result<Response<Body>, StoreError> {
    let field = match parse_field(&percent_decoded(name)) {
        Ok(field) => field,
        Err(error) => return Ok(answer::text(StatusCode::BAD_REQUEST, error.to_string())),
    };
    let found = values_of(store, &field, &wanted(query)).await?;
    let values: Vec<Value> = found
        .into_iter()
        .map(|(kind, text)| json!({ "type": kind, "value": text }))
        .collect();
    Ok(answer::json(&json!({ "tagValues": values, "metrics": {} })))
}

async fn values_of(
    store: &Store,
    field: &Field,
    wanted: &Wanted,
) -> Result<Vec<(&'static str, String)>, StoreError> {
    let keywords = |all: &[&str]| all.iter().map(|it| ("keyword", (*it).to_owned())).collect();
    let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
    match field {
        Field::Intrinsic(Intrinsic::Status) => return Ok(keywords(&["error", "ok", "unset"])),
        Field::Intrinsic(Intrinsic::Kind) => {
            let kinds = [
                "client",
                "consumer",
                "internal",
                "producer",
                "server",
                "unspecified",
            ];
            return Ok(keywords(&kinds));
        }
        // Durations and ids complete nothing.
        Field::Intrinsic(
            Intrinsic::Duration
            | Intrinsic::TraceDuration
            | Intrinsic::EventTime
            | Intrinsic::ChildCount
            | Intrinsic::SpanId
            | Intrinsic::ParentId
            | Intrinsic::TraceId
            | Intrinsic::LinkSpanId
            | Intrinsic::LinkTraceId,
        ) => return Ok(Vec::new()),
        Field::Intrinsic(Intrinsic::RootName | Intrinsic::RootService) => {
            let condition = wanted.condition.clone().unwrap_or_else(Expression::all);
            for hit in find(store, Search::of(condition, ROOTS)).await?.hits {
                let root = hit.summary.root.map(|root| match field {
                    Field::Intrinsic(Intrinsic::RootName) => root.name,
                    _ => root.service,
                });
                found.extend(root.map(|text| (text, "string")));
            }
        }
        Field::Attribute(Some(TagScope::Resource), name)
            if name == "service.name" && wanted.condition.is_none() =>
        {
            // All of them, and not those of the newest spans alone.
            found.extend(store.services().await?.into_iter().map(|it| (it, "string")));
        }
        _ => sampled(store, field, wanted, &mut found).await?,
    }
    let values = found.into_iter().map(|(text, kind)| (kind, text));
    Ok(values.take(wanted.limit).collect())
}

async fn sampled(
    store: &Store,
    field: &Field,
    wanted: &Wanted,
    found: &mut BTreeMap<String, &'static str>,
) -> Result<(), StoreError> {
    let facts = Facts::default();
    let mut newest = store.newest(SAMPLED_SPANS);
    loop {
        let page = newest.page().await?;
        if page.is_empty() || found.len() >= MAX_TAGS {
            return Ok(());
        }
        for span in &page {
            if wanted
                .condition
                .as_ref()
                .is_some_and(|it| !holds(it, span, &facts))
            {
                continue;
            }
            for term in values(field, span, &facts).into_iter().flatten() {
                let is_empty = matches!(&term, Term::Text(text) if text.is_empty());
                if found.len() < MAX_TAGS && !is_empty {
                    found.insert(term.text(), term.type_name());
                }
            }
        }
    }
}

fn wanted(query: &str) -> Wanted {
    let mut wanted = Wanted {
        scope: None,
        condition: None,
        limit: MAX_TAGS,
    };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "scope" => wanted.scope = Some(value.into_owned()),
            "limit" => wanted.limit = value.parse().ok().filter(|it| *it > 0).unwrap_or(MAX_TAGS),
            "q" => wanted.condition = lenient(&value),
            _ => {}
        }
    }
    wanted
}

/// Reads the conditions of a query that a person is still typing; what cannot be read yet is no condition.
fn lenient(query: &str) -> Option<Expression> {
    if let Ok(whole) = parse(query) {
        return Some(whole);
    }
    let inside = query.trim().trim_start_matches('{').trim_end_matches('}');
    let parts = inside
        .split("&&")
        .filter_map(|part| parse(&format!("{{{part}}}")).ok());
    parts.reduce(Expression::and)
}

impl Search {
    fn of(condition: Expression, limit: usize) -> Self {
        parameters::Search {
            condition,
            is_traceql: true,
            limit,
            spans: 1,
            start: None,
            end: None,
        }
    }
}
