//! The parts of a request target (`:path`) and of an authority.

use crate::codec::scan;

/// Returns the path, and the query if there is one; a fragment, which must not be there, is left out.
#[inline]
pub(crate) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let target = scan::split_once(target, b'#').map_or(target, |(before, _)| before);
    match scan::split_once(target, b'?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// Returns the host and the port of `host`, `host:port`, `[::1]` or `[::1]:port`; user information, which must not be
/// there, is left out (HS-2).
#[inline]
pub(crate) fn split_authority(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let host = match scan::last_position(authority, b'@') {
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
    let (mut dots, mut colons, mut letters) = (0_u8, 0_u8, 0_u8);
    let address = match entry.strip_prefix(b"[") {
        Some(_) => split_authority(entry).0,
        None => entry,
    };
    for byte in address {
        match byte {
            b'0'..=b'9' => {}
            b'.' => dots = dots.saturating_add(1),
            b':' => colons = colons.saturating_add(1),
            b'a'..=b'f' | b'A'..=b'F' => letters = letters.saturating_add(1),
            _ => return None,
        }
    }
    match (dots, colons, letters) {
        (3, 0, 0) => Some(address),
        // An IPv4 address with a port; an IPv6 address has two colons at least, and no port without brackets.
        (3, 1, 0) => Some(split_authority(address).0),
        (0 | 3, 2.., _) => Some(address),
        _ => None,
    }
}
