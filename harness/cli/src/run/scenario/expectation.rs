//! The expectations of a scenario. Anything that is not named is not compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::check::input::document::Document;
use crate::run::lines::Lines;
use crate::run::pattern::Pattern;

/// Expectations on one request and its response. Headers that are not named are not compared.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct Exchange {
    /// Headers as they reach the upstream.
    #[serde(default)]
    pub(in crate::run) upstream: BTreeMap<String, Lines>,
    /// True if all headers must reach the upstream as they came.
    #[serde(default)]
    pub(in crate::run) unchanged: bool,
    /// Headers of the response as they reach the client.
    #[serde(default)]
    pub(in crate::run) downstream: BTreeMap<String, Lines>,
}

/// Expectations at the end of a run.
#[derive(Debug, Default, Deserialize)]
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
}

/// Expectations on a log.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct Logs {
    /// Patterns that must each be part of some line.
    #[serde(default)]
    pub(in crate::run) contain: Vec<Pattern>,
    /// Patterns that must not be part of any line.
    #[serde(default)]
    pub(in crate::run) lack: Vec<Pattern>,
}

/// Expectations on a span. Fields that are not named are not compared.
#[derive(Debug, Default, Deserialize)]
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
    pub(in crate::run) attributes: BTreeMap<String, Document>,
    /// Attributes of the resource.
    pub(in crate::run) resource: BTreeMap<String, Document>,
}

/// Reads `parent: null` as `Some(None)`, because no `parent` at all is `None`.
fn nullable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Pattern>>, D::Error> {
    Option::<Pattern>::deserialize(deserializer).map(Some)
}
