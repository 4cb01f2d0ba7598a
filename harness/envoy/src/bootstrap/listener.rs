//! The listener of an Envoy: one HTTP connection manager on a port of the loopback interface.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::fields::merge;
use super::filter::{HttpFilter, Wasm};
use super::tracer::Tracer;

/// The direction of a listener's traffic, as the control plane says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From outside to the workload.
    Inbound,
    /// From the workload to outside, and every listener of Istio's gateways.
    Outbound,
}

/// A rule that sends requests to a cluster, or answers them.
#[derive(Clone, Debug)]
pub struct Route {
    authority: String,
    prefix: String,
    action: Action,
    fields: Map<String, Value>,
}

/// The action of a route.
#[derive(Clone, Debug)]
enum Action {
    Cluster(String),
    Answer { status: u16, body: String },
}

impl Route {
    /// Returns a route that sends every request to a cluster.
    pub fn to(cluster: &str) -> Self {
        Self::of(Action::Cluster(cluster.into()))
    }

    /// Returns a route that answers every request by itself: an upstream that costs next to nothing.
    pub fn answer(status: u16, body: &str) -> Self {
        Self::of(Action::Answer {
            status,
            body: body.into(),
        })
    }

    /// Limits the route to requests with this authority; `*` is any.
    pub fn authority(mut self, authority: &str) -> Self {
        self.authority = authority.into();
        self
    }

    /// Limits the route to requests whose path begins with `prefix`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets a field of the route's action by its name, `timeout` or `retry_policy` for example.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    fn of(action: Action) -> Self {
        Self {
            authority: "*".into(),
            prefix: "/".into(),
            action,
            fields: Map::new(),
        }
    }

    fn to_json(&self) -> Value {
        let (kind, mut action) = match &self.action {
            Action::Cluster(cluster) => ("route", json!({"cluster": cluster, "timeout": "0s"})),
            Action::Answer { status, body } => (
                "direct_response",
                json!({"status": status, "body": {"inline_string": body}}),
            ),
        };
        merge(&mut action, &self.fields);
        json!({"match": {"prefix": self.prefix}, kind: action})
    }
}

/// A listener with one HTTP connection manager, or with a proxy of TCP.
#[derive(Clone, Debug)]
pub struct Listener {
    name: String,
    direction: Option<Direction>,
    routes: Vec<Route>,
    filters: Vec<HttpFilter>,
    upstream_filters: Vec<HttpFilter>,
    network: Vec<Value>,
    router: Map<String, Value>,
    tracer: Option<Tracer>,
    common: Map<String, Value>,
    access_log: Option<Value>,
    fields: Map<String, Value>,
    buffer_limit: Option<u32>,
    is_internal: bool,
    tcp_cluster: Option<String>,
}

impl Listener {
    /// Returns a listener without direction, routes or filters; its name is also the prefix of its statistics.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            direction: None,
            routes: Vec::new(),
            filters: Vec::new(),
            upstream_filters: Vec::new(),
            network: Vec::new(),
            router: Map::new(),
            tracer: None,
            common: Map::new(),
            access_log: None,
            fields: Map::new(),
            buffer_limit: None,
            is_internal: false,
            tcp_cluster: None,
        }
    }

    /// Sets the most bytes that a connection buffers; Envoy's own limit is 1 MiB.
    pub fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = Some(bytes);
        self
    }

    /// Makes it an internal listener, which only clusters of the same Envoy reach. The bootstrap has to have the extension
    /// `envoy.bootstrap.internal_listener`.
    pub fn internal(mut self) -> Self {
        self.is_internal = true;
        self
    }

    /// Proxies TCP to a cluster in place of HTTP; network filters stand in front.
    pub fn tcp(mut self, cluster: &str) -> Self {
        self.tcp_cluster = Some(cluster.into());
        self
    }

    /// Sets the direction of the traffic.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Adds a route; within one authority the first route that matches wins.
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Adds a filter in front of the router.
    pub fn filter(mut self, filter: HttpFilter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Adds a wasm module as a network filter in front of the connection manager or the proxy of TCP.
    pub fn network_filter(mut self, wasm: &Wasm) -> Self {
        self.network.push(wasm.network_filter());
        self
    }

    /// Adds a filter behind the router, where it sees each attempt of a request by itself.
    pub fn upstream_filter(mut self, filter: HttpFilter) -> Self {
        self.upstream_filters.push(filter);
        self
    }

    /// Sets a field of the router by its name, `suppress_envoy_headers` for example.
    pub fn router(mut self, field: &str, value: Value) -> Self {
        self.router.insert(field.into(), value);
        self
    }

    /// Sets one of Envoy's own tracers.
    pub fn tracer(mut self, tracer: Tracer) -> Self {
        self.tracer = Some(tracer);
        self
    }

    /// Sets the limit on the number of request headers; Envoy's own limit is 100.
    pub fn max_headers_count(mut self, count: u32) -> Self {
        self.common.insert("max_headers_count".into(), count.into());
        self
    }

    /// Sets the limit on the size of all request headers in KiB; Envoy's own limit is 60.
    pub fn max_request_headers_kb(self, limit: u32) -> Self {
        self.with("max_request_headers_kb", limit.into())
    }

    /// Writes a line in Envoy's format for every request into the folder of the running Envoy, as `<listener>.access`.
    pub fn access_log(mut self, format: &str) -> Self {
        self.access_log =
            Some(json!({"text_format_source": {"inline_string": format!("{format}\n")}}));
        self
    }

    /// Writes a JSON object for every request, to the file of [`Listener::access_log`]; its values are Envoy's formats.
    pub fn access_log_json(mut self, fields: Value) -> Self {
        self.access_log = Some(json!({"json_format": fields}));
        self
    }

    /// Sets a field of the connection manager by its name.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the listener on a port; 0 takes a free one.
    pub(crate) fn to_json(&self, folder: &Path, port: u16) -> Value {
        let mut chain = self.network.clone();
        chain.push(match &self.tcp_cluster {
            None => json!({
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": self.manager(folder),
            }),
            Some(cluster) => json!({
                "name": "envoy.filters.network.tcp_proxy",
                "typed_config": {
                    "@type": TCP_PROXY_TYPE_URL,
                    "stat_prefix": self.name,
                    "cluster": cluster,
                },
            }),
        });
        let mut listener = json!({
            "name": self.name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [{"filters": chain}],
        });
        if self.is_internal
            && let Some(fields) = listener.as_object_mut()
        {
            fields.remove("address");
            fields.insert("internal_listener".into(), json!({}));
        }
        if let Some(bytes) = self.buffer_limit {
            listener["per_connection_buffer_limit_bytes"] = bytes.into();
        }
        match self.direction {
            Some(Direction::Inbound) => listener["traffic_direction"] = "INBOUND".into(),
            Some(Direction::Outbound) => listener["traffic_direction"] = "OUTBOUND".into(),
            None => {}
        }
        listener
    }

    fn manager(&self, folder: &Path) -> Value {
        let mut filters: Vec<Value> = self.filters.iter().map(HttpFilter::to_json).collect();
        filters.push(HttpFilter::router(Value::Object(self.router_fields())).to_json());
        let mut manager = json!({
            "@type": MANAGER_TYPE_URL,
            "stat_prefix": self.name,
            "codec_type": "AUTO",
            "route_config": {"name": self.name, "virtual_hosts": self.virtual_hosts()},
            "http_filters": filters,
            "common_http_protocol_options": self.common,
        });
        if let Some(tracer) = &self.tracer {
            manager["tracing"] = tracer.to_json();
        }
        if let Some(format) = &self.access_log {
            manager["access_log"] = json!([{
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": folder.join(format!("{}.access", self.name)),
                    "log_format": format,
                },
            }]);
        }
        merge(&mut manager, &self.fields);
        manager
    }

    /// Returns the options of the router; its own filters end with the codec, because Envoy requires one.
    fn router_fields(&self) -> Map<String, Value> {
        let mut router = self.router.clone();
        if !self.upstream_filters.is_empty() {
            let codec = HttpFilter::new(
                "envoy.filters.http.upstream_codec",
                json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"}),
            );
            let filters = self.upstream_filters.iter().chain([&codec]);
            let filters: Vec<Value> = filters.map(HttpFilter::to_json).collect();
            router.insert("upstream_http_filters".into(), filters.into());
        }
        router
    }

    fn virtual_hosts(&self) -> Vec<Value> {
        let mut hosts: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for route in &self.routes {
            hosts
                .entry(&route.authority)
                .or_default()
                .push(route.to_json());
        }
        let host = |(authority, routes)| json!({"name": authority, "domains": [authority], "routes": routes});
        hosts.into_iter().map(host).collect()
    }
}

const TCP_PROXY_TYPE_URL: &str =
    "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
const MANAGER_TYPE_URL: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
