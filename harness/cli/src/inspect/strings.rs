//! Names of properties in a module's texts that Envoy 1.33 removed.
//!
//! The release notes of 1.33.0 took the attributes of the configuration out of the top level ("use xds attributes instead").
//! A module that asks for one of them gets NOT_FOUND since, and in the Rust SDK `None`, so nothing fails and something is
//! missing. A text tells only that the name is there: it may be a fallback for older versions.

use super::binary::Binary;

/// A removed property, and its name since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Removed {
    /// The name in the module.
    pub(super) name: &'static str,
    /// The name that Envoy knows.
    pub(super) since: &'static str,
}

/// Returns the removed properties that the module names.
pub(super) fn removed(binary: &Binary<'_>) -> Vec<Removed> {
    let named = REMOVED.iter().filter(|removed| {
        let mut segments = binary.data.iter();
        segments.any(|data| names(data, removed.name.as_bytes()))
    });
    named.copied().collect()
}

/// Returns true if the text stands there by itself: no word goes on before or after it, and it is no member of `xds`.
fn names(data: &[u8], name: &[u8]) -> bool {
    let finder = memchr::memmem::Finder::new(name);
    finder.find_iter(data).any(|at| {
        let (before, after) = (&data[..at], &data[at + name.len()..]);
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        !before.last().is_some_and(is_word)
            && !after.first().is_some_and(is_word)
            && !before.ends_with(b"xds.")
            && !before.ends_with(b"xds\0")
    })
}

const REMOVED: &[Removed] = &[
    removal("cluster_name", "xds.cluster_name"),
    removal("cluster_metadata", "xds.cluster_metadata"),
    removal("route_name", "xds.route_name"),
    removal("route_metadata", "xds.route_metadata"),
    removal("listener_direction", "xds.listener_direction"),
    removal("listener_metadata", "xds.listener_metadata"),
    removal("upstream_host_metadata", "xds.upstream_host_metadata"),
];

const fn removal(name: &'static str, since: &'static str) -> Removed {
    Removed { name, since }
}
