//! The fields of a SERVER span of an HTTP request (OTLP), by OpenTelemetry's conventions, in the order in which their values
//! are known. Attributes are written with their keys and tags as one constant.

use crate::headers::RequestHeaders;
use crate::trace_parent::Ids;
use crate::writer::{Writer, padded};

/// The attributes in CEL that a span is told by at its end, in the order of [`Facts`].
pub(crate) const QUESTION: &[u8] =
    b"[request.time,request.duration,response.flags,response.code,source.address,request.protocol]";

/// The key of an attribute as protobuf has it, made by the compiler.
macro_rules! key {
    ($name:literal) => {{
        const KEY: [u8; $name.len() + 2] = key_of($name);
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
    out.block(&[0x0a, 16]);
    out.block(&ids.trace);
    out.block(&[0x12, 8]);
    out.block(&ids.span);
    let mut flags = FLAGS_KNOWN | u32::from(is_sampled);
    if let Some(parent) = &ids.parent {
        flags |= FLAGS_REMOTE;
        out.block(&[0x22, 8]);
        out.block(parent);
    }
    let [length, ..] = headers.method.len().to_le_bytes();
    out.block(&[0x2a, length]);
    out.text(headers.method);
    out.block(&[0x30, SERVER, 0x85, 0x01]);
    out.block(&flags.to_le_bytes());
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
    number(out, key!("server.port"), port);
}

/// Writes what the end of a request says, and that an unsampled span was kept.
#[inline]
pub(crate) fn end(out: &mut Writer<'_>, facts: &Facts<'_>, has_client: bool, is_kept: bool) {
    number(out, key!("http.response.status_code"), facts.status);
    let (address, port) = split(facts.source, last(facts.source, b':'));
    if has_client {
        text(out, key!("client.address"), address);
    }
    if port != b"0" {
        text(out, key!("network.peer.address"), address);
        number(out, key!("network.peer.port"), decimal(port));
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
    out.block(&[0x39]);
    out.block(&facts.start.to_le_bytes());
    out.block(&[0x41]);
    out.block(&facts.start.wrapping_add(facts.duration).to_le_bytes());
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
pub(crate) fn text<const N: usize>(out: &mut Writer<'_>, key: &[u8; N], value: &[u8]) {
    let all = value.len().wrapping_add(N).wrapping_add(4);
    if all < 128 {
        let [all, ..] = all.to_le_bytes();
        let [length, ..] = value.len().to_le_bytes();
        out.block(&[0x4a, all]);
        out.block(key);
        out.block(&[0x12, length.wrapping_add(2), 0x0a, length]);
    } else {
        out.block(&[0x4a]);
        out.length(all.wrapping_add(4));
        out.block(key);
        out.block(&[0x12]);
        out.length(value.len().wrapping_add(4));
        out.block(&[0x0a]);
        out.length(value.len());
    }
    out.text(value);
}

/// Writes an attribute that is a number.
#[inline]
fn number<const N: usize>(out: &mut Writer<'_>, key: &[u8; N], value: usize) {
    let [all, ..] = N.wrapping_add(6).to_le_bytes();
    out.block(&[0x4a, all]);
    out.block(key);
    let [a, b, c] = padded(value);
    out.block(&[0x12, 4, 0x18, a, b, c]);
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
    text.iter().position(|it| *it == byte)
}

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

/// Returns the field of a key, and its value.
const fn key_of<const N: usize>(name: &str) -> [u8; N] {
    let (mut key, name) = ([0; N], name.as_bytes());
    key[0] = 0x0a;
    key[1] = name.len().to_le_bytes()[0];
    let mut at = 0;
    while at < name.len() {
        key[at + 2] = name[at];
        at += 1;
    }
    key
}

const SERVER: u8 = 2;
/// The bits of OTLP's `SpanFlags` that say whether the parent is remote: that it is known, and that it is.
const FLAGS_KNOWN: u32 = 0x100;
const FLAGS_REMOTE: u32 = 0x200;
