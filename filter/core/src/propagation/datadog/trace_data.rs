//! Datadog's facts of a trace beside its ids: priority, origin and tags, and the rules by which they leave.
//!
//! The facts arrive in Datadog's headers or in the `dd` member of `tracestate`, each with a notation of its own. A
//! received priority leaves only where it agrees with the decision taken here, because `-1` and `2` are a user's words
//! and `0` and `1` a sampler's; any other priority that leaves is a sampler's (DD-4).

use alloc::borrow::Cow;

use crate::codec::number::{self, trim};
use crate::codec::scan;
use crate::headers::{Name, RequestHeaders};
use crate::propagation::context::SamplingState;

/// Datadog's facts of a trace beside its ids, in the notation of their carrier.
#[derive(Clone, Copy, Default)]
pub(super) struct TraceData<'a> {
    carrier: Notation,
    /// The decision: above 0 to record, else to drop; -1 and 2 are a user's wish.
    pub(super) priority: Option<i32>,
    /// The place where the trace began, `rum` for a browser.
    pub(super) origin: &'a [u8],
    // All tags in one text, and in a member all other parts with them.
    tags: &'a [u8],
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Notation {
    #[default]
    Headers,
    // Writes `=` as `~`.
    Member,
}

impl<'a> TraceData<'a> {
    /// Reads the facts of Datadog's headers.
    pub(super) fn of_headers(headers: &RequestHeaders<'a>) -> Self {
        let value = |name| headers.first(name).map(trim).unwrap_or_default();
        Self {
            priority: parse_priority(value(Name::DatadogSamplingPriority)),
            origin: value(Name::DatadogOrigin),
            ..Self::tags_of_headers(headers)
        }
    }

    /// Reads the tags of Datadog's headers alone, in the notation of headers.
    pub(super) fn tags_of_headers(headers: &RequestHeaders<'a>) -> Self {
        Self {
            tags: headers
                .first(Name::DatadogTags)
                .map(trim)
                .unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Reads the facts of the `dd` member of `tracestate`.
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

    /// Returns the tags that leave with the trace, without their prefix.
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

    /// Returns the priority for the decision taken here: the received priority, if it agrees.
    ///
    /// Beside Datadog's headers a plain accept never keeps a user's wish: the headers asked for debug, and an accept
    /// means that debug was not believed. `traceparent` has no word for debug, so beside the member the wish may stay.
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

    /// Returns the tags that leave beside this priority, without the decision maker of an overruled decision, and without those
    /// that Datadog's tracers refuse: with one such tag they refuse the left half of the trace id, too.
    pub(super) fn tags_beside(
        self,
        priority: Option<i32>,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let is_keep = |priority: i32| priority > 0;
        let is_overruled =
            self.priority.is_some() && self.priority.map(is_keep) != priority.map(is_keep);
        self.tags().filter(move |(name, value)| {
            *name != UPSTREAM_SERVICES
                && !(is_overruled && *name == DECISION_MAKER)
                && name
                    .iter()
                    .all(|byte| is_plain(*byte) && !b" =".contains(byte))
                && value.iter().all(|byte| is_plain(*byte))
        })
    }

    /// Returns an origin or a tag's value in the notation of headers.
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

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b','
}

fn parse_priority(text: &[u8]) -> Option<i32> {
    let priority: i32 = number::parse(text.strip_prefix(b"-").unwrap_or(text))?;
    if text.starts_with(b"-") {
        priority.checked_neg()
    } else {
        Some(priority)
    }
}

/// Prefix in Datadog's headers of a tag that leaves with the trace.
pub(super) const HEADER_PREFIX: &[u8] = b"_dd.p.";
/// Prefix in `tracestate` of a tag that leaves with the trace.
pub(super) const MEMBER_PREFIX: &[u8] = b"t.";
/// Name of the tag with the left half of the trace id.
pub(super) const TID: &[u8] = b"tid";
/// Name of the tag with the decision maker.
const DECISION_MAKER: &[u8] = b"dm";
const UPSTREAM_SERVICES: &[u8] = b"upstream_services";
