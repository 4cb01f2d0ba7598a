//! Addresses of pods: a block of the loopback network that no other mesh on this machine has.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};

/// A block of 254 addresses. Every Envoy shares its ports with others (`SO_REUSEPORT`), so that two meshes with an address
/// in common would answer in each other's name without an error.
#[derive(Debug)]
pub(super) struct Block {
    network: [u8; 3],
    next: AtomicU8,
    /// Holds the block: nobody else can listen here.
    _held: TcpListener,
}

impl Block {
    /// Takes a free block.
    ///
    /// # Panics
    /// When all are taken.
    pub(super) fn take() -> Self {
        let networks =
            (64..127).flat_map(|second| (0..=255).map(move |third| [127, second, third]));
        let mut held = networks.filter_map(|network| {
            let [first, second, third] = network;
            let address = Ipv4Addr::new(first, second, third, 1);
            let listener = TcpListener::bind((address, HELD)).ok()?;
            Some((network, listener))
        });
        let (network, held) = held.next().expect("a free block of addresses");
        Self {
            network,
            // The first is the one that holds the block.
            next: AtomicU8::new(2),
            _held: held,
        }
    }

    /// Returns an address, another with each call.
    pub(super) fn address(&self) -> IpAddr {
        let [first, second, third] = self.network;
        let last = self.next.fetch_add(1, Ordering::Relaxed);
        Ipv4Addr::new(first, second, third, last).into()
    }
}

/// Any port that no pod uses.
const HELD: u16 = 9_999;
