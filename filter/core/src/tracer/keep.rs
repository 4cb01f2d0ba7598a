//! Spans that are not sampled and are kept after all, because the response failed or was slow.

pub mod decide;
pub mod pending;
pub mod response_header;
pub mod server_timing;
