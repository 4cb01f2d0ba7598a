//! Logs, time, ticks, the status of a failed call, the end of a root context, and the effective context.

use wasmtime::Linker;

use super::provide::provide;
use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;
use crate::logs::LogLevel;
use crate::vm_state::{Deferred, RootPhase, Tick, VmState};

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_log", log, level: u32, message: u32, message_size: u32);
    provide!(linker, "proxy_get_log_level", log_level, level_out: u32);
    provide!(linker, "proxy_get_current_time_nanoseconds", time, time_out: u32);
    provide!(linker, "proxy_set_tick_period_milliseconds", set_tick_period, period_ms: u32);
    provide!(linker, "proxy_get_status", status, code_out: u32, message_out: u32, message_size_out: u32);
    provide!(linker, "proxy_set_effective_context", set_effective_context, context: u32);
    provide!(linker, "proxy_done", done,);
    Ok(())
}

/// Logs a line (`proxy_log`).
///
/// # Parameters
/// - `level`: 0 trace to 5 critical.
/// - `message`, `message_size`: the text.
///
/// # Statuses
/// - OK: also when the level is below the lowest level that is kept.
/// - BAD_ARGUMENT: no such level.
/// - INVALID_MEMORY_ACCESS: the text is outside the memory.
fn log(call: &mut HostCall<'_>, level: u32, message: u32, message_size: u32) -> Answer {
    let Some(level) = LogLevel::from_wire(level) else {
        return refuse(Status::BadArgument, format!("{level} is no log level"));
    };
    let text = call.read_text(message, message_size)?;
    call.state_mut().log(level, text);
    Ok(())
}

/// Gives the guest the lowest level of log lines that are kept (`proxy_get_log_level`).
///
/// # Parameters
/// - `level_out`: destination of the level (u32).
///
/// # Statuses
/// - OK.
/// - INVALID_MEMORY_ACCESS: `level_out` is outside the memory.
///
/// ```text
/// log_level(level_out=8) at info      8: 02 00 00 00
/// ```
fn log_level(call: &mut HostCall<'_>, level_out: u32) -> Answer {
    let level = call.state().logs.level().to_wire();
    call.write_u32(level_out, level)
}

/// Gives the guest the time (`proxy_get_current_time_nanoseconds`).
///
/// # Parameters
/// - `time_out`: where the nanoseconds since 1970 go (u64).
///
/// # Statuses
/// - OK.
/// - INVALID_MEMORY_ACCESS: `time_out` is outside the memory.
fn time(call: &mut HostCall<'_>, time_out: u32) -> Answer {
    let now = call.state().time.shown();
    call.write_u64(time_out, now)
}

/// Sets the period of `proxy_on_tick` on the root context (`proxy_set_tick_period_milliseconds`).
///
/// # Parameters
/// - `period_ms`: the time to the first tick, and from the end of one tick to the next; 0 stops the ticks.
///
/// # Statuses
/// - OK.
fn set_tick_period(call: &mut HostCall<'_>, period_ms: u32) -> Answer {
    let state = call.state_mut();
    let root = state.root_id();
    if period_ms == 0 {
        state.ticks.remove(&root);
    } else {
        let period = u64::from(period_ms) * 1_000_000;
        state.ticks.insert(
            root,
            Tick {
                period,
                due: state.time.now() + period,
            },
        );
    }
    Ok(())
}

/// Gives the guest the failure of the root context's last call (`proxy_get_status`).
///
/// # Parameters
/// - `code_out`: destination of the code (u32); 11 after a reset.
/// - `message_out`, `message_size_out`: destinations of the text's address and size (u32 each).
///
/// # Statuses
/// - OK.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
fn status(
    call: &mut HostCall<'_>,
    code_out: u32,
    message_out: u32,
    message_size_out: u32,
) -> Answer {
    let (code, message) = call
        .state()
        .root()
        .map(|root| root.status.clone())
        .unwrap_or_default();
    call.write_u32(code_out, code)?;
    call.hand_over(message.as_bytes(), message_out, message_size_out)
}

/// Sets the context that host functions act on until this callback ends (`proxy_set_effective_context`).
///
/// # Parameters
/// - `context`: any living context of this VM, of whatever stream; 0 for the called context again.
///
/// # Statuses
/// - OK.
/// - BAD_ARGUMENT: no such context.
fn set_effective_context(call: &mut HostCall<'_>, context: u32) -> Answer {
    if context == 0 {
        call.state_mut().effective = None;
        return Ok(());
    }
    if !call.state().has_context(context) {
        return refuse(
            Status::BadArgument,
            format!("there is no context {context}, or no longer"),
        );
    }
    call.state_mut().effective = Some(context);
    Ok(())
}

/// Ends a root context whose `proxy_on_done` has answered false (`proxy_done`).
///
/// `proxy_on_delete` follows when this callback has returned.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: the context is not pending.
fn done(call: &mut HostCall<'_>) -> Answer {
    let state = call.state_mut();
    let id = state.active();
    let Some(root) = state
        .roots
        .get_mut(&id)
        .filter(|root| root.phase == RootPhase::PendingDone)
    else {
        return refuse(
            Status::NotFound,
            format!(
                "context {id} is not pending: only a root context is whose \
                                                 proxy_on_done answered false, and only once"
            ),
        );
    };
    root.phase = RootPhase::Retired;
    state.deferred.push_back(Deferred::RootDone(id));
    Ok(())
}

#[cfg(test)]
mod tests;
