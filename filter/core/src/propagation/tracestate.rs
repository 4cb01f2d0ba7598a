//! The `tracestate` header of [W3C Trace Context], level 2.
//!
//! ```abnf
//! list        = list-member 0*31( OWS "," OWS list-member )
//! list-member = key "=" value / OWS
//! key         = ( lcalpha / DIGIT ) 0*255( lcalpha / DIGIT / "_" / "-" / "*" / "/" / "@" )
//! value       = 0*255( chr / SP ) chr   ; chr = %x21-7E without "," and "="
//! ```
//!
//! `congo=t61rcWkgMzE,rojo=00f067aa0ba902b7`
//!
//! Several lines are one list. An illegal member, or a 33rd member, makes the whole header unusable, and never touches
//! `traceparent`. Of two members with one key the left one, the more recent, stays. Empty members are skipped. A line
//! that is already written as it would leave is passed on without a copy.
//!
//! [W3C Trace Context]: https://www.w3.org/TR/trace-context-2/#tracestate-header

use alloc::vec::Vec;

use crate::codec::number::trim;
use crate::codec::scan;
use crate::headers::Lines;
use crate::stats::{Counter, Stats};

/// Members that a list may have at most (W3C Trace Context, "list").
const W3C_MAX_MEMBERS: usize = 32;
/// Characters that a key or a value may have at most (W3C Trace Context, "key" and "value").
const W3C_MAX_PART_BYTES: usize = 256;
/// Length of a member beyond which it is dropped first when the list must be cut (W3C Trace Context, "tracestate
/// Limits").
const W3C_LONG_MEMBER_BYTES: usize = 128;
/// Sidespan's own limit of the list; the standard asks for at least 512 (TM-7).
const MAX_BYTES: usize = 4096;

/// A checked list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tracestate<'a> {
    /// No list, or a list that may not leave.
    Absent,
    /// The list as received, or one that is the same for many requests.
    Verbatim(&'a [u8]),
    /// A list put together from several lines, or without members that may not leave.
    Rebuilt(Vec<u8>),
}

impl Tracestate<'_> {
    /// Returns the list as text; empty where there is none.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Absent => &[],
            Self::Verbatim(text) => text,
            Self::Rebuilt(text) => text,
        }
    }

    /// Returns the value of the member with this key.
    #[inline]
    pub fn member(&self, key: &[u8]) -> Option<&[u8]> {
        // Nearly every request has no list.
        if let Self::Absent = self {
            return None;
        }
        self.members()
            .find_map(|member| member.strip_prefix(key)?.strip_prefix(b"="))
    }

    /// Returns the list with this member on the left, the place of a changed member, or without it. A 33rd member
    /// pushes out the right-most, and members beyond Sidespan's own limit are dropped; both are counted.
    #[must_use]
    #[inline]
    pub fn with(self, key: &[u8], value: Option<&[u8]>, stats: &mut Stats) -> Self {
        let old = self.member(key);
        if old == value {
            return self;
        }
        let own = value.map(|value| written(key, value));
        if self == Self::Absent && own.as_ref().is_some_and(|own| own.len() <= MAX_BYTES) {
            return own.map_or(Self::Absent, Self::Rebuilt);
        }
        let kept = self
            .members()
            .filter(|member| legal_key(member) != Some(key));
        let mut members: Vec<&[u8]> = own.as_deref().into_iter().chain(kept).collect();
        let is_full = members.len() > W3C_MAX_MEMBERS;
        members.truncate(W3C_MAX_MEMBERS);
        if cut(&mut members) || is_full {
            stats.add(Counter::TracestateTruncated);
        }
        if members.is_empty() {
            Self::Absent
        } else {
            Self::Rebuilt(join(&members))
        }
    }

    /// Returns the list without the members with these keys.
    #[inline]
    pub(crate) fn without(&self, keys: &[&[u8]]) -> Vec<u8> {
        let is_kept = |member: &&[u8]| legal_key(member).is_none_or(|key| !keys.contains(&key));
        let kept: Vec<_> = self.members().filter(is_kept).collect();
        join(&kept)
    }

    #[inline]
    fn members(&self) -> impl Iterator<Item = &[u8]> {
        scan::split(self.as_bytes(), b',').filter(|member| !member.is_empty())
    }
}

/// Key of the member that carries debug, which `traceparent` has no word for; its value is B3's single header.
pub const B3_MEMBER: &[u8] = b"b3";
/// Key of Datadog's member.
pub const DATADOG_MEMBER: &[u8] = b"dd";

/// Reads all lines, and counts a list that is dropped or cut beside a valid `traceparent`.
#[inline]
pub fn read<'a>(lines: &Lines<'_, 'a>, stats: &mut Stats) -> Tracestate<'a> {
    if !lines.is_present() {
        return Tracestate::Absent;
    }
    let Some(mut members) = members(lines) else {
        stats.add(Counter::TracestateMalformed);
        return Tracestate::Absent;
    };
    if cut(&mut members) {
        stats.add(Counter::TracestateTruncated);
    }
    if members.is_empty() {
        return Tracestate::Absent;
    }
    match lines.single() {
        Some(line) if is_written_so(line, &members) => Tracestate::Verbatim(line),
        _ => Tracestate::Rebuilt(join(&members)),
    }
}

/// Returns the members in order, each key once; `None` when the header is unusable.
#[inline]
fn members<'a>(lines: &Lines<'_, 'a>) -> Option<Vec<&'a [u8]>> {
    let mut members: Vec<&[u8]> = Vec::with_capacity(4);
    let mut count = 0_usize;
    for line in lines.iter() {
        for member in scan::split(line, b',').map(trim) {
            if member.is_empty() {
                continue;
            }
            let key = legal_key(member)?;
            count = count.saturating_add(1);
            if count > W3C_MAX_MEMBERS {
                return None;
            }
            if !members.iter().any(|other| legal_key(other) == Some(key)) {
                members.push(member);
            }
        }
    }
    Some(members)
}

/// Returns a member as it stands in the list.
#[inline]
fn written(key: &[u8], value: &[u8]) -> Vec<u8> {
    let length = key.len().saturating_add(value.len()).saturating_add(1);
    let mut member = Vec::with_capacity(length);
    member.extend_from_slice(key);
    member.push(b'=');
    member.extend_from_slice(value);
    member
}

/// Returns the key of a legal member.
#[inline]
fn legal_key(member: &[u8]) -> Option<&[u8]> {
    let equals = scan::position(member, b'=')?;
    let (key, value) = member.split_at_checked(equals)?;
    let value = value.strip_prefix(b"=")?;
    let starts = matches!(key.first()?, b'a'..=b'z' | b'0'..=b'9');
    let is_key = key.len() <= W3C_MAX_PART_BYTES
        && key.iter().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
        );
    let is_value = !value.is_empty()
        && value.len() <= W3C_MAX_PART_BYTES
        && value
            .iter()
            .all(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'='));
    (starts && is_key && is_value).then_some(key)
}

/// Drops whole members until the list fits, long ones first, then from the right; returns true if any was dropped.
#[inline]
fn cut(members: &mut Vec<&[u8]>) -> bool {
    let before = members.len();
    while length(members) > MAX_BYTES {
        let long = members
            .iter()
            .rposition(|member| member.len() > W3C_LONG_MEMBER_BYTES);
        match long {
            Some(at) => {
                members.remove(at);
            }
            None => {
                members.pop();
            }
        }
    }
    members.len() < before
}

#[inline]
fn length(members: &[&[u8]]) -> usize {
    members
        .iter()
        .fold(0_usize, |sum, member| {
            sum.saturating_add(member.len()).saturating_add(1)
        })
        .saturating_sub(1)
}

/// Returns true if the line is these members with nothing but commas between them.
#[inline]
fn is_written_so(line: &[u8], members: &[&[u8]]) -> bool {
    line.len() == length(members) && scan::split(line, b',').eq(members.iter().copied())
}

#[inline]
fn join(members: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(length(members));
    for member in members {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(member);
    }
    text
}

#[cfg(test)]
mod tests;
