//! The report of a scenario, with the expectations that were not met: for people, and as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::lines::shown;
use super::passed::{self, Message, Outcome, Passed, Tcp};
use super::span::Span;

/// Header fields in order; a value that is no text is in hex.
pub type Fields = Vec<(String, String)>;

/// The report of one run of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the scenario's file.
    pub file: String,
    /// Name of the scenario.
    pub scenario: String,
    /// One exchange for each request.
    pub exchanges: Vec<Exchange>,
    /// One entry for each TCP connection.
    pub connections: Vec<Connection>,
    /// All spans that were exported.
    pub spans: Vec<Span>,
    /// Lines that the filter has logged on the workers.
    pub logs: Vec<String>,
    /// Lines that the filter has logged on the main thread, at first in a canary.
    pub main_logs: Vec<String>,
    /// Lines of the proxy about the filters, in the proxy's own words: traps, refused starts.
    pub proxy_logs: Vec<String>,
    /// The callbacks and host calls of the filters on the worker, VM by VM, if they are wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<String>,
    /// The filter's counters and gauges that are not 0.
    pub counters: BTreeMap<String, u64>,
    /// The calls that the filters have made.
    pub calls: Vec<Call>,
    /// Expectations that were not met.
    pub failures: Vec<Failure>,
}

/// One request and its response.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// Name of the request in the scenario.
    pub name: String,
    /// The request's headers as they came in.
    pub request: Fields,
    /// The request's headers as they reached the upstream; `None` if they did not.
    pub upstream: Option<Fields>,
    /// The number of times that the request came to the upstream.
    pub upstream_requests: usize,
    /// The response's headers as they reached the client; `None` if there was no response.
    pub downstream: Option<Fields>,
    /// The request's body as it reached the upstream; in hex if it is no text.
    pub upstream_body: String,
    /// The request's trailers as they reached the upstream.
    pub upstream_trailers: Fields,
    /// The response's body as it reached the client; in hex if it is no text.
    pub downstream_body: String,
    /// The response's trailers as they reached the client.
    pub downstream_trailers: Fields,
    /// True if the client's stream was reset.
    pub reset: bool,
    /// Response code details.
    pub details: Option<String>,
    /// Response flags in Envoy's letters.
    pub flags: String,
}

/// One TCP connection.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    /// Name of the connection in the scenario.
    pub name: String,
    /// The bytes that came to the upstream, in hex if they are no text; `None` if no connection came.
    pub upstream: Option<String>,
    /// The bytes that came to the client; in hex if they are no text.
    pub downstream: String,
    /// True if the upstream has seen the end of the client's bytes.
    pub upstream_ends: bool,
    /// True if the client has seen the end of the upstream's bytes.
    pub downstream_ends: bool,
}

/// One call of a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The cluster.
    pub cluster: String,
    /// The headers.
    pub headers: Fields,
    /// The body; in hex if it is no text.
    pub body: String,
    /// The trailers.
    pub trailers: Fields,
}

/// One expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Place of the expectation in the scenario.
    pub at: String,
    /// The expected value.
    pub expected: String,
    /// The value that was found.
    pub found: String,
    /// The lines that differ, where both are texts of several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// A file or a scenario that could not be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unrun {
    /// The file; `None` for the filter that is built in.
    pub file: Option<String>,
    /// The reason.
    pub message: String,
}

impl Unrun {
    pub(super) fn new(file: Option<&Path>, error: &anyhow::Error) -> Self {
        Self {
            file: file.map(|file| file.display().to_string()),
            message: format!("{error:#}"),
        }
    }
}

impl Report {
    pub(super) fn new(file: &Path, scenario: &str, outcome: Outcome) -> Self {
        let mut counters = outcome.counters;
        counters.retain(|_, value| *value != 0);
        let calls = outcome.calls.iter().map(|call| Call {
            cluster: call.cluster.clone(),
            headers: fields(&call.message.headers),
            body: shown(&call.message.body),
            trailers: fields(&call.message.trailers),
        });
        Self {
            file: file.display().to_string(),
            scenario: scenario.into(),
            exchanges: Vec::new(),
            connections: Vec::new(),
            spans: outcome.spans,
            logs: outcome.logs,
            main_logs: outcome.main_logs,
            proxy_logs: outcome.proxy_logs,
            transcript: outcome.transcript,
            counters,
            calls: calls.collect(),
            failures: Vec::new(),
        }
    }

    /// Returns the difference between what this run and another have observed, line by line; `None` if they agree. Names of
    /// files and scenarios do not count, nor does the order of headers with different names, which no peer may rely on.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let [here, there] = [self, other].map(Self::observation);
        let diff = similar::TextDiff::from_lines(&here, &there);
        let mut unified = diff.unified_diff();
        (here != there).then(|| unified.context_radius(3).to_string())
    }

    /// Returns everything that was observed, one fact a line.
    pub fn observation(&self) -> String {
        let mut exchanges = self.exchanges.clone();
        for exchange in &mut exchanges {
            let maps = [&mut exchange.upstream, &mut exchange.downstream];
            let trailers = [
                &mut exchange.upstream_trailers,
                &mut exchange.downstream_trailers,
            ];
            let all = maps.into_iter().flatten().chain(trailers);
            all.chain([&mut exchange.request])
                .for_each(|fields| fields.sort_by(|one, other| one.0.cmp(&other.0)));
        }
        let mut calls = self.calls.clone();
        for call in &mut calls {
            call.headers.sort();
        }
        // Calls to different clusters race on a real proxy.
        calls.sort_by(|one, other| one.cluster.cmp(&other.cluster));
        let seen = serde_json::json!({
            "exchanges": exchanges, "connections": self.connections, "logs": self.logs, "counters": self.counters, "calls": calls,
        });
        serde_json::to_string_pretty(&seen).unwrap_or_default()
    }
}

impl Exchange {
    pub(super) fn new(name: String, passed: &Passed) -> Self {
        let body = |message: &Option<Message>| {
            message.as_ref().map_or(String::new(), |it| shown(&it.body))
        };
        let trailers = |message: &Option<Message>| {
            message
                .as_ref()
                .map_or(Fields::new(), |it| fields(&it.trailers))
        };
        let headers =
            |message: &Option<Message>| message.as_ref().map(|message| fields(&message.headers));
        Self {
            name,
            request: fields(&passed.request),
            upstream: headers(&passed.upstream),
            upstream_requests: passed.upstream_requests,
            downstream: headers(&passed.downstream),
            upstream_body: body(&passed.upstream),
            upstream_trailers: trailers(&passed.upstream),
            downstream_body: body(&passed.downstream),
            downstream_trailers: trailers(&passed.downstream),
            reset: passed.is_reset,
            details: passed.details.clone(),
            flags: passed.flags.clone(),
        }
    }
}

impl Connection {
    pub(super) fn new(name: String, tcp: &Tcp) -> Self {
        Self {
            name,
            upstream: tcp.upstream.as_deref().map(shown),
            downstream: shown(&tcp.downstream),
            upstream_ends: tcp.upstream_ends,
            downstream_ends: tcp.downstream_ends,
        }
    }
}

fn fields(headers: &passed::Fields) -> Fields {
    headers
        .iter()
        .map(|(name, value)| (name.clone(), shown(value)))
        .collect()
}
