//! The macro that defines a host function and notes each call and answer in the transcript.

/// Defines one host function: notes the call, runs the body, notes the answer.
macro_rules! provide {
    ($linker:ident, $name:literal, $body:path, $($argument:ident : $type:ty),* $(,)?) => {
        $linker.func_wrap(
            "env",
            $name,
            |caller: wasmtime::Caller<'_, crate::vm_state::VmState>, $($argument: $type),*| -> wasmtime::Result<u32> {
                const FUNCTION: crate::transcript::Function = crate::hostcalls::import_table::function($name);
                let mut call = crate::host_call::HostCall { caller };
                call.begin(FUNCTION, || [$((stringify!($argument), i64::from($argument))),*])?;
                let answer = match call.permit(FUNCTION) {
                    Ok(()) => $body(&mut call, $($argument),*),
                    refused => refused,
                };
                call.finish(FUNCTION, answer)
            },
        )?;
    };
}
pub(crate) use provide;
