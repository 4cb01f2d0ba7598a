//! The table of all functions of the module `env`: those of ABI 0.2.1, those of 0.1.0 alone, and Envoy's own.
//!
//! Signatures are written as wasm types: `i` is i32, `I` is i64, and the result stands behind `>`.

use wasmtime::ValType;

use crate::transcript::Function;

/// One function that a module may import from `env`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Import {
    /// The function's name.
    pub name: &'static str,
    /// The function's wasm type: `ii>i` takes two i32 and returns one.
    pub signature: &'static str,
}

/// Every function of the module `env` that Envoy knows, in the order of the specification.
pub const IMPORTS: &[Import] = &[
    import("proxy_log", "iii>i"),
    import("proxy_get_log_level", "i>i"),
    import("proxy_get_current_time_nanoseconds", "i>i"),
    import("proxy_set_tick_period_milliseconds", "i>i"),
    import("proxy_get_buffer_bytes", "iiiii>i"),
    import("proxy_get_buffer_status", "iii>i"),
    import("proxy_set_buffer_bytes", "iiiii>i"),
    import("proxy_get_header_map_size", "ii>i"),
    import("proxy_get_header_map_pairs", "iii>i"),
    import("proxy_set_header_map_pairs", "iii>i"),
    import("proxy_get_header_map_value", "iiiii>i"),
    import("proxy_add_header_map_value", "iiiii>i"),
    import("proxy_replace_header_map_value", "iiiii>i"),
    import("proxy_remove_header_map_value", "iii>i"),
    import("proxy_continue_stream", "i>i"),
    import("proxy_close_stream", "i>i"),
    import("proxy_get_status", "iii>i"),
    import("proxy_send_local_response", "iiiiiiii>i"),
    import("proxy_http_call", "iiiiiiiiii>i"),
    import("proxy_grpc_call", "iiiiiiiiiiii>i"),
    import("proxy_grpc_stream", "iiiiiiiii>i"),
    import("proxy_grpc_send", "iiii>i"),
    import("proxy_grpc_cancel", "i>i"),
    import("proxy_grpc_close", "i>i"),
    import("proxy_get_shared_data", "iiiii>i"),
    import("proxy_set_shared_data", "iiiii>i"),
    import("proxy_register_shared_queue", "iii>i"),
    import("proxy_resolve_shared_queue", "iiiii>i"),
    import("proxy_enqueue_shared_queue", "iii>i"),
    import("proxy_dequeue_shared_queue", "iii>i"),
    import("proxy_define_metric", "iiii>i"),
    import("proxy_increment_metric", "iI>i"),
    import("proxy_record_metric", "iI>i"),
    import("proxy_get_metric", "ii>i"),
    import("proxy_get_property", "iiii>i"),
    import("proxy_set_property", "iiii>i"),
    import("proxy_set_effective_context", "i>i"),
    import("proxy_done", ">i"),
    import("proxy_call_foreign_function", "iiiiii>i"),
    // Only in 0.1.0, in place of `proxy_continue_stream`, `proxy_close_stream` and `proxy_get_log_level`.
    import("proxy_get_configuration", "ii>i"),
    import("proxy_continue_request", ">i"),
    import("proxy_continue_response", ">i"),
    import("proxy_clear_route_cache", ">i"),
    // Envoy's own, outside the ABI.
    import("pthread_equal", "ii>i"),
    import("emscripten_notify_memory_growth", "i>"),
    import("envoy_resolve_dns", "iii>i"),
];

const fn import(name: &'static str, signature: &'static str) -> Import {
    Import { name, signature }
}

/// Returns the function of a name as the transcript counts it; without such a function the build fails.
pub(crate) const fn function(name: &'static str) -> Function {
    let mut number = 0;
    while !equals(IMPORTS[number].name, name) {
        number += 1;
    }
    Function { name, number }
}

/// Compares two names, which `==` cannot do in a constant.
pub(crate) const fn equals(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
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
        // The four of 0.1.0 alone are not given to a module of 0.2.1; `module/tests.rs` has them.
        let of_0_1_0 = |name: &str| {
            name == "proxy_get_configuration"
                || name.starts_with("proxy_continue_re")
                || name == "proxy_clear_route_cache"
        };
        let imports: String = IMPORTS
            .iter()
            .filter(|import| !of_0_1_0(import.name))
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
}
