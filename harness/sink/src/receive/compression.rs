//! The compressions of a body: `content-encoding` of HTTP, and `grpc-encoding` of gRPC.
//!
//! The limit holds for the inflated bytes too, and each inflated piece takes its memory before the next is made, so that a
//! bomb of a few bytes ends early.

use std::io::{ErrorKind, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use hyper::body::Bytes;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::memory::Share;
use super::refusal::Refusal;

/// The largest window of zstd, as a power of two: 8 MiB, which RFC 9659 makes the limit for HTTP.
const ZSTD_WINDOW_LOG: u32 = 23;
/// The size of the first piece; each further piece doubles what is there.
const FIRST_PIECE: usize = 16 << 10;
/// The size of the largest piece.
const LARGEST_PIECE: usize = 1 << 20;

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// None.
    Identity,
    /// Gzip, of one or several members.
    Gzip,
    /// Zstandard.
    Zstd,
    /// The format of zlib.
    Deflate,
}

impl Compression {
    /// Returns the compression of this name, whatever its case; no name is none.
    pub(crate) fn named(name: &str) -> Option<Self> {
        const NAMES: [(&str, Compression); 5] = [
            ("", Compression::Identity),
            ("identity", Compression::Identity),
            ("gzip", Compression::Gzip),
            ("zstd", Compression::Zstd),
            ("deflate", Compression::Deflate),
        ];
        let known = NAMES
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, compression)| compression)
    }

    /// Inflates a body to at most `limit` bytes.
    ///
    /// # Errors
    /// A refusal, when the body is broken or too large, or there is no memory.
    pub(crate) fn inflate(
        self,
        body: Bytes,
        limit: usize,
        share: &mut Share,
    ) -> Result<Bytes, Refusal> {
        match self {
            Self::Identity if body.len() > limit => Err(Refusal::too_large(limit)),
            Self::Identity => Ok(body),
            Self::Gzip => read("gzip", MultiGzDecoder::new(&*body), limit, share),
            Self::Deflate => read("deflate", ZlibDecoder::new(&*body), limit, share),
            Self::Zstd => {
                let broken = |error| Refusal::broken(format!("broken zstd: {error}"));
                let mut decoder = ZstdDecoder::with_buffer(&*body).map_err(broken)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(broken)?;
                read("zstd", decoder, limit, share)
            }
        }
    }
}

fn read(
    name: &str,
    mut from: impl Read,
    limit: usize,
    share: &mut Share,
) -> Result<Bytes, Refusal> {
    let mut plain = Vec::new();
    loop {
        let piece = plain.len().clamp(FIRST_PIECE, LARGEST_PIECE);
        let begin = plain.len();
        share.take(piece)?;
        plain.resize(begin + piece, 0);
        let mut end = begin;
        while end < plain.len() {
            match from.read(&mut plain[end..]) {
                Ok(0) => {
                    plain.truncate(end);
                    return match end > limit {
                        true => Err(Refusal::too_large(limit)),
                        false => Ok(Bytes::from(plain)),
                    };
                }
                Ok(count) => end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Refusal::broken(format!("broken {name}: {error}"))),
            }
        }
        if end > limit {
            return Err(Refusal::too_large(limit));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;
    use crate::receive::memory::Memory;

    const ALL: [&str; 3] = ["gzip", "zstd", "deflate"];

    fn packed(name: &str, plain: &[u8]) -> Bytes {
        let level = flate2::Compression::best();
        Bytes::from(match name {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            "deflate" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            _ => zstd::encode_all(plain, 3).unwrap(),
        })
    }

    fn inflate(name: &str, body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
        let memory = Memory::new(limit);
        let compression = Compression::named(name).unwrap();
        compression.inflate(body, limit, &mut memory.share())
    }

    #[test]
    fn inflates_up_to_the_limit_and_no_further() {
        let plain: Vec<u8> = (0..100_000u32)
            .flat_map(|number| number.to_le_bytes())
            .collect();
        for name in ALL {
            let body = packed(name, &plain);
            assert_eq!(
                inflate(name, body.clone(), plain.len()).unwrap(),
                plain,
                "{name}"
            );
            let refused = inflate(name, body, plain.len() - 1).unwrap_err();
            assert_eq!(refused, Refusal::too_large(plain.len() - 1), "{name}");
            assert_eq!(inflate(name, packed(name, b""), 1).unwrap(), "", "{name}");
        }
    }

    #[test]
    fn reads_several_members_and_frames_as_one_body() {
        for name in ["gzip", "zstd"] {
            let both = [packed(name, b"one "), packed(name, b"two")].concat();
            assert_eq!(
                inflate(name, both.into(), 100).unwrap(),
                "one two",
                "{name}"
            );
        }
    }

    #[test]
    fn says_which_compression_is_broken() {
        for name in ALL {
            let whole = packed(name, &[7; 1_000]);
            let cut = whole.slice(..whole.len() - 5);
            for broken in [cut, Bytes::from_static(b"no such thing")] {
                let refused = inflate(name, broken, 10_000).unwrap_err();
                let start = format!("broken {name}: ");
                assert!(refused.message.starts_with(&start), "{refused:?}");
            }
        }
        assert_eq!(Compression::named("br"), None);
        assert_eq!(Compression::named("GZip"), Some(Compression::Gzip));
    }

    #[test]
    fn takes_no_window_of_zstd_beyond_that_of_http() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[0; 100]).unwrap();
        let refused = inflate("zstd", encoder.finish().unwrap().into(), 1 << 20).unwrap_err();
        assert!(refused.message.starts_with("broken zstd: "), "{refused:?}");
    }
}
