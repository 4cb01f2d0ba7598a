//! The spans of one request while they are open, and what they say when it has ended.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::http::{self, Ending};
use crate::ids::SpanId;
use crate::propagation::{SpanContext, w3c};
use crate::span::{Attributes, Link, Span, SpanKind};
use crate::time::Nanos;

/// The open spans of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Active {
    pub(super) context: SpanContext,
    pub(super) link: Option<Link>,
    pub(super) trace_state: Vec<u8>,
    pub(super) name: Cow<'static, str>,
    pub(super) start: Nanos,
    pub(super) first: Open,
    pub(super) second: Option<Open>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Open {
    pub(super) kind: SpanKind,
    pub(super) span_id: SpanId,
    pub(super) parent_span_id: Option<SpanId>,
    // The first span of the request here: its parent is the caller's, and it carries the link.
    pub(super) is_first: bool,
    pub(super) attributes: Attributes,
}

impl Active {
    /// Ends the spans.
    pub fn finish(self, ending: Ending, now: Nanos) -> impl Iterator<Item = Span> {
        let Self {
            context,
            link,
            trace_state,
            name,
            start,
            first,
            second,
        } = self;
        [Some(first), second]
            .into_iter()
            .flatten()
            .map(move |mut open| {
                let status = http::describe_ending(&mut open.attributes, open.kind, ending);
                Span {
                    trace_id: context.trace_id,
                    span_id: open.span_id,
                    parent_span_id: open.parent_span_id,
                    trace_state: trace_state.clone(),
                    flags: flags(&context, &open),
                    link: link.filter(|_| open.is_first),
                    name: name.clone(),
                    kind: open.kind,
                    start,
                    end: now.max(start),
                    attributes: open.attributes,
                    status,
                }
            })
    }
}

/// W3C's flags, and OTLP's word on where the parent is (`SpanFlags` in `trace.proto`).
fn flags(context: &SpanContext, open: &Open) -> u32 {
    let parent_is_remote = open.is_first && open.parent_span_id.is_some();
    u32::from(w3c::trace_flags(context))
        | PARENT_IS_KNOWN
        | if parent_is_remote {
            PARENT_IS_REMOTE
        } else {
            0
        }
}

const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;
