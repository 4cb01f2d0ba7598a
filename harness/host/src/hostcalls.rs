//! Every function that a module may import from `env`: one file for each group of functions, and their linking.
//!
//! The specification is proxy-wasm ABI 0.2.1 (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>);
//! where Envoy answers something else, Envoy's answer is given.

mod activation;
mod buffers;
mod call_back;
mod dns;
mod expressions;
mod foreign;
mod grpc;
mod grpc_service;
mod header_maps;
mod http_call;
mod import_table;
mod metrics;
mod properties;
mod provide;
mod shared_data;
mod shared_queue;
mod stream;
mod system;

pub use import_table::{IMPORTS, Import};
pub(crate) use import_table::{equals, types};
use provide::provide;
use wasmtime::{Caller, Linker};

use crate::host_call::HostCall;
use crate::vm_state::VmState;

/// Defines every function of [`IMPORTS`].
pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    header_maps::link(linker)?;
    link_data(linker)?;
    http_call::link(linker)?;
    grpc::link(linker)?;
    foreign::link(linker)?;
    stream::link(linker)?;
    metrics::link(linker)?;
    system::link(linker)?;
    provide!(linker, "envoy_resolve_dns", dns::resolve, name: u32, name_size: u32, token_out: u32);
    linker.func_wrap(
        "env",
        "pthread_equal",
        |caller: Caller<'_, VmState>, left: u32, right: u32| -> wasmtime::Result<u32> {
            HostCall { caller }.check("pthread_equal")?;
            Ok(u32::from(left == right))
        },
    )?;
    linker.func_wrap(
        "env",
        "emscripten_notify_memory_growth",
        |caller: Caller<'_, VmState>, _memory: u32| {
            HostCall { caller }.check("emscripten_notify_memory_growth")
        },
    )?;
    Ok(())
}

/// Defines the functions of buffers, properties, shared data and shared queues.
fn link_data(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
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
    provide!(linker, "proxy_get_shared_data", shared_data::get,
        key: u32, key_size: u32, value_out: u32, value_size_out: u32, cas_out: u32);
    provide!(linker, "proxy_set_shared_data", shared_data::set,
        key: u32, key_size: u32, value: u32, value_size: u32, cas: u32);
    provide!(linker, "proxy_register_shared_queue", shared_queue::register,
        name: u32, name_size: u32, token_out: u32);
    provide!(linker, "proxy_resolve_shared_queue", shared_queue::resolve,
        vm_id: u32, vm_id_size: u32, name: u32, name_size: u32, token_out: u32);
    provide!(linker, "proxy_enqueue_shared_queue", shared_queue::enqueue, token: u32, item: u32, item_size: u32);
    provide!(linker, "proxy_dequeue_shared_queue", shared_queue::dequeue,
        token: u32, item_out: u32, item_size_out: u32);
    Ok(())
}

#[cfg(test)]
mod tests;
