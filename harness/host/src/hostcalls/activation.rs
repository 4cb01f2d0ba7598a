//! The values that an expression sees: the properties of the moment, as maps of the crate `cel`.
//!
//! Only the names that an expression has are looked up, each as a whole group (`request`), because an expression may reach
//! an attribute by any way (`request['path']`).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cel::objects::Key;
use cel::{Context, Program};
use chrono::{DateTime, TimeDelta};

use super::properties;
use crate::properties::Found;
use crate::value::Value;
use crate::vm_state::VmState;

/// The attributes below each name at the root.
const GROUPS: [(&str, &[&str]); 7] = [
    (
        "request",
        &[
            "path",
            "url_path",
            "host",
            "scheme",
            "method",
            "headers",
            "referer",
            "useragent",
            "time",
            "id",
            "protocol",
            "duration",
            "size",
            "total_size",
            "query",
            "headers_bytes",
        ],
    ),
    (
        "response",
        &[
            "code",
            "code_details",
            "flags",
            "grpc_status",
            "headers",
            "trailers",
            "size",
            "total_size",
            "headers_bytes",
            "backend_latency",
        ],
    ),
    ("connection", &["id", "mtls", "requested_server_name"]),
    ("source", &["address", "port"]),
    ("destination", &["address", "port"]),
    (
        "upstream",
        &[
            "address",
            "port",
            "local_address",
            "transport_failure_reason",
            "request_attempt_count",
            "num_endpoints",
            "cx_pool_ready_duration",
            "locality",
        ],
    ),
    (
        "xds",
        &[
            "node",
            "cluster_name",
            "cluster_metadata",
            "route_name",
            "route_metadata",
            "virtual_host_name",
            "virtual_host_metadata",
            "filter_chain_name",
            "listener_metadata",
            "listener_direction",
        ],
    ),
];

/// Attributes that expressions see as moments and as spans of time, where properties are numbers.
const MOMENTS: [&str; 1] = ["request.time"];
const SPANS: [&str; 3] = [
    "request.duration",
    "response.backend_latency",
    "upstream.cx_pool_ready_duration",
];

/// Returns what the names of a program stand for at this moment. A name that stands for nothing is left out.
pub(super) fn activation(state: &VmState, program: &Program) -> Context<'static, 'static> {
    let mut context = Context::default();
    for name in program.references().variables() {
        if let Some(value) = variable(state, name) {
            context.add_variable_from_value(name, value);
        }
    }
    context
}

fn variable(state: &VmState, name: &str) -> Option<cel::Value> {
    let Some((_, attributes)) = GROUPS.iter().find(|(group, _)| *group == name) else {
        return match properties::find(state, &[name.as_bytes()]) {
            _ if name == "metadata" => {
                let path: [&[u8]; 2] = [b"metadata", b"filter_metadata"];
                let Found::Value(value) = properties::find(state, &path) else {
                    return None;
                };
                Some(map([(
                    "filter_metadata".to_owned(),
                    from_value(&value, false),
                )]))
            }
            Found::Value(value) => Some(from_value(&value, is_text(state, name))),
            Found::Message if name == "filter_state" => Some(filter_state(state)),
            Found::Message | Found::Nothing => None,
        };
    };
    // A root context has no stream, and so no group but `xds`.
    if state.stream().is_none() && name != "xds" {
        return None;
    }
    let tree = state.settings.properties.below(&[name.as_bytes()]);
    let given = state.stream().map(|stream| {
        let properties = &stream.properties;
        match name {
            "upstream" if !stream.has_upstream() => BTreeMap::new(),
            "upstream" => properties.upstream.below(&[name.as_bytes()]),
            _ => properties.values.below(&[name.as_bytes()]),
        }
    });
    let given = given.unwrap_or_default();
    let mut fields: BTreeMap<String, cel::Value> = BTreeMap::new();
    for (key, value) in tree.iter().chain(&given) {
        let key = String::from_utf8_lossy(key).into_owned();
        // Of a root context's properties only the node is visible.
        if state.stream().is_some() || key == "node" {
            fields.insert(key, from_value(value, true));
        }
    }
    for attribute in *attributes {
        let path = [name.as_bytes(), attribute.as_bytes()];
        let Found::Value(value) = properties::find(state, &path) else {
            continue;
        };
        let value = value.into_owned();
        let full = format!("{name}.{attribute}");
        let value = match value {
            Value::Int(nanos) if MOMENTS.contains(&full.as_str()) => {
                cel::Value::Timestamp(DateTime::from_timestamp_nanos(nanos).fixed_offset())
            }
            Value::Int(nanos) if SPANS.contains(&full.as_str()) => {
                cel::Value::Duration(TimeDelta::nanoseconds(nanos))
            }
            // A message, of which only the fields that are set below it are visible.
            Value::Bytes(_) if fields.contains_key(*attribute) && *attribute == "node" => continue,
            Value::Map(mut headers) if full == "request.headers" => {
                // Envoy finds `:authority` by this name as well. It does not count it twice, which no map could do.
                if let Some(authority) = headers.get(&b":authority"[..]).cloned() {
                    headers.entry(b"host".to_vec()).or_insert(authority);
                }
                from_value(&Value::Map(headers), true)
            }
            value => from_value(&value, true),
        };
        fields.insert((*attribute).to_owned(), value);
    }
    Some(map(fields))
}

fn filter_state(state: &VmState) -> cel::Value {
    let stream = state.stream();
    let entries = stream.into_iter().flat_map(|stream| &stream.filter_state);
    map(entries.map(|(key, value)| {
        let key = String::from_utf8_lossy(key).into_owned();
        (key, cel::Value::Bytes(Arc::new(value.clone())))
    }))
}

/// Returns true if expressions see the property as text: the `plugin_` names, and filter state that is declared so.
fn is_text(state: &VmState, name: &str) -> bool {
    let declared = state
        .root()
        .and_then(|root| root.declared.get(name.as_bytes()));
    name.starts_with("plugin_") || declared.is_some_and(|declared| declared.is_text)
}

fn map(fields: impl IntoIterator<Item = (String, cel::Value)>) -> cel::Value {
    let fields: HashMap<Key, cel::Value> = fields
        .into_iter()
        .map(|(key, value)| (Key::from(key), value))
        .collect();
    cel::Value::Map(cel::objects::Map {
        map: Arc::new(fields),
    })
}

/// Returns the value as an expression sees it; `is_text` says what becomes of bytes.
fn from_value(value: &Value, is_text: bool) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bytes(bytes) if is_text => {
            cel::Value::String(Arc::new(String::from_utf8_lossy(bytes).into_owned()))
        }
        Value::Bytes(bytes) => cel::Value::Bytes(Arc::new(bytes.clone())),
        Value::Int(number) => cel::Value::Int(*number),
        Value::Uint(number) => cel::Value::UInt(*number),
        Value::Double(number) => cel::Value::Float(*number),
        Value::Bool(truth) => cel::Value::Bool(*truth),
        Value::Map(fields) => map(fields.iter().map(|(name, value)| {
            let name = String::from_utf8_lossy(name).into_owned();
            (name, from_value(value, true))
        })),
        Value::List(list) => {
            let list = list.iter().map(|value| from_value(value, true));
            cel::Value::List(Arc::new(list.collect()))
        }
    }
}

/// Returns the value as a guest reads it; `None` for null, types, and lists and maps with one of them.
pub(super) fn to_value(value: &cel::Value) -> Option<Value> {
    Some(match value {
        cel::Value::String(text) => Value::Bytes(text.as_bytes().to_vec()),
        cel::Value::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        cel::Value::Int(number) => Value::Int(*number),
        cel::Value::UInt(number) => Value::Uint(*number),
        cel::Value::Float(number) => Value::Double(*number),
        cel::Value::Bool(truth) => Value::Bool(*truth),
        cel::Value::Duration(span) => Value::Int(span.num_nanoseconds()?),
        cel::Value::Timestamp(moment) => Value::Int(moment.timestamp_nanos_opt()?),
        cel::Value::List(list) => Value::List(list.iter().map(to_value).collect::<Option<_>>()?),
        cel::Value::Map(fields) => {
            let field =
                |(key, value): (&Key, &cel::Value)| Some((key_bytes(key), to_value(value)?));
            Value::Map(fields.map.iter().map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn key_bytes(key: &Key) -> Vec<u8> {
    match key {
        Key::Int(number) => number.to_le_bytes().to_vec(),
        Key::Uint(number) => number.to_le_bytes().to_vec(),
        Key::Bool(truth) => vec![u8::from(*truth)],
        Key::String(text) => text.as_bytes().to_vec(),
    }
}
