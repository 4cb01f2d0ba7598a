//! Settings of propagation: the formats that are read and written, baggage, and the trust in contexts from outside.

use alloc::string::String;
use alloc::vec::Vec;

use super::format::Format;

/// The settings of `$.propagation`.
#[derive(Clone, Debug, PartialEq)]
pub struct Propagation {
    /// The formats that are read, in order of precedence.
    pub extract: Vec<Format>,
    /// The formats that are always written.
    pub inject: Vec<Format>,
    /// True if the formats of the received headers are written as well.
    pub mirror: bool,
    /// True if an id that came with 16 digits leaves with 16 in B3.
    pub keep64bit: bool,
    /// True if a `tracestate` that a service drops between its inbound and its outbound side is put back.
    pub restore_tracestate: bool,
    /// The changes of baggage.
    pub baggage: Baggage,
}

impl Default for Propagation {
    fn default() -> Self {
        Self {
            extract: Format::ALL.into(),
            inject: [Format::TraceContext, Format::B3Multi].into(),
            mirror: true,
            keep64bit: false,
            restore_tracestate: true,
            baggage: Baggage::default(),
        }
    }
}

impl Propagation {
    /// Returns true if a format is read or written here; the headers of all others are never touched.
    pub(crate) fn lists(&self, format: Format) -> bool {
        self.extract.contains(&format) || self.inject.contains(&format)
    }
}

/// The settings of `$.propagation.baggage`; by default no baggage is ever read.
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
    /// Jaeger's headers `uberctx-<key>`.
    Jaeger,
    /// OpenTracing's headers `ot-baggage-<key>`.
    OtTrace,
}

/// The settings of `$.trust`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The treatment of received ids.
    pub context: ContextTrust,
    /// True if a received decision is followed.
    pub decision: bool,
    /// True if debug is followed, and not taken as plain sampled.
    pub debug: bool,
    /// True if Jaeger's debug flag is believed, which some senders set on every sampled span (JG-5).
    pub jaeger_debug: bool,
}

/// The treatment of received ids, `$.trust.context`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextTrust {
    /// The trace continues.
    Accept,
    /// A new trace begins, linked to the received trace.
    Restart,
    /// A new trace begins.
    Ignore,
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
