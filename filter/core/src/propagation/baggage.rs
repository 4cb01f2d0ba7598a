//! The `baggage` header of [W3C Baggage], which is not trace context: untouched unless the configuration says
//! otherwise.
//!
//! ```abnf
//! baggage     = list-member *( OWS "," OWS list-member )
//! list-member = key OWS "=" OWS value *( OWS ";" OWS property )
//! key         = token                   ; case-sensitive, never percent-decoded
//! value       = *( %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E )   ; UTF-8, percent-encoded
//! ```
//!
//! `userId=alice,serverNode=DF%2028;secure`
//!
//! A proxy that adds no member must not be the one that truncates, so there is no limit by default. Where members are
//! denied or a limit is set, whole members are removed, from the right for a limit, and counted; values are never
//! logged. Illegal members are removed with them, but only when the header has to be rewritten at all (BG-6). Jaeger's
//! `uberctx-<key>` and OpenTracing's `ot-baggage-<key>` stay as they are; where that is configured, they are copied
//! into W3C's form, at the right end, and only where there is room: 64 members and 8,192 bytes are the least that a
//! participant must pass on ("Limits").
//!
//! [W3C Baggage]: https://www.w3.org/TR/baggage/

use alloc::vec::Vec;

use super::settings::{Baggage, BaggageSource};
use crate::codec::number::trim;
use crate::codec::{percent, scan};
use crate::headers::{HeaderWriter, Name, RequestHeaders};
use crate::pattern;
use crate::stats::{Counter, Stats};

impl Baggage {
    /// Returns true if the configuration asks for any change of baggage.
    #[inline]
    pub fn is_touched(&self) -> bool {
        !self.deny.is_empty() || self.max_bytes.is_some() || !self.from.is_empty()
    }

    /// Writes the request's baggage as configured. `all` are all headers of the request, because other forms of
    /// baggage have a header for each key.
    pub fn rewrite<'a>(
        &self,
        headers: &RequestHeaders<'_>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        writer: &mut impl HeaderWriter,
        stats: &mut Stats,
    ) {
        let mut list = List::of(headers);
        let before = list.members.len();
        let is_legal = list
            .members
            .iter()
            .all(|member| legal_key(member).is_some());
        list.members.retain(|member| !self.denies(member));
        if let Some(limit) = self.max_bytes {
            list.cut(limit);
        }
        let is_cut = list.members.len() < before;
        // White space and empty members count for a limit, because the next hop counts them too (BG-10).
        let is_padded = self.max_bytes.is_some_and(|limit| list.received > limit);
        let (added, mut lost) = self.translate(&list, all);
        if is_cut || is_padded || !added.is_empty() {
            if !is_legal {
                list.members.retain(|member| legal_key(member).is_some());
            }
            let gone = before.saturating_sub(list.members.len());
            lost = lost.saturating_add(gone);
            list.members.extend(added.iter().map(Vec::as_slice));
            headers.set_or_remove(writer, Name::Baggage, &list.join());
        }
        stats.add_many(Counter::BaggageDropped, lost);
    }

    /// Returns the members made of other forms, as far as there is room, and the number of members without room.
    fn translate<'a>(
        &self,
        list: &List<'_>,
        all: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> (Vec<Vec<u8>>, usize) {
        let limit = self.max_bytes.unwrap_or(W3C_BYTES).min(W3C_BYTES);
        let mut length = list.length();
        let mut added: Vec<Vec<u8>> = Vec::new();
        let mut lost = 0_usize;
        if self.from.is_empty() {
            return (added, lost);
        }
        for member in all.filter_map(|(name, value)| self.translated(name, value)) {
            let count = list.members.len().saturating_add(added.len());
            // A member without room is not compared with the others either: a caller must not buy work with length.
            if count >= W3C_MEMBERS {
                lost = lost.saturating_add(1);
                continue;
            }
            let key = legal_key(&member);
            let known = list.members.iter().copied();
            let is_known = known
                .chain(added.iter().map(Vec::as_slice))
                .any(|other| legal_key(other) == key);
            if self.denies(&member) || is_known {
                continue;
            }
            let comma = usize::from(count > 0);
            let total = length.saturating_add(comma).saturating_add(member.len());
            if total > limit {
                lost = lost.saturating_add(1);
            } else {
                length = total;
                added.push(member);
            }
        }
        (added, lost)
    }

    fn denies(&self, member: &[u8]) -> bool {
        // The key of an illegal member is the text in front of its first `=`.
        let key = scan::split(member, b'=').next().map(trim);
        key.is_some_and(|key| {
            self.deny
                .iter()
                .any(|pattern| pattern::matches(pattern, key))
        })
    }

    /// Returns the member made of one header of another form.
    fn translated(&self, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let (source, key) = None
            .or_else(|| Some((BaggageSource::Jaeger, name.strip_prefix(b"uberctx-")?)))
            .or_else(|| Some((BaggageSource::OtTrace, name.strip_prefix(b"ot-baggage-")?)))?;
        if !self.from.contains(&source) || !is_token(key) {
            return None;
        }
        let mut member = key.to_vec();
        member.push(b'=');
        // Jaeger's clients percent-encode values for HTTP, as W3C does; so encoded bytes stay as they are (JG-10).
        let is_encoded = source == BaggageSource::Jaeger;
        member.extend(percent::encoded(value, |byte| match byte {
            b'%' => is_encoded,
            other => is_octet(other),
        }));
        Some(member)
    }
}

/// Returns the decoded value of a key, for a span's attributes; of several members with one key the last counts.
/// Nothing is read of a header longer than `W3C_BYTES`, nor of members behind the first `W3C_MEMBERS`, because a caller
/// must not buy work with length (BG-21).
pub fn value(headers: &RequestHeaders<'_>, key: &[u8]) -> Option<Vec<u8>> {
    if length(headers.lines(Name::Baggage).iter()) > W3C_BYTES {
        return None;
    }
    let member = members(headers)
        .take(W3C_MEMBERS)
        .filter(|member| legal_key(member) == Some(key))
        .last()?;
    let (_, value) = split(member)?;
    let value = scan::split(value, b';').next().map(trim)?;
    Some(percent::decode(value))
}

struct List<'a> {
    members: Vec<&'a [u8]>,
    // Bytes of all received lines, joined with commas.
    received: usize,
}

/// Returns the members of all lines, in order.
fn members<'a>(headers: &RequestHeaders<'a>) -> impl Iterator<Item = &'a [u8]> {
    headers
        .lines(Name::Baggage)
        .iter()
        .flat_map(|line| scan::split(line, b','))
        .map(trim)
        .filter(|member| !member.is_empty())
}

impl<'a> List<'a> {
    fn of(headers: &RequestHeaders<'a>) -> Self {
        Self {
            members: members(headers).collect(),
            received: length(headers.lines(Name::Baggage).iter()),
        }
    }

    /// Removes members from the right until the rest fits.
    fn cut(&mut self, limit: usize) {
        let mut end = 0_usize;
        let fitting = self.members.iter().take_while(|member| {
            let comma = usize::from(end > 0);
            end = end.saturating_add(comma).saturating_add(member.len());
            end <= limit
        });
        let count = fitting.count();
        self.members.truncate(count);
    }

    fn length(&self) -> usize {
        length(self.members.iter().copied())
    }

    fn join(&self) -> Vec<u8> {
        self.members.join(&b',')
    }
}

/// Returns the length of these parts with a comma between any two.
fn length<'a>(parts: impl Iterator<Item = &'a [u8]>) -> usize {
    parts
        .fold(0_usize, |sum, part| {
            sum.saturating_add(part.len()).saturating_add(1)
        })
        .saturating_sub(1)
}

/// Returns the key of a legal member.
fn legal_key(member: &[u8]) -> Option<&[u8]> {
    let (key, value) = split(member)?;
    let is_legal = |byte: &u8| {
        // White space stands only around the separators of properties.
        matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x5b | 0x5d..=0x7e | b' ' | b'\t')
    };
    (is_token(key) && value.iter().all(is_legal)).then_some(key)
}

fn split(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = scan::position(member, b'=')?;
    let (key, value) = member.split_at_checked(equals)?;
    Some((trim(key), trim(value.strip_prefix(b"=")?)))
}

/// Returns true if the byte is a baggage-octet, which may stand in a value as it is.
fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// Returns true if the text is a token (RFC 9110, section 5.6.2).
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Members that every participant must pass on (W3C Baggage, "Limits").
const W3C_MEMBERS: usize = 64;
/// Bytes that every participant must pass on (W3C Baggage, "Limits").
const W3C_BYTES: usize = 8192;

#[cfg(test)]
mod tests;
