//! Header maps: `proxy_*_header_map_*`.
//!
//! Envoy shows a map to the guest only from the map's callback until the guest lets the map pass. At any other time reading
//! one value or writing is BAD_ARGUMENT, which the Rust SDK answers with a panic; reading all pairs is OK and empty. In request
//! headers `host` is `:authority` for every function.

use wasmtime::Linker;

use super::provide::provide;
use crate::abi_types::{AbiVersion, Answer, MapType, Status, refuse};
use crate::explanations::Situation;
use crate::header_pairs;
use crate::headers::Headers;
use crate::host_call::{HostCall, word};
use crate::inline_headers;
use crate::vm_state::VmState;

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    provide!(linker, "proxy_get_header_map_size", size, map: u32, size_out: u32);
    provide!(linker, "proxy_get_header_map_pairs", all, map: u32, pairs_out: u32, pairs_size_out: u32);
    provide!(linker, "proxy_set_header_map_pairs", set_all, map: u32, pairs: u32, pairs_size: u32);
    provide!(linker, "proxy_get_header_map_value", get,
        map: u32, name: u32, name_size: u32, value_out: u32, value_size_out: u32);
    provide!(linker, "proxy_add_header_map_value", add,
        map: u32, name: u32, name_size: u32, value: u32, value_size: u32);
    provide!(linker, "proxy_replace_header_map_value", replace,
        map: u32, name: u32, name_size: u32, value: u32, value_size: u32);
    provide!(linker, "proxy_remove_header_map_value", remove, map: u32, name: u32, name_size: u32);
    Ok(())
}

/// Gives the guest the number of bytes of all names and values of a map (`proxy_get_header_map_size`).
///
/// # Parameters
/// - `map`: the kind of map.
/// - `size_out`: destination of the number (u32).
///
/// # Statuses
/// - OK.
/// - BAD_ARGUMENT: no such map, not available now, or a map of a call (4 to 7), whose size Envoy never gives.
/// - INVALID_MEMORY_ACCESS: `size_out` is outside the memory.
///
/// ```text
/// size(map=0, size_out=8) with {":path": "/"}      8: 06 00 00 00
/// ```
fn size(call: &mut HostCall<'_>, map: u32, size_out: u32) -> Answer {
    let kind = known(map)?;
    let Some(headers) = call.state_mut().map_mut(kind) else {
        return unavailable(call.state(), kind);
    };
    let size = word(headers.byte_size());
    call.write_u32(size_out, size)
}

/// Gives the guest a whole map (`proxy_get_header_map_pairs`).
///
/// # Parameters
/// - `map`: the kind of map.
/// - `pairs_out`, `pairs_size_out`: destinations of the pairs' address and size (u32 each).
///
/// # Statuses
/// - OK: also when the map is not available now, with address 0 and size 0 as for an empty map.
/// - BAD_ARGUMENT: no such map.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
///
/// ```text
/// all(map=0, pairs_out=8, pairs_size_out=12) with {"a": "1"}
///      8: 00 10 00 00  10 00 00 00
/// 0x1000: 01 00 00 00  01 00 00 00  01 00 00 00  61 00 31 00
/// ```
fn all(call: &mut HostCall<'_>, map: u32, pairs_out: u32, pairs_size_out: u32) -> Answer {
    let kind = known(map)?;
    call.hand_over_filled(pairs_out, pairs_size_out, |state, bytes| {
        if let Some(headers) = state.map(kind).filter(|headers| !headers.is_empty()) {
            headers.encode(bytes);
        }
        Ok(())
    })
}

/// Replaces a whole map (`proxy_set_header_map_pairs`).
///
/// # Parameters
/// - `map`: the kind of map.
/// - `pairs`, `pairs_size`: the new pairs, in the form of `proxy_get_header_map_pairs`.
///
/// # Statuses
/// - OK: also when the pairs are malformed or more than 1024, which **empties the map**, as in Envoy.
/// - BAD_ARGUMENT: no such map, or not writable now.
/// - INVALID_MEMORY_ACCESS: the pairs are outside the memory.
fn set_all(call: &mut HostCall<'_>, map: u32, pairs: u32, pairs_size: u32) -> Answer {
    let kind = known(map)?;
    let bytes = call.read(pairs, pairs_size)?;
    let decoded = header_pairs::decode(&bytes);
    let Some(headers) = call.state_mut().map_mut(kind) else {
        return unavailable(call.state(), kind);
    };
    *headers = Headers::new();
    for (name, value) in decoded.as_deref().unwrap_or_default() {
        inline_headers::add(kind, headers, name, value);
    }
    if decoded.is_err() {
        let state = call.state_mut();
        state.explain(state.current, Situation::WipedMap);
    }
    Ok(())
}

/// Gives the guest the first value of a header (`proxy_get_header_map_value`).
///
/// # Parameters
/// - `map`: the kind of map.
/// - `name`, `name_size`: the name, in any case.
/// - `value_out`, `value_size_out`: destinations of the value's address and size (u32 each).
///
/// # Statuses
/// - OK: with ABI 0.1.0 also when there is no such header, with an empty value.
/// - NOT_FOUND: no such header; in `proxy_on_log` also no such map.
/// - BAD_ARGUMENT: no such map, or not available now.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
///
/// ```text
/// get(map=0, name="b3", name_size=2, value_out=8, value_size_out=12) with {"b3": "0"}
///      8: 00 10 00 00  01 00 00 00
/// 0x1000: 30
/// ```
fn get(
    call: &mut HostCall<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value_out: u32,
    value_size_out: u32,
) -> Answer {
    let kind = known(map)?;
    call.hand_over_read(
        name,
        name_size,
        value_out,
        value_size_out,
        |state, name, to| {
            let value = match state.map(kind) {
                Some(headers) => headers.get(inline_headers::kept_name(kind, name)),
                None if state.stream().is_some_and(|stream| stream.logging) => None,
                None => return unavailable(state, kind),
            };
            match value {
                Some(value) => to.extend_from_slice(value),
                None if state.abi == AbiVersion::V0_1_0 => {}
                None => return refuse(Status::NotFound, "there is no such header"),
            }
            Ok(())
        },
    )
}

/// Adds a header behind the headers of the same name, or joins it to the one that Envoy keeps
/// (`proxy_add_header_map_value`).
///
/// # Parameters
/// - `map`: the kind of map.
/// - `name`, `name_size`: the name, which the host lower-cases.
/// - `value`, `value_size`: the value, any bytes.
///
/// # Statuses
/// - OK.
/// - BAD_ARGUMENT: no such map, or not writable now.
/// - INVALID_MEMORY_ACCESS: name or value is outside the memory.
fn add(
    call: &mut HostCall<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Answer {
    let kind = known(map)?;
    let (memory, state) = call.memory_and_state()?;
    let name = memory.slice(name, name_size)?;
    let value = memory.slice(value, value_size)?;
    let Some(headers) = state.map_mut(kind) else {
        return unavailable(state, kind);
    };
    inline_headers::add(kind, headers, name, value);
    Ok(())
}

/// Removes all headers of a name and adds one (`proxy_replace_header_map_value`).
///
/// # Parameters
/// The parameters of `proxy_add_header_map_value`.
///
/// # Statuses
/// - OK: also when there was no header of that name.
/// - BAD_ARGUMENT: no such map, or not writable now.
/// - INVALID_MEMORY_ACCESS: name or value is outside the memory.
fn replace(
    call: &mut HostCall<'_>,
    map: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Answer {
    let kind = known(map)?;
    let (memory, state) = call.memory_and_state()?;
    let name = memory.slice(name, name_size)?;
    let value = memory.slice(value, value_size)?;
    let Some(headers) = state.map_mut(kind) else {
        return unavailable(state, kind);
    };
    headers.replace(inline_headers::kept_name(kind, name), value);
    Ok(())
}

/// Removes all headers of a name (`proxy_remove_header_map_value`).
///
/// # Parameters
/// - `map`: the kind of map.
/// - `name`, `name_size`: the name, in any case.
///
/// # Statuses
/// - OK: also when there was no header of that name.
/// - BAD_ARGUMENT: no such map, or not writable now.
/// - INVALID_MEMORY_ACCESS: the name is outside the memory.
fn remove(call: &mut HostCall<'_>, map: u32, name: u32, name_size: u32) -> Answer {
    let kind = known(map)?;
    let (memory, state) = call.memory_and_state()?;
    let name = memory.slice(name, name_size)?;
    let Some(headers) = state.map_mut(kind) else {
        return unavailable(state, kind);
    };
    headers.remove(inline_headers::kept_name(kind, name));
    Ok(())
}

fn known(map: u32) -> Answer<MapType> {
    match MapType::from_wire(map) {
        Some(kind) => Ok(kind),
        None => refuse(Status::BadArgument, format!("{map} is no header map")),
    }
}

#[cold]
fn unavailable(state: &VmState, kind: MapType) -> Answer {
    let (name, callback) = (kind.name(), state.callback);
    let reason = format!(
        "{name} are not available in {callback}: Envoy shows a map from its own callback until the \
                          guest lets it go on, read-only in proxy_on_log"
    );
    refuse(Status::BadArgument, reason)
}

#[cfg(test)]
mod tests;
