//! Envoy's foreign functions `compress` and `uncompress`: zlib streams (RFC 1950) at zlib's default level.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::abi_types::{Answer, Status, refuse};

/// Returns the zlib stream of any bytes.
pub(super) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Returns the bytes of a zlib stream. Bytes behind the stream do no harm, as in zlib itself.
///
/// # Errors
/// SERIALIZATION_FAILURE: no zlib stream, or not all of it. INTERNAL_FAILURE: more bytes than a guest can have.
pub(super) fn uncompress(bytes: &[u8]) -> Answer<Vec<u8>> {
    let mut result = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(MAX_BYTES);
    if let Err(error) = decoder.read_to_end(&mut result) {
        return refuse(
            Status::SerializationFailure,
            format!("these bytes are no zlib stream: {error}"),
        );
    }
    if decoder.limit() == 0 {
        return refuse(
            Status::InternalFailure,
            "the stream has more bytes than a guest's memory; Envoy would take its own memory for them",
        );
    }
    Ok(result)
}

/// Envoy's own limit on the memory of a guest.
const MAX_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with the answers of Envoy 1.40.
    #[test]
    fn compresses_as_envoy_does() {
        let text = "the quick brown fox jumps over the lazy dog. ".repeat(20) + "abcabcabc";
        let envoy = "789c2bc94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f4b2d5228c94855c849acaa5448c94fd703f346158f86\
                     c668da28a7664e494c4a86200068fe490e";
        assert_eq!(hex(&compress(text.as_bytes())), envoy);
        assert_eq!(hex(&compress(b"")), "789c030000000001");
        assert_eq!(
            uncompress(&compress(text.as_bytes())).unwrap(),
            text.as_bytes()
        );
    }

    #[test]
    fn refuses_what_is_no_whole_stream() {
        let stream = compress(b"bytes");
        for bytes in [&b""[..], b"junk", &stream[..stream.len() - 1]] {
            assert!(uncompress(bytes).is_err(), "{}", bytes.escape_ascii());
        }
        let longer = [&stream[..], b"behind"].concat();
        assert_eq!(uncompress(&longer).unwrap(), b"bytes");
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
