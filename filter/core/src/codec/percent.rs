//! Percent-encoding (<https://www.rfc-editor.org/rfc/rfc3986#section-2.1>).

use alloc::vec::Vec;

/// What a percent sign in a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Percent {
    /// The beginning of an encoded byte.
    IsEncoding,
    /// Itself.
    IsText,
}

pub(crate) fn encode(out: &mut Vec<u8>, value: &[u8], percent: Percent) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value {
        let stays = match byte {
            b'%' => percent == Percent::IsEncoding,
            0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e => true,
            _ => false,
        };
        if stays {
            out.push(*byte);
        } else {
            out.push(b'%');
            out.extend(DIGITS.get(usize::from(byte >> 4)));
            out.extend(DIGITS.get(usize::from(byte & 0x0f)));
        }
    }
}

pub(crate) fn decode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let encoded = (*byte == b'%')
            .then(|| after.split_first_chunk::<2>())
            .flatten()
            .and_then(|(digits, after)| {
                let digits = core::str::from_utf8(digits).ok()?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
                Some((byte, after))
            });
        match encoded {
            Some((decoded, after)) => {
                out.push(decoded);
                rest = after;
            }
            None => out.push(*byte),
        }
    }
    out
}
