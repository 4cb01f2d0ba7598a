//! Free ports, for programs that cannot choose one themselves.

use std::net::{SocketAddr, TcpListener};

/// Returns free addresses of the loopback interface, all different. Another process may take one before its user does, so
/// that a start which finds it in use should be tried again.
///
/// # Panics
/// When there are no free ports.
pub fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    // All ports stay bound until all are known, because two could be equal otherwise.
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| {
        listener
            .local_addr()
            .expect("a bound socket has an address")
    })
}
