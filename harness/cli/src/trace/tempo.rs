//! A Tempo as a source: `/api/search`, and `/api/traces/{id}` in protobuf.
//!
//! Attributes are not asked for, because TraceQL compares types and a search here has none; traces are fetched by the rest
//! and searched again in a store, as those of a Jaeger are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use form_urlencoded::Serializer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;
use sidespan_sink::{Query, StatusCode, Store};

use super::client::{Answer, Client};
use super::jaeger::LOOKBACK;
use super::loaded;

/// A Tempo.
#[derive(Debug)]
pub(crate) struct Tempo {
    client: Client,
}

impl Tempo {
    /// Returns the Tempo behind a URL; `None` if something else is there.
    pub(super) async fn find(client: &Client) -> anyhow::Result<Option<Self>> {
        let answer = client.get("/api/echo").await?;
        if matches!(answer.status, 401 | 403) {
            return Err(client.unexpected(&answer));
        }
        Ok(
            (answer.is_success() && answer.body.trim_ascii() == b"echo").then(|| Self {
                client: client.clone(),
            }),
        )
    }

    /// Returns the trace with an id, as OTLP in JSON.
    pub(super) async fn trace(&self, digits: &str) -> anyhow::Result<Option<Vec<u8>>> {
        if ![16, 32].contains(&digits.len()) {
            bail!("a Tempo finds traces by their whole id: 32 digits, or 16 of an old client's");
        }
        let store = loaded::empty()?;
        self.load(&store, digits).await?;
        loaded::trace(&store, &format!("{digits:0>32}")).await
    }

    /// Fetches what Tempo finds for the part of a query that it knows.
    pub(super) async fn fetch(&self, query: &Query) -> anyhow::Result<Store> {
        let store = loaded::empty()?;
        let answer = self.client.get(&search(query)).await?;
        if !answer.is_success() {
            return Err(self.client.unexpected(&answer));
        }
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let json = json.with_context(|| self.strange())?;
        let found = json["traces"].as_array().into_iter().flatten();
        for id in found.filter_map(|trace| trace["traceID"].as_str()) {
            self.load(&store, id).await?;
        }
        Ok(store)
    }

    /// Loads a trace; none where Tempo answers 404.
    async fn load(&self, store: &Store, digits: &str) -> anyhow::Result<()> {
        let path = format!("/api/traces/{digits:0>32}");
        let answer = self.client.get_protobuf(&path).await?;
        match answer.status {
            404 => Ok(()),
            _ if answer.is_success() => {
                loaded::add(store, &self.request(&answer)?).await?;
                Ok(())
            }
            _ => Err(self.client.unexpected(&answer)),
        }
    }

    /// Reads a trace: Tempo's message of one has the fields of an OTLP request.
    fn request(&self, answer: &Answer) -> anyhow::Result<ExportTraceServiceRequest> {
        ExportTraceServiceRequest::decode(&answer.body[..]).with_context(|| self.strange())
    }

    fn strange(&self) -> String {
        format!("{}: an answer that is not Tempo's", self.client.base())
    }
}

/// Returns the path of a search.
fn search(query: &Query) -> String {
    let mut conditions = Vec::new();
    // Go's quotes, which TraceQL has, differ from Rust's in characters that names hardly have.
    let mut text = |key: &str, value: &Option<String>| {
        if let Some(value) = value {
            conditions.push(format!("{key} = {}", serde_json::json!(value)));
        }
    };
    text("resource.service.name", &query.service);
    text("name", &query.name);
    let kind = query.kind.map(|kind| kind.to_string().to_ascii_lowercase());
    conditions.extend(kind.map(|kind| format!("kind = {kind}")));
    conditions.extend(query.status.and_then(|status| match status {
        StatusCode::Unset => Some("status = unset".to_owned()),
        StatusCode::Ok => Some("status = ok".to_owned()),
        StatusCode::Error => Some("status = error".to_owned()),
        StatusCode::Unknown(_) => None,
    }));
    let lasting = |sign: &str, duration: Option<Duration>| {
        duration.map(|it| format!("duration {sign} {}ns", it.as_nanos()))
    };
    conditions.extend(lasting(">=", query.min_duration));
    conditions.extend(lasting("<=", query.max_duration));
    let limit = match query.attributes.is_empty() {
        true => query.limit.min(MOST),
        false => MOST,
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = |nanos: u64| nanos / 1_000_000_000;
    let from = query
        .from_unix_nanos
        .map_or(now.saturating_sub(LOOKBACK).as_secs(), seconds);
    // The end is excluded, and a span of a fast clock is not left out.
    let to = query
        .to_unix_nanos
        .map_or(now.as_secs() + 3_600, |to| seconds(to) + 1);
    let mut parameters = Serializer::new(String::new());
    parameters.append_pair("q", &format!("{{ {} }}", conditions.join(" && ")));
    parameters.append_pair("start", &from.to_string());
    parameters.append_pair("end", &to.to_string());
    parameters.append_pair("limit", &limit.to_string());
    format!("/api/search?{}", parameters.finish())
}

/// The most traces that are asked for; each is fetched by itself.
const MOST: usize = 500;

#[cfg(test)]
mod tests {
    use sidespan_sink::SpanKind;

    use super::*;

    #[test]
    fn asks_for_what_tempo_can_search() {
        let path = search(&Query {
            service: Some("cart \"a\"".into()),
            kind: Some(SpanKind::Server),
            status: Some(StatusCode::Error),
            min_duration: Some(Duration::from_millis(100)),
            from_unix_nanos: Some(1_700_000_000_000_000_000),
            to_unix_nanos: Some(1_700_000_009_500_000_000),
            ..Query::default()
        });
        let asked = path.split_once('?').unwrap().1;
        let asked: Vec<(String, String)> = form_urlencoded::parse(asked.as_bytes())
            .into_owned()
            .collect();
        let q = "{ resource.service.name = \"cart \\\"a\\\"\" && kind = server && status = error && duration >= 100000000ns }";
        let expected = [
            ("q", q),
            ("start", "1700000000"),
            ("end", "1700000010"),
            ("limit", "20"),
        ];
        assert_eq!(
            asked,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert!(search(&Query::default()).contains("q=%7B++%7D"));
    }
}
