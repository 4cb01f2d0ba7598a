//! A request as it is sent and retried: the request frame around a batch of spans, compressed where that is wanted, and
//! behind gRPC's prefix where the protocol is gRPC.

use alloc::vec;
use alloc::vec::Vec;

use super::queue::PendingRequest;
use super::settings::{Compression, Protocol};
use crate::codec::gzip;
use crate::export::grpc_frame;
use crate::otlp::request::RequestFrame;

#[derive(Debug)]
pub(super) struct Request {
    // The body, and in front of it the room that is left.
    bytes: Vec<u8>,
    body_at: usize,
    pub(super) compression: Compression,
    pub(super) spans: usize,
    pub(super) attempts: u32,
}

impl Request {
    /// Returns a request before its first attempt. A message that would not become smaller is not compressed.
    #[inline]
    pub(super) fn new(
        pending: PendingRequest,
        frame: &RequestFrame,
        protocol: Protocol,
        wanted: Compression,
    ) -> Self {
        let PendingRequest {
            mut bytes,
            spans_at,
            spans,
            ..
        } = pending;
        let mut body_at = frame.complete(&mut bytes, spans_at);
        let prefix_bytes = match protocol {
            Protocol::Grpc => grpc_frame::GRPC_PREFIX_BYTES,
            Protocol::HttpProtobuf => 0,
        };
        let mut compression = Compression::None;
        if wanted == Compression::Gzip
            && let Some(message) = bytes.get(body_at..)
            && let Some(small) = gzip::compress(message)
        {
            // Replaces the message, so that a retry does not compress it again.
            bytes = vec![0; prefix_bytes];
            bytes.extend_from_slice(&small);
            bytes.shrink_to_fit();
            body_at = prefix_bytes;
            compression = Compression::Gzip;
        }
        let message_bytes = bytes.len().saturating_sub(body_at);
        let prefix = grpc_frame::grpc_prefix(message_bytes, compression);
        body_at = body_at.saturating_sub(prefix_bytes);
        let places = bytes.iter_mut().skip(body_at).take(prefix_bytes);
        for (place, byte) in places.zip(prefix) {
            *place = byte;
        }
        Self {
            bytes,
            body_at,
            compression,
            spans,
            attempts: 0,
        }
    }

    #[inline]
    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or_default()
    }
}
