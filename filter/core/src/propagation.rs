//! Headers to context and back: which format is believed, which are written, and that no stale header leaves.
//!
//! Formats are read in the configured order and **the first valid one wins**. A malformed header does not end the
//! search. A decision without ids (`b3: 0`) ranks below any context with ids. On the way out every header of a listed
//! format is written from the one context or removed, so that two formats can never disagree behind this proxy.
//!
//! The facts are kept apart, because one flags byte cannot hold them: the ids, the sampling state with *debug* and
//! *deferred* (B3 has both, W3C Trace Context neither), and the random flag (W3C Trace Context level 2 alone has it).

pub mod b3;
pub mod tracestate;
pub mod w3c;

use alloc::vec::Vec;

use crate::config::{Format, Propagation};
use crate::headers::{HeaderWriter, RequestHeaders};
use crate::ids::{SpanId, TraceId};
use crate::stats::{Counter, Stats};
use tracestate::Tracestate;

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

/// The context of the span that called us, as one format told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The caller's span.
    pub span_id: SpanId,
    /// What the caller decided.
    pub sampling: SamplingState,
    /// W3C's random flag: the right-most 56 bits of the trace id are random.
    pub random: bool,
    /// Whether the trace id came with 16 digits.
    pub short_trace_id: bool,
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
}

impl Extracted {
    pub(crate) fn malformed(refusal: Refusal) -> Self {
        Self::Malformed {
            refusal,
            decision: SamplingState::Deferred,
        }
    }
}

/// What all formats together say about the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extraction<'a> {
    /// The context of the first valid format.
    pub context: Option<SpanContext>,
    /// A decision without ids; [`SamplingState::Deferred`] when there is none or a context was found.
    pub decision: SamplingState,
    /// The state that travels beside W3C ids, if these were the ones believed.
    pub tracestate: Tracestate<'a>,
    /// Whether any listed format had anything to say, however malformed.
    pub is_present: bool,
}

/// Reads the listed formats in order; every answer is counted.
pub fn extract<'a>(
    formats: &[Format],
    headers: &RequestHeaders<'a>,
    stats: &mut Stats,
) -> Extraction<'a> {
    let mut found = Extraction {
        context: None,
        decision: SamplingState::Deferred,
        tracestate: Tracestate::Absent,
        is_present: false,
    };
    for format in formats {
        let answer = match format {
            Format::TraceContext => w3c::extract(headers),
            Format::B3 => b3::extract_single(headers),
            Format::B3Multi => b3::extract_multi(headers),
        };
        found.is_present |= answer != Extracted::Absent;
        match answer {
            Extracted::Absent => {}
            Extracted::Context(context) => {
                stats.add(Counter::valid(*format));
                found.take(*format, context, headers, stats);
            }
            Extracted::Decision(decision) => {
                stats.add(Counter::valid(*format));
                found.take_decision(decision);
            }
            Extracted::Malformed { refusal, decision } => {
                stats.add(Counter::malformed(*format));
                stats.add(Counter::refused(refusal));
                found.take_decision(decision);
            }
        }
    }
    if found.context.is_some() {
        found.decision = SamplingState::Deferred;
    }
    found
}

impl<'a> Extraction<'a> {
    fn take(
        &mut self,
        format: Format,
        context: SpanContext,
        headers: &RequestHeaders<'a>,
        stats: &mut Stats,
    ) {
        let Some(first) = &mut self.context else {
            if format == Format::TraceContext {
                self.tracestate = tracestate::read(&headers.tracestate, stats);
            }
            self.context = Some(context);
            return;
        };
        if first.trace_id != context.trace_id {
            stats.add(Counter::ContextConflict);
        } else if first.sampling == SamplingState::Accept
            && context.sampling == SamplingState::Debug
        {
            // The same trace: what the first format has no word for may be learned from the second.
            first.sampling = SamplingState::Debug;
        }
    }

    fn take_decision(&mut self, decision: SamplingState) {
        if self.decision == SamplingState::Deferred {
            self.decision = decision;
        }
    }
}

/// The context as it goes upstream, in whichever formats.
#[derive(Clone, Copy, Debug)]
pub enum Outgoing<'a> {
    /// Ids with a decision, or with none where nothing is decided here.
    Context {
        /// Ids, decision and what is remembered of the caller's spelling.
        context: SpanContext,
        /// W3C's `tracestate`.
        tracestate: &'a Tracestate<'a>,
    },
    /// A decision without ids; only B3 can say it.
    Decision(SamplingState),
    /// Nothing: what came in was malformed and no trace is started here.
    Nothing,
}

/// Writes the context in every format that is wanted and removes what is left of the other listed ones.
pub fn inject(
    propagation: &Propagation,
    outgoing: Outgoing<'_>,
    headers: &RequestHeaders<'_>,
    writer: &mut impl HeaderWriter,
) {
    for format in listed(propagation) {
        let is_wanted = propagation.inject.contains(&format)
            || (propagation.mirror && is_present(format, headers));
        let outgoing = if is_wanted {
            outgoing
        } else {
            Outgoing::Nothing
        };
        match format {
            Format::TraceContext => w3c::inject(outgoing, headers, writer),
            Format::B3 => b3::inject_single(outgoing, propagation.keep64bit, headers, writer),
            Format::B3Multi => b3::inject_multi(outgoing, propagation.keep64bit, headers, writer),
        }
    }
}

/// Listed is what is read or written; a format that is neither is never touched.
fn listed(propagation: &Propagation) -> impl Iterator<Item = Format> {
    [Format::TraceContext, Format::B3, Format::B3Multi]
        .into_iter()
        .filter(|format| {
            propagation.extract.contains(format) || propagation.inject.contains(format)
        })
}

fn is_present(format: Format, headers: &RequestHeaders<'_>) -> bool {
    match format {
        Format::TraceContext => headers.traceparent.is_present(),
        Format::B3 => headers.b3.is_present(),
        Format::B3Multi => {
            headers.b3_trace_id.is_present()
                || headers.b3_span_id.is_present()
                || headers.b3_sampled.is_present()
                || headers.b3_flags.is_present()
        }
    }
}

/// The names of all headers that the filter may add for these formats; a peer with a limit on headers must allow them.
pub fn header_names(formats: &[Format]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for format in formats {
        names.extend_from_slice(match format {
            Format::TraceContext => &[w3c::TRACEPARENT],
            Format::B3 => &[b3::B3],
            Format::B3Multi => &[b3::X_B3_TRACE_ID, b3::X_B3_SPAN_ID, b3::X_B3_SAMPLED][..],
        });
    }
    names
}

#[cfg(test)]
mod tests;
