//! The expectation file. Every key is a field below; unknown keys are errors, and what is not named is not compared.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sidespan_sink::{SpanKind, StatusCode};

use super::values::{Count, Text, Wanted, duration, kind, status};

/// What must be there and what must not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::verify) struct Expectations {
    /// True if every trace must be whole.
    pub(in crate::verify) whole: bool,
    /// Traces, each of which has all that is said of it.
    pub(super) traces: Vec<Trace>,
    /// Spans, of whatever trace.
    pub(super) spans: Vec<Span>,
    /// Calls from one service to another, in whatever trace.
    pub(super) hops: Vec<Hop>,
    /// Spans that must not be in any trace.
    pub(super) absent: Vec<Span>,
}

impl Default for Expectations {
    fn default() -> Self {
        Self {
            whole: true,
            traces: Vec::new(),
            spans: Vec::new(),
            hops: Vec::new(),
            absent: Vec::new(),
        }
    }
}

/// A trace that has all of this.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Trace {
    /// The name for people.
    pub(super) name: String,
    /// The number of such traces; at least one where nothing is said.
    pub(super) count: Option<Count>,
    /// The spans in it.
    pub(super) spans: Vec<Span>,
    /// The calls in it.
    pub(super) hops: Vec<Hop>,
    /// Spans that must not be in it.
    pub(super) absent: Vec<Span>,
    /// The number of all its spans.
    pub(super) size: Option<Count>,
}

/// A span.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct Span {
    /// The service.
    pub(super) service: Option<Text>,
    /// The name.
    pub(super) name: Option<Text>,
    /// The kind.
    #[serde(deserialize_with = "kind")]
    pub(super) kind: Option<SpanKind>,
    /// The status.
    #[serde(deserialize_with = "status")]
    pub(super) status: Option<StatusCode>,
    /// The trace id.
    pub(super) trace: Option<Text>,
    /// The name of the instrumentation scope.
    pub(super) scope: Option<Text>,
    /// The attributes; null for one that must not be there.
    pub(super) attributes: BTreeMap<String, Wanted>,
    /// The attributes of the resource.
    pub(super) resource: BTreeMap<String, Wanted>,
    /// The least duration.
    #[serde(deserialize_with = "duration")]
    pub(super) min_duration: Option<Duration>,
    /// The greatest duration.
    #[serde(deserialize_with = "duration")]
    pub(super) max_duration: Option<Duration>,
    /// The parent; null for a root.
    #[serde(deserialize_with = "nullable")]
    pub(super) parent: Option<Option<Box<Span>>>,
    /// A span above it, however far.
    pub(super) below: Option<Box<Span>>,
    /// The number of such spans; at least one where nothing is said.
    pub(super) count: Option<Count>,
}

/// A call from one service to another.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) from: Text,
    pub(super) to: Text,
    pub(super) count: Option<Count>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongHop {
    from: Text,
    to: Text,
    #[serde(default)]
    count: Option<Count>,
}

impl<'de> Deserialize<'de> for Hop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Hop;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("front -> pay, or {from: front, to: pay, count: 2}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Hop, E> {
                let (from, to) = text.split_once("->").ok_or_else(|| {
                    E::custom(format!(
                        "expected two services, as in front -> pay, found {text:?}"
                    ))
                })?;
                let text = |text: &str| Text(text.trim().to_owned());
                Ok(Hop {
                    from: text(from),
                    to: text(to),
                    count: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hop, A::Error> {
                let LongHop { from, to, count } =
                    LongHop::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Hop { from, to, count })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Reads `parent: null` as `Some(None)`, because no `parent` at all is `None`.
fn nullable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Box<Span>>>, D::Error> {
    Option::<Box<Span>>::deserialize(from).map(Some)
}

/// Reads an expectation file.
///
/// # Errors
/// A message with the file, the line, and what is accepted there.
pub(in crate::verify) fn load(file: &Path) -> anyhow::Result<Expectations> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    read(&name, &text)
}

/// Reads the text of an expectation file.
///
/// # Errors
/// A message with the file, the line, and what is accepted there.
pub(super) fn read(name: &str, text: &str) -> anyhow::Result<Expectations> {
    serde_saphyr::from_str(text).map_err(|error| {
        let options = serde_saphyr::render_options! { source_name: Some(name) };
        let shown = error.render_with_options(options);
        anyhow::anyhow!("{name}: {}", shown.trim_start_matches("error: "))
    })
}
