//! `allowed_capabilities`: a filter that may not make every hostcall does what the others permit.

use serde_json::json;
use sidespan_envoy::{Bootstrap, Cluster, Direction, Listener, Node, Route};
use sidespan_tests::envoy::{self, filter};
use sidespan_tests::http::{Reply, Request, Server, send};

/// Runs the filter with an older list of capabilities, because such lists stay as they were at the first installation.
#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn who_may_not_add_a_header_replaces_it() {
    let upstream = Server::start(|_| Reply::status(200));
    let plugin = CAPABILITIES.iter().fold(
        filter(&json!({"sampling": {"percentage": 100}})),
        |plugin, name| plugin.capability(name),
    );
    let listener = Listener::new("in")
        .direction(Direction::Inbound)
        .route(Route::to("app"));
    let bootstrap = Bootstrap::new(Node::sidecar("payments", "cart-7d9c5b8f6-x2x4z"))
        .cluster(Cluster::new("app", upstream.address()))
        .listener(listener.filter(plugin.filter()));
    let envoy = envoy::start(&bootstrap);
    let address = envoy.address("in").expect("a listener");
    assert_eq!(send(address, &Request::get("/")).status, 200);
    let headers = upstream.last().headers;
    for name in ["traceparent", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"] {
        assert!(headers.has(name), "{name}: {headers:?}");
    }
}

/// All imports and exports of the filter but `proxy_add_header_map_value`.
const CAPABILITIES: [&str; 38] = [
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
    "proxy_call_foreign_function",
    "proxy_define_metric",
    "proxy_done",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_done",
    "proxy_on_http_call_response",
    "proxy_on_log",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_response_body",
    "proxy_on_response_headers",
    "proxy_on_response_trailers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];
