//! Headers and stream information in memory, where there is no proxy: for tests, benches and `sidespan check`.

pub mod header_list;
pub mod proxy;
pub mod stream_record;
