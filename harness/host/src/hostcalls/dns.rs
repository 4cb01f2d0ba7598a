//! Envoy's own `envoy_resolve_dns`, outside the ABI.

use std::net::IpAddr;
use std::time::Duration;

use super::call_back::call_back;
use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::{HostCall, word};
use crate::vm_state::dns_answer;

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
/// An address in place of a name is told before this function returns.
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
    let address = name.parse();
    let token = state.dns.begin(root, name);
    call.write_u32(token_out, token)?;
    match address {
        Ok(address) => tell(call, root, token, address),
        Err(_) => Ok(()),
    }
}

/// Tells the address within the guest's own call, as Envoy's resolver does of what it need not look up.
fn tell(call: &mut HostCall<'_>, root: u32, token: u32, address: IpAddr) -> Answer {
    let state = call.state_mut();
    state.dns.end(token);
    let bytes = dns_answer::encode(&[(address, Duration::ZERO)]);
    let size = word(bytes.len());
    state.call_data = bytes;
    let told = call_back(call, "envoy_on_resolve_dns", root, (root, token, size));
    call.state_mut().call_data = Vec::new();
    told
}
