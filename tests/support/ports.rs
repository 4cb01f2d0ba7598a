//! Free ports, for programs that cannot choose one themselves and for addresses at which nobody is to listen.
//!
//! A port that was free a moment ago is taken by the next socket that asks the kernel for any port, if it is one of those
//! that the kernel gives away. A program that finds it taken fails late or not at all: its neighbour answers in its name.
//! So these ports are from below the kernel's range (`net.ipv4.ip_local_port_range`, from 32768 on Linux), each is given
//! once, and test programs that run at once begin at different places.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Returns an address of the loopback interface at which nothing listens, another with each call.
///
/// A program of somebody else may still take it, so that a start which finds it in use should be tried again.
///
/// # Panics
/// When all ports are in use.
pub fn free_address() -> SocketAddr {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let first = std::process::id() as usize * STRIDE;
    let mut turns = PORTS.map(|_| first + GIVEN.fetch_add(1, Ordering::Relaxed));
    turns
        .find_map(|turn| {
            let port = PORTS.clone().nth(turn % PORTS.len())?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            TcpListener::bind(address).is_ok().then_some(address)
        })
        .expect("a free port")
}

/// The ports that are given.
pub const PORTS: Range<u16> = 11_000..32_000;
/// The distance between the first ports of two test programs whose process ids follow each other: more than one of them
/// takes, and no divisor of their number.
const STRIDE: usize = 409;
