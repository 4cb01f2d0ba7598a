//! The core's traits of a proxy, implemented by hostcalls (`sidespan-abi`).

pub(crate) mod clock;
pub(crate) mod header_writer;
pub(crate) mod log_once;
pub(crate) mod plugin_key;
pub(crate) mod proxy;
pub(crate) mod random;
