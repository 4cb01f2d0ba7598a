//! The SubjectPublicKeyInfo of RFC 5280, as far as it says what kind of key it has and where the key is.
//!
//! ```text
//! 30 len  30 len 06 len <algorithm> <parameters>  03 len 00 <key>
//! ```

/// The kinds of keys that this host verifies with, and all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rsa,
    P256,
    P384,
    /// A kind that no hash goes with, as Ed25519, or one that is unknown here.
    Other,
}

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    pub(super) algorithm: Algorithm,
    /// The key as its algorithm writes it: PKCS #1 for RSA, a point for a curve.
    pub(super) bytes: &'a [u8],
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// Algorithm and parameters, each with tag and length.
const ALGORITHMS: [(&[u8], Algorithm); 3] = [
    (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0",
        Algorithm::Rsa,
    ),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        Algorithm::P256,
    ),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x22",
        Algorithm::P384,
    ),
];

/// Reads a public key; `None` if the bytes are none. Bytes behind the key do no harm, as in BoringSSL.
pub(super) fn public_key(der: &[u8]) -> Option<PublicKey<'_>> {
    let (info, _) = element(der, SEQUENCE)?;
    let (identifier, rest) = element(info, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    let (unused_bits, bytes) = bits.split_first()?;
    let known = ALGORITHMS.iter().find(|(bytes, _)| *bytes == identifier);
    (*unused_bits == 0).then(|| PublicKey {
        algorithm: known.map_or(Algorithm::Other, |(_, algorithm)| *algorithm),
        bytes,
    })
}

/// Returns the contents of an element with this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first().filter(|_| *found == tag)?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => {
            let length = [*rest.first()?, *rest.get(1)?];
            (usize::from(u16::from_be_bytes(length)), rest.get(2..)?)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_key_and_its_kind() {
        let key = b"\x30\x13\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0\x03\x02\0K";
        let expected = PublicKey {
            algorithm: Algorithm::Rsa,
            bytes: b"K",
        };
        assert_eq!(public_key(key), Some(expected));
        let behind = [&key[..], b"xx"].concat();
        assert_eq!(public_key(&behind), Some(expected));
    }

    #[test]
    fn finds_no_key_in_anything_else() {
        let key = b"\x30\x13\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0\x03\x02\0K";
        for length in 0..key.len() {
            assert_eq!(public_key(&key[..length]), None, "{length} bytes");
        }
        assert_eq!(public_key(b"junk"), None);
    }
}
