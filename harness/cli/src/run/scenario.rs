//! The scenario file: requests, and the expectations on their outcome.
//!
//! One YAML document is one scenario: a fresh proxy with one configuration. Every key is a field below; unknown keys
//! are errors. `sidespan run --help` shows a scenario.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::{Context, bail};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::lines::Lines;
use super::pattern::{Known, Pattern};
use crate::check::input::document::Document;

mod expectation;

pub(super) use expectation::{End, Exchange, Span};

/// One scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Scenario {
    /// Name for people.
    #[serde(default)]
    pub(super) name: String,
    /// The filter's configuration: an object, or the name of a file beside the scenario.
    #[serde(default)]
    pub(super) configuration: Option<Document>,
    /// Seed of the run's randomness.
    #[serde(default = "one")]
    pub(super) seed: u64,
    /// Lowest level that the filter may log.
    #[serde(default)]
    pub(super) log_level: Level,
    /// The proxy's node.
    #[serde(default)]
    pub(super) node: Node,
    /// Names and their values.
    #[serde(default, rename = "let")]
    pub(super) known: Known,
    /// The requests, one after another.
    pub(super) requests: Vec<Step>,
    /// The collector's answers to exports and to other calls of the filter.
    #[serde(default)]
    pub(super) collector: Collector,
    /// Time that passes after the last request.
    #[serde(default = "five_seconds")]
    pub(super) after: Length,
    /// Expectations at the end of the run.
    #[serde(default)]
    pub(super) expect: End,
}

/// Log levels of Envoy.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Trace,
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// The proxy, as Envoy's node describes it.
#[derive(Debug, Default, Deserialize)]
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
    pub(super) metadata: BTreeMap<String, Document>,
}

/// The state of the collector.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
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

/// One request, its response, and the expectations on both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Step {
    /// Name for people.
    #[serde(default)]
    pub(super) name: String,
    /// Direction of the listener that the request comes through.
    #[serde(default)]
    pub(super) direction: Direction,
    /// Further properties of the stream, by dotted path.
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Document>,
    /// The request that comes in.
    #[serde(default)]
    pub(super) request: Request,
    /// The upstream's response.
    #[serde(default)]
    pub(super) response: Response,
    /// The end of the stream.
    #[serde(default)]
    pub(super) ending: Ending,
    /// Expectations on the request and its response.
    #[serde(default)]
    pub(super) expect: Exchange,
}

/// The direction of a listener.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    /// A listener for requests to the service.
    #[default]
    Inbound,
    /// A listener for the service's own calls.
    Outbound,
    /// A listener without direction, as a plain Envoy has it.
    None,
}

/// A request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Request {
    /// `:method`.
    pub(super) method: String,
    /// `:scheme`.
    pub(super) scheme: String,
    /// `:authority`.
    pub(super) authority: Pattern,
    /// `:path`.
    pub(super) path: Pattern,
    /// All other headers.
    pub(super) headers: BTreeMap<String, Lines>,
    /// The body.
    pub(super) body: String,
}

impl Default for Request {
    fn default() -> Self {
        let text = |text| Pattern::parse(text).expect("a text without braces");
        Self {
            method: "GET".into(),
            scheme: "http".into(),
            authority: text("service"),
            path: text("/"),
            headers: BTreeMap::new(),
            body: String::new(),
        }
    }
}

/// A response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Response {
    /// `:status`.
    pub(super) status: u16,
    /// All other headers.
    pub(super) headers: BTreeMap<String, Lines>,
    /// The body.
    pub(super) body: String,
    /// Trailers, if there are any.
    pub(super) trailers: BTreeMap<String, Lines>,
    /// Time that the upstream needs.
    pub(super) after: Length,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: 200,
            headers: BTreeMap::new(),
            body: String::new(),
            trailers: BTreeMap::new(),
            after: Length(Duration::from_millis(10)),
        }
    }
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum Ending {
    /// The response is complete.
    #[default]
    Complete,
    /// The client goes away before the response.
    ClientAbort,
    /// The upstream resets the stream instead of a response.
    UpstreamReset,
    /// The upstream cannot be connected to.
    ConnectFailure,
    /// The upstream does not answer in time.
    UpstreamTimeout,
}

/// A length of time, written `250ms` or `5s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length(pub(super) Duration);

/// Reads all scenarios of a file.
///
/// # Errors
/// A message with the file, the line, and the expected value.
pub(super) fn load(file: &Path) -> anyhow::Result<Vec<Scenario>> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let scenarios: Vec<Scenario> = serde_saphyr::from_multiple(&text).map_err(|error| {
        let options = serde_saphyr::render_options! { source_name: Some(name.as_str()) };
        anyhow::anyhow!(
            "{name}: {}",
            error
                .render_with_options(options)
                .trim_start_matches("error: ")
        )
    })?;
    if scenarios.is_empty() {
        bail!("{name}: expected a scenario, found nothing; `sidespan run --help` shows one");
    }
    Ok(scenarios)
}

impl Scenario {
    /// Returns the bytes of the configuration. A file's name is relative to the folder of the scenario.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn configuration(&self, file: &Path) -> anyhow::Result<Vec<u8>> {
        match &self.configuration {
            None | Some(Document::Null) => Ok(Vec::new()),
            Some(Document::String(name)) => {
                let path: PathBuf = file.parent().unwrap_or(Path::new("")).join(name);
                fs::read(&path).with_context(|| {
                    format!(
                        "{}: cannot read the configuration {}",
                        file.display(),
                        path.display()
                    )
                })
            }
            Some(configuration) => Ok(configuration.to_json().into_bytes()),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Length;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a length of time such as 250ms, 5s or 2m")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Length, E> {
                let digits = text
                    .find(|character: char| !character.is_ascii_digit())
                    .unwrap_or(text.len());
                let unit = match &text[digits..] {
                    "ms" => 1,
                    "s" => 1_000,
                    "m" => 60_000,
                    _ => return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                };
                let number: Option<u64> = text[..digits].parse().ok();
                number
                    .and_then(|number| number.checked_mul(unit))
                    .map(|length| Length(Duration::from_millis(length)))
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

fn one() -> u64 {
    1
}

fn five_seconds() -> Length {
    Length(Duration::from_secs(5))
}

#[cfg(test)]
mod tests;
