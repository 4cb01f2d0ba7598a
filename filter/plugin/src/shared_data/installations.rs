//! Whether a request has already been through another installation of the filter.
//!
//! The first one in the chain leaves a mark on the stream, in its filter state; the others find it there.

use sidespan_abi::hostcalls;
use sidespan_core::shared_data::installations::Installations;

use crate::host::clock;

/// Renews this installation's entry in the list of all, and says whether there are others.
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

/// Whether the current stream bears the mark; from now on it does.
#[inline]
pub(crate) fn is_seen_before() -> bool {
    let is_seen = hostcalls::get_property(MARK).is_some();
    if !is_seen {
        hostcalls::set_property(MARK, b"1");
    }
    is_seen
}

const LIST: &str = "sidespan.installs";
/// In Envoy's filter state `wasm.sidespan.seen`.
const MARK: &str = "sidespan.seen";
