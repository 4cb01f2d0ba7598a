//! What Datadog says of a trace beside its ids, and what of it may go on: its priority, origin and tags.
//!
//! The facts come in Datadog's headers or in the `dd` member of `tracestate`, each with its own notation. They leave only
//! as far as they fit what was decided here: `-1` and `2` are a user's words and `0` and `1` a sampler's, so a priority
//! that agrees is kept, and any other one is a sampler's.

use alloc::borrow::Cow;

use crate::codec::number::{self, trim};
use crate::codec::scan;
use crate::headers::{Name, RequestHeaders};
use crate::propagation::context::SamplingState;

/// What Datadog says of a trace beside its ids, as its carrier writes it.
#[derive(Clone, Copy, Default)]
pub(super) struct TraceData<'a> {
    carrier: Notation,
    /// What was decided, and whether on a user's wish.
    pub(super) priority: Option<i32>,
    /// Where the trace began.
    pub(super) origin: &'a [u8],
    // With whatever else there is between them.
    tags: &'a [u8],
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Notation {
    #[default]
    Headers,
    // Where `=` is written as `~`.
    Member,
}

impl<'a> TraceData<'a> {
    /// What Datadog's headers say.
    pub(super) fn of_headers(headers: &RequestHeaders<'a>) -> Self {
        let value = |name| headers.first(name).map(trim).unwrap_or_default();
        Self {
            carrier: Notation::Headers,
            priority: parse_priority(value(Name::DatadogSamplingPriority)),
            origin: value(Name::DatadogOrigin),
            ..Self::tags_of_headers(headers)
        }
    }

    /// The tags among them alone.
    pub(super) fn tags_of_headers(headers: &RequestHeaders<'a>) -> Self {
        Self {
            tags: headers
                .first(Name::DatadogTags)
                .map(trim)
                .unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What the `dd` member of `tracestate` says.
    pub(super) fn of_member(member: &'a [u8]) -> Self {
        let part = |key: &[u8]| {
            let mut parts = scan::split(member, b';');
            parts.find_map(|part| part.strip_prefix(key))
        };
        Self {
            carrier: Notation::Member,
            priority: part(b"s:").and_then(parse_priority),
            origin: part(b"o:").unwrap_or_default(),
            tags: member,
        }
    }

    /// The tags that travel, without their prefix.
    pub(super) fn tags(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let (separator, prefix, equals): (u8, &[u8], u8) = match self.carrier {
            Notation::Headers => (b',', HEADER_PREFIX, b'='),
            Notation::Member => (b';', MEMBER_PREFIX, b':'),
        };
        scan::split(self.tags, separator).filter_map(move |tag| {
            let tag = trim(tag).strip_prefix(prefix)?;
            let (name, value) = scan::split_once(tag, equals)?;
            (!name.is_empty() && !value.is_empty()).then_some((name, value))
        })
    }

    /// The priority for what was decided here: the one that came, if it says the same.
    ///
    /// Beside Datadog's headers a plain accept never keeps a user's wish: they told of debug, and where that is gone it was
    /// not believed. `traceparent` has no word for debug, so beside the member the wish may stand.
    pub(super) fn priority_for(self, sampling: SamplingState) -> Option<i32> {
        let is_browsers = self.carrier == Notation::Member && self.origin == b"rum";
        if is_browsers && self.priority.is_none() && sampling != SamplingState::Debug {
            // A browser's `traceparent` decides nothing for Datadog.
            return None;
        }
        let (says_the_same, plain): (fn(i32) -> bool, _) = match sampling {
            SamplingState::Deferred => return None,
            SamplingState::Deny => (|priority| priority <= 0, 0),
            SamplingState::Accept if self.carrier == Notation::Member => {
                (|priority| priority > 0, 1)
            }
            SamplingState::Accept => (|priority| priority == 1, 1),
            SamplingState::Debug => (|priority| priority > 1, 2),
        };
        Some(
            self.priority
                .filter(|it| says_the_same(*it))
                .unwrap_or(plain),
        )
    }

    /// The tags that leave beside this priority: not the one that says who took a decision that is overruled.
    pub(super) fn tags_beside(
        self,
        priority: Option<i32>,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let is_keep = |priority: i32| priority > 0;
        let is_overruled =
            self.priority.is_some() && self.priority.map(is_keep) != priority.map(is_keep);
        self.tags().filter(move |(name, _)| {
            *name != UPSTREAM_SERVICES && !(is_overruled && *name == DECISION_MAKER)
        })
    }

    /// An origin or a tag's value, as a header has it.
    pub(super) fn unescape(self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut text = Cow::Borrowed(text);
        if self.carrier == Notation::Member && text.contains(&b'~') {
            for byte in text.to_mut().iter_mut().filter(|byte| **byte == b'~') {
                *byte = b'=';
            }
        }
        text
    }
}

fn parse_priority(text: &[u8]) -> Option<i32> {
    let priority: i32 = number::parse(text.strip_prefix(b"-").unwrap_or(text))?;
    if text.starts_with(b"-") {
        priority.checked_neg()
    } else {
        Some(priority)
    }
}

/// Of a tag that travels, in Datadog's headers.
pub(super) const HEADER_PREFIX: &[u8] = b"_dd.p.";
/// The same in `tracestate`.
pub(super) const MEMBER_PREFIX: &[u8] = b"t.";
/// The left half of the trace id.
pub(super) const TID: &[u8] = b"tid";
/// Who took the decision.
const DECISION_MAKER: &[u8] = b"dm";
const UPSTREAM_SERVICES: &[u8] = b"upstream_services";
