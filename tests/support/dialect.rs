//! The nine formats as services speak them that know no other.
//!
//! Written from the formats' own documents and not with the filter's code, so that a misreading there is not repeated
//! here. A service writes the one shape that its libraries write, and reads strictly: what is not that shape is nothing.

mod read;
mod write;

use sidespan_core::propagation::format::Format;

pub use read::read;
pub use write::write;

/// What a service says of the span that it calls from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// 32 hex digits; a left half of zeros is left out where the format has an id of 64 bits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// What was decided.
    pub state: State,
}

impl Context {
    /// Whether the trace id has 64 bits: the format that has no more room loses nothing of it.
    pub fn is_narrow(&self) -> bool {
        is_zero(&self.trace_id[..16])
    }
}

/// What a caller can say about sampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Recorded.
    Sampled,
    /// Not recorded.
    Unsampled,
    /// Recorded on somebody's wish, whatever the limits.
    Debug,
    /// Not decided.
    Deferred,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sampled, Self::Unsampled, Self::Debug, Self::Deferred];

    /// In the words of a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sampled => "sampled",
            Self::Unsampled => "not sampled",
            Self::Debug => "debug",
            Self::Deferred => "undecided",
        }
    }

    /// What is left of it in a format.
    pub fn in_words_of(self, format: Format) -> Self {
        match self {
            Self::Debug if !can_say(format, Self::Debug) => Self::Sampled,
            state => state,
        }
    }
}

/// Whether the format has a word for this; for debug in `tracecontext` it is the filter's member of `tracestate`.
pub fn can_say(format: Format, state: State) -> bool {
    use Format::{B3, B3Multi, Datadog, Gcp, Jaeger, OtTrace, TraceContext, XRay};
    match state {
        State::Sampled | State::Unsampled => true,
        State::Debug => matches!(format, TraceContext | B3 | B3Multi | Jaeger | Datadog),
        State::Deferred => matches!(format, B3 | B3Multi | XRay | Datadog | OtTrace | Gcp),
    }
}

/// The headers of a service that speaks only this.
pub fn headers(format: Format) -> &'static [&'static str] {
    match format {
        Format::TraceContext => &["traceparent", "tracestate"],
        Format::B3 => &["b3"],
        Format::B3Multi => &["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"],
        Format::Jaeger => &["uber-trace-id"],
        Format::XRay => &["x-amzn-trace-id"],
        Format::Datadog => &[
            "x-datadog-trace-id",
            "x-datadog-parent-id",
            "x-datadog-sampling-priority",
            "x-datadog-origin",
            "x-datadog-tags",
        ],
        Format::GrpcTraceBin => &["grpc-trace-bin"],
        Format::OtTrace => &["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"],
        Format::Gcp => &["x-cloud-trace-context"],
    }
}

/// A header and its value.
pub type Line = (&'static str, String);

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
