//! ASCII text, copied and tested in one pass of eight bytes at a time, because nearly all values are ASCII, and a decoder of
//! UTF-8 goes byte by byte.

/// Copies a text into a place of its length, and returns true if all of it is ASCII.
#[inline]
pub(crate) fn copy_ascii(place: &mut [u8], text: &[u8]) -> bool {
    let (Some(last_place), Some(last)) = (place.last_chunk_mut::<8>(), text.last_chunk::<8>())
    else {
        return copy_few(place, text);
    };
    // The last eight bytes first, some of which are copied once more.
    *last_place = *last;
    let mut seen = u64::from_le_bytes(*last);
    let (pairs, pairs_left) = text.as_chunks::<16>();
    let (places, places_left) = place.as_chunks_mut::<16>();
    for (place, pair) in places.iter_mut().zip(pairs) {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *pair;
        seen |= u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        seen |= u64::from_le_bytes([i, j, k, l, m, n, o, p]);
        *place = *pair;
    }
    if let (Some(place), Some(word)) = (
        places_left.first_chunk_mut::<8>(),
        pairs_left.first_chunk::<8>(),
    ) {
        seen |= u64::from_le_bytes(*word);
        *place = *word;
    }
    seen & HIGH_BITS == 0
}

/// Does the same with less than eight bytes.
#[inline]
fn copy_few(place: &mut [u8], text: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let seen = u32::from_le_bytes(*first) | u32::from_le_bytes(*last);
        if let Some(place) = place.first_chunk_mut() {
            *place = *first;
        }
        if let Some(place) = place.last_chunk_mut() {
            *place = *last;
        }
        return seen & 0x8080_8080 == 0;
    }
    let mut seen = 0;
    for (place, byte) in place.iter_mut().zip(text) {
        seen |= byte;
        *place = *byte;
    }
    seen < 0x80
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn copies_every_length_and_sees_every_byte_that_is_not_ascii() {
        for length in 0..70 {
            let text: Vec<u8> = (0..length).map(|at| b'a' + at % 26).collect();
            let mut place = vec![0; text.len()];
            assert!(copy_ascii(&mut place, &text), "{length}");
            assert_eq!(place, text);
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] |= 0x80;
                let mut place = vec![0; text.len()];
                assert!(!copy_ascii(&mut place, &other), "{at} of {length}");
                assert_eq!(place, other);
            }
        }
    }
}
