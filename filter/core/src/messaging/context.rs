//! The context of a message as a value of its own, which outlives the message's headers.

use alloc::vec::Vec;

use crate::propagation::context::{SamplingState, SpanContext};

/// A context: the ids and the decision, and W3C's `tracestate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The ids and the decision.
    pub span: SpanContext,
    /// The value of `tracestate`; empty where there is none.
    pub tracestate: Vec<u8>,
}

impl Context {
    /// Returns true if the trace is sampled.
    pub fn is_sampled(&self) -> bool {
        matches!(
            self.span.sampling,
            SamplingState::Accept | SamplingState::Debug
        )
    }
}

/// The facts of a message's or a request's headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The context; `None` where there is none, or none that is valid.
    pub context: Option<Context>,
    /// True if the context came in headers, and is not of a span of this process.
    pub is_remote: bool,
    /// A decision without ids, `b3: 0` for example.
    pub decision: SamplingState,
    /// The first context of another trace, in a format that is read later; it is not continued.
    pub conflict: Option<SpanContext>,
}

/// The context of a span, for messages and requests that are made in its course.
impl From<Context> for Received {
    fn from(context: Context) -> Self {
        Self {
            context: Some(context),
            ..Self::default()
        }
    }
}
