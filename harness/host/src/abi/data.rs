//! Buffers, properties and shared data.

mod buffers;
pub(super) mod properties;
mod shared;

use wasmtime::Linker;

use crate::abi::provide;
use crate::world::World;

pub(crate) fn link(linker: &mut Linker<World>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_get_buffer_bytes", buffers::bytes,
        buffer: u32, start: u32, max_size: u32, bytes_out: u32, size_out: u32);
    provide!(linker, "proxy_get_buffer_status", buffers::status, buffer: u32, size_out: u32, flags_out: u32);
    provide!(linker, "proxy_set_buffer_bytes", buffers::set,
        buffer: u32, start: u32, size: u32, bytes: u32, bytes_size: u32);
    provide!(linker, "proxy_get_configuration", buffers::configuration, bytes_out: u32, size_out: u32);
    provide!(linker, "proxy_get_property", properties::get,
        path: u32, path_size: u32, value_out: u32, value_size_out: u32);
    provide!(linker, "proxy_set_property", properties::set,
        path: u32, path_size: u32, value: u32, value_size: u32);
    provide!(linker, "proxy_get_shared_data", shared::get,
        key: u32, key_size: u32, value_out: u32, value_size_out: u32, cas_out: u32);
    provide!(linker, "proxy_set_shared_data", shared::set,
        key: u32, key_size: u32, value: u32, value_size: u32, cas: u32);
    Ok(())
}
