//! Open spans: the spans of one recorded request, until the proxy logs it and the outcome completes them.

use alloc::vec::Vec;

use crate::ids::SpanId;
use crate::propagation::context::SpanContext;
use crate::propagation::w3c;
use crate::semconv::describe::{RequestFacts, SpanDescriber};
use crate::span::attributes::Attributes;
use crate::span::{Link, Span, SpanKind};
use crate::stream_info;
use crate::stream_info::answers::Answers;
use crate::stream_info::attributes::AttributeSet;
use crate::stream_info::outcome::ResponseOutcome;
use crate::stream_info::source::StreamInfo;
use crate::time::Nanos;

/// The open spans of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSpans {
    pub(super) context: SpanContext,
    pub(super) link: Option<Link>,
    pub(super) trace_state: Vec<u8>,
    pub(super) facts: RequestFacts,
    pub(super) start: Nanos,
    pub(super) first: OpenSpan,
    pub(super) second: Option<OpenSpan>,
    // The response of an attempt, kept when it passes because an attempt's end can no longer read it.
    pub(super) response: Option<Response>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct OpenSpan {
    pub(super) kind: SpanKind,
    pub(super) span_id: SpanId,
    pub(super) parent_span_id: Option<SpanId>,
    pub(super) parent: Parent,
    pub(super) attributes: Attributes,
}

/// The place of a span's parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// The caller; also for a root, which has no parent.
    Caller,
    /// This proxy.
    Here,
    /// Either of the two, because an attempt cannot tell Envoy's span from the caller's.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Response {
    pub(super) outcome: ResponseOutcome,
    pub(super) headers: Vec<Option<Vec<u8>>>,
    pub(super) is_whole: bool,
}

impl OpenSpans {
    /// Returns true if the request is a gRPC call.
    #[inline]
    pub(super) fn is_rpc(&self) -> bool {
        self.facts.is_rpc()
    }

    /// Returns true if the request asked for a tunnel.
    #[inline]
    pub(super) fn is_connect(&self) -> bool {
        self.facts.is_connect()
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub fn end_response(&mut self) {
        self.response.get_or_insert_default().is_whole = true;
    }

    /// Finishes the spans with the outcome and the times that the proxy gives at the end, and passes each span to `each`.
    #[inline]
    pub(super) fn finish(
        self,
        describer: &SpanDescriber,
        stream_info: &impl StreamInfo,
        now: Nanos,
        each: &mut impl FnMut(Span),
    ) {
        let question = match (self.first.kind, &self.second) {
            (_, Some(_)) => AttributeSet::Both,
            (SpanKind::Server, None) => AttributeSet::Server,
            (SpanKind::Client, None) => AttributeSet::Client,
        };
        let answers = stream_info.answers(question);
        let answers = Answers::new(stream_info, question, answers.as_deref());
        let (start, end) = stream_info::outcome::times(&answers, self.start, now);
        let outcome = ResponseOutcome::read(&answers, self.is_rpc());
        self.end(describer, &outcome, &answers, (start, end), each);
    }

    /// Completes the open spans with this outcome and these times, and passes each span to `each`.
    #[inline]
    pub(super) fn end(
        self,
        describer: &SpanDescriber,
        outcome: &ResponseOutcome,
        answers: &Answers<'_, impl StreamInfo>,
        (start, end): (Nanos, Nanos),
        each: &mut impl FnMut(Span),
    ) {
        let early = self
            .response
            .map_or_else(Vec::new, |response| response.headers);
        let (mut next, mut second) = (Some(self.first), self.second);
        let mut trace_state = self.trace_state;
        while let Some(mut open) = next.take() {
            next = second.take();
            let attributes = &mut open.attributes;
            let outcome =
                describer.end(open.kind, &self.facts, attributes, outcome, &early, answers);
            each(Span {
                trace_id: self.context.trace_id,
                span_id: open.span_id,
                parent_span_id: open.parent_span_id,
                trace_state: match next {
                    Some(_) => trace_state.clone(),
                    None => core::mem::take(&mut trace_state),
                },
                flags: flags(&self.context, &open),
                link: self.link.filter(|_| open.parent != Parent::Here),
                name: outcome.name,
                kind: open.kind,
                start,
                end,
                attributes: open.attributes,
                status: outcome.status,
            });
        }
    }
}

/// Returns W3C's flags with OTLP's bits for the place of the parent (`SpanFlags` in `trace.proto`).
#[inline]
fn flags(context: &SpanContext, open: &OpenSpan) -> u32 {
    let place = match (open.parent, open.parent_span_id) {
        (Parent::Unknown, _) => 0,
        (Parent::Caller, Some(_)) => PARENT_IS_KNOWN | PARENT_IS_REMOTE,
        (Parent::Caller, None) | (Parent::Here, _) => PARENT_IS_KNOWN,
    };
    u32::from(w3c::trace_flags(context)) | place
}

const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;
