//! The key of this plugin in shared data, which all its workers in the process have in common.

use sidespan_abi::hostcalls;

/// Returns the beginning of this plugin's keys, by the name that its configuration has in the proxy.
pub(crate) fn plugin_key() -> String {
    let name = hostcalls::get_property("plugin_name").unwrap_or_default();
    format!("sidespan.running.{}", String::from_utf8_lossy(&name))
}
