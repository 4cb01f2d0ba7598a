//! Calls of the guest within its own call, as Envoy makes them with what it knows at once.

use wasmtime::{Extern, WasmParams};

use crate::abi_types::{Answer, Failure};
use crate::guest;
use crate::host_call::HostCall;

/// Calls a callback of a root context, if the module has it.
pub(super) fn call_back<P: WasmParams>(
    call: &mut HostCall<'_>,
    callback: &'static str,
    root: u32,
    arguments: P,
) -> Answer {
    let state = call.state_mut();
    let outer = (state.current, state.effective, state.callback);
    (state.current, state.effective, state.callback) = (root, None, callback);
    let export = guest::callback(callback);
    state.transcript.enter(export, root);
    let function = call.caller.get_export(callback).and_then(Extern::into_func);
    let function = function.and_then(|it| it.typed::<P, ()>(&call.caller).ok());
    let called = match function {
        Some(function) => function.call(&mut call.caller, arguments),
        None => Ok(()),
    };
    let state = call.state_mut();
    state.transcript.leave(export, || None);
    (state.current, state.effective, state.callback) = outer;
    called.map_err(Failure::Trap)
}
