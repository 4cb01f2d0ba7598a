//! Filters of Envoy that stand beside ours.

use serde_json::{Value, json};
use sidespan_envoy::HttpFilter;

/// Answers with the second code where the answer has the first.
pub(super) fn custom_response(from: u16, to: u16) -> HttpFilter {
    let input = "type.googleapis.com/envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput";
    let policy = "type.googleapis.com/envoy.extensions.http.custom_response.local_response_policy.v3.LocalResponsePolicy";
    filter(
        "custom_response",
        "CustomResponse",
        json!({"custom_response_matcher": {"matcher_list": {"matchers": [{
            "predicate": {"single_predicate": {
                "input": {"name": "status", "typed_config": {"@type": input}},
                "value_match": {"exact": from.to_string()},
            }},
            "on_match": {"action": {"name": "sorry", "typed_config": {
                "@type": policy,
                "status_code": to,
                "body": {"inline_string": "sorry"},
            }}},
        }]}}}),
    )
}

/// Sets the status of every answer.
pub(super) fn lua_status(status: u16) -> HttpFilter {
    let code = format!(
        "function envoy_on_response(handle) handle:headers():replace(':status', '{status}') end"
    );
    filter(
        "lua",
        "Lua",
        json!({"default_source_code": {"inline_string": code}}),
    )
}

/// Translates gRPC-Web.
pub(super) fn grpc_web() -> HttpFilter {
    filter("grpc_web", "GrpcWeb", json!({}))
}

/// Translates the Connect protocol.
pub(super) fn connect_grpc_bridge() -> HttpFilter {
    filter("connect_grpc_bridge", "FilterConfig", json!({}))
}

/// Answers preflight requests of browsers.
pub(super) fn cors() -> HttpFilter {
    filter("cors", "Cors", json!({}))
}

fn filter(name: &str, message: &str, mut config: Value) -> HttpFilter {
    let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{name}.v3.{message}");
    config["@type"] = kind.into();
    HttpFilter::new(&format!("envoy.filters.http.{name}"), config)
}
