//! The conditions of a search, as every command takes them that looks for traces.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use sidespan_sink::api::{TextError, duration_of, kind_of, status_of, time_of};
use sidespan_sink::{Query, SpanKind, StatusCode};

/// The conditions of a search.
#[derive(Clone, Debug, clap::Args)]
pub struct ConditionArgs {
    /// The service of the span; one span of a trace must meet all conditions
    #[arg(long)]
    pub service: Option<String>,
    /// The name of the span
    #[arg(long)]
    pub name: Option<String>,
    /// The kind of the span: internal, server, client, producer or consumer
    #[arg(long, value_parser = kind_of)]
    pub kind: Option<SpanKind>,
    /// The status of the span: error, ok or unset
    #[arg(long, value_parser = status_of)]
    pub status: Option<StatusCode>,
    /// The least duration of the span, as 100ms or 1.5s
    #[arg(long, value_name = "DURATION", value_parser = duration_of)]
    pub min_duration: Option<Duration>,
    /// The greatest duration of the span
    #[arg(long, value_name = "DURATION", value_parser = duration_of)]
    pub max_duration: Option<Duration>,
    /// An attribute of the span or of its resource; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub attribute: Vec<(String, String)>,
    /// The earliest start: RFC 3339, or 15m for as long ago
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<u64>,
    /// The latest start
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<u64>,
}

/// The ids of the arguments, for those that go without any.
pub(crate) const CONDITIONS: [&str; 9] = [
    "service",
    "name",
    "kind",
    "status",
    "min_duration",
    "max_duration",
    "attribute",
    "since",
    "until",
];

impl ConditionArgs {
    /// Returns the search for so many traces.
    pub(crate) fn query(&self, limit: usize) -> Query {
        Query {
            service: self.service.clone(),
            name: self.name.clone(),
            kind: self.kind,
            status: self.status,
            min_duration: self.min_duration,
            max_duration: self.max_duration,
            attributes: self.attribute.clone(),
            from_unix_nanos: self.since,
            to_unix_nanos: self.until,
            limit,
        }
    }
}

fn time(text: &str) -> Result<u64, TextError> {
    time_of(text, SystemTime::now())
}

/// Reads a number of traces.
pub(crate) fn count(text: &str) -> anyhow::Result<usize> {
    let count: Option<usize> = text.parse().ok();
    count
        .filter(|count| *count > 0)
        .context("expected a whole number above 0")
}

fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.context("expected KEY=VALUE, as in http.route=/cart")?;
    Ok((key.to_owned(), value.to_owned()))
}
