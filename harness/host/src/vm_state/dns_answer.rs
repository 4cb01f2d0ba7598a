//! The answer to a query of DNS, in the bytes that a guest reads.

use std::net::IpAddr;
use std::time::Duration;

/// Returns the number of addresses, their times in seconds, and the addresses with port 0 and a NUL behind each, as Envoy
/// writes them.
pub(crate) fn encode(addresses: &[(IpAddr, Duration)]) -> Vec<u8> {
    let mut bytes = u32::try_from(addresses.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    for (_, time) in addresses {
        let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        bytes.extend(seconds.to_le_bytes());
    }
    for (address, _) in addresses {
        bytes.extend(std::net::SocketAddr::new(*address, 0).to_string().bytes());
        bytes.push(0);
    }
    bytes
}
