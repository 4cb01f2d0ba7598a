//! The exports. Each runs its section of the script.

use crate::host;
use crate::script::{load, run};

/// Declares exports with their arguments, the first of which is the context, and their answer without a section.
macro_rules! callbacks {
    ($($export:ident, $name:literal, ($($argument:ident),*) $(-> $answer:literal)?;)*) => {
        $(callbacks!(@one $export, $name, ($($argument),*) $(-> $answer)?);)*
    };
    (@one $export:ident, $name:literal, ($($argument:ident),*) -> $answer:literal) => {
        #[unsafe(no_mangle)]
        extern "C" fn $export(context: u32, $($argument: u32),*) -> u32 {
            run($name, context.into(), &[$((stringify!($argument), $argument.into())),*], $answer)
        }
    };
    (@one $export:ident, $name:literal, ($($argument:ident),*)) => {
        #[unsafe(no_mangle)]
        extern "C" fn $export(context: u32, $($argument: u32),*) {
            run($name, context.into(), &[$((stringify!($argument), $argument.into())),*], 0);
        }
    };
}

callbacks! {
    proxy_on_tick, "tick", ();
    proxy_on_request_headers, "request_headers", (count, end) -> 0;
    proxy_on_request_body, "request_body", (size, end) -> 0;
    proxy_on_request_trailers, "request_trailers", (count) -> 0;
    proxy_on_request_metadata, "request_metadata", (count) -> 0;
    proxy_on_response_headers, "response_headers", (count, end) -> 0;
    proxy_on_response_body, "response_body", (size, end) -> 0;
    proxy_on_response_trailers, "response_trailers", (count) -> 0;
    proxy_on_response_metadata, "response_metadata", (count) -> 0;
    proxy_on_new_connection, "new_connection", () -> 0;
    proxy_on_downstream_data, "downstream_data", (size, end) -> 0;
    proxy_on_upstream_data, "upstream_data", (size, end) -> 0;
    proxy_on_downstream_connection_close, "downstream_connection_close", (peer);
    proxy_on_upstream_connection_close, "upstream_connection_close", (peer);
    proxy_on_http_call_response, "http_call_response", (token, headers, body, trailers);
    proxy_on_grpc_receive_initial_metadata, "grpc_receive_initial_metadata", (token, count);
    proxy_on_grpc_receive, "grpc_receive", (token, size);
    proxy_on_grpc_receive_trailing_metadata, "grpc_receive_trailing_metadata", (token, count);
    proxy_on_grpc_close, "grpc_close", (token, status);
    proxy_on_queue_ready, "queue_ready", (queue);
    proxy_on_foreign_function, "foreign_function", (function, size);
    proxy_on_done, "done", () -> 1;
    proxy_on_log, "log", ();
    proxy_on_delete, "delete", ();
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    if parent == 0 {
        // Envoy 1.40 shows the plugin's configuration here already.
        read_script(1 << 20);
    }
    run(
        "context_create",
        context.into(),
        &[("parent", parent.into())],
        0,
    );
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(context: u32, size: u32) -> u32 {
    run("vm_start", context.into(), &[("size", size.into())], 1)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, size: u32) -> u32 {
    read_script(size.into());
    run("configure", context.into(), &[("size", size.into())], 1)
}

fn read_script(size: u64) {
    let mut out = [0_u32; 2];
    let place = host::place(&mut out);
    if host::call(
        "get_buffer_bytes",
        &[PLUGIN_CONFIGURATION, 0, size, place, place + 4],
    ) == Some(0)
    {
        let out = unsafe { std::ptr::read_volatile(&out) };
        load(&String::from_utf8_lossy(&host::taken(out[0], out[1])));
    }
}

const PLUGIN_CONFIGURATION: u64 = 7;
