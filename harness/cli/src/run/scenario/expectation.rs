//! The part of a scenario that says what must have become of its requests. What is not named is not looked at.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::check::input::document::Document;
use crate::run::lines::Lines;
use crate::run::pattern::Pattern;

/// What must have become of one request and its response. Headers that are not named are not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct Exchange {
    /// Headers as they reach the upstream.
    #[serde(default)]
    pub(in crate::run) upstream: BTreeMap<String, Lines>,
    /// All headers reach the upstream as they came.
    #[serde(default)]
    pub(in crate::run) unchanged: bool,
    /// Headers of the response as they reach the client.
    #[serde(default)]
    pub(in crate::run) downstream: BTreeMap<String, Lines>,
}

/// What must be true in the end.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct End {
    /// All spans that were exported, in any order.
    #[serde(default)]
    pub(in crate::run) spans: Option<Vec<Span>>,
    /// The filter's log.
    #[serde(default)]
    pub(in crate::run) logs: Logs,
    /// Counters and gauges by name, and their values.
    #[serde(default)]
    pub(in crate::run) counters: BTreeMap<String, u64>,
}

/// What a log must and must not say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct Logs {
    /// Each is part of some line.
    #[serde(default)]
    pub(in crate::run) contain: Vec<Pattern>,
    /// None is part of any line.
    #[serde(default)]
    pub(in crate::run) lack: Vec<Pattern>,
}

/// What a span must be. What is not named is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::run) struct Span {
    /// Its name.
    pub(in crate::run) name: Option<Pattern>,
    /// `server`, `client`, …
    pub(in crate::run) kind: Option<Pattern>,
    /// Its trace id.
    pub(in crate::run) trace: Option<Pattern>,
    /// Its own id.
    pub(in crate::run) span: Option<Pattern>,
    /// Its parent's id; null for a root.
    #[serde(deserialize_with = "nullable")]
    pub(in crate::run) parent: Option<Option<Pattern>>,
    /// `service.name` of its resource.
    pub(in crate::run) service: Option<Pattern>,
    /// `unset`, `ok` or `error`.
    pub(in crate::run) status: Option<Pattern>,
    /// Its tracestate.
    pub(in crate::run) tracestate: Option<Pattern>,
    /// Attributes; null for one that must not be there.
    pub(in crate::run) attributes: BTreeMap<String, Document>,
    /// Attributes of its resource.
    pub(in crate::run) resource: BTreeMap<String, Document>,
}

/// Tells `parent: null` from no `parent` at all.
fn nullable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Pattern>>, D::Error> {
    Option::<Pattern>::deserialize(deserializer).map(Some)
}
