//! The merge of fields into an object, for several parts of the configuration.

use serde_json::{Map, Value, json};

/// Sets the fields of an object; a later field replaces an earlier one.
pub(super) fn merge(object: &mut Value, fields: &Map<String, Value>) {
    for (name, value) in fields {
        object[name] = value.clone();
    }
}

pub(super) fn socket_address(address: std::net::SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}
