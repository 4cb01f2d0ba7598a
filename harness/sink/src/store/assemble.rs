//! The encoder of stored bytes into a request: spans go back among the fields that were around them, byte for byte.

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

/// The spans of one resource and scope, as stored.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) resource: &'a [u8],
    pub(super) scope: &'a [u8],
    pub(super) spans: Vec<&'a [u8]>,
}

/// Returns the bytes of an `ExportTraceServiceRequest`, which are those of a `TracesData` too.
pub(super) fn request<'a>(parts: impl IntoIterator<Item = Part<'a>>) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        let spans: usize = part
            .spans
            .iter()
            .map(|span| length(SPANS, span.len()))
            .sum();
        let scope_spans = part.scope.len() + spans;
        let resource_spans = part.resource.len() + length(SCOPE_SPANS, scope_spans);
        open(RESOURCE_SPANS, resource_spans, &mut out);
        out.extend_from_slice(part.resource);
        open(SCOPE_SPANS, scope_spans, &mut out);
        out.extend_from_slice(part.scope);
        for span in part.spans {
            open(SPANS, span.len(), &mut out);
            out.extend_from_slice(span);
        }
    }
    out
}

fn open(number: u32, length: usize, out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(wide(length), out);
}

fn length(number: u32, content: usize) -> usize {
    key_len(number) + encoded_len_varint(wide(content)) + content
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

const RESOURCE_SPANS: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SPANS: u32 = 2;
