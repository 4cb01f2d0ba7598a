//! Envoy's own `envoy_resolve_dns`, outside the ABI.

use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;

/// Asks the resolver for a name; the addresses come to the root context, by `envoy_on_resolve_dns` (`envoy_resolve_dns`).
///
/// # Parameters
/// - `name`, `name_size`: the name.
/// - `token_out`: destination of the token (u32), which the callback repeats.
///
/// # Statuses
/// - OK: also for a name that does not exist, for which no address comes.
/// - INTERNAL_FAILURE: called before there is a root context.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory.
///
/// ```text
/// the first query of a VM, token_out=8      8: 02 00 00 00
/// ```
///
/// Envoy differs: what its resolver knows at once, as addresses and `localhost`, it tells before this function returns.
pub(super) fn resolve(
    call: &mut HostCall<'_>,
    name: u32,
    name_size: u32,
    token_out: u32,
) -> Answer {
    let name = call.read_text(name, name_size)?;
    call.write_u32(token_out, 0)?;
    let state = call.state_mut();
    let root = state.root_id();
    if !state.roots.contains_key(&root) {
        return refuse(
            Status::InternalFailure,
            "there is no root context to answer to",
        );
    }
    let token = state.dns.begin(root, name);
    call.write_u32(token_out, token)
}
