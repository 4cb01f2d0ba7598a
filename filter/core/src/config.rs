//! The plugin's configuration: from the bytes of `pluginConfig` to checked values.
//!
//! The whole language of the configuration is known here and all of it is checked, also what this version does not do
//! yet: that is refused where it is set to anything but its default. `sampling.exclude`, `sampling.keep`,
//! `sampling.consistent` and `gateway.exclude` are the exceptions, accepted from the first version on.
//!
//! All errors are found in one go and told in the order of the document, each with its JSON path. No value that may be
//! secret is in them. Where the contract is silent, the limits here are: 100 errors (the rest is counted), 131,072
//! spans and 128 MiB in the queue, 100 tries, 64 entries in lists and objects without a limit of their own.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

mod collector;
mod error;
mod export;
mod matching;
mod node;
mod propagation;
mod sampling;
mod spans;
mod suggest;
mod value;
mod walk;

pub use error::ConfigError;

pub use crate::propagation::format::Format;

use error::{Errors, Path};
use node::Node;
use walk::At;

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
    /// Which side of the proxy this is.
    pub direction: Direction,
    /// What spans say.
    pub spans: Spans,
    /// Where spans go.
    pub export: Export,
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
        let node = match Node::parse(bytes) {
            Ok(node) => node,
            Err(error) => {
                errors.add(0, Path::Root, || format!("expected JSON: {error}"));
                return Err(errors.into_list());
            }
        };
        let config = Self::read(At {
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

    fn read(at: At<'_>) -> Self {
        let mut config = Self::default();
        at.object(&SECTIONS, |key, at| match key {
            "propagation" => config.propagation = Propagation::read(at),
            "sampling" => config.sampling = Some(Sampling::read(at)),
            "trust" => config.trust = Trust::read(at),
            "correlation" => {
                at.object(&["requestId"], |_, at| at.only(false, at.boolean()));
            }
            "direction" => config.direction = at.choice(&DIRECTIONS).unwrap_or(config.direction),
            "gateway" => config.gateway_trust = gateway(at),
            "spans" => config.spans = Spans::read(at),
            "export" => config.export = Export::read(at),
            _ => at.only(0, at.choice(&[("request", 0), ("attempt", 1)])),
        });
        role(at);
        if config.export.otlp.is_some() && config.sampling.is_none() {
            config.sampling = Some(Sampling::default());
        }
        config
    }
}

/// `$.propagation`.
#[derive(Clone, Debug, PartialEq)]
pub struct Propagation {
    /// The formats that are read, in order of precedence.
    pub extract: Vec<Format>,
    /// The formats that are always written.
    pub inject: Vec<Format>,
    /// Whether the formats that the request came in are written as well.
    pub mirror: bool,
    /// Whether an id that came with 16 digits leaves with 16 in B3.
    pub keep64bit: bool,
    /// What becomes of baggage.
    pub baggage: Baggage,
}

/// `$.propagation.baggage`; as it is by default, no baggage is ever read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage {
    /// Patterns of keys whose members are removed.
    pub deny: Vec<String>,
    /// The size beyond which members are removed from the right.
    pub max_bytes: Option<usize>,
    /// Other forms of baggage that are copied into W3C's.
    pub from: Vec<BaggageSource>,
}

/// A form of baggage besides W3C's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaggageSource {
    /// `uberctx-<key>`
    Jaeger,
    /// `ot-baggage-<key>`
    OtTrace,
}

/// `$.sampling`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// For roots and undecided contexts, 0 to 100.
    pub percentage: f64,
    /// By the workload's own namespace.
    pub namespaces: Vec<(String, f64)>,
}

/// `$.trust`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// What becomes of the ids.
    pub context: ContextTrust,
    /// Whether a received decision is followed.
    pub decision: bool,
    /// Whether debug is more than sampled.
    pub debug: bool,
    /// Whether Jaeger's debug bit is believed, which some senders set on every sampled span.
    pub jaeger_debug: bool,
}

/// `$.trust.context`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextTrust {
    /// The trace continues.
    Accept,
    /// A new trace begins, linked to the old one.
    Restart,
    /// A new trace begins.
    Ignore,
}

/// `$.direction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Asked of the proxy.
    #[default]
    Auto,
    /// SERVER spans.
    Inbound,
    /// CLIENT spans.
    Outbound,
    /// Both.
    Edge,
}

/// `$.spans`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    /// The configured `service.name`.
    pub service_name: Option<String>,
}

/// `$.export`.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Where to; `None` exports nothing.
    pub otlp: Option<Otlp>,
    /// Spans in one request, at most.
    pub batch_max_spans: usize,
    /// How long a span waits for others, at most.
    pub batch_max_delay: Duration,
    /// Spans kept, at most.
    pub queue_max_spans: usize,
    /// Bytes of spans kept, at most.
    pub queue_max_bytes: usize,
    /// Delay before the second try.
    pub retry_initial: Duration,
    /// Delay between tries, at most.
    pub retry_max: Duration,
    /// Tries, the first included.
    pub retry_attempts: u32,
}

/// `$.export.otlp`.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// Envoy's name of the cluster.
    pub cluster: String,
    /// `:authority` of the request.
    pub authority: String,
    /// gRPC or HTTP.
    pub protocol: Protocol,
    /// `:path` of the request.
    pub path: String,
    /// How long one try may take.
    pub timeout: Duration,
}

/// `$.export.otlp.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`.
    Grpc,
    /// `http/protobuf`.
    HttpProtobuf,
}

/// What is used in place of `trust`, `sampling.exclude` and `sampling.keep` where the direction is edge.
fn gateway(at: At<'_>) -> Option<Trust> {
    let mut trust = None;
    at.object(&["trust", "exclude", "keep"], |key, at| match key {
        "trust" => trust = Some(Trust::read(at)),
        "exclude" => matching::exclude(at),
        _ => sampling::keep(at, |at| at.not_built()),
    });
    trust
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            context: ContextTrust::Accept,
            decision: true,
            debug: true,
            jaeger_debug: false,
        }
    }
}

impl Trust {
    fn read(at: At<'_>) -> Self {
        let mut trust = Self::default();
        at.object(
            &["context", "decision", "debug", "jaegerDebug"],
            |key, at| match key {
                "context" => trust.context = at.choice(&CONTEXT_TRUSTS).unwrap_or(trust.context),
                "decision" => {
                    trust.decision = at
                        .choice(&[("accept", true), ("ignore", false)])
                        .unwrap_or(trust.decision);
                }
                "debug" => trust.debug = at.boolean().unwrap_or(trust.debug),
                _ => trust.jaeger_debug = at.boolean().unwrap_or(trust.jaeger_debug),
            },
        );
        trust
    }
}

/// With role attempt, the filter stands behind the router, where roots and directions have been decided.
fn role(at: At<'_>) {
    let is_attempt = at
        .get("role")
        .is_some_and(|at| matches!(&at.node.value, node::Value::String(role) if role == "attempt"));
    if is_attempt {
        for section in SECTIONS
            .iter()
            .filter(|section| !ATTEMPT_SECTIONS.contains(section))
        {
            if let Some(at) = at.get(section) {
                at.error("not with role attempt, which takes propagation, spans and export");
            }
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
const ATTEMPT_SECTIONS: [&str; 4] = ["propagation", "spans", "export", "role"];
const CONTEXT_TRUSTS: [(&str, ContextTrust); 3] = [
    ("accept", ContextTrust::Accept),
    ("restart", ContextTrust::Restart),
    ("ignore", ContextTrust::Ignore),
];
const DIRECTIONS: [(&str, Direction); 4] = [
    ("auto", Direction::Auto),
    ("inbound", Direction::Inbound),
    ("outbound", Direction::Outbound),
    ("edge", Direction::Edge),
];

#[cfg(test)]
mod tests;
