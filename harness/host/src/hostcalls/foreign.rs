//! Functions that Envoy offers outside the ABI (`proxy_call_foreign_function`): compression, filter state, declared
//! properties, signatures, expressions.
//!
//! Each has an encoding of its own for arguments and result (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/wasm_filter>).

mod compression;
mod filter_state;
mod public_key;
mod signatures;

use wasmtime::Linker;

use super::expressions;
use super::provide::provide;
use crate::abi_types::{Answer, Failure, Status, refuse};
use crate::host_call::{HostCall, word};
use crate::settings::EnvoyVersion;
use crate::vm_state::{Expressions, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_call_foreign_function", call,
        name: u32, name_size: u32, arguments: u32, arguments_size: u32, result_out: u32, result_size_out: u32);
    Ok(())
}

/// The result of a foreign function: `None` if it has none, for which the guest allocates nothing.
type Outcome = Answer<Option<Vec<u8>>>;

/// Calls a function that Envoy offers outside the ABI (`proxy_call_foreign_function`).
///
/// # Parameters
/// - `name`, `name_size`: the function's name.
/// - `arguments`, `arguments_size`: the function's arguments, in the function's own encoding.
/// - `result_out`, `result_size_out`: destinations of the result's address and size (u32 each); 0 if not wanted.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such function, and both destinations are as they were; no such expression; filter state of an unknown
///   name, or in a root context.
/// - BAD_ARGUMENT: arguments that cannot be read; a property that is declared again; no key, or two.
/// - SERIALIZATION_FAILURE: bytes that are no zlib stream; an expression whose value is null or a type.
/// - INTERNAL_FAILURE: an expression that fails, as on an attribute that is unknown at this moment.
/// - UNIMPLEMENTED: a signature with a key of another kind than RSA, which Envoy has and this host does not have.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed, on which Envoy 1.40 dies.
///
/// After any answer but OK and the first NOT_FOUND both destinations are 0.
///
/// ```text
/// call(name="expr_create", arguments="request.path", result_out=8, result_size_out=12)
///      8: 00 10 00 00  04 00 00 00
/// 0x1000: 00 00 00 00
/// ```
fn call(
    call: &mut HostCall<'_>,
    name: u32,
    name_size: u32,
    arguments: u32,
    arguments_size: u32,
    result_out: u32,
    result_size_out: u32,
) -> Answer {
    let (memory, state) = call.memory_and_state()?;
    let name = String::from_utf8_lossy(memory.slice(name, name_size)?);
    let arguments = memory.slice(arguments, arguments_size)?;
    let outcome = match run(state, &name, arguments) {
        None => {
            return refuse(
                Status::NotFound,
                format!("there is no foreign function `{name}`"),
            );
        }
        Some(Err(Failure::Trap(trap))) => return Err(Failure::Trap(trap)),
        Some(outcome) => outcome,
    };
    let (address, size) = match &outcome {
        Ok(Some(result)) if result_out != 0 => (call.allocate(result)?, word(result.len())),
        Ok(Some(result)) => (0, word(result.len())),
        _ => (0, 0),
    };
    for (out, value) in [(result_out, address), (result_size_out, size)] {
        if out != 0 {
            call.write_u32(out, value)?;
        }
    }
    outcome.map(drop)
}

/// Runs a function; `None` if there is none of this name.
fn run(state: &mut VmState, name: &str, arguments: &[u8]) -> Option<Outcome> {
    Some(match name {
        "compress" => Ok(Some(compression::compress(arguments))),
        "uncompress" => compression::uncompress(arguments).map(Some),
        "set_envoy_filter_state" => filter_state::set(state, arguments).map(no_result),
        "declare_property" => filter_state::declare(state, arguments).map(no_result),
        "verify_signature" => signatures::verify(arguments).map(Some),
        "sign" => signatures::sign(arguments).map(Some),
        "clear_route_cache" if state.settings.version <= EnvoyVersion::V1_32 => return None,
        // There is no route here that could be chosen again.
        "clear_route_cache" if state.settings.version >= EnvoyVersion::V1_33 => Ok(None),
        "expr_create" => prepared(state).and_then(|prepared| prepared.create(arguments).map(Some)),
        "expr_delete" => prepared(state)
            .and_then(|prepared| prepared.delete(arguments))
            .map(no_result),
        "expr_evaluate" => expressions::evaluate(state, arguments).map(Some),
        _ => return None,
    })
}

fn no_result((): ()) -> Option<Vec<u8>> {
    None
}

fn prepared(state: &mut VmState) -> Answer<&mut Expressions> {
    match state.root_mut() {
        Some(root) => Ok(&mut root.expressions),
        None => refuse(
            Status::NotFound,
            "there is no root context whose expression this could be",
        ),
    }
}

#[cfg(test)]
mod tests;
