//! Spans that are not sampled and are kept after all, because the response failed or was slow.

pub(crate) mod decide;
pub(crate) mod pending;
pub(crate) mod response_header;
pub mod server_timing;
