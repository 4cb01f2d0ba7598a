//! Percent-encoding ([RFC 3986, section 2.1]): `%` and two hexadecimal digits of either case in place of a byte.
//!
//! Callers differ in the bytes that they encode, and in their reading of a `%` without two digits behind it: in W3C
//! Baggage, in `grpc-message` and in `OTEL_RESOURCE_ATTRIBUTES` it is a plain character, and in Jaeger's header it
//! makes the whole value invalid.
//!
//! [RFC 3986, section 2.1]: https://www.rfc-editor.org/rfc/rfc3986#section-2.1

use alloc::vec::Vec;

/// The error of a `%` without two hexadecimal digits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incomplete;

/// Returns the decoded bytes of a text, with an error for each incomplete `%`.
pub(crate) fn decoded(text: &[u8]) -> impl Iterator<Item = Result<u8, Incomplete>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (first, behind) = rest.split_first()?;
        rest = behind;
        if *first != b'%' {
            return Some(Ok(*first));
        }
        let mut byte = [0];
        let encoded = behind.split_first_chunk::<2>();
        let encoded = encoded.filter(|(digits, _)| hex::decode_to_slice(digits, &mut byte).is_ok());
        let Some((_, behind)) = encoded else {
            return Some(Err(Incomplete));
        };
        rest = behind;
        let [byte] = byte;
        Some(Ok(byte))
    })
}

/// Decodes a text in which a `%` without two digits behind it is a plain character.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend(decoded(text).map(|byte| byte.unwrap_or(b'%')));
    bytes
}

/// Returns the text for these bytes, with each byte encoded that `stays` is false for.
pub(crate) fn encoded(bytes: &[u8], stays: impl Fn(u8) -> bool) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(move |byte| {
        if stays(*byte) {
            return [*byte, 0, 0].into_iter().take(1);
        }
        let mut digits = [0; 2];
        // The encoding never fails, because two digits have room for a byte.
        let _ = hex::encode_to_slice([*byte], &mut digits);
        digits.make_ascii_uppercase();
        let [high, low] = digits;
        [b'%', high, low].into_iter().take(3)
    })
}

/// Returns true for an unreserved byte, which is never encoded (RFC 3986, section 2.3).
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_leniently_and_strictly() {
        let strict = |text: &[u8]| decoded(text).collect::<Result<Vec<u8>, _>>();
        for (text, bytes, is_complete) in [
            (&b""[..], &b""[..], true),
            (b"plain", b"plain", true),
            (b"a%20b%3a%3A", b"a b::", true),
            (b"caf%C3%a9", "café".as_bytes(), true),
            (b"%00%ff", b"\0\xff", true),
            // Decoded once, and no digit of another.
            (b"%2541", b"%41", true),
            (b"%%41", b"%A", false),
            (b"100%", b"100%", false),
            (b"%4", b"%4", false),
            (b"%zz%4", b"%zz%4", false),
            (b"%4g%41", b"%4gA", false),
            (b"%+1%-1% 1", b"%+1%-1% 1", false),
            (b"%\xc3\xa9", b"%\xc3\xa9", false),
        ] {
            assert_eq!(decode(text), bytes, "{text:?}");
            let expected = is_complete.then(|| bytes.to_vec()).ok_or(Incomplete);
            assert_eq!(strict(text), expected, "{text:?}");
        }
    }

    #[test]
    fn encodes_what_does_not_stay_and_reads_it_again() {
        let all: Vec<u8> = (0..=255).collect();
        let text: Vec<u8> = encoded(&all, is_unreserved).collect();
        assert_eq!(decode(&text), all);
        let text: Vec<u8> = encoded(b"a b-\xfc~%", is_unreserved).collect();
        assert_eq!(text, b"a%20b-%FC~%25");
        let text: Vec<u8> = encoded(b"a b%", |byte| byte != b' ').collect();
        assert_eq!(text, b"a%20b%");
    }
}
