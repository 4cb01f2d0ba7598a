//! The static clusters of an Envoy, of one endpoint each.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::fields::{merge, socket_address};

/// The protocol of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge, as gRPC wants it.
    Http2,
}

/// A static cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    name: String,
    endpoint: Option<SocketAddr>,
    protocol: Protocol,
    common: Map<String, Value>,
    fields: Map<String, Value>,
}

impl Cluster {
    /// Returns a cluster of one endpoint, over HTTP/1.1.
    pub fn new(name: &str, endpoint: SocketAddr) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..Self::empty(name)
        }
    }

    /// Returns a cluster without endpoints, for which Envoy answers 503 by itself.
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.into(),
            endpoint: None,
            protocol: Protocol::Http1,
            common: Map::new(),
            fields: Map::new(),
        }
    }

    /// Sets the protocol of the endpoint.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the limit on the number of response headers; Envoy's own limit is 100.
    pub fn max_headers_count(mut self, count: u32) -> Self {
        self.common.insert("max_headers_count".into(), count.into());
        self
    }

    /// Sets a field of the cluster by its name.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let endpoints: Vec<Value> = self
            .endpoint
            .iter()
            .map(|address| json!({"endpoint": {"address": socket_address(*address)}}))
            .collect();
        let spoken = match self.protocol {
            Protocol::Http1 => json!({"http_protocol_options": {}}),
            Protocol::Http2 => json!({"http2_protocol_options": {}}),
        };
        let mut cluster = json!({
            "name": self.name,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": self.name, "endpoints": [{"lb_endpoints": endpoints}]},
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": spoken,
                    "common_http_protocol_options": self.common,
                },
            },
        });
        merge(&mut cluster, &self.fields);
        cluster
    }
}
