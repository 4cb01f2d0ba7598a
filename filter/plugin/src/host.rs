//! The proxy, as the core's traits have it: each file implements one of them on hostcalls (`sidespan-abi`).

pub(crate) mod clock;
pub(crate) mod cluster_call;
pub(crate) mod header_writer;
pub(crate) mod random;
pub(crate) mod stream_info;
