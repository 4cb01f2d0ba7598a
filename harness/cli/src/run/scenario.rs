//! The scenario file: filters, requests, and the expectations on their outcome.
//!
//! One YAML document is one scenario: a fresh proxy with its filters. Every key is a field below; unknown keys are
//! errors. `sidespan run --help` shows a scenario, `sidespan run --schema` prints the schema of these types.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU8;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::length::Length;
use super::pattern::Known;
use crate::check::input::document::Document;

mod call;
mod connection;
mod exchange;
mod expectation;
mod filter;
mod wording;

pub(super) use call::{Answer, Fault};
pub(super) use connection::{Connection, Peer, TcpExpectation, TcpStep};
pub(super) use exchange::{Direction, Ending, Request, Step};
pub(super) use expectation::{Call as ExpectedCall, End, Exchange, Span};
pub(super) use filter::{Filter, Level, Policy, Text, beside};

/// One scenario: a fresh proxy, its filters, requests, and what must come of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Scenario {
    /// Name for people.
    #[serde(default)]
    pub(super) name: String,
    /// The plugin's configuration: an object, the name of a file beside the scenario, or a text of several lines.
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    pub(super) configuration: Option<Document>,
    /// The filter, if it is not the one of the command line, or is installed in another way than by default.
    #[serde(default)]
    pub(super) filter: Option<Filter>,
    /// Several filters, in the order in which a request meets them.
    #[serde(default)]
    pub(super) filters: Vec<Filter>,
    /// Seed of the run's randomness, 1 by default; on wasmtime only.
    #[serde(default)]
    pub(super) seed: Option<u64>,
    /// Lowest level that the filter may log.
    #[serde(default)]
    pub(super) log_level: Level,
    /// The proxy's node.
    #[serde(default)]
    pub(super) node: Node,
    /// Names and their values.
    #[serde(default, rename = "let")]
    pub(super) known: Known,
    /// The protocol of client and upstream: `http2`, or `http1`, where the end of a body comes alone.
    #[serde(default)]
    pub(super) protocol: Protocol,
    /// The protocol of the upstream, if it is not that of the client.
    #[serde(default)]
    upstream_protocol: Option<Protocol>,
    /// The number of workers, 1 by default. One of them gets all requests; filters start on each, on the main thread, and
    /// first of all in a canary, which is dropped.
    #[serde(default)]
    workers: Option<NonZeroU8>,
    /// The most bytes that the proxy buffers of a body.
    #[serde(default)]
    pub(super) buffer_limit: Option<u32>,
    /// The requests, one after another.
    #[serde(default)]
    requests: Option<Vec<Step>>,
    /// TCP connections, one after another, in place of requests: the filter is then one of a TCP listener.
    #[serde(default)]
    pub(super) connections: Vec<Connection>,
    /// Clusters that the filters may call, and the answers to the calls in their order; the last one stays. Without this
    /// key there is no cluster, unless there is a collector.
    #[serde(default)]
    pub(super) calls: Option<BTreeMap<String, Vec<Answer>>>,
    /// A collector behind every cluster, and its answers to exports and to other calls of the filter. It is there, and takes
    /// everything, also where `expect.spans` stands without it.
    #[serde(default)]
    pub(super) collector: Option<Collector>,
    /// Time that passes after the last request: 5s by default on wasmtime, none on Envoy.
    #[serde(default)]
    pub(super) after: Option<Length>,
    /// Expectations at the end of the run.
    #[serde(default)]
    pub(super) expect: End,
}

/// The proxy, as Envoy's node describes it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    /// `node.id`.
    #[serde(default)]
    pub(super) id: Option<String>,
    /// `node.cluster`.
    #[serde(default)]
    pub(super) cluster: Option<String>,
    /// `node.metadata`; in Istio it holds `NAMESPACE`, `NAME`, `LABELS`, ….
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(super) metadata: BTreeMap<String, Document>,
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protocol {
    /// HTTP/1.1: the end of a body comes in a callback of its own, trailers do not come at all, and a message has the
    /// headers that say where its body ends.
    Http1,
    /// HTTP/2: the last chunk of a body has the end with it, and trailers come.
    #[default]
    Http2,
}

/// The state of the collector.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum Collector {
    /// A collector that takes everything.
    #[default]
    Ok,
    /// A collector that answers 503, and UNAVAILABLE in gRPC.
    Unavailable,
    /// A collector that cannot be reached.
    Unreachable,
}

/// Reads all scenarios of a file.
///
/// # Errors
/// A message with the file, the line, and the expected value.
pub(super) fn load(file: &Path) -> anyhow::Result<Vec<Scenario>> {
    let name = file.display().to_string();
    let bytes = fs::read(file).with_context(|| format!("cannot read {name}"))?;
    let text = wording::text(&bytes).with_context(|| format!("cannot read {name}"))?;
    let scenarios: Vec<Scenario> = serde_saphyr::from_multiple(text).map_err(|error| {
        let options = serde_saphyr::render_options! { source_name: Some(name.as_str()) };
        let told = wording::of_scenarios(&error.render_with_options(options));
        anyhow::anyhow!("{name}: {}", told.trim_start_matches("error: "))
    })?;
    if scenarios.is_empty() {
        bail!("{name}: expected a scenario, found nothing; `sidespan run --help` shows one");
    }
    for scenario in &scenarios {
        let context = || format!("{name}: {}", scenario.name);
        scenario.check().with_context(context)?;
    }
    Ok(scenarios)
}

impl Scenario {
    /// Checks what the types cannot say.
    fn check(&self) -> anyhow::Result<()> {
        let ways = [self.filter.is_some(), !self.filters.is_empty()];
        ensure!(
            ways != [true, true],
            "`filter` and `filters` are both there; write one filter under `filter`, several under `filters`"
        );
        ensure!(
            self.filters.is_empty() || self.configuration.is_none(),
            "`configuration` beside `filters` belongs to none of them; write it into the filter that it is for"
        );
        let own = self
            .filter
            .as_ref()
            .and_then(|it| it.configuration.as_ref());
        ensure!(
            own.is_none() || self.configuration.is_none(),
            "`configuration` and `filter.configuration` are both there; leave out one"
        );
        for (cluster, answers) in self.calls.iter().flatten() {
            ensure!(
                !answers.is_empty(),
                "`calls.{cluster}` is empty; write its answers, `[{{}}]` for a 200 to every call"
            );
            for (at, answer) in answers.iter().enumerate() {
                let place = format!("calls.{cluster}[{at}]");
                answer.check().with_context(|| place.clone())?;
            }
        }
        ensure!(
            self.requests.is_some() || !self.connections.is_empty(),
            "neither `requests` nor `connections` is there; `requests: []` is a start without any"
        );
        ensure!(
            self.requests().is_empty() || self.connections.is_empty(),
            "`requests` and `connections` are both there, and a listener has either; part the scenario"
        );
        ensure!(
            self.connections.is_empty() || self.filters.len() <= 1,
            "`connections` run through one filter here; leave out the others"
        );
        self.connections.iter().try_for_each(Connection::check)?;
        for (at, step) in self.requests().iter().enumerate() {
            step.check().with_context(|| format!("requests[{at}]"))?;
        }
        ensure!(
            self.requests().first().is_none_or(|first| !first.meanwhile),
            "`requests[0].meanwhile` comes while nothing else is under way; leave it out"
        );
        self.groups().try_for_each(exchange::check_group)
    }

    /// Returns the requests.
    pub(super) fn requests(&self) -> &[Step] {
        self.requests.as_deref().unwrap_or_default()
    }

    /// Returns the requests in groups: those of a group are under way at once.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[Step]> {
        self.requests().chunk_by(|_, next| next.meanwhile)
    }

    /// Returns true if every cluster can be called, because a collector is behind it.
    pub(super) fn has_collector(&self) -> bool {
        self.calls.is_none() && (self.collector.is_some() || self.expect.spans.is_some())
    }

    /// Returns the number of workers.
    pub(super) fn workers(&self) -> usize {
        self.workers.map_or(1, |workers| workers.get().into())
    }

    /// Returns the protocol between proxy and upstream.
    pub(super) fn upstream_protocol(&self) -> Protocol {
        self.upstream_protocol.unwrap_or(self.protocol)
    }

    /// Returns the filters in their order, one at least.
    pub(super) fn chain(&self) -> Vec<Filter> {
        if !self.filters.is_empty() {
            return self.filters.clone();
        }
        let mut filter = self.filter.clone().unwrap_or_default();
        if let Some(configuration) = &self.configuration {
            filter.configuration = Some(configuration.clone());
        }
        vec![filter]
    }
}

#[cfg(test)]
mod tests;
