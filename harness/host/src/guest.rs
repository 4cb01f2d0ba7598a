//! The exports of the guest, typed as Envoy calls them, and the trap that ends a VM.

use std::fmt;

use wasmtime::{
    AsContextMut, FrameInfo, Instance, TypedFunc, WasmBacktrace, WasmParams, WasmResults,
};

use crate::abi_types::AbiVersion;
use crate::settings::Settings;
use crate::stream::Side;
use crate::transcript::Function;
use crate::vm_state::VmState;

/// Every export that Envoy calls, with its type in the notation of `hostcalls/import_table.rs`.
pub(crate) const EXPORTS: &[(&str, &str)] = &[
    ("_initialize", ">"),
    ("_start", ">"),
    ("main", "ii>i"),
    ("__main_void", ">i"),
    ("malloc", "i>i"),
    ("proxy_on_memory_allocate", "i>i"),
    ("proxy_on_context_create", "ii>"),
    ("proxy_on_vm_start", "ii>i"),
    ("proxy_on_configure", "ii>i"),
    ("proxy_on_tick", "i>"),
    ("proxy_on_new_connection", "i>i"),
    ("proxy_on_downstream_data", "iii>i"),
    ("proxy_on_upstream_data", "iii>i"),
    ("proxy_on_downstream_connection_close", "ii>"),
    ("proxy_on_upstream_connection_close", "ii>"),
    ("proxy_on_request_headers", "iii>i"),
    ("proxy_on_request_body", "iii>i"),
    ("proxy_on_request_trailers", "ii>i"),
    ("proxy_on_request_metadata", "ii>i"),
    ("proxy_on_response_headers", "iii>i"),
    ("proxy_on_response_body", "iii>i"),
    ("proxy_on_response_trailers", "ii>i"),
    ("proxy_on_response_metadata", "ii>i"),
    ("proxy_on_http_call_response", "iiiii>"),
    ("proxy_on_grpc_receive_initial_metadata", "iii>"),
    ("proxy_on_grpc_receive", "iii>"),
    ("proxy_on_grpc_receive_trailing_metadata", "iii>"),
    ("proxy_on_grpc_close", "iii>"),
    ("proxy_on_queue_ready", "ii>"),
    ("proxy_on_foreign_function", "iii>"),
    ("proxy_validate_configuration", "ii>i"),
    ("envoy_on_resolve_dns", "iii>"),
    ("envoy_on_stats_update", "ii>"),
    ("proxy_on_done", "i>i"),
    ("proxy_on_log", "i>"),
    ("proxy_on_delete", "i>"),
];

/// One export of one instance. A callback that the module does not export is not called, as in Envoy.
pub(crate) struct Export<P, R> {
    pub(crate) callback: Function,
    pub(crate) function: Option<TypedFunc<P, R>>,
}

/// The answer of a callback, for the transcript.
pub(crate) trait Number {
    /// Returns the answer; `None` for a callback without one.
    fn number(&self) -> Option<u32>;
}

impl Number for () {
    fn number(&self) -> Option<u32> {
        None
    }
}

impl Number for u32 {
    fn number(&self) -> Option<u32> {
        Some(*self)
    }
}

/// The callbacks of one instance.
pub(crate) struct Guest {
    pub(crate) initialize: Export<(), ()>,
    pub(crate) start: Export<(), ()>,
    pub(crate) main: Export<(u32, u32), u32>,
    pub(crate) main_void: Export<(), u32>,
    pub(crate) context_create: Export<(u32, u32), ()>,
    pub(crate) vm_start: Export<(u32, u32), u32>,
    pub(crate) configure: Export<(u32, u32), u32>,
    pub(crate) tick: Export<u32, ()>,
    pub(crate) network: NetworkCallbacks,
    pub(crate) request: HalfCallbacks,
    pub(crate) response: HalfCallbacks,
    pub(crate) http_call_response: Export<(u32, u32, u32, u32, u32), ()>,
    pub(crate) grpc: GrpcCallbacks,
    pub(crate) foreign_function: Export<(u32, u32, u32), ()>,
    pub(crate) resolve_dns: Export<(u32, u32, u32), ()>,
    pub(crate) stats_update: Export<(u32, u32), ()>,
    pub(crate) queue_ready: Export<(u32, u32), ()>,
    pub(crate) done: Export<u32, u32>,
    pub(crate) log: Export<u32, ()>,
    pub(crate) delete: Export<u32, ()>,
}

/// The four callbacks of one direction of a stream.
pub(crate) struct HalfCallbacks {
    pub(crate) headers: Export<(u32, u32, u32), u32>,
    /// The headers callback of ABI 0.1.0, which is not told of the end of the stream.
    pub(crate) headers_without_end: Export<(u32, u32), u32>,
    pub(crate) body: Export<(u32, u32, u32), u32>,
    pub(crate) trailers: Export<(u32, u32), u32>,
    pub(crate) metadata: Export<(u32, u32), u32>,
}

/// The five callbacks of a TCP connection.
pub(crate) struct NetworkCallbacks {
    pub(crate) new_connection: Export<u32, u32>,
    pub(crate) downstream_data: Export<(u32, u32, u32), u32>,
    pub(crate) upstream_data: Export<(u32, u32, u32), u32>,
    pub(crate) downstream_close: Export<(u32, u32), ()>,
    pub(crate) upstream_close: Export<(u32, u32), ()>,
}

/// The four callbacks of gRPC: root context, token, and a count of fields or bytes or the status.
pub(crate) struct GrpcCallbacks {
    pub(crate) receive_initial_metadata: Export<(u32, u32, u32), ()>,
    pub(crate) receive: Export<(u32, u32, u32), ()>,
    pub(crate) receive_trailing_metadata: Export<(u32, u32, u32), ()>,
    pub(crate) close: Export<(u32, u32, u32), ()>,
}

impl Guest {
    /// Returns the callbacks of one direction.
    pub(crate) fn half(&self, side: Side) -> &HalfCallbacks {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    pub(crate) fn new(
        instance: &Instance,
        store: &mut impl AsContextMut<Data = VmState>,
        abi: AbiVersion,
        settings: &Settings,
    ) -> Self {
        let lookup = &mut Lookup { store, settings };
        Self {
            initialize: find(instance, lookup, "_initialize"),
            start: find(instance, lookup, "_start"),
            main: find(instance, lookup, "main"),
            main_void: find(instance, lookup, "__main_void"),
            context_create: find(instance, lookup, "proxy_on_context_create"),
            vm_start: find(instance, lookup, "proxy_on_vm_start"),
            configure: find(instance, lookup, "proxy_on_configure"),
            tick: find(instance, lookup, "proxy_on_tick"),
            network: NetworkCallbacks {
                new_connection: find(instance, lookup, "proxy_on_new_connection"),
                downstream_data: find(instance, lookup, "proxy_on_downstream_data"),
                upstream_data: find(instance, lookup, "proxy_on_upstream_data"),
                downstream_close: find(instance, lookup, "proxy_on_downstream_connection_close"),
                upstream_close: find(instance, lookup, "proxy_on_upstream_connection_close"),
            },
            request: HalfCallbacks {
                headers: find(instance, lookup, "proxy_on_request_headers"),
                headers_without_end: find(instance, lookup, "proxy_on_request_headers"),
                body: find(instance, lookup, "proxy_on_request_body"),
                trailers: find(instance, lookup, "proxy_on_request_trailers"),
                metadata: find(instance, lookup, "proxy_on_request_metadata"),
            },
            response: HalfCallbacks {
                headers: find(instance, lookup, "proxy_on_response_headers"),
                headers_without_end: find(instance, lookup, "proxy_on_response_headers"),
                body: find(instance, lookup, "proxy_on_response_body"),
                trailers: find(instance, lookup, "proxy_on_response_trailers"),
                metadata: find(instance, lookup, "proxy_on_response_metadata"),
            },
            http_call_response: find(instance, lookup, "proxy_on_http_call_response"),
            grpc: GrpcCallbacks {
                receive_initial_metadata: find(
                    instance,
                    lookup,
                    "proxy_on_grpc_receive_initial_metadata",
                ),
                receive: find(instance, lookup, "proxy_on_grpc_receive"),
                receive_trailing_metadata: find(
                    instance,
                    lookup,
                    "proxy_on_grpc_receive_trailing_metadata",
                ),
                close: find(instance, lookup, "proxy_on_grpc_close"),
            },
            foreign_function: match abi {
                // 0.1.0 does not have it.
                AbiVersion::V0_1_0 => Export {
                    callback: callback("proxy_on_foreign_function"),
                    function: None,
                },
                _ => find(instance, lookup, "proxy_on_foreign_function"),
            },
            resolve_dns: find(instance, lookup, "envoy_on_resolve_dns"),
            stats_update: find(instance, lookup, "envoy_on_stats_update"),
            queue_ready: find(instance, lookup, "proxy_on_queue_ready"),
            done: find(instance, lookup, "proxy_on_done"),
            log: find(instance, lookup, "proxy_on_log"),
            delete: find(instance, lookup, "proxy_on_delete"),
        }
    }
}

/// The store to look exports up in, and the settings that say which callbacks may be called.
struct Lookup<'a, S> {
    store: &'a mut S,
    settings: &'a Settings,
}

fn find<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    lookup: &mut Lookup<'_, impl AsContextMut<Data = VmState>>,
    name: &'static str,
) -> Export<P, R> {
    let is_allowed = !name.starts_with("proxy_") || lookup.settings.allows(name);
    // `load_check` has refused a callback of another type.
    let function = is_allowed.then(|| instance.get_typed_func(&mut *lookup.store, name).ok());
    Export {
        callback: callback(name),
        function: function.flatten(),
    }
}

/// Returns an export's name and number in the transcript.
pub(crate) fn callback(name: &'static str) -> Function {
    let number = EXPORTS.iter().position(|(known, _)| *known == name);
    let number = number.unwrap_or(EXPORTS.len());
    Function { name, number }
}

/// The trap that ended a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trap {
    /// The export that the host had called.
    pub callback: &'static str,
    /// The cause of the trap.
    pub message: String,
    /// The functions on the guest's stack, innermost first, by the names that the module has.
    pub backtrace: Vec<String>,
}

impl Trap {
    pub(crate) fn new(callback: &'static str, error: &wasmtime::Error) -> Self {
        let frames = error
            .downcast_ref::<WasmBacktrace>()
            .map(WasmBacktrace::frames)
            .unwrap_or_default();
        let name = |frame: &FrameInfo| match frame.func_name() {
            Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
            None => format!("function {}", frame.func_index()),
        };
        Self {
            callback,
            message: error.root_cause().to_string(),
            backtrace: frames.iter().map(name).collect(),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Function: {} failed: {}",
            self.callback, self.message
        )?;
        if !self.backtrace.is_empty() {
            formatter.write_str("\nProxy-Wasm plugin in-VM backtrace:")?;
        }
        for (index, name) in self.backtrace.iter().enumerate() {
            write!(formatter, "\n  {index}: {name}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trap {}
