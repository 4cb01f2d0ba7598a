//! The expectations of a scenario. Anything that is not named is not compared.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::check::input::document::Document;
use crate::run::lines::Lines;
use crate::run::pattern::Pattern;

/// Expectations on one request and its response. Headers that are not named are not compared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(in crate::run) struct Exchange {
    /// False if nothing may reach the upstream, true if something must.
    pub(in crate::run) reaches_upstream: Option<bool>,
    /// The number of times that the request must come to the upstream: once, unless a filter sends it on twice.
    pub(in crate::run) upstream_requests: Option<usize>,
    /// Headers as they reach the upstream.
    pub(in crate::run) upstream: BTreeMap<String, Lines>,
    /// True if all headers must reach the upstream as they came.
    pub(in crate::run) unchanged: bool,
    /// The whole body as it reaches the upstream; text is a pattern.
    pub(in crate::run) upstream_body: Option<Lines>,
    /// Trailers as they reach the upstream.
    pub(in crate::run) upstream_trailers: BTreeMap<String, Lines>,
    /// Headers of the response as they reach the client.
    pub(in crate::run) downstream: BTreeMap<String, Lines>,
    /// The whole body as it reaches the client; text is a pattern.
    pub(in crate::run) downstream_body: Option<Lines>,
    /// Trailers of the response as they reach the client.
    pub(in crate::run) downstream_trailers: BTreeMap<String, Lines>,
    /// True if the client's stream must be reset, false if it must not be.
    pub(in crate::run) reset: Option<bool>,
    /// Response code details: `via_upstream`, or those of a local reply.
    pub(in crate::run) details: Option<Pattern>,
    /// Response flags in Envoy's letters: `UF`, `DC`, …; empty for none.
    pub(in crate::run) flags: Option<String>,
}

/// Expectations at the end of a run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct End {
    /// All spans that were exported, in any order.
    #[serde(default)]
    pub(in crate::run) spans: Option<Vec<Span>>,
    /// Expectations on the filter's log.
    #[serde(default)]
    pub(in crate::run) logs: Logs,
    /// Counters and gauges by name, and their values.
    #[serde(default)]
    pub(in crate::run) counters: BTreeMap<String, u64>,
    /// All calls that the filters have made, in their order.
    #[serde(default)]
    pub(in crate::run) calls: Option<Vec<Call>>,
}

/// Expectations on one call of a filter. Headers that are not named are not compared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::run) struct Call {
    /// The cluster.
    pub(in crate::run) cluster: Option<Pattern>,
    /// Headers.
    pub(in crate::run) headers: BTreeMap<String, Lines>,
    /// The body; text is a pattern.
    pub(in crate::run) body: Option<Lines>,
    /// Trailers.
    pub(in crate::run) trailers: BTreeMap<String, Lines>,
}

/// Expectations on a log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct Logs {
    /// Patterns that must each be part of some line.
    #[serde(default)]
    pub(in crate::run) contain: Vec<Pattern>,
    /// Patterns that must not be part of any line.
    #[serde(default)]
    pub(in crate::run) lack: Vec<Pattern>,
    /// All lines, each with its level in front (`info: text`), in their order.
    #[serde(default)]
    pub(in crate::run) lines: Option<Vec<Pattern>>,
}

/// Expectations on a span. Fields that are not named are not compared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::run) struct Span {
    /// Name of the span.
    pub(in crate::run) name: Option<Pattern>,
    /// `server`, `client`, …
    pub(in crate::run) kind: Option<Pattern>,
    /// Trace id.
    pub(in crate::run) trace: Option<Pattern>,
    /// Span id.
    pub(in crate::run) span: Option<Pattern>,
    /// Parent span id; null for a root.
    #[serde(deserialize_with = "nullable")]
    pub(in crate::run) parent: Option<Option<Pattern>>,
    /// `service.name` of the resource.
    pub(in crate::run) service: Option<Pattern>,
    /// `unset`, `ok` or `error`.
    pub(in crate::run) status: Option<Pattern>,
    /// Trace state.
    pub(in crate::run) tracestate: Option<Pattern>,
    /// Attributes; null for one that must not be there.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(in crate::run) attributes: BTreeMap<String, Document>,
    /// Attributes of the resource.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(in crate::run) resource: BTreeMap<String, Document>,
}

/// Reads `parent: null` as `Some(None)`, because no `parent` at all is `None`.
fn nullable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Pattern>>, D::Error> {
    Option::<Pattern>::deserialize(deserializer).map(Some)
}
