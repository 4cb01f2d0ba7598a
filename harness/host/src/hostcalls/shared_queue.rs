//! Shared queues (`proxy_*_shared_queue`): first in, first out, for all VMs of a process.
//!
//! Each item is told to the VM that has registered the queue last, by `proxy_on_queue_ready` on its root context, after the
//! callback in which the item was put in.

use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;
use crate::shared::NoItem;

/// Registers a queue of this VM's `vm_id`, and lets this VM be told of its items (`proxy_register_shared_queue`).
///
/// # Parameters
/// - `name`, `name_size`: the queue's name, any bytes.
/// - `token_out`: destination of the token (u32), the same one for a name that is registered again.
///
/// # Statuses
/// - OK.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory. The queue is registered all the same if only `token_out` is.
///
/// ```text
/// the first queue of a process, token_out=8      8: 01 00 00 00
/// ```
pub(super) fn register(
    call: &mut HostCall<'_>,
    name: u32,
    name_size: u32,
    token_out: u32,
) -> Answer {
    let name = call.read(name, name_size)?;
    let state = call.state();
    let token =
        state
            .shared
            .register_queue(&state.settings.vm_id, name, state.number, state.root_id());
    call.write_u32(token_out, token)
}

/// Gives the guest the token of a queue (`proxy_resolve_shared_queue`).
///
/// # Parameters
/// - `vm_id`, `vm_id_size`: the `vm_id` of the VM that has registered the queue; empty for this VM's own.
/// - `name`, `name_size`: the queue's name.
/// - `token_out`: destination of the token (u32).
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no VM of that `vm_id` has registered such a queue.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory.
pub(super) fn resolve(
    call: &mut HostCall<'_>,
    vm_id: u32,
    vm_id_size: u32,
    name: u32,
    name_size: u32,
    token_out: u32,
) -> Answer {
    let vm_id = call.read_text(vm_id, vm_id_size)?;
    let name = call.read(name, name_size)?;
    let state = call.state();
    let vm_id = if vm_id.is_empty() {
        &state.settings.vm_id
    } else {
        &vm_id
    };
    let Some(token) = state.shared.resolve_queue(vm_id, &name) else {
        let name = String::from_utf8_lossy(&name);
        return refuse(
            Status::NotFound,
            format!("no VM with the vm_id `{vm_id}` has registered a queue `{name}`"),
        );
    };
    call.write_u32(token_out, token)
}

/// Puts an item at the end of a queue (`proxy_enqueue_shared_queue`).
///
/// # Parameters
/// - `token`: the queue.
/// - `item`, `item_size`: the item, any bytes.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such queue.
/// - INVALID_MEMORY_ACCESS: the item is outside the memory.
pub(super) fn enqueue(call: &mut HostCall<'_>, token: u32, item: u32, item_size: u32) -> Answer {
    let item = call.read(item, item_size)?;
    if call.state().shared.enqueue(token, item) {
        Ok(())
    } else {
        no_such_queue(token)
    }
}

/// Takes the first item of a queue, of whatever VM (`proxy_dequeue_shared_queue`).
///
/// # Parameters
/// - `token`: the queue.
/// - `item_out`, `item_size_out`: destinations of the item's address and size (u32 each).
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such queue.
/// - EMPTY: no item waits.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed; the item is lost.
pub(super) fn dequeue(
    call: &mut HostCall<'_>,
    token: u32,
    item_out: u32,
    item_size_out: u32,
) -> Answer {
    match call.state().shared.dequeue(token) {
        Ok(item) => call.hand_over(&item, item_out, item_size_out),
        Err(NoItem::NoSuchQueue) => no_such_queue(token),
        Err(NoItem::Empty) => refuse(Status::Empty, format!("no item waits in queue {token}")),
    }
}

fn no_such_queue(token: u32) -> Answer {
    refuse(Status::NotFound, format!("no queue has the token {token}"))
}

#[cfg(test)]
mod tests;
