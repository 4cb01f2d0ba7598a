//! Keeping: the export of spans that were not sampled, because their response failed or was slow.

pub mod decide;
pub mod pending;
pub mod response_header;
pub mod server_timing;
mod verdict;
