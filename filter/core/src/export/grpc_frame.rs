//! The prefix of a gRPC message ([gRPC over HTTP2], "Length-Prefixed-Message").
//!
//! [gRPC over HTTP2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

use super::settings::Compression;

/// Returns the prefix of a message: the flag of compression, and the length.
#[inline]
pub fn grpc_prefix(message_bytes: usize, compression: Compression) -> [u8; GRPC_PREFIX_BYTES] {
    let length = u32::try_from(message_bytes).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_be_bytes();
    let is_compressed = match compression {
        Compression::None => 0,
        Compression::Gzip => 1,
    };
    [is_compressed, a, b, c, d]
}

/// Returns the message of a gRPC body, if the message is whole and not compressed.
#[inline]
pub fn grpc_message(body: &[u8]) -> Option<&[u8]> {
    let ([compressed, length @ ..], rest) = body.split_first_chunk::<5>()?;
    if *compressed != 0 {
        return None;
    }
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.get(..length)
}

/// The length of the prefix.
pub const GRPC_PREFIX_BYTES: usize = 5;
