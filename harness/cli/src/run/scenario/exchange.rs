//! One request of a scenario, and its response.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::expectation::Exchange;
use crate::check::input::document::Document;
use crate::run::body::Body;
use crate::run::length::Length;
use crate::run::lines::Lines;
use crate::run::pattern::Pattern;

/// One request, its response, and the expectations on both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::run) struct Step {
    /// Name for people.
    #[serde(default)]
    pub(in crate::run) name: String,
    /// Time that passes before the request; with `meanwhile` from the start of the one before.
    #[serde(default)]
    pub(in crate::run) wait: Option<Length>,
    /// True if the request comes while the one before is still under way. Those that are under way at once need paths of their
    /// own, by which the upstream tells them apart.
    #[serde(default)]
    pub(in crate::run) meanwhile: bool,
    /// Direction of the listener that the request comes through.
    #[serde(default)]
    pub(in crate::run) direction: Direction,
    /// Further properties of the stream, by dotted path; on wasmtime only.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(in crate::run) properties: BTreeMap<String, Document>,
    /// The request that comes in.
    #[serde(default)]
    pub(in crate::run) request: Request,
    /// The upstream's response.
    #[serde(default)]
    pub(in crate::run) response: Response,
    /// The end of the stream.
    #[serde(default)]
    pub(in crate::run) ending: Ending,
    /// Expectations on the request and its response.
    #[serde(default)]
    pub(in crate::run) expect: Exchange,
}

/// The direction of a listener.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(in crate::run) enum Direction {
    /// A listener for requests to the service.
    #[default]
    Inbound,
    /// A listener for the service's own calls.
    Outbound,
    /// A listener without direction, as a plain Envoy has it.
    None,
}

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::run) struct Request {
    /// `:method`, GET by default.
    pub(in crate::run) method: String,
    /// `:scheme`, http by default.
    pub(in crate::run) scheme: String,
    /// `:authority`, `service` by default.
    pub(in crate::run) authority: Pattern,
    /// `:path`, `/` by default.
    pub(in crate::run) path: Pattern,
    /// All other headers.
    pub(in crate::run) headers: BTreeMap<String, Lines>,
    /// The body, in one chunk.
    pub(in crate::run) body: Body,
    /// The body in chunks, in place of `body`.
    pub(in crate::run) chunks: Vec<Body>,
    /// Trailers, if there are any.
    pub(in crate::run) trailers: BTreeMap<String, Lines>,
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
            body: Body::default(),
            chunks: Vec::new(),
            trailers: BTreeMap::new(),
        }
    }
}

/// A response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::run) struct Response {
    /// `:status`, 200 by default.
    pub(in crate::run) status: u16,
    /// All other headers.
    pub(in crate::run) headers: BTreeMap<String, Lines>,
    /// The body, in one chunk.
    pub(in crate::run) body: Body,
    /// The body in chunks, in place of `body`.
    pub(in crate::run) chunks: Vec<Body>,
    /// Trailers, if there are any.
    pub(in crate::run) trailers: BTreeMap<String, Lines>,
    /// Time that the upstream needs, 10ms by default.
    pub(in crate::run) after: Length,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: 200,
            headers: BTreeMap::new(),
            body: Body::default(),
            chunks: Vec::new(),
            trailers: BTreeMap::new(),
            after: Length(Duration::from_millis(10)),
        }
    }
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(in crate::run) enum Ending {
    /// The response is complete.
    #[default]
    Complete,
    /// The client goes away before the response.
    ClientAbort,
    /// The upstream resets the stream instead of a response.
    UpstreamReset,
    /// The upstream resets the stream after the headers and chunks of its response, before its end.
    ResponseReset,
    /// The upstream cannot be connected to.
    ConnectFailure,
    /// The upstream does not answer in time.
    UpstreamTimeout,
}

impl Step {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let both = [
            ("request", &self.request.body, &self.request.chunks),
            ("response", &self.response.body, &self.response.chunks),
        ];
        for (side, body, chunks) in both {
            ensure!(
                body.is_empty() || chunks.is_empty(),
                "`{side}.body` and `{side}.chunks` are both there; leave out one"
            );
        }
        check_sent("request.headers", &self.request.headers)?;
        check_sent("request.trailers", &self.request.trailers)?;
        check_sent("response.headers", &self.response.headers)?;
        check_sent("response.trailers", &self.response.trailers)
    }
}

/// Checks headers that a peer sends.
///
/// # Errors
/// A name that no codec takes, or a header without a line, which only an expectation can have.
pub(super) fn check_sent(key: &str, headers: &BTreeMap<String, Lines>) -> anyhow::Result<()> {
    for (name, lines) in headers {
        let plain = name.strip_prefix(':').unwrap_or(name);
        ensure!(
            http::HeaderName::from_bytes(plain.as_bytes()).is_ok(),
            "`{key}` has {name:?}, which is no name of a header; it has letters, digits and !#$%&'*+-.^_`|~ alone"
        );
        ensure!(
            !lines.0.is_empty(),
            "`{key}.{name}` is null, which means in expectations that it must not be there; leave it out"
        );
    }
    Ok(())
}

/// Checks requests that are under way at once.
///
/// # Errors
/// Two with one path.
pub(super) fn check_group(steps: &[Step]) -> anyhow::Result<()> {
    for (at, step) in steps.iter().enumerate() {
        let path = &step.request.path;
        ensure!(
            steps[..at].iter().all(|other| other.request.path != *path),
            "two requests that are under way at once have one `path`; give each its own, by which the upstream tells them apart"
        );
    }
    Ok(())
}

impl Request {
    /// Returns the chunks of the body.
    pub(in crate::run) fn chunks(&self) -> Vec<&Body> {
        chunks(&self.body, &self.chunks)
    }
}

impl Response {
    /// Returns the chunks of the body.
    pub(in crate::run) fn chunks(&self) -> Vec<&Body> {
        chunks(&self.body, &self.chunks)
    }
}

fn chunks<'a>(body: &'a Body, chunks: &'a [Body]) -> Vec<&'a Body> {
    let body = (!body.is_empty()).then_some(body);
    body.into_iter().chain(chunks).collect()
}
