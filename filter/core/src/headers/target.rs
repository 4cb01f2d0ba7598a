//! The parts of a request target (`:path`) and of an authority.

use crate::codec::scan;

/// Returns the path, and the query if there is one; a fragment, which must not be there, is left out.
#[inline]
pub(crate) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(at) = scan::position_of_either(target, b'?', b'#') else {
        return (target, None);
    };
    match target.split_at_checked(at) {
        Some((path, [b'?', query @ ..])) => {
            let end = scan::position(query, b'#').unwrap_or(query.len());
            (path, query.get(..end))
        }
        Some((path, _)) => (path, None),
        None => (target, None),
    }
}

/// Returns the host and the port of `host`, `host:port`, `[::1]` or `[::1]:port`; user information, which must not be
/// there, is left out (HS-2).
#[inline]
pub(crate) fn split_authority(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let host = match scan::position(authority, b'@') {
        Some(_) => {
            let at = scan::last_position(authority, b'@').unwrap_or_default();
            authority.get(at.saturating_add(1)..).unwrap_or_default()
        }
        None => authority,
    };
    if let Some(inside) = host.strip_prefix(b"[") {
        let mut parts = inside.splitn(2, |byte| *byte == b']');
        let address = parts.next().unwrap_or_default();
        return (
            address,
            parts.next().and_then(|rest| rest.strip_prefix(b":")),
        );
    }
    split_port(host)
}

/// Returns the host and the port of `host` or `host:port`.
#[inline]
pub(crate) fn split_port(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    match scan::last_position(host, b':') {
        Some(colon) => {
            let (address, port) = host.split_at_checked(colon).unwrap_or((host, b""));
            (address, port.strip_prefix(b":"))
        }
        None => (host, None),
    }
}

/// Returns an address without its port; `None` for all that is no address, such as `unknown`, `-` and the obfuscated
/// identifiers of RFC 7239 (section 6).
#[inline]
pub(crate) fn ip_address(entry: &[u8]) -> Option<&[u8]> {
    if is_ipv4(entry) {
        return Some(entry);
    }
    let address = match entry.strip_prefix(b"[") {
        Some(_) => split_authority(entry).0,
        None => entry,
    };
    // No address is as long; and a count of this many bytes has room.
    let counted = address.get(..255).unwrap_or(address);
    let mut seen = 0_u32;
    for byte in counted {
        seen = seen.wrapping_add(CLASSES.get(usize::from(*byte)).copied().unwrap_or(OTHER));
    }
    let [dots, colons, letters, others] = seen.to_le_bytes();
    if others > 0 || counted.len() < address.len() {
        return None;
    }
    match (dots, colons, letters) {
        (3, 0, 0) => Some(address),
        // An IPv4 address with a port; an IPv6 address has two colons at least, and no port without brackets.
        (3, 1, 0) => Some(split_port(address).0),
        (0 | 3, 2.., _) => Some(address),
        _ => None,
    }
}

/// Returns true for eight to fifteen digits and dots, of which three are dots; nearly all addresses are so.
#[inline]
pub(crate) fn is_ipv4(entry: &[u8]) -> bool {
    let (Some(first), Some(last), 8..=15) = (
        entry.first_chunk::<8>(),
        entry.last_chunk::<8>(),
        entry.len(),
    ) else {
        return false;
    };
    // Digits take the place of the last word's bytes that are in the first word, too.
    let shared = 16_usize.wrapping_sub(entry.len()).wrapping_mul(8);
    let shared = u32::try_from(shared).unwrap_or_default();
    let digits = DIGITS.wrapping_shl(64_u32.wrapping_sub(shared));
    let rest = u64::from_le_bytes(*last).checked_shr(shared);
    let words = [u64::from_le_bytes(*first), rest.unwrap_or(0) | digits];
    let [dots, more] = words.map(|word| scan::places_of(word, b'.'));
    let has_digits_else = |word: u64, dots: u64| {
        let others = !(dots >> 7).wrapping_mul(0xff);
        let values = word ^ DIGITS;
        let too_large = (values & LOW_HALVES).wrapping_add(0x0606_0606_0606_0606);
        (values & !LOW_HALVES | too_large & !LOW_HALVES) & others == 0
    };
    let [one, other] = words;
    dots.count_ones().wrapping_add(more.count_ones()) == 3
        && has_digits_else(one, dots)
        && has_digits_else(other, more)
}

/// The digit 0 eight times.
const DIGITS: u64 = 0x3030_3030_3030_3030;
const LOW_HALVES: u64 = 0x0f0f_0f0f_0f0f_0f0f;

/// The kind of each byte in an address, counted in eight bits of its own: a dot, a colon, a letter of a hexadecimal number, or
/// what no address has. Decimal digits count as nothing.
static CLASSES: [u32; 256] = {
    let mut classes = [OTHER; 256];
    let mut rest = classes.as_mut_slice();
    let mut byte = 0_u8;
    while let [class, others @ ..] = rest {
        *class = match byte {
            b'0'..=b'9' => 0,
            b'.' => 1,
            b':' => 1 << 8,
            b'a'..=b'f' | b'A'..=b'F' => 1 << 16,
            _ => OTHER,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    classes
};
const OTHER: u32 = 1 << 24;
