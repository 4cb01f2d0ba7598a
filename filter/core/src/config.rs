//! The plugin's configuration: the bytes of `pluginConfig` as checked settings of all stages.
//!
//! Every key of the configuration is known here, and every value is checked.
//!
//! All errors are found in one pass and listed in the order of the document, each with its JSON path and without values
//! that may be secret. Where no standard sets a limit, the constants of these files do, because a configuration must
//! not exhaust a worker: the number of errors, spans and bytes in the queue, attempts of an export, entries of lists
//! and objects.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

mod address;
mod cursor;
mod error;
mod scalars;
pub mod sections;
pub mod suggest;
mod tree;

pub use address::{MAX_HOST, PORTS};
pub use error::ConfigError;
pub use scalars::{ANY_DURATION, SMALLEST_PERCENTAGE, Shown, UNITS};

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
    /// The formats that are read and written, and baggage.
    pub propagation: Propagation,
    /// The settings of decisions on roots; `None` while neither `sampling` nor `export.otlp` is set.
    pub sampling: Option<Sampling>,
    /// The trust in a received context.
    pub trust: Trust,
    /// The trust in a received context where the direction is edge, if it is configured.
    pub gateway_trust: Option<Trust>,
    /// The replacement of [`Sampling::exclude`] where the direction is edge, if it is configured.
    pub gateway_exclude: Option<Vec<Match>>,
    /// The replacement of [`Sampling::keep`] where the direction is edge, if it is configured.
    pub gateway_keep: Option<Keep>,
    /// True if an outgoing request without a context continues the trace of the incoming request with the same
    /// `x-request-id` (`$.correlation.requestId`).
    pub correlates_request_ids: bool,
    /// The direction of all requests; `None` where the proxy is asked for the direction (`auto`).
    pub direction: Option<Direction>,
    /// The names, attributes and resource of spans.
    pub spans: Spans,
    /// The destination of spans.
    pub export: Export,
    /// The position of the filter in the proxy.
    pub role: Role,
}

impl Config {
    /// Parses a configuration. Nothing, or nothing but white space, is the configuration `{}`: all defaults.
    ///
    /// # Errors
    /// All errors, in the order of the document; a document that is not JSON is one error.
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
                errors.add(0, Path::Root, || match tree::is_protobuf_struct(bytes) {
                    true => PROTOBUF_STRUCT.into(),
                    false => format!("expected JSON: {error}"),
                });
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

    /// Returns the first eight hexadecimal digits of a configuration's SHA-256, by which people distinguish
    /// configurations.
    pub fn digest(bytes: &[u8]) -> String {
        let [a, b, c, d, ..] = sha256(bytes);
        hex::encode([a, b, c, d])
    }

    /// Returns the names of the environment variables that the configuration reads, each once.
    pub fn variables(&self) -> Vec<&str> {
        let headers = self.export.otlp.iter().flat_map(|otlp| &otlp.headers);
        let headers = headers.filter_map(|(_, value)| match value {
            HeaderValue::Environment(name) => Some(name.as_str()),
            HeaderValue::Literal(_) => None,
        });
        distinct(&mut headers.chain(self.spans.variables()))
    }

    /// Returns the names of the workload's labels that matches compare.
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

/// The position of the filter in the proxy, `$.role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// An HTTP filter, which sees one request with all its attempts.
    #[default]
    Request,
    /// An upstream HTTP filter behind the router, which sees one attempt.
    Attempt,
}

/// Reads the settings that replace `trust`, `sampling.exclude` and `sampling.keep` where the direction is edge.
fn gateway(at: Cursor<'_>, config: &mut Config) {
    at.object(&["trust", "exclude", "keep"], |key, at| match key {
        "trust" => config.gateway_trust = Some(Trust::read(at)),
        "exclude" => config.gateway_exclude = Some(request_match::exclude(at)),
        _ => config.gateway_keep = Some(Keep::read(at)),
    });
}

/// Refuses sections that have no meaning with role attempt: behind the router, roots and directions have been decided.
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
        if let Some(propagation) = at.get("propagation") {
            if let Some(at) = propagation.get("baggage") {
                at.error(
                    "not with role attempt: baggage is rewritten once a request; set it where the filter has role request",
                );
            }
            if let Some(at) = propagation.get("restoreTracestate")
                && matches!(at.node.value, tree::Value::Boolean(true))
            {
                at.error(
                    "not with role attempt: a lost tracestate is put back once a request, not once a try",
                );
            }
        }
    }
}

const MAX_BYTES: usize = 256 << 10;
const PROTOBUF_STRUCT: &str = "expected JSON, found bytes that look like google.protobuf.Struct, which Envoy hands over \
    unread; give the configuration as google.protobuf.StringValue, with the JSON as text in value";
/// The keys of a configuration.
pub const SECTIONS: [&str; 9] = [
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
/// The words of `$.role`.
pub const ROLES: [(&str, Role); 2] = [("request", Role::Request), ("attempt", Role::Attempt)];
/// The keys of a configuration with role attempt.
pub const ATTEMPT_SECTIONS: [&str; 4] = ["propagation", "spans", "export", "role"];
/// The words of `$.direction`; `None` asks the proxy.
pub const DIRECTIONS: [(&str, Option<Direction>); 4] = [
    ("auto", None),
    ("inbound", Some(Direction::Inbound)),
    ("outbound", Some(Direction::Outbound)),
    ("edge", Some(Direction::Edge)),
];

#[cfg(test)]
mod tests;
