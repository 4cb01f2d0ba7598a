//! WASI preview 1 as Envoy offers it: enough for a standard library to start, log, and read time and randomness.
//!
//! Every function has both module names that compilers have used. There is no file, no socket and no argument; a function
//! that Envoy refuses is refused here with Envoy's number.

mod table;
mod version;

pub(crate) use table::signature;
pub use version::first_version;
use wasmtime::{Caller, Linker, Val};

use crate::abi_types::{Answer, Failure};
use crate::explanations::Situation;
use crate::host_call::{HostCall, word};
use crate::logs::LogLevel;
use crate::transcript::Function;
use crate::vm_state::VmState;
use table::{Descriptor, Fixed};

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const IO: u32 = 29;
const NOTSUP: u32 = 58;
const NOTCAPABLE: u32 = 76;

/// The longest line, which is Envoy's limit on the memory of a guest: the parts of a line may lie over one another.
const MAX_LINE_BYTES: u64 = 1 << 30;
/// Envoy's limit on one `random_get`.
const MAX_RANDOM_BYTES: u32 = 64 * 1024;

/// Defines one WASI function with a body of its own.
macro_rules! wasi {
    ($linker:ident, $module:expr, $name:literal, $body:path, $($argument:ident : $type:ty),* $(,)?) => {
        $linker.func_wrap(
            $module,
            $name,
            |caller: Caller<'_, VmState>, $($argument: $type),*| -> wasmtime::Result<u32> {
                const FUNCTION: Function = table::function($name);
                let mut call = HostCall { caller };
                call.begin(FUNCTION, || [$((stringify!($argument), i64::try_from($argument).unwrap_or(i64::MAX))),*])?;
                let answer = match permit(&mut call, $name) {
                    Some(errno) => Ok(errno),
                    None => $body(&mut call, $($argument),*),
                };
                finish(&mut call, answer)
            },
        )?;
    };
}

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        wasi!(linker, module, "fd_write", fd_write, fd: u32, vectors: u32, count: u32, written_out: u32);
        wasi!(linker, module, "fd_pwrite", fd_pwrite,
            fd: u32, vectors: u32, count: u32, offset: u64, written_out: u32);
        wasi!(linker, module, "fd_fdstat_get", fd_fdstat_get, fd: u32, stat_out: u32);
        wasi!(linker, module, "clock_time_get", clock_time_get, clock: u32, precision: u64, time_out: u32);
        wasi!(linker, module, "clock_res_get", clock_res_get, clock: u32, resolution_out: u32);
        wasi!(linker, module, "random_get", random_get, buffer: u32, size: u32);
        wasi!(linker, module, "environ_sizes_get", environ_sizes_get, count_out: u32, size_out: u32);
        wasi!(linker, module, "environ_get", environ_get, pointers_out: u32, buffer_out: u32);
        wasi!(linker, module, "args_sizes_get", args_sizes_get, count_out: u32, size_out: u32);
        wasi!(linker, module, "poll_oneoff", poll_oneoff, subscriptions: u32, events: u32, count: u32, count_out: u32);
        linker.func_wrap(module, "proc_exit", proc_exit)?;
        for row in table::FIXED {
            let (parameters, results) = crate::hostcalls::types(row.signature);
            let function = table::function(row.name);
            let signature = wasmtime::FuncType::new(linker.engine(), parameters, results);
            linker.func_new(
                module,
                row.name,
                signature,
                move |caller: Caller<'_, VmState>, arguments: &[Val], results| {
                    let mut call = HostCall { caller };
                    call.begin(function, || [])?;
                    let answer = match permit(&mut call, row.name) {
                        Some(errno) => Ok(errno),
                        None => fixed(&mut call, row, arguments),
                    };
                    results[0] = Val::I32(finish(&mut call, answer)?.cast_signed());
                    Ok(())
                },
            )?;
        }
    }
    Ok(())
}

/// Writes to the log: file descriptor 1 at level info, 2 at error. One line break at the end is dropped.
///
/// # Errors
/// BADF: another descriptor. FAULT: outside the memory. INVAL: more bytes than a guest's memory has, for which Envoy would take
/// its own.
fn fd_write(
    call: &mut HostCall<'_>,
    fd: u32,
    vectors: u32,
    count: u32,
    written_out: u32,
) -> Answer<u32> {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Ok(BADF),
    };
    let mut length = 0;
    for index in 0..count {
        let [_, size] = part(call, vectors, index)?;
        length += u64::from(size);
        if length > MAX_LINE_BYTES {
            return Ok(INVAL);
        }
    }
    let mut text = Vec::new();
    for index in 0..count {
        let [at, size] = part(call, vectors, index)?;
        // Envoy does not look at the address of an empty part.
        if size > 0 {
            text.extend(call.read(at, size)?);
        }
    }
    let written = word(text.len());
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    if written > 0 {
        let line = String::from_utf8_lossy(&text).into_owned();
        call.state_mut().log(level, line);
    }
    call.write_u32(written_out, written)?;
    Ok(SUCCESS)
}

/// Returns address and size of one of the parts that a line is made of.
///
/// # Errors
/// FAULT: outside the memory.
fn part(call: &mut HostCall<'_>, vectors: u32, index: u32) -> Answer<[u32; 2]> {
    let part = call.read(vectors.wrapping_add(index.wrapping_mul(8)), 8)?;
    let word = |at: usize| u32::from_le_bytes([part[at], part[at + 1], part[at + 2], part[at + 3]]);
    Ok([word(0), word(4)])
}

/// Writes to the log as `fd_write` does, because there is no file whose offset could count.
///
/// # Errors
/// The errors of `fd_write`.
fn fd_pwrite(
    call: &mut HostCall<'_>,
    fd: u32,
    vectors: u32,
    count: u32,
    _offset: u64,
    written_out: u32,
) -> Answer<u32> {
    fd_write(call, fd, vectors, count, written_out)
}

/// Answers with the fixed number of a function that does nothing.
///
/// # Errors
/// BADF: a descriptor that does not exist, where the function looks at it. FAULT: outside the memory.
fn fixed(call: &mut HostCall<'_>, row: &Fixed, arguments: &[Val]) -> Answer<u32> {
    let word = |at: usize| {
        arguments
            .get(at)
            .and_then(Val::i32)
            .unwrap_or_default()
            .cast_unsigned()
    };
    if row.descriptor == Descriptor::Existing && ![1, 2].contains(&word(0)) {
        return Ok(BADF);
    }
    for (at, size) in row.zeros {
        call.write(word(*at), &[0; 8][..*size])?;
    }
    Ok(row.errno)
}

/// Describes descriptors 1 and 2 as writable.
///
/// # Errors
/// BADF: another descriptor. An address outside the memory is no error, as in Envoy.
fn fd_fdstat_get(call: &mut HostCall<'_>, fd: u32, stat_out: u32) -> Answer<u32> {
    const RIGHT_TO_WRITE: u8 = 64;
    if fd != 1 && fd != 2 {
        return Ok(BADF);
    }
    let mut stat = [0; 24];
    stat[8] = RIGHT_TO_WRITE;
    match call.write(stat_out, &stat) {
        Err(Failure::Trap(trap)) => Err(Failure::Trap(trap)),
        Ok(()) | Err(Failure::Status(..)) => Ok(SUCCESS),
    }
}

/// Gives the guest the time: 0 is the wall clock, 1 the monotonic one. They are equal until somebody steps the wall clock.
///
/// # Errors
/// NOTSUP: another clock. FAULT: outside the memory.
fn clock_time_get(
    call: &mut HostCall<'_>,
    clock: u32,
    _precision: u64,
    time_out: u32,
) -> Answer<u32> {
    if clock > 1 {
        return Ok(NOTSUP);
    }
    let time = call.state().time;
    let now = if clock == 0 { time.shown() } else { time.now() };
    call.write_u64(time_out, now)?;
    Ok(SUCCESS)
}

/// Gives the guest the resolution of a clock, one nanosecond.
///
/// # Errors
/// NOTSUP: another clock than 0 and 1. FAULT: outside the memory.
fn clock_res_get(call: &mut HostCall<'_>, clock: u32, resolution_out: u32) -> Answer<u32> {
    if clock > 1 {
        return Ok(NOTSUP);
    }
    call.write_u64(resolution_out, 1)?;
    Ok(SUCCESS)
}

/// Fills memory with randomness.
///
/// # Errors
/// INVAL: more than 64 KiB. FAULT: outside the memory. IO: the operating system has none.
fn random_get(call: &mut HostCall<'_>, buffer: u32, size: u32) -> Answer<u32> {
    if size > MAX_RANDOM_BYTES {
        return Ok(INVAL);
    }
    // Envoy does not look at the address then.
    if size == 0 {
        return Ok(SUCCESS);
    }
    let mut bytes = call.read(buffer, size)?;
    if call.state_mut().entropy.fill(&mut bytes).is_err() {
        return Ok(IO);
    }
    call.write(buffer, &bytes)?;
    Ok(SUCCESS)
}

/// Gives the guest the number of environment variables, and the bytes of all `KEY=value\0`.
///
/// # Errors
/// FAULT: outside the memory.
fn environ_sizes_get(call: &mut HostCall<'_>, count_out: u32, size_out: u32) -> Answer<u32> {
    let environment = &call.state().settings.environment;
    let (count, size) = (
        environment.len(),
        environment
            .iter()
            .map(|(key, value)| key.len() + value.len() + 2)
            .sum(),
    );
    call.write_u32(count_out, word(count))?;
    call.write_u32(size_out, word(size))?;
    Ok(SUCCESS)
}

/// Gives the guest the environment variables: a list of pointers, and the bytes that the pointers lead to.
///
/// # Errors
/// FAULT: outside the memory.
///
/// ```text
/// environ_get(pointers_out=8, buffer_out=64) with {"A": "1", "B": ""}
///      8: 40 00 00 00  44 00 00 00
///     64: 41 3d 31 00  42 3d 00
/// ```
fn environ_get(call: &mut HostCall<'_>, pointers_out: u32, buffer_out: u32) -> Answer<u32> {
    let (mut pointer_out, mut at) = (pointers_out, buffer_out);
    for (key, value) in call.state().settings.environment.clone() {
        let text = format!("{key}={value}\0");
        call.write_u32(pointer_out, at)?;
        call.write(at, text.as_bytes())?;
        pointer_out = pointer_out.wrapping_add(4);
        at = at.wrapping_add(word(text.len()));
    }
    Ok(SUCCESS)
}

/// Gives the guest the number of arguments, 0.
///
/// # Errors
/// FAULT: outside the memory.
fn args_sizes_get(call: &mut HostCall<'_>, count_out: u32, size_out: u32) -> Answer<u32> {
    call.write_u32(count_out, 0)?;
    call.write_u32(size_out, 0)?;
    Ok(SUCCESS)
}

/// Answers that no event has happened; the runtime of Go asks.
///
/// # Errors
/// FAULT: outside the memory.
fn poll_oneoff(
    call: &mut HostCall<'_>,
    _subscriptions: u32,
    _events: u32,
    _count: u32,
    count_out: u32,
) -> Answer<u32> {
    call.write_u32(count_out, 0)?;
    Ok(SUCCESS)
}

/// Notes that the guest wants to end, and returns to the guest: Envoy does no more, and the guest then traps by itself.
fn proc_exit(caller: Caller<'_, VmState>, code: u32) -> wasmtime::Result<()> {
    let mut call = HostCall { caller };
    const FUNCTION: Function = table::function("proc_exit");
    call.begin(FUNCTION, || [("code", i64::from(code))])?;
    let state = call.state_mut();
    state.explain(state.current, Situation::ProcExit);
    call.state_mut()
        .transcript
        .answer(|| "returns, as in Envoy".to_owned());
    Ok(())
}

/// Returns NOTCAPABLE for a function that `allowed_capabilities` does not have, with Envoy's line in the log.
fn permit(call: &mut HostCall<'_>, function: &str) -> Option<u32> {
    let state = call.state_mut();
    if state.settings.allows(function) {
        return None;
    }
    let text = format!("Attempted call to restricted WASI capability: {function}");
    state.logs.push(LogLevel::Error, None, text);
    Some(NOTCAPABLE)
}

/// Notes the answer and returns it as WASI's own number, FAULT for an address outside the memory.
fn finish(call: &mut HostCall<'_>, answer: Answer<u32>) -> wasmtime::Result<u32> {
    let errno = match answer {
        Ok(errno) => errno,
        Err(Failure::Status(..)) => FAULT,
        Err(Failure::Trap(trap)) => return Err(trap),
    };
    call.state_mut()
        .transcript
        .answer(|| format!("errno={errno}"));
    Ok(errno)
}

#[cfg(test)]
mod tests;
