//! Properties (`proxy_*_property`): Envoy's attributes of the stream, and filter state.
//!
//! A root context has no stream and sees only `xds.node` and the `plugin_` names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;
use crate::properties::{Found, Segments};
use crate::settings::EnvoyVersion;
use crate::stream::derive;
use crate::value::Value;
use crate::vm_state::VmState;

/// Gives the guest a property (`proxy_get_property`).
///
/// # Parameters
/// - `path`, `path_size`: segments with a NUL between them; a NUL at the end does no harm.
/// - `value_out`, `value_size_out`: destinations of the value's address and size (u32 each).
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such property, or no value at this moment.
/// - SERIALIZATION_FAILURE: an empty path, a whole group of attributes (`request`), or a message that does not exist.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
///
/// ```text
/// get(path="request\0method", path_size=14, value_out=8, value_size_out=12)
///      8: 00 10 00 00  03 00 00 00
/// 0x1000: 47 45 54
/// ```
///
/// Envoy differs: `xds.node` has fields that no caller can set here (extensions, versions).
pub(super) fn get(
    call: &mut HostCall<'_>,
    path: u32,
    path_size: u32,
    value_out: u32,
    value_size_out: u32,
) -> Answer {
    call.hand_over_read(path, path_size, value_out, value_size_out, write)
}

/// Writes the value at a path as a guest reads it.
fn write(state: &VmState, path: &[u8], to: &mut Vec<u8>) -> Answer {
    if path.is_empty() {
        return refuse(
            Status::SerializationFailure,
            "an empty path stands for nothing that could be written",
        );
    }
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    let segments: Segments<'_> = path.split(|byte| *byte == 0).collect();
    match find(state, segments.as_slice()) {
        Found::Message => no_value(path),
        Found::Value(value) if *value == Value::Null => no_value(path),
        Found::Value(value) => {
            value.write(to);
            Ok(())
        }
        Found::Nothing => refuse(Status::NotFound, explain(state, path, segments.as_slice())),
    }
}

fn no_value(path: &[u8]) -> Answer {
    let path = show(path);
    refuse(
        Status::SerializationFailure,
        format!("Envoy has no value at `{path}` that could be written"),
    )
}

/// Sets filter state under `wasm.` and the path, NULs included (`proxy_set_property`).
///
/// A path of several segments can never be read back with `proxy_get_property`, because Envoy looks for `wasm.` and the
/// first segment only.
///
/// # Parameters
/// - `path`, `path_size`: the name.
/// - `value`, `value_size`: any bytes.
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: in a root context, which has no stream.
/// - BAD_ARGUMENT: a property that the root context has declared read-only, the second time.
/// - INVALID_MEMORY_ACCESS: path or value is outside the memory.
pub(super) fn set(
    call: &mut HostCall<'_>,
    path: u32,
    path_size: u32,
    value: u32,
    value_size: u32,
) -> Answer {
    let (path, value) = (call.read(path, path_size)?, call.read(value, value_size)?);
    let state = call.state();
    let declared = state.root().and_then(|root| root.declared.get(&path));
    let is_read_only = declared.is_some_and(|declared| declared.is_read_only);
    let key = [b"wasm.", &path[..]].concat();
    let Some(stream) = call.state_mut().stream_mut() else {
        return refuse(
            Status::NotFound,
            "a root context has no stream whose filter state could be set",
        );
    };
    if is_read_only && stream.filter_state.contains_key(&key) {
        let reason = format!("`{}` is declared read-only and was set before", show(&path));
        return refuse(Status::BadArgument, reason);
    }
    stream.filter_state.insert(key, value);
    Ok(())
}

/// Finds the present value of a property.
pub(crate) fn find<'a>(state: &'a VmState, path: &[&[u8]]) -> Found<'a> {
    let settings = &state.settings;
    if settings.version <= EnvoyVersion::V1_32
        && let [name, rest @ ..] = path
        && REMOVED.contains(name)
    {
        return find(state, &[&[&b"xds"[..], *name], rest].concat());
    }
    match path {
        [b"plugin_name"] => return found(state.plugin_name().into()),
        [b"plugin_root_id"] => return found(state.plugin_root_id().into()),
        [b"plugin_vm_id"] => return found(settings.vm_id.as_str().into()),
        _ => {}
    }
    let Some(stream) = state.stream() else {
        return match path {
            [b"xds"] => Found::Message,
            [b"xds", b"node", b"metadata"] => match settings.properties.find(path) {
                Found::Nothing => found(Value::Map(BTreeMap::new())),
                given => given,
            },
            [b"xds", b"node", ..] => settings.properties.find(path),
            _ => Found::Nothing,
        };
    };
    let filter_state = |key: &[u8]| {
        stream
            .filter_state
            .get(key)
            .map(|value| Value::from(value.as_slice()))
    };
    let given = stream.properties.values.find(path);
    if given != Found::Nothing {
        return given;
    }
    if stream.has_upstream() {
        let given = stream.properties.upstream.find(path);
        if given != Found::Nothing {
            return given;
        }
    }
    let given = settings.properties.find(path);
    if given != Found::Nothing {
        return given;
    }
    let derived = match path {
        [b"metadata"] => derive(stream, path),
        [b"upstream_filter_state"] if !stream.has_response() => None,
        [name] if is_known(name) && *name != b"connection_id" => return Found::Message,
        [b"filter_state", key] => filter_state(key),
        [name] if !is_known(name) => filter_state(&[b"wasm.", *name].concat()),
        _ => derive(stream, path),
    };
    derived.map_or(Found::Nothing, found)
}

fn found(value: Value) -> Found<'static> {
    Found::Value(Cow::Owned(value))
}

/// Returns true for a name at the root of Envoy's attributes; any other name is looked up in filter state.
fn is_known(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"request",
        b"response",
        b"connection",
        b"connection_id",
        b"upstream",
        b"source",
        b"destination",
        b"metadata",
        b"filter_state",
        b"upstream_filter_state",
        b"xds",
    ];
    NAMES.contains(&name)
}

/// The names at the root that Envoy has had up to 1.32; since 1.33 they stand below `xds`.
const REMOVED: [&[u8]; 8] = [
    b"node",
    b"cluster_name",
    b"cluster_metadata",
    b"route_name",
    b"route_metadata",
    b"listener_direction",
    b"listener_metadata",
    b"upstream_host_metadata",
];

fn explain(state: &VmState, path: &[u8], segments: &[&[u8]]) -> String {
    let path = show(path);
    if segments
        .first()
        .is_some_and(|first| REMOVED.contains(first))
    {
        return format!("`{path}` was removed in Envoy 1.33; `xds.{path}` took its place");
    }
    if state.stream().is_none() && !segments.starts_with(&[b"xds", b"node"]) {
        return format!(
            "`{path}` needs a stream; a root context sees only `xds.node` and the `plugin_` names"
        );
    }
    format!("`{path}` is not known in {}", state.callback)
}

fn show(path: &[u8]) -> String {
    String::from_utf8_lossy(path).replace('\0', ".")
}

#[cfg(test)]
mod tests;
