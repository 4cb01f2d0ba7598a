//! What one format tells: ids, a sampling state, or why it tells nothing.
//!
//! Sampled, debug and deferred are facts of their own that no flags byte holds, and an id can be missing: these types say
//! everything that any of the formats can, so that none has to be bent to fit another.

use super::format::FormatSet;
use super::tracestate::Tracestate;
use crate::ids::{IdError, SpanId, TraceId};

/// What a caller says about sampling; the decision is one for the whole trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplingState {
    /// Nothing: whoever reads this decides.
    #[default]
    Deferred,
    /// Not to be recorded.
    Deny,
    /// To be recorded.
    Accept,
    /// To be recorded whatever limits there are, on somebody's wish.
    Debug,
}

impl SamplingState {
    /// This, or the other where this says nothing.
    #[must_use]
    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Deferred => other,
            said => said,
        }
    }

    /// Debug as the plain wish to record that it implies.
    #[must_use]
    #[inline]
    pub fn without_debug(self) -> Self {
        match self {
            Self::Debug => Self::Accept,
            other => other,
        }
    }
}

/// The context of the span that called us, as one format told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span; some formats let a trace id travel alone, from a load balancer that makes no spans.
    pub span_id: Option<SpanId>,
    /// What the caller decided.
    pub sampling: SamplingState,
    /// W3C's random flag: the right-most 56 bits of the trace id are random.
    pub random: bool,
    /// Whether the trace id came with 16 digits.
    pub short_trace_id: bool,
}

impl SpanContext {
    /// Takes from another format what this one had no word for; the trace is known to be the same.
    #[inline]
    pub(super) fn merge(&mut self, other: &Self) {
        self.sampling = match (self.sampling, other.sampling) {
            (SamplingState::Accept, SamplingState::Debug) => SamplingState::Debug,
            (own, told) => own.or(told),
        };
        if self.trace_id.is_short() && !other.trace_id.is_short() {
            self.trace_id = other.trace_id;
            self.short_trace_id = false;
        }
        // A format without short ids has padded what another still writes as it came.
        self.short_trace_id |= other.short_trace_id && self.trace_id == other.trace_id;
        self.random |= other.random;
        self.span_id = self.span_id.or(other.span_id);
    }
}

/// The four answers of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extracted {
    /// Ids, and perhaps a decision.
    Context(SpanContext),
    /// A decision for the trace that is to be started; never [`SamplingState::Deferred`].
    Decision(SamplingState),
    /// No header of this format.
    Absent,
    /// A header that is not what the format says; `decision` is what can still be believed.
    Malformed {
        /// The one thing that is wrong with it.
        refusal: Refusal,
        /// The decision that survives, [`SamplingState::Deferred`] where none does.
        decision: SamplingState,
    },
}

/// Every way in which a context can be malformed; each is a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More than one line of a header that must have one.
    Duplicate,
    /// Too short, or longer than this version of the format may be.
    Length,
    /// A delimiter is missing, or stands where none belongs.
    Delimiter,
    /// The version is not two digits, or the forbidden `ff`.
    Version,
    /// The trace id is not the right number of lower-case hexadecimal digits, or is missing beside a span id.
    TraceId,
    /// The trace id is all zeros.
    TraceIdZero,
    /// The span id is not 16 lower-case hexadecimal digits, or is missing beside a trace id.
    SpanId,
    /// The span id is all zeros.
    SpanIdZero,
    /// The flags are not two lower-case hexadecimal digits.
    Flags,
    /// The sampling state is none of the format's words.
    Sampled,
    /// The value is not encoded as the format says.
    Encoding,
}

impl Refusal {
    #[inline]
    pub(super) fn of_trace_id(error: IdError) -> Self {
        match error {
            IdError::Digits => Self::TraceId,
            IdError::Zero => Self::TraceIdZero,
        }
    }

    #[inline]
    pub(super) fn of_span_id(error: IdError) -> Self {
        match error {
            IdError::Digits => Self::SpanId,
            IdError::Zero => Self::SpanIdZero,
        }
    }
}

/// The answer of a format of which nothing survives where anything is malformed.
impl From<Result<SpanContext, Refusal>> for Extracted {
    #[inline]
    fn from(parsed: Result<SpanContext, Refusal>) -> Self {
        match parsed {
            Ok(context) => Self::Context(context),
            Err(refusal) => Self::malformed(refusal),
        }
    }
}

impl Extracted {
    #[inline]
    pub(super) fn malformed(refusal: Refusal) -> Self {
        Self::Malformed {
            refusal,
            decision: SamplingState::Deferred,
        }
    }
}

/// The context as it goes upstream, in whichever formats.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Ids, with a decision, or with none where nothing is decided here.
    pub context: Option<SpanContext>,
    /// A decision without ids, where there is no context; [`SamplingState::Deferred`] says nothing at all.
    pub decision: SamplingState,
    /// W3C's `tracestate`.
    pub tracestate: &'a Tracestate<'a>,
    /// The formats whose received headers told of this trace.
    pub same_trace: FormatSet,
    /// The formats that the request came in.
    pub present: FormatSet,
}

impl Outgoing<'_> {
    /// The context, if it has all that most formats need: a trace, a span and a decision.
    #[inline]
    pub(crate) fn decided(&self) -> Option<(SpanContext, SpanId)> {
        let context = self.context?;
        let is_decided = context.sampling != SamplingState::Deferred;
        Some((context, context.span_id.filter(|_| is_decided)?))
    }
}
