//! Installations of the filter in one process, and the mark that the first of them in a chain leaves on a stream.
//!
//! The mark is in the stream's filter state, where the other installations find it.

use sidespan_abi::hostcalls;
use sidespan_core::shared_data::installations::Installations;

use crate::host::clock;

/// Renews this installation's entry in the list of all, and returns true if there are others.
pub(crate) fn renew() -> bool {
    let name = hostcalls::get_property("plugin_name").unwrap_or_default();
    let (list, _) = hostcalls::get_shared_data(LIST);
    let roster = Installations::read(&list);
    let now = clock::now();
    if let Some(renewed) = roster.renewed(&name, now) {
        hostcalls::set_shared_data(LIST, &renewed);
    }
    roster.has_others(&name, now)
}

/// Returns true if the current stream bears the mark, and marks it.
#[inline]
pub(crate) fn is_seen_before() -> bool {
    let is_seen = hostcalls::get_property(MARK).is_some();
    if !is_seen {
        hostcalls::set_property(MARK, b"1");
    }
    is_seen
}

/// The key of the list.
const LIST: &str = "sidespan.installs";
/// The property of the mark, in Envoy's filter state `wasm.sidespan.seen`.
const MARK: &str = "sidespan.seen";
