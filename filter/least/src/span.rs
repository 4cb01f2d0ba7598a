//! The fields of a SERVER span of an HTTP request (OTLP), by OpenTelemetry's conventions, in the order in which their values
//! are known. Attributes are written with their keys and tags as one constant.

use crate::headers::RequestHeaders;
use crate::trace_parent::Ids;
use crate::writer::{Writer, padded};

/// The attributes in CEL that a span is told by at its end, in the order of [`Facts`].
pub(crate) const QUESTION: &[u8] =
    b"[request.time,request.duration,response.flags,response.code,source.address,request.protocol]";

/// The key of an attribute with the tags in front of it, as words that the compiler makes.
pub(crate) struct Key<const W: usize> {
    words: [u64; W],
    length: usize,
}

/// Makes the key of a text: what follows is the value's tags and lengths.
macro_rules! key {
    ($name:literal) => {{
        const KEY: Key<{ ($name.len() + 4).div_ceil(8) }> = Key::of($name, &[]);
        &KEY
    }};
}

/// Makes the key of a number with the value's tags behind it.
macro_rules! number_key {
    ($name:literal) => {{
        const KEY: Key<{ ($name.len() + 10).div_ceil(8) }> =
            Key::of($name, &[0x12, 4, 0x18, 0, 0, 0]);
        &KEY
    }};
}

/// Writes what the request says. `fixed` are the attributes that every span has.
#[inline]
pub(crate) fn begin(
    out: &mut Writer<'_>,
    ids: &Ids,
    is_sampled: bool,
    decision: &[u8],
    fixed: &[u8],
    headers: &RequestHeaders<'_>,
) {
    let [trace, rest] = words_of(&ids.trace);
    out.word(0x100a, 2);
    out.word(trace, 8);
    out.word(rest, 8);
    out.word(0x0812, 2);
    out.word(u64::from_le_bytes(ids.span), 8);
    let mut flags = FLAGS_KNOWN | u32::from(is_sampled);
    if let Some(parent) = &ids.parent {
        flags |= FLAGS_REMOTE;
        out.word(0x0822, 2);
        out.word(u64::from_le_bytes(*parent), 8);
    }
    let [length, ..] = headers.method.len().to_le_bytes();
    out.word(u64::from_le_bytes([0x2a, length, 0, 0, 0, 0, 0, 0]), 2);
    out.text(headers.method);
    let [a, b, ..] = flags.to_le_bytes();
    out.word(
        u64::from_le_bytes([0x30, SERVER, 0x85, 0x01, a, b, 0, 0]),
        8,
    );
    out.bytes(fixed);
    text(out, key!("sidespan.decision"), decision);
    text(out, key!("http.request.method"), headers.method);
    let (path, query) = split(headers.path, first(headers.path, b'?'));
    text(out, key!("url.path"), path);
    if !query.is_empty() {
        text(out, key!("url.query"), query);
    }
    let scheme = match headers.forwarded_proto {
        [] => headers.scheme,
        forwarded => forwarded,
    };
    text(out, key!("url.scheme"), scheme);
    if !headers.forwarded_for.is_empty() {
        let (client, _) = split(headers.forwarded_for, first(headers.forwarded_for, b','));
        text(out, key!("client.address"), client);
    }
    if !headers.user_agent.is_empty() {
        text(out, key!("user_agent.original"), headers.user_agent);
    }
    let (address, port) = split(headers.authority, last(headers.authority, b':'));
    text(out, key!("server.address"), address);
    let port = match (port, scheme.len()) {
        ([], 5) => 443,
        ([], _) => 80,
        (digits, _) => decimal(digits),
    };
    number(out, number_key!("server.port"), port);
}

/// Writes what the end of a request says, and that an unsampled span was kept.
#[inline]
pub(crate) fn end(out: &mut Writer<'_>, facts: &Facts<'_>, has_client: bool, is_kept: bool) {
    number(out, number_key!("http.response.status_code"), facts.status);
    let (address, port) = split(facts.source, last(facts.source, b':'));
    if has_client {
        text(out, key!("client.address"), address);
    }
    if port != b"0" {
        text(out, key!("network.peer.address"), address);
        number(out, number_key!("network.peer.port"), decimal(port));
    }
    let (_, version) = split(facts.protocol, first(facts.protocol, b'/'));
    text(out, key!("network.protocol.version"), version);
    if facts.status >= 500 {
        let code = [100, 10, 1].map(|of| b'0'.wrapping_add(digit(facts.status / of)));
        text(out, key!("error.type"), &code);
        out.block(&[0x7a, 2, 0x18, 2]);
    }
    if is_kept {
        text(out, key!("sidespan.kept"), b"error");
    }
    out.word(0x39, 1);
    out.word(facts.start, 8);
    out.word(0x41, 1);
    out.word(facts.start.wrapping_add(facts.duration), 8);
}

/// The answers to [`QUESTION`].
pub(crate) struct Facts<'a> {
    start: u64,
    duration: u64,
    status: usize,
    source: &'a [u8],
    protocol: &'a [u8],
}

impl<'a> Facts<'a> {
    /// Reads a list of six, which has the form of a map of headers with empty values: six pairs of lengths behind their
    /// number, then numbers of eight bytes, each with two zeros behind it, and two texts.
    #[inline]
    pub(crate) fn read(list: &'a [u8]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(*list.get(at..)?.first_chunk()?));
        let length = |at: usize| {
            let bytes = list.get(at..)?.first_chunk()?;
            usize::try_from(u32::from_le_bytes(*bytes)).ok()
        };
        let (source, protocol) = (length(36)?, length(44)?);
        let source_end = source.wrapping_add(92);
        let protocol_at = source_end.wrapping_add(2);
        Some(Self {
            start: number(52)?,
            duration: number(62)?,
            status: usize::try_from(number(82)?).ok()?,
            source: list.get(92..source_end)?,
            protocol: list.get(protocol_at..protocol_at.wrapping_add(protocol))?,
        })
    }
}

/// Writes an attribute that is a text.
#[inline]
fn text<const W: usize>(out: &mut Writer<'_>, key: &Key<W>, value: &[u8]) {
    let all = value.len().wrapping_add(key.length).wrapping_add(2);
    if all < 128 {
        let ([all, ..], [length, ..]) = (all.to_le_bytes(), value.len().to_le_bytes());
        out.words(&key.words, key.length);
        out.patch(key.length.wrapping_sub(1), all);
        let tags = [0x12, length.wrapping_add(2), 0x0a, length, 0, 0, 0, 0];
        out.word(u64::from_le_bytes(tags), 4);
    } else {
        long(out, &key.words, key.length, value.len());
    }
    out.text(value);
}

/// Writes the tags, lengths and the key of a text that is too long for lengths of one byte.
#[inline(never)]
fn long(out: &mut Writer<'_>, key: &[u64], length: usize, value: usize) {
    let all = value.wrapping_add(length).wrapping_add(6);
    out.block(&[0x4a]);
    out.length(all);
    // Without the tag and the length of an attribute.
    let mut key = key.iter().flat_map(|word| word.to_le_bytes()).take(length);
    let _ = (key.next(), key.next());
    for byte in key {
        out.block(&[byte]);
    }
    out.block(&[0x12]);
    out.length(value.wrapping_add(4));
    out.block(&[0x0a]);
    out.length(value);
}

/// Writes an attribute that is a number.
#[inline]
fn number<const W: usize>(out: &mut Writer<'_>, key: &Key<W>, value: usize) {
    let [a, b, c] = padded(value);
    out.words(&key.words, key.length);
    out.patch(3, a);
    out.patch(2, b);
    out.patch(1, c);
}

/// Returns the parts before and behind the byte at a position; all and nothing where there is none.
#[inline]
fn split(text: &[u8], at: Option<usize>) -> (&[u8], &[u8]) {
    let parts = at.and_then(|at| text.split_at_checked(at));
    match parts {
        Some((before, [_, behind @ ..])) => (before, behind),
        _ => (text, &[]),
    }
}

#[inline]
fn first(text: &[u8], byte: u8) -> Option<usize> {
    let (mut words, mut at) = (text.chunks_exact(8), 0_usize);
    for word in &mut words {
        let word = word
            .first_chunk()
            .map_or(0, |word| u64::from_le_bytes(*word));
        // A byte that is equal becomes zero, and a zero borrows from its highest bit.
        let rest = word ^ u64::from(byte).wrapping_mul(ONES);
        let found = rest.wrapping_sub(ONES) & !rest & (ONES << 7);
        if found != 0 {
            return Some(at.wrapping_add(found.trailing_zeros() as usize / 8));
        }
        at = at.wrapping_add(8);
    }
    let place = words.remainder().iter().position(|it| *it == byte)?;
    Some(at.wrapping_add(place))
}

const ONES: u64 = 0x0101_0101_0101_0101;

#[inline]
fn last(text: &[u8], byte: u8) -> Option<usize> {
    text.iter().rposition(|it| *it == byte)
}

#[inline]
fn decimal(digits: &[u8]) -> usize {
    digits.iter().fold(0_usize, |number, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(usize::from(digit & 0xf))
    })
}

#[inline]
fn digit(number: usize) -> u8 {
    let [digit, ..] = (number % 10).to_le_bytes();
    digit
}

impl<const W: usize> Key<W> {
    /// Makes the field of an attribute, its length as if `behind` ended it, the field of its key, and `behind`.
    const fn of(name: &str, behind: &[u8]) -> Self {
        let (mut words, name) = ([0; W], name.as_bytes());
        let length = name.len() + 4 + behind.len();
        let mut at = 0;
        while at < length {
            let byte = match at {
                0 => 0x4a,
                1 => (length - 2).to_le_bytes()[0],
                2 => 0x0a,
                3 => name.len().to_le_bytes()[0],
                _ if at - 4 < name.len() => name[at - 4],
                _ => behind[at - 4 - name.len()],
            };
            words[at / 8] |= u64::from_le_bytes([byte, 0, 0, 0, 0, 0, 0, 0]) << (at % 8 * 8);
            at += 1;
        }
        Self { words, length }
    }
}

#[inline]
fn words_of(bytes: &[u8; 16]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
    [
        u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        u64::from_le_bytes(rest),
    ]
}

const SERVER: u8 = 2;
/// The bits of OTLP's `SpanFlags` that say whether the parent is remote: that it is known, and that it is.
const FLAGS_KNOWN: u32 = 0x100;
const FLAGS_REMOTE: u32 = 0x200;
