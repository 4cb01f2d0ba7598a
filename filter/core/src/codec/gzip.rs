//! A request in fewer bytes: gzip (RFC 1952) around deflate, at the fastest level.
//!
//! ```text
//! 1f 8b 08 00  00000000 04 ff   magic, deflate, no flags, no time, "fastest", no system
//! deflate (RFC 1951)
//! crc32, length                 of the plain bytes, little endian
//! ```
//!
//! Spans repeat each other nearly word for word, so the fastest level finds most of what there is to find. What would not
//! become smaller is not compressed at all.
//!
//! `miniz_oxide` deflates. The frame is written here because that crate has only zlib's, and the checksum because the tables
//! of `crc32fast` are larger than all of this file.

use alloc::vec;
use alloc::vec::Vec;

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress as deflate,
    create_comp_flags_from_zip_params,
};

/// The same in gzip, or `None` where that would not be smaller.
pub fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let room = plain
        .len()
        .checked_sub(HEADER.len().saturating_add(TRAILER_BYTES))?;
    let mut out = vec![0; HEADER.len().saturating_add(room)];
    let (header, body) = out.split_at_mut_checked(HEADER.len())?;
    header.copy_from_slice(&HEADER);
    let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, RAW, 0));
    // The buffer is as long as the result may be: what is not done by its end is not worth it.
    let (status, _, written) = deflate(&mut compressor, plain, body, TDEFLFlush::Finish);
    if status != TDEFLStatus::Done {
        return None;
    }
    out.truncate(HEADER.len().saturating_add(written));
    out.extend_from_slice(&crc32(plain).to_le_bytes());
    // RFC 1952 wants the length modulo 2^32; requests are far shorter.
    let length = u32::try_from(plain.len()).ok()?;
    out.extend_from_slice(&length.to_le_bytes());
    Some(out)
}

/// The checksum of RFC 1952, section 8. Its table is made for each batch, which costs less than a span of it: tables are what
/// no compressor makes any smaller, and the module is in every worker of every proxy.
fn crc32(bytes: &[u8]) -> u32 {
    let mut remainders = [0_u32; 256];
    for (remainder, byte) in remainders.iter_mut().zip(0_u32..) {
        *remainder = (0..8).fold(byte, |crc, _| match crc & 1 {
            0 => crc >> 1,
            _ => (crc >> 1) ^ POLYNOMIAL,
        });
    }
    let rest = bytes.iter().fold(u32::MAX, |crc, byte| {
        let [index, ..] = crc.to_le_bytes();
        let remainder = remainders.get(usize::from(index ^ byte)).copied();
        (crc >> 8) ^ remainder.unwrap_or_default()
    });
    !rest
}

/// The lowest bit first.
const POLYNOMIAL: u32 = 0xedb8_8320;
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];
const TRAILER_BYTES: usize = 8;
/// Of 0 to 10.
const LEVEL: i32 = 1;
/// No zlib around it.
const RAW: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    extern crate std;

    fn inflate(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn op_2_another_decoder_reads_what_it_writes() {
        for length in [128_usize, 200, 1_000, 40_000, 1 << 20] {
            let plain: Vec<u8> = b"http.request.method GET url.path /orders/"
                .iter()
                .copied()
                .cycle()
                .zip(0_usize..)
                .map(|(byte, index)| {
                    if index % 97 == 0 {
                        u8::try_from(index % 251).unwrap()
                    } else {
                        byte
                    }
                })
                .take(length)
                .collect();
            let small = compress(&plain).unwrap();
            assert!(small.len() < plain.len(), "{length}");
            assert_eq!(inflate(&small), plain, "{length}");
        }
    }

    #[test]
    fn whatever_it_is_given_it_is_smaller_and_whole_or_nothing() {
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below).unwrap()
        };
        for _ in 0..300 {
            // Noise, runs, and repetitions from far back.
            let mut plain: Vec<u8> = Vec::new();
            let length = random(70_000);
            while plain.len() < length {
                let run = 1 + random(300);
                match random(3) {
                    0 => plain.extend((0..run).map(|_| u8::try_from(random(256)).unwrap())),
                    1 => plain.extend(core::iter::repeat_n(b'x', run)),
                    _ => {
                        let from = random(plain.len() as u64 + 1);
                        plain.extend_from_within(from..plain.len().min(from + run));
                    }
                }
            }
            if let Some(small) = compress(&plain) {
                assert!(small.len() < plain.len());
                assert_eq!(inflate(&small), plain);
            }
        }
    }

    #[test]
    fn has_the_checksum_that_the_standard_gives() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn leaves_alone_what_would_not_become_smaller() {
        let mut seed = 1_u64;
        for length in [0_usize, 1, 17, 18, 19, 64, 1_000, 100_000] {
            let noise: Vec<u8> = (0..length)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    seed.to_le_bytes()[0]
                })
                .collect();
            assert_eq!(compress(&noise), None, "{length}");
        }
    }
}
