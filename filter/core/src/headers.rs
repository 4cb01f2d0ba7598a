//! The headers of one request, read in one pass, and the way changes go back.
//!
//! The proxy hands over the whole header map as one block of bytes; asking for single headers would cost a call each.
//! [`RequestHeaders::read`] walks over it once and keeps borrowed slices of what the filter knows, so nothing is
//! allocated for a header, and nothing about a header is believed: values are bytes, names may repeat.

pub mod list;
pub mod wire;

use alloc::vec::Vec;

/// All lines of one header, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines<'a> {
    first: Option<&'a [u8]>,
    // Empty for all but hostile or careless callers, and then without an allocation.
    rest: Vec<&'a [u8]>,
}

impl<'a> Lines<'a> {
    /// The value of the first line.
    pub fn first(&self) -> Option<&'a [u8]> {
        self.first
    }

    /// The value, if there is exactly one line.
    pub fn single(&self) -> Option<&'a [u8]> {
        self.first.filter(|_| self.rest.is_empty())
    }

    /// Whether there is a line, be it empty.
    pub fn is_present(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the header consists of exactly one line with this value.
    pub fn is_exactly(&self, value: &[u8]) -> bool {
        self.single() == Some(value)
    }

    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.first.into_iter().chain(self.rest.iter().copied())
    }

    fn push(&mut self, value: &'a [u8]) {
        if self.first.is_none() {
            self.first = Some(value);
        } else {
            self.rest.push(value);
        }
    }
}

/// What the filter knows of a request's headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeaders<'a> {
    /// `:method`
    pub method: Lines<'a>,
    /// `:path`: path and query as received.
    pub path: Lines<'a>,
    /// `:authority`, in HTTP/1.1 the Host header.
    pub authority: Lines<'a>,
    /// `:scheme`
    pub scheme: Lines<'a>,
    /// `user-agent`
    pub user_agent: Lines<'a>,
    /// `x-forwarded-for`
    pub forwarded_for: Lines<'a>,
    /// `x-forwarded-proto`
    pub forwarded_proto: Lines<'a>,
    /// `traceparent`
    pub traceparent: Lines<'a>,
    /// `tracestate`
    pub tracestate: Lines<'a>,
    /// `b3`
    pub b3: Lines<'a>,
    /// `x-b3-traceid`
    pub b3_trace_id: Lines<'a>,
    /// `x-b3-spanid`
    pub b3_span_id: Lines<'a>,
    /// `x-b3-parentspanid`
    pub b3_parent_span_id: Lines<'a>,
    /// `x-b3-sampled`
    pub b3_sampled: Lines<'a>,
    /// `x-b3-flags`
    pub b3_flags: Lines<'a>,
}

impl<'a> RequestHeaders<'a> {
    /// Keeps what the filter knows of these headers; names are expected in lower case, as proxies write them.
    pub fn read(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut kept = Self::default();
        for (name, value) in headers {
            if let Some(lines) = kept.lines_of(name) {
                lines.push(value);
            }
        }
        kept
    }

    fn lines_of(&mut self, name: &[u8]) -> Option<&mut Lines<'a>> {
        Some(match name {
            b":method" => &mut self.method,
            b":path" => &mut self.path,
            b":authority" => &mut self.authority,
            b":scheme" => &mut self.scheme,
            b"user-agent" => &mut self.user_agent,
            b"x-forwarded-for" => &mut self.forwarded_for,
            b"x-forwarded-proto" => &mut self.forwarded_proto,
            b"traceparent" => &mut self.traceparent,
            b"tracestate" => &mut self.tracestate,
            b"b3" => &mut self.b3,
            b"x-b3-traceid" => &mut self.b3_trace_id,
            b"x-b3-spanid" => &mut self.b3_span_id,
            b"x-b3-parentspanid" => &mut self.b3_parent_span_id,
            b"x-b3-sampled" => &mut self.b3_sampled,
            b"x-b3-flags" => &mut self.b3_flags,
            _ => return None,
        })
    }
}

/// Where changes to the request's headers go.
pub trait HeaderWriter {
    /// Makes this the header's one line.
    fn set(&mut self, name: &'static str, value: &[u8]);
    /// Takes away all lines of the header.
    fn remove(&mut self, name: &'static str);
}

/// Writes the header unless it already says exactly this: a write that changes nothing still costs a call.
pub(crate) fn set_if_other(
    writer: &mut impl HeaderWriter,
    received: &Lines<'_>,
    name: &'static str,
    value: &[u8],
) {
    if !received.is_exactly(value) {
        writer.set(name, value);
    }
}

/// Removes the header if it is there.
pub(crate) fn remove_if_present(
    writer: &mut impl HeaderWriter,
    received: &Lines<'_>,
    name: &'static str,
) {
    if received.is_present() {
        writer.remove(name);
    }
}

/// Without spaces and tabs at both ends (RFC 9110, optional whitespace).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let mut rest = value;
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = rest {
        rest = inner;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_line_of_a_repeated_header_in_order() {
        let headers = RequestHeaders::read([
            (&b"tracestate"[..], &b"a=1"[..]),
            (b"other", b"x"),
            (b"tracestate", b""),
            (b"tracestate", b"b=2"),
        ]);
        let lines: Vec<_> = headers.tracestate.iter().collect();
        assert_eq!(lines, [&b"a=1"[..], b"", b"b=2"]);
        assert_eq!(headers.tracestate.single(), None);
        assert!(!headers.traceparent.is_present());
    }

    #[test]
    fn an_empty_line_is_present() {
        let headers = RequestHeaders::read([(&b"b3"[..], &b""[..])]);
        assert!(headers.b3.is_present());
        assert_eq!(headers.b3.single(), Some(&b""[..]));
    }

    #[test]
    fn trims_spaces_and_tabs_and_nothing_else() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba"), b"\x0ba");
    }
}
