//! The context of one request, as a format reads and writes it: ids, a sampling state, or the flaw of a malformed
//! header.
//!
//! Debug and deferred are sampling states that no flags byte holds, and an id can be missing: these types say
//! everything that any of the formats can, so that no format has to be bent to fit another.

use core::cell::OnceCell;

use super::format::FormatSet;
use super::traceparent::Traceparent;
use super::tracestate::Tracestate;
use crate::ids::{IdError, SpanId, TraceId};

/// The sampling state of a context; a decision holds for the whole trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplingState {
    /// No decision: the receiver decides.
    #[default]
    Deferred,
    /// A decision to drop.
    Deny,
    /// A decision to record.
    Accept,
    /// A decision to record whatever limits there are, on a user's wish.
    Debug,
}

impl SamplingState {
    /// Returns this state, or `other` where this one is deferred.
    #[must_use]
    #[inline]
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Deferred => other,
            said => said,
        }
    }

    /// Returns accept for debug, which implies it, and any other state as it is.
    #[must_use]
    #[inline]
    pub fn without_debug(self) -> Self {
        match self {
            Self::Debug => Self::Accept,
            other => other,
        }
    }
}

/// The context of the caller's span, as one format has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace id.
    pub trace_id: TraceId,
    /// The caller's span id; some formats let a trace id travel alone, from a load balancer that makes no spans.
    pub span_id: Option<SpanId>,
    /// The caller's decision.
    pub sampling: SamplingState,
    /// True if the right-most 56 bits of the trace id are random (W3C's random flag).
    pub random: bool,
    /// True if the trace id came with 16 digits.
    pub short_trace_id: bool,
}

impl SpanContext {
    /// Returns W3C's flags, sampled and random; this version knows no others.
    #[inline]
    pub fn trace_flags(&self) -> u8 {
        let sampled = match self.sampling {
            SamplingState::Accept | SamplingState::Debug => SAMPLED,
            SamplingState::Deny | SamplingState::Deferred => 0,
        };
        sampled | if self.random { RANDOM } else { 0 }
    }
}

/// W3C's flag of a trace that is sampled.
pub(super) const SAMPLED: u8 = 0x01;
/// W3C's flag of a trace id whose right-most 56 bits are random.
pub(super) const RANDOM: u8 = 0x02;

impl SpanContext {
    /// Returns true for a trace id without a caller and without a decision, as load balancers write it.
    #[inline]
    pub(super) fn is_id_alone(&self) -> bool {
        self.span_id.is_none() && self.sampling == SamplingState::Deferred
    }

    /// Takes from the same trace's context in another format the facts that this format has no word for.
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
        // A format without short ids pads an id that another format still writes with 16 digits.
        self.short_trace_id |= other.short_trace_id && self.trace_id == other.trace_id;
        self.random |= other.random;
        self.span_id = self.span_id.or(other.span_id);
    }
}

/// The four answers of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extracted {
    /// A context: ids, and perhaps a decision.
    Context(SpanContext),
    /// A decision for the trace that is to be started; never [`SamplingState::Deferred`].
    Decision(SamplingState),
    /// No header of this format.
    Absent,
    /// A malformed header; `decision` is the part that can still be believed.
    Malformed {
        /// The first flaw of the header.
        refusal: Refusal,
        /// The decision that survives, [`SamplingState::Deferred`] where none does.
        decision: SamplingState,
    },
}

/// The ways in which a context can be malformed; each has a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A second line of a header that must have one line.
    Duplicate,
    /// A value that is too short, or longer than this version of the format allows.
    Length,
    /// A delimiter that is missing, or stands where none belongs.
    Delimiter,
    /// A version that is not two digits, or the forbidden `ff`.
    Version,
    /// A trace id that is not the right number of lower-case hexadecimal digits, or is missing beside a span id.
    TraceId,
    /// A trace id of zeros.
    TraceIdZero,
    /// A span id that is not 16 lower-case hexadecimal digits, or is missing beside a trace id.
    SpanId,
    /// A span id of zeros.
    SpanIdZero,
    /// Flags that are not two lower-case hexadecimal digits.
    Flags,
    /// A sampling state that is none of the format's words.
    Sampled,
    /// A value that is not encoded as the format asks.
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

/// The answer of a format in which one flaw makes the whole header unusable.
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

/// The context as it leaves for the upstream, before a format writes it.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The ids, with a decision, or without one where this filter decides nothing.
    pub context: Option<SpanContext>,
    /// The decision without ids, where there is no context; [`SamplingState::Deferred`] where there is none either.
    pub decision: SamplingState,
    /// The value of W3C's `tracestate`.
    pub tracestate: &'a Tracestate<'a>,
    /// The formats whose received headers name this trace.
    pub same_trace: FormatSet,
    /// The formats of the received headers.
    pub present: FormatSet,
    /// The formats whose received header is a load balancer's id of the request and no context of a caller.
    pub request_ids: FormatSet,
    /// The value of `traceparent`, once a format has printed it for all that take digits from it.
    pub traceparent: OnceCell<Traceparent>,
}

impl Outgoing<'_> {
    /// Returns the value of `traceparent`.
    #[inline]
    pub(super) fn traceparent(&self, context: &SpanContext, span_id: SpanId) -> &Traceparent {
        self.traceparent
            .get_or_init(|| Traceparent::new(context.trace_id, span_id, context.trace_flags()))
    }

    /// Returns the context with its span id, if the context has all that most formats need: a trace, a span and a
    /// decision.
    #[inline]
    pub(crate) fn decided(&self) -> Option<(&SpanContext, SpanId)> {
        let context = self.context.as_ref()?;
        let is_decided = context.sampling != SamplingState::Deferred;
        Some((context, context.span_id.filter(|_| is_decided)?))
    }
}
