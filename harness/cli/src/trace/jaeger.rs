//! A Jaeger as a source: `/api/v3` of its query service, which answers in OTLP's JSON, or the older `/api/traces`.
//!
//! Jaeger's search knows less than ours, so traces are fetched by what it knows and searched again in a store.

mod legacy;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use form_urlencoded::Serializer;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::Value;
use sidespan_sink::api::write_time;
use sidespan_sink::otlp_json::read_request;
use sidespan_sink::{Query, Store};

use super::client::{Answer, Client};
use super::loaded;

/// A Jaeger's query service.
#[derive(Debug)]
pub(crate) struct Jaeger {
    client: Client,
    api: Api,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    V3,
    /// The API of Jaeger's page, which versions before 1.38 have alone.
    Legacy,
}

/// The time that is searched where a query names none: backends read everything for a search without a beginning.
pub(super) const LOOKBACK: Duration = Duration::from_secs(2 * 24 * 3_600);
/// The most traces of a service that are asked for.
const MOST: usize = 1_500;

impl Jaeger {
    /// Returns the Jaeger behind a URL; `None` if something else is there.
    pub(super) async fn find(client: &Client) -> anyhow::Result<Option<Self>> {
        for (path, key, api) in [
            ("/api/v3/services", "services", Api::V3),
            ("/api/services", "data", Api::Legacy),
        ] {
            let answer = client.get(path).await?;
            if matches!(answer.status, 401 | 403) {
                return Err(client.unexpected(&answer));
            }
            // Without a single service, v3 answers {}.
            let known = json(&answer).is_some_and(|json| {
                let fields = json.as_object();
                fields.is_some_and(|it| it.contains_key(key) || (api == Api::V3 && it.is_empty()))
            });
            if answer.is_success() && known {
                let client = client.clone();
                return Ok(Some(Self { client, api }));
            }
        }
        Ok(None)
    }

    /// Returns the trace with an id, as OTLP in JSON.
    pub(super) async fn trace(&self, digits: &str) -> anyhow::Result<Option<Vec<u8>>> {
        if ![16, 32].contains(&digits.len()) {
            bail!("a Jaeger finds traces by their whole id: 32 digits, or 16 of an old client's");
        }
        let path = match self.api {
            Api::V3 => {
                format!("/api/v3/traces/{digits:0>32}?query.raw_traces=true&raw_traces=true")
            }
            Api::Legacy => format!("/api/traces/{digits:0>32}?raw=true"),
        };
        let store = loaded::empty()?;
        self.load(&store, &path).await?;
        loaded::trace(&store, &format!("{digits:0>32}")).await
    }

    /// Fetches what Jaeger finds for the part of a query that it knows.
    pub(super) async fn fetch(&self, query: &Query) -> anyhow::Result<Store> {
        let store = loaded::empty()?;
        let services = match &query.service {
            Some(service) => vec![service.clone()],
            None => self.services().await?,
        };
        for service in services {
            let path = self.search(&service, query);
            self.load(&store, &path).await?;
        }
        Ok(store)
    }

    async fn services(&self) -> anyhow::Result<Vec<String>> {
        let (path, key) = match self.api {
            Api::V3 => ("/api/v3/services", "services"),
            Api::Legacy => ("/api/services", "data"),
        };
        let answer = self.client.get(path).await?;
        let json = json(&answer).unwrap_or_default();
        let names = json[key].as_array().into_iter().flatten();
        Ok(names
            .filter_map(|it| it.as_str())
            .map(str::to_owned)
            .collect())
    }

    fn search(&self, service: &str, query: &Query) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let from = query.from_unix_nanos;
        let from = from.unwrap_or_else(|| nanos(now.saturating_sub(LOOKBACK)));
        // A span of a fast clock is not left out.
        let to = query.to_unix_nanos;
        let to = to.unwrap_or_else(|| nanos(now + Duration::from_secs(3_600)));
        let is_known =
            query.status.is_none() && query.kind.is_none() && query.attributes.is_empty();
        let limit = if is_known {
            query.limit.min(MOST)
        } else {
            MOST
        };
        let lasting =
            |duration: Option<Duration>| duration.map(|it| format!("{}ns", it.as_nanos()));
        let (least, most) = (lasting(query.min_duration), lasting(query.max_duration));
        let limit = limit.to_string();
        let mut text = Serializer::new(String::new());
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                text.append_pair(name, value);
            }
        };
        match self.api {
            Api::V3 => {
                add("query.service_name", Some(service));
                add("query.operation_name", query.name.as_deref());
                add("query.start_time_min", Some(&write_time(from)));
                add("query.start_time_max", Some(&write_time(to)));
                add("query.duration_min", least.as_deref());
                add("query.duration_max", most.as_deref());
                // The name changed from the first to the second; each version passes over the other.
                add("query.num_traces", Some(&limit));
                add("query.search_depth", Some(&limit));
                add("query.raw_traces", Some("true"));
                format!("/api/v3/traces?{}", text.finish())
            }
            Api::Legacy => {
                add("service", Some(service));
                add("operation", query.name.as_deref());
                add("start", Some(&(from / 1_000).to_string()));
                add("end", Some(&(to / 1_000).to_string()));
                add("minDuration", least.as_deref());
                add("maxDuration", most.as_deref());
                add("limit", Some(&limit));
                add("raw", Some("true"));
                format!("/api/traces?{}", text.finish())
            }
        }
    }

    /// Loads the traces that a path answers with; none where it answers 404.
    async fn load(&self, store: &Store, path: &str) -> anyhow::Result<()> {
        let answer = self.client.get(path).await?;
        if answer.status == 404 {
            return Ok(());
        }
        if !answer.is_success() {
            return Err(self.client.unexpected(&answer));
        }
        for request in self.requests(&answer)? {
            loaded::add(store, &request).await?;
        }
        Ok(())
    }

    fn requests(&self, answer: &Answer) -> anyhow::Result<Vec<ExportTraceServiceRequest>> {
        let place = || format!("{}: an answer that is not Jaeger's", self.client.base());
        if self.api == Api::Legacy {
            let json = json(answer).with_context(place)?;
            return Ok(vec![legacy::request(&json)]);
        }
        // A gateway sends a stream as one object after another.
        let mut requests = Vec::new();
        for object in serde_json::Deserializer::from_slice(&answer.body).into_iter::<Value>() {
            let object = object.with_context(place)?;
            let result = object.get("result").unwrap_or(&object);
            let (request, _) = read_request(result.to_string().as_bytes()).with_context(place)?;
            requests.push(request);
        }
        Ok(requests)
    }
}

fn json(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}
