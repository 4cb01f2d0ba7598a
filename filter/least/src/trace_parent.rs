//! The ids of a span, and W3C's `traceparent` with them: `00-<trace id>-<span id>-<flags>`.

use crate::proxy;

/// The length of the header.
pub(crate) const LENGTH: usize = 55;

/// The ids of a span.
#[derive(Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
    pub(crate) parent: Option<[u8; 8]>,
}

impl Ids {
    /// Reads the ids of a header that is there, without looking whether it is one; `None` where it has another length.
    #[inline]
    pub(crate) fn read(header: &[u8]) -> Option<([u8; 16], [u8; 8], bool)> {
        let header: &[u8; LENGTH] = header.try_into().ok()?;
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        read_hex(&mut trace, &header[3..35]);
        read_hex(&mut span, &header[36..52]);
        Some((trace, span, header[54] & 1 == 1))
    }

    /// Returns the header for the services behind the proxy.
    #[inline]
    pub(crate) fn header(&self, is_sampled: bool) -> [u8; LENGTH] {
        let mut header = *b"00-................................-................-00";
        write_hex(&mut header[3..35], &self.trace);
        write_hex(&mut header[36..52], &self.span);
        header[54] |= u8::from(is_sampled);
        header
    }
}

#[inline]
fn write_hex(place: &mut [u8], bytes: &[u8]) {
    for (digits, byte) in place.chunks_exact_mut(2).zip(bytes) {
        digits.copy_from_slice(&HEX[usize::from(*byte)]);
    }
}

#[inline]
fn read_hex(bytes: &mut [u8], digits: &[u8]) {
    // `0` to `9` end with these four bits; `a` to `f` have one bit more, and end with 1 to 6.
    let value = |digit: u8| (digit & 0xf).wrapping_add((digit >> 6).wrapping_mul(9));
    for (byte, digits) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(digits[0]) << 4 | value(digits[1]);
    }
}

static HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

/// Random bytes, drawn for many ids at once.
pub(crate) struct Supply {
    bytes: [u8; SUPPLY],
    left: usize,
}

impl Supply {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; SUPPLY],
            left: 0,
        }
    }

    #[inline]
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.left < N {
            proxy::random(&mut self.bytes);
            self.left = SUPPLY;
        }
        self.left = self.left.wrapping_sub(N);
        let bytes = self
            .bytes
            .get(self.left..)
            .and_then(|rest| rest.first_chunk());
        bytes.copied().unwrap_or([0; N])
    }
}

const SUPPLY: usize = 1536;
