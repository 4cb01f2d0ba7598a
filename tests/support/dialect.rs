//! The nine formats in the dialects of services that know one format only.
//!
//! Written from the formats' own documents and not with the filter's code, so that a misreading there is not repeated here.
//! A service writes the one shape that its libraries write, and reads strictly: every other shape is no context.

mod read;
mod write;

use sidespan_core::propagation::format::Format;

pub use read::read;
pub use write::write;

/// The context of the span from which a service calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The trace id, in 32 hex digits; with a left half of zeros where the format has an id of 64 bits.
    pub trace_id: String,
    /// The span id, in 16 hex digits.
    pub span_id: String,
    /// The sampling state.
    pub state: State,
}

impl Context {
    /// Returns true if the trace id has 64 bits only, so that a format without room for more loses nothing.
    pub fn is_narrow(&self) -> bool {
        is_zero(&self.trace_id[..16])
    }
}

/// The sampling state that a caller sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Recorded.
    Sampled,
    /// Not recorded.
    Unsampled,
    /// Recorded at the caller's wish, whatever the limits.
    Debug,
    /// Undecided.
    Deferred,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Sampled, Self::Unsampled, Self::Debug, Self::Deferred];

    /// Returns the state as the README's tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sampled => "sampled",
            Self::Unsampled => "not sampled",
            Self::Debug => "debug",
            Self::Deferred => "undecided",
        }
    }

    /// Returns the part of the state that a format can express.
    pub fn in_words_of(self, format: Format) -> Self {
        match self {
            Self::Debug if !can_say(format, Self::Debug) => Self::Sampled,
            state => state,
        }
    }
}

/// Returns true if the format can express this state; debug in `tracecontext` is the filter's member of `tracestate`.
pub fn can_say(format: Format, state: State) -> bool {
    use Format::{B3, B3Multi, Datadog, Gcp, Jaeger, OtTrace, TraceContext, XRay};
    match state {
        State::Sampled | State::Unsampled => true,
        State::Debug => matches!(format, TraceContext | B3 | B3Multi | Jaeger | Datadog),
        State::Deferred => matches!(format, B3 | B3Multi | XRay | Datadog | OtTrace | Gcp),
    }
}

/// Returns the headers of a service that speaks only this format.
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

/// A header's name and value.
pub type Line = (&'static str, String);

fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|digit| digit == b'0')
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
