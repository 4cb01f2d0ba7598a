//! Open spans: the spans of one recorded request, until its stream ends and the outcome completes them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::ids::SpanId;
use crate::propagation::context::SpanContext;
use crate::semconv::describe::{RequestFacts, SpanDescriber};
use crate::semconv::response_flags;
use crate::span::attributes::Attributes;
use crate::span::{Link, Span, SpanKind};
use crate::stream_info;
use crate::stream_info::answers::Answers;
use crate::stream_info::attributes::{Attribute, AttributeSet};
use crate::stream_info::heard::{HeardResponse, ResponsePart};
use crate::stream_info::outcome::ResponseOutcome;
use crate::stream_info::source::{PassingResponse, StreamInfo};
use crate::time::Nanos;

/// The open spans of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSpans {
    pub(super) context: SpanContext,
    pub(super) link: Option<Box<Link>>,
    pub(super) trace_state: Vec<u8>,
    pub(super) facts: RequestFacts,
    pub(super) start: Nanos,
    pub(super) first: OpenSpan,
    pub(super) second: Option<OpenSpan>,
    // True if attributes are read from the response as it passes.
    pub(super) reads_response: bool,
    // The response as it passed, where the end can no longer say it all.
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
    pub(super) heard: HeardResponse,
    // The values of configured attributes.
    pub(super) attributes: Vec<Option<Vec<u8>>>,
    // True once its end has passed with headers or trailers; the end of a body is not heard.
    pub(super) has_ended: bool,
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

    /// Returns true if a span here tells what passes: a CLIENT span, each span of a gRPC call, and one with an attribute of
    /// the response.
    #[inline]
    pub(crate) fn hears(&self) -> bool {
        self.reads_response
            || self.is_rpc()
            || self.second.is_some()
            || self.first.kind == SpanKind::Client
    }

    /// Notes what a part of the response says as it passes: the code for a CLIENT span, and the `grpc-status` of a call.
    #[inline]
    pub(crate) fn hear(&mut self, part: ResponsePart, response: &impl PassingResponse) {
        let is_call = self.is_rpc();
        let has_client = self.second.is_some() || self.first.kind == SpanKind::Client;
        let heard = &mut self.response.get_or_insert_default().heard;
        heard.hear(part, response, has_client, is_call);
    }

    /// Notes that the response has come to its end.
    #[inline]
    pub fn end_response(&mut self) {
        self.response.get_or_insert_default().has_ended = true;
    }

    /// Finishes the spans with the outcome and the times that the proxy gives at the end, and passes each span to `each`. What
    /// the spans carry is taken out of them.
    #[inline]
    pub(super) fn finish(
        &mut self,
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
        let ended = ResponseOutcome::read(&answers);
        self.end(describer, &ended, &answers, (start, end), each);
    }

    /// Completes the open spans with the outcome at the end and these times, and passes each span to `each`.
    #[inline]
    pub(super) fn end(
        &mut self,
        describer: &SpanDescriber,
        ended: &ResponseOutcome,
        answers: &Answers<'_, impl StreamInfo>,
        (start, end): (Nanos, Nanos),
        each: &mut impl FnMut(Span),
    ) {
        let response = self.response.as_ref();
        let heard = response.map_or(&[][..], |response| &response.attributes);
        let (mut next, mut second) = (Some(&mut self.first), self.second.as_mut());
        while let Some(open) = next.take() {
            next = second.take().filter(|_| !has_called_nobody(answers));
            let attributes = &mut open.attributes;
            let told = response.map(|response| match open.kind {
                SpanKind::Client => response.heard.of_upstream(ended),
                SpanKind::Server => response.heard.of_client(ended),
            });
            let told = told.as_ref().unwrap_or(ended);
            let outcome = describer.end(open.kind, &self.facts, attributes, told, heard, answers);
            each(Span {
                trace_id: self.context.trace_id,
                span_id: open.span_id,
                parent_span_id: open.parent_span_id,
                trace_state: match next {
                    Some(_) => self.trace_state.clone(),
                    None => core::mem::take(&mut self.trace_state),
                },
                flags: flags(&self.context, open),
                link: match open.parent {
                    Parent::Here => None,
                    Parent::Caller | Parent::Unknown => self.link.take(),
                },
                name: outcome.name,
                kind: open.kind,
                start,
                end,
                attributes: core::mem::take(&mut open.attributes),
                status: outcome.status,
            });
        }
    }
}

/// Returns true if this proxy has answered without calling anyone, and without failing to: then there is nothing that a
/// CLIENT span could tell. A proxy that does not say where its answers come from is believed to have called someone.
#[inline]
fn has_called_nobody(answers: &Answers<'_, impl StreamInfo>) -> bool {
    answers.attribute(Attribute::Upstream).is_none()
        && !response_flags::is_failure(answers.number(Attribute::Flags).unwrap_or(0))
        && answers
            .stream_info
            .property("response\0code_details")
            .is_some_and(|details| details != b"via_upstream")
}

/// Returns the same for spans that were not described yet.
#[inline]
pub(super) fn is_answered_here(stream_info: &impl StreamInfo) -> bool {
    has_called_nobody(&Answers::nothing(stream_info))
}

/// Returns W3C's flags with OTLP's bits for the place of the parent (`SpanFlags` in `trace.proto`).
#[inline]
fn flags(context: &SpanContext, open: &OpenSpan) -> u32 {
    let place = match (open.parent, open.parent_span_id) {
        (Parent::Unknown, _) => 0,
        (Parent::Caller, Some(_)) => PARENT_IS_KNOWN | PARENT_IS_REMOTE,
        (Parent::Caller, None) | (Parent::Here, _) => PARENT_IS_KNOWN,
    };
    u32::from(context.trace_flags()) | place
}

const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;
