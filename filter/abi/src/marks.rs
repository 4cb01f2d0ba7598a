//! Marks of root contexts in the proxy, and the questions about them (`owner.rs` says what for).

use crate::hostcalls;
use crate::owner::{Ask, Mark};

/// The proxy behind this VM.
pub(crate) struct Proxy;

impl Ask for Proxy {
    fn marked(&self, mark: Mark) -> Option<u32> {
        let value = hostcalls::call_foreign_function("expr_evaluate", &mark).ok()?;
        let number = i64::from_le_bytes(value.try_into().ok()?);
        u32::try_from(number).ok()
    }

    fn plugin_name(&self) -> Option<Vec<u8>> {
        plugin_name()
    }
}

/// Returns the name of the plugin whose callback is under way.
pub(crate) fn plugin_name() -> Option<Vec<u8>> {
    hostcalls::get_property("plugin_name")
}

/// Makes the mark of the root context whose callback is under way, which has this id.
pub(crate) fn make(id: u32) -> Option<Mark> {
    let number = hostcalls::call_foreign_function("expr_create", id.to_string().as_bytes()).ok()?;
    number.try_into().ok()
}
