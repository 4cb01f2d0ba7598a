//! The table of all functions of the module `env`: those of ABI 0.2.1, those of 0.1.0 alone, and Envoy's own.
//!
//! Signatures are written as wasm types: `i` is i32, `I` is i64, and the result stands behind `>`.

use wasmtime::{Caller, FuncType, Linker, Val, ValType};

use crate::abi_types::{Status, refuse};
use crate::host_call::HostCall;
use crate::vm_state::VmState;

/// One function that a module may import from `env`.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// The function's name.
    pub name: &'static str,
    /// The function's wasm type: `ii>i` takes two i32 and returns one.
    pub signature: &'static str,
    /// The function's support by this host.
    pub support: Support,
}

/// The support of a function by this host.
#[derive(Clone, Copy, Debug)]
pub enum Support {
    /// The function answers as in Envoy.
    Provided,
    /// The function exists and answers with this status, for this reason.
    Refused(Status, &'static str),
}

const NO_DNS: &str =
    "Envoy's own `envoy_resolve_dns` is not built into this host. Envoy would ask its resolver";

/// Every function of the module `env` that Envoy knows, in the order of the specification.
pub const IMPORTS: &[Import] = &[
    provided("proxy_log", "iii>i"),
    provided("proxy_get_log_level", "i>i"),
    provided("proxy_get_current_time_nanoseconds", "i>i"),
    provided("proxy_set_tick_period_milliseconds", "i>i"),
    provided("proxy_get_buffer_bytes", "iiiii>i"),
    provided("proxy_get_buffer_status", "iii>i"),
    provided("proxy_set_buffer_bytes", "iiiii>i"),
    provided("proxy_get_header_map_size", "ii>i"),
    provided("proxy_get_header_map_pairs", "iii>i"),
    provided("proxy_set_header_map_pairs", "iii>i"),
    provided("proxy_get_header_map_value", "iiiii>i"),
    provided("proxy_add_header_map_value", "iiiii>i"),
    provided("proxy_replace_header_map_value", "iiiii>i"),
    provided("proxy_remove_header_map_value", "iii>i"),
    provided("proxy_continue_stream", "i>i"),
    provided("proxy_close_stream", "i>i"),
    provided("proxy_get_status", "iii>i"),
    provided("proxy_send_local_response", "iiiiiiii>i"),
    provided("proxy_http_call", "iiiiiiiiii>i"),
    provided("proxy_grpc_call", "iiiiiiiiiiii>i"),
    provided("proxy_grpc_stream", "iiiiiiiii>i"),
    provided("proxy_grpc_send", "iiii>i"),
    provided("proxy_grpc_cancel", "i>i"),
    provided("proxy_grpc_close", "i>i"),
    provided("proxy_get_shared_data", "iiiii>i"),
    provided("proxy_set_shared_data", "iiiii>i"),
    provided("proxy_register_shared_queue", "iii>i"),
    provided("proxy_resolve_shared_queue", "iiiii>i"),
    provided("proxy_enqueue_shared_queue", "iii>i"),
    provided("proxy_dequeue_shared_queue", "iii>i"),
    provided("proxy_define_metric", "iiii>i"),
    provided("proxy_increment_metric", "iI>i"),
    provided("proxy_record_metric", "iI>i"),
    provided("proxy_get_metric", "ii>i"),
    provided("proxy_get_property", "iiii>i"),
    provided("proxy_set_property", "iiii>i"),
    provided("proxy_set_effective_context", "i>i"),
    provided("proxy_done", ">i"),
    provided("proxy_call_foreign_function", "iiiiii>i"),
    // Only in 0.1.0, in place of `proxy_continue_stream`, `proxy_close_stream` and `proxy_get_log_level`.
    provided("proxy_get_configuration", "ii>i"),
    provided("proxy_continue_request", ">i"),
    provided("proxy_continue_response", ">i"),
    provided("proxy_clear_route_cache", ">i"),
    // Envoy's own, outside the ABI.
    provided("pthread_equal", "ii>i"),
    provided("emscripten_notify_memory_growth", "i>"),
    refused(
        "envoy_resolve_dns",
        "iii>i",
        Status::InternalFailure,
        NO_DNS,
    ),
];

const fn provided(name: &'static str, signature: &'static str) -> Import {
    Import {
        name,
        signature,
        support: Support::Provided,
    }
}

const fn refused(
    name: &'static str,
    signature: &'static str,
    status: Status,
    reason: &'static str,
) -> Import {
    Import {
        name,
        signature,
        support: Support::Refused(status, reason),
    }
}

/// Reads a signature of the table.
pub(crate) fn types(signature: &str) -> (Vec<ValType>, Vec<ValType>) {
    let (parameters, results) = signature.split_once('>').unwrap_or((signature, ""));
    let word = |letter| {
        if letter == 'I' {
            ValType::I64
        } else {
            ValType::I32
        }
    };
    (
        parameters.chars().map(word).collect(),
        results.chars().map(word).collect(),
    )
}

/// Defines the functions that are not built, so that a module that imports one of them loads, as in Envoy.
pub(crate) fn link_refused(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    for import in IMPORTS {
        let Support::Refused(status, reason) = import.support else {
            continue;
        };
        let (parameters, results) = types(import.signature);
        let signature = FuncType::new(linker.engine(), parameters, results);
        let name = import.name;
        linker.func_new(
            "env",
            name,
            signature,
            move |caller: Caller<'_, VmState>, _: &[Val], results: &mut [Val]| {
                let mut call = HostCall { caller };
                call.begin(name, &[])?;
                let status = call.finish(name, refuse(status, reason))?;
                results[0] = Val::I32(status.cast_signed());
                Ok(())
            },
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Guest, start};

    #[test]
    fn lists_the_39_functions_of_the_abi_and_7_more() {
        assert_eq!(IMPORTS.len(), 39 + 7);
        let mut names: Vec<_> = IMPORTS.iter().map(|import| import.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), IMPORTS.len());
    }

    #[test]
    fn defines_every_function_of_the_table_with_its_signature() {
        let imports: String = IMPORTS
            .iter()
            .map(|import| {
                let (parameters, results) = types(import.signature);
                let words = |types: &[ValType]| {
                    types
                        .iter()
                        .map(|kind| format!("{kind} "))
                        .collect::<String>()
                };
                let (parameters, results) = (words(&parameters), words(&results));
                format!(
                    "(import \"env\" \"{}\" (func (param {parameters}) (result {results})))",
                    import.name
                )
            })
            .collect();
        start(&Guest {
            imports: &imports,
            ..Guest::default()
        });
    }

    #[test]
    fn refuses_what_is_not_built_and_says_why() {
        let host = start(&Guest {
            imports: r#"(import "env" "envoy_resolve_dns" (func $dns (param i32 i32 i32) (result i32)))"#,
            on_configure: "(call $check (call $dns (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 10))",
            ..Guest::default()
        });
        let refusal = host.transcript().refusals().next().unwrap();
        assert_eq!(
            (refusal.function, refusal.callback),
            ("envoy_resolve_dns", "proxy_on_configure")
        );
        assert!(
            refusal.reason.contains("Envoy would ask its resolver"),
            "{}",
            refusal.reason
        );
    }
}
