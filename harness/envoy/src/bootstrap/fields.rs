//! Fields that several parts of the configuration write.

use serde_json::{Map, Value, json};

/// Sets the fields of an object, later ones over earlier ones.
pub(super) fn merge(object: &mut Value, fields: &Map<String, Value>) {
    for (name, value) in fields {
        object[name] = value.clone();
    }
}

pub(super) fn socket_address(address: std::net::SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}
