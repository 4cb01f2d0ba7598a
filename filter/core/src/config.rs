//! The plugin's configuration: from the bytes of `pluginConfig` to checked values.
//!
//! The whole language of the configuration is known here and all of it is checked.
//!
//! All errors are found in one go and told in the order of the document, each with its JSON path. No value that may be
//! secret is in them. Where the contract is silent, the limits here are: 100 errors (the rest is counted), 131,072
//! spans and 128 MiB in the queue, 100 tries, 64 entries in lists and objects without a limit of their own.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

mod address;
mod cursor;
mod error;
mod scalars;
pub mod sections;
mod suggest;
mod tree;

pub use error::ConfigError;

use crate::codec::sha256::sha256;
use crate::direction::Direction;
use crate::export::settings::{Export, HeaderValue};
use crate::propagation::settings::{Propagation, Trust};
use crate::sampling::request_match::Match;
use crate::sampling::settings::{Keep, Sampling};
use crate::semconv::settings::{Spans, distinct};
use cursor::Cursor;
use error::{Errors, Path};
use sections::request_match;
use tree::JsonNode;

/// A whole, checked configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Which formats are read and written.
    pub propagation: Propagation,
    /// Whether and how roots are decided here; `None` while neither `sampling` nor `export.otlp` is set.
    pub sampling: Option<Sampling>,
    /// What is believed of a context that comes in.
    pub trust: Trust,
    /// The same where the direction is edge, if it is configured.
    pub gateway_trust: Option<Trust>,
    /// What is used in place of [`Sampling::exclude`] there, if it is configured.
    pub gateway_exclude: Option<Vec<Match>>,
    /// What is used in place of [`Sampling::keep`] there, if it is configured.
    pub gateway_keep: Option<Keep>,
    /// `$.correlation.requestId`: whether what goes out without a context continues what came in with the same
    /// `x-request-id`.
    pub correlates_request_ids: bool,
    /// The direction of all requests; `None` where the proxy is asked for it (`auto`).
    pub direction: Option<Direction>,
    /// What spans say.
    pub spans: Spans,
    /// Where spans go.
    pub export: Export,
    /// Where in the proxy this is.
    pub role: Role,
}

impl Config {
    /// Reads a configuration. Nothing, or nothing but white space, is the configuration `{}`: all defaults.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the document; a document that is not JSON is one error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<ConfigError>> {
        let errors = Errors::default();
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        if bytes.len() > MAX_BYTES {
            errors.add(0, Path::Root, || {
                format!("expected at most {MAX_BYTES} bytes, found {}", bytes.len())
            });
            return Err(errors.into_list());
        }
        let node = match JsonNode::parse(bytes) {
            Ok(node) => node,
            Err(error) => {
                errors.add(0, Path::Root, || format!("expected JSON: {error}"));
                return Err(errors.into_list());
            }
        };
        let config = Self::read(Cursor {
            node: &node,
            path: Path::Root,
            errors: &errors,
        });
        let errors = errors.into_list();
        if errors.is_empty() {
            Ok(config)
        } else {
            Err(errors)
        }
    }

    fn read(at: Cursor<'_>) -> Self {
        let mut config = Self::default();
        at.object(&SECTIONS, |key, at| match key {
            "propagation" => config.propagation = Propagation::read(at),
            "sampling" => config.sampling = Some(Sampling::read(at)),
            "trust" => config.trust = Trust::read(at),
            "correlation" => {
                at.object(&["requestId"], |_, at| {
                    config.correlates_request_ids = at.boolean().unwrap_or_default();
                });
            }
            "direction" => config.direction = at.choice(&DIRECTIONS).unwrap_or(config.direction),
            "gateway" => gateway(at, &mut config),
            "spans" => config.spans = Spans::read(at),
            "export" => config.export = Export::read(at),
            _ => config.role = at.choice(&ROLES).unwrap_or(config.role),
        });
        role(at);
        if config.export.otlp.is_some() && config.sampling.is_none() && config.role == Role::Request
        {
            config.sampling = Some(Sampling::default());
        }
        config
    }

    /// The first eight hexadecimal digits of a configuration's SHA-256, by which people tell which one runs.
    pub fn digest(bytes: &[u8]) -> String {
        let [a, b, c, d, ..] = sha256(bytes);
        hex::encode([a, b, c, d])
    }

    /// The environment variables that are asked for, each once.
    pub fn variables(&self) -> Vec<&str> {
        let headers = self.export.otlp.iter().flat_map(|otlp| &otlp.headers);
        let headers = headers.filter_map(|(_, value)| match value {
            HeaderValue::Environment(name) => Some(name.as_str()),
            HeaderValue::Literal(_) => None,
        });
        distinct(&mut headers.chain(self.spans.variables()))
    }

    /// The labels of the workload that a match asks for.
    pub fn labels(&self) -> Vec<&str> {
        let exclude = self
            .sampling
            .iter()
            .flat_map(|sampling| &sampling.exclude)
            .chain(self.gateway_exclude.iter().flatten());
        let rules = self.sampling.iter().flat_map(|sampling| &sampling.rules);
        let conditions = exclude.chain(rules.map(|rule| &rule.condition));
        let labels = conditions.flat_map(|condition| &condition.labels);
        distinct(&mut labels.map(|(name, _)| name.as_str()))
    }
}

/// `$.role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// An HTTP filter: one request, whatever becomes of it.
    #[default]
    Request,
    /// An upstream HTTP filter, behind the router: one try of it.
    Attempt,
}

/// What is used in place of `trust`, `sampling.exclude` and `sampling.keep` where the direction is edge.
fn gateway(at: Cursor<'_>, config: &mut Config) {
    at.object(&["trust", "exclude", "keep"], |key, at| match key {
        "trust" => config.gateway_trust = Some(Trust::read(at)),
        "exclude" => config.gateway_exclude = Some(request_match::exclude(at)),
        _ => config.gateway_keep = Some(Keep::read(at)),
    });
}

/// With role attempt, the filter stands behind the router, where roots and directions have been decided.
fn role(at: Cursor<'_>) {
    let is_attempt = at
        .get("role")
        .is_some_and(|at| matches!(&at.node.value, tree::Value::String(role) if role == "attempt"));
    if is_attempt {
        for section in SECTIONS
            .iter()
            .filter(|section| !ATTEMPT_SECTIONS.contains(section))
        {
            if let Some(at) = at.get(section) {
                at.error("not with role attempt, which takes propagation, spans and export");
            }
        }
        if let Some(spans) = at.get("spans")
            && let Some(at) = spans.get("accessLog")
            && matches!(at.node.value, tree::Value::Boolean(true))
        {
            at.error("not with role attempt: an access log has one line a request, not one a try");
        }
    }
}

const MAX_BYTES: usize = 256 << 10;
const SECTIONS: [&str; 9] = [
    "propagation",
    "sampling",
    "trust",
    "correlation",
    "direction",
    "gateway",
    "spans",
    "export",
    "role",
];
const ROLES: [(&str, Role); 2] = [("request", Role::Request), ("attempt", Role::Attempt)];
const ATTEMPT_SECTIONS: [&str; 4] = ["propagation", "spans", "export", "role"];
const DIRECTIONS: [(&str, Option<Direction>); 4] = [
    ("auto", None),
    ("inbound", Some(Direction::Inbound)),
    ("outbound", Some(Direction::Outbound)),
    ("edge", Some(Direction::Edge)),
];

#[cfg(test)]
mod tests;
