//! SHA-256 (FIPS 180-4), by which people distinguish configurations; nothing is secured by it.
//!
//! Written as the standard has it, because the crate `sha2` unrolls its rounds and is several times as long, and its
//! compact backend is chosen by a `--cfg` of the compiler, which a crate cannot ask for. A test below compares both.

/// Returns the digest of a message.
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    let (blocks, rest) = message.as_chunks::<64>();
    let mut state = blocks.iter().fold(INITIAL, compressed);
    // A one bit, zeros, and the length in bits make the message whole blocks.
    let bits = u64::try_from(message.len()).unwrap_or(u64::MAX);
    let bits = bits.wrapping_mul(8).to_be_bytes();
    let end = rest.iter().copied().chain([0x80]);
    let mut last = [[0_u8; 64]; 2];
    let count = if rest.len() < 56 { 1 } else { 2 };
    let zeros = last.as_flattened_mut().iter_mut();
    zeros.zip(end).for_each(|(to, from)| *to = from);
    let last = last.get_mut(..count).unwrap_or_default();
    let end = last.as_flattened_mut().iter_mut().rev();
    end.zip(bits.iter().rev())
        .for_each(|(to, from)| *to = *from);
    for block in last {
        state = compressed(state, block);
    }
    let mut digest = [0; 32];
    let (words, _) = digest.as_chunks_mut::<4>();
    for (to, word) in words.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    digest
}

/// Returns the state behind one more block (FIPS 180-4, section 6.2.2).
fn compressed(state: [u32; 8], block: &[u8; 64]) -> [u32; 8] {
    let mut schedule = [0; 64];
    let (words, _) = block.as_chunks::<4>();
    for (to, word) in schedule.iter_mut().zip(words) {
        *to = u32::from_be_bytes(*word);
    }
    for round in 16..64 {
        let word = |back| {
            schedule
                .get(usize::saturating_sub(round, back))
                .copied()
                .unwrap_or(0)
        };
        let (w2, w7, w15, w16) = (word(2), word(7), word(15), word(16));
        let s0 = w15.rotate_right(7) ^ w15.rotate_right(18) ^ w15.wrapping_shr(3);
        let s1 = w2.rotate_right(17) ^ w2.rotate_right(19) ^ w2.wrapping_shr(10);
        let next = w16.wrapping_add(s0).wrapping_add(w7).wrapping_add(s1);
        if let Some(to) = schedule.get_mut(round) {
            *to = next;
        }
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    for (word, constant) in schedule.iter().zip(ROUNDS) {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = h.wrapping_add(s1).wrapping_add(choice);
        let first = first.wrapping_add(constant).wrapping_add(*word);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = s0.wrapping_add(majority);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    let mut next = state;
    for (to, add) in next.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *to = to.wrapping_add(add);
    }
    next
}

const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn another_writers_digest_is_the_same() {
        let bytes: alloc::vec::Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for length in 0..bytes.len() {
            let digest = Sha256::digest(&bytes[..length]);
            assert_eq!(sha256(&bytes[..length]), digest[..], "{length}");
        }
    }
}
