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
    let host = match scan::position(authority, b'@').and(scan::last_position(authority, b'@')) {
        Some(at) => authority.get(at.saturating_add(1)..).unwrap_or_default(),
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
        (3, 1, 0) => Some(split_authority(address).0),
        (0 | 3, 2.., _) => Some(address),
        _ => None,
    }
}

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
