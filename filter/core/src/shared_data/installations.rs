//! The installations of the filter in one process: a list in shared data, in which each installation renews its entry.
//!
//! Two copies in one filter chain happen, because Istio appends the plugins of the namespace to those of the root namespace.
//! The second copy must leave alone a request that the first has seen, and asking for that costs two calls a request. Where
//! only one installation is known, nothing is asked.
//!
//! ```text
//! entries of: 8 bytes time (nanoseconds of the monotonic clock, little endian), 1 byte length, name
//! ```

use alloc::vec::Vec;

use super::lease::Lease;
use crate::proxy::{SharedData, Stream, Worker};
use crate::time::Nanos;

/// The names of installations, each with the time of its last renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installations<'a>(Vec<(&'a [u8], Nanos)>);

/// Renews the entry of this installation, and returns true if there are others.
pub(crate) fn renew(proxy: &(impl Stream + SharedData + Worker)) -> bool {
    let name = proxy.property("plugin_name").unwrap_or_default();
    let list = proxy.shared_data(LIST);
    let installations = Installations::read(&list);
    let now = proxy.monotonic();
    if let Some(renewed) = installations.renewed(&name, now) {
        proxy.set_shared_data(LIST, &renewed);
    }
    installations.has_others(&name, now)
}

impl<'a> Installations<'a> {
    /// Reads a list up to the first entry that cannot be read.
    pub fn read(mut bytes: &'a [u8]) -> Self {
        let mut entries = Vec::new();
        while let Some((when, rest)) = bytes.split_first_chunk::<8>()
            && let Some((length, rest)) = rest.split_first()
            && let Some((name, rest)) = rest.split_at_checked(usize::from(*length))
        {
            entries.push((name, Nanos(u64::from_le_bytes(*when))));
            bytes = rest;
        }
        Self(entries)
    }

    /// Returns true if another installation than this one is alive.
    pub fn has_others(&self, name: &[u8], now: Nanos) -> bool {
        let name = cut(name);
        self.0
            .iter()
            .any(|(other, renewed)| *other != name && is_live(*renewed, now))
    }

    /// Returns the list to write now, or `None` while this installation's entry is fresh.
    pub fn renewed(&self, name: &[u8], now: Nanos) -> Option<Vec<u8>> {
        let name = cut(name);
        let is_fresh = |(other, renewed): &(&[u8], Nanos)| *other == name && !is_due(*renewed, now);
        if self.0.iter().any(is_fresh) {
            return None;
        }
        let mut bytes = Vec::new();
        let others = self
            .0
            .iter()
            .filter(|(other, renewed)| *other != name && is_live(*renewed, now))
            .take(MAX_OTHERS);
        for (name, Nanos(renewed)) in [(name, now)].iter().chain(others) {
            bytes.extend_from_slice(&renewed.to_le_bytes());
            bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(name);
        }
        Some(bytes)
    }
}

fn is_live(renewed: Nanos, now: Nanos) -> bool {
    lease(renewed).is_live(now)
}

fn is_due(renewed: Nanos, now: Nanos) -> bool {
    lease(renewed).is_due(now)
}

fn lease(renewed: Nanos) -> Lease {
    Lease {
        holder: [0; 8],
        renewed,
    }
}

/// Cuts a name to 255 bytes, because its length is written in one byte.
fn cut(name: &[u8]) -> &[u8] {
    name.get(..usize::from(u8::MAX)).unwrap_or(name)
}

/// The number of other entries that are kept; one is enough to know that there are others.
const MAX_OTHERS: usize = 7;

/// Returns true if the stream has been through another installation of the filter; from now on it has been through this one.
#[inline]
pub(crate) fn has_seen(stream: &impl Stream) -> bool {
    let is_marked = stream.property(MARK).is_some();
    if !is_marked {
        stream.set_filter_state(MARK, b"1");
    }
    is_marked
}

/// The key of the list.
const LIST: &[u8] = b"sidespan.installs";
/// The mark of a stream, in Envoy's filter state `wasm.sidespan.seen`.
pub(crate) const MARK: &str = "sidespan.seen";

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn knows_of_others_as_long_as_they_renew_themselves() {
        let start = Nanos(100 * SECOND);
        let first = Installations::default().renewed(b"mesh", start).unwrap();
        assert!(!Installations::read(&first).has_others(b"mesh", start));
        assert!(Installations::read(&first).has_others(b"shop", start));
        let both = Installations::read(&first).renewed(b"shop", start).unwrap();
        for name in [&b"mesh"[..], b"shop"] {
            assert!(Installations::read(&both).has_others(name, start));
            assert_eq!(
                Installations::read(&both).renewed(name, start),
                None,
                "fresh"
            );
        }
        let later = Nanos(110 * SECOND);
        let renewed = Installations::read(&both).renewed(b"mesh", later).unwrap();
        let end = Nanos(120 * SECOND);
        assert!(
            !Installations::read(&renewed).has_others(b"mesh", end),
            "shop is gone"
        );
        assert!(Installations::read(&renewed).has_others(b"shop", end));
    }

    #[test]
    fn stays_small_and_believes_no_byte() {
        let now = Nanos(SECOND);
        let mut bytes = Vec::new();
        for name in 0..100_u8 {
            bytes = Installations::read(&bytes)
                .renewed(&[name; 300], now)
                .unwrap();
        }
        assert!(bytes.len() <= 8 * (8 + 1 + 255));
        for end in 0..bytes.len() {
            Installations::read(&bytes[..end]).has_others(b"x", now);
        }
    }
}
