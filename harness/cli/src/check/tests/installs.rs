//! The demands of a configuration on its installation: an environment, and the right side of the router.

use super::{AT, bootstrap, plugin, told, wasm};

const CONFIG: &str = "spans: {attributes: [{name: b, environment: BUILD}]}, \
    export: {otlp: {cluster: 'outbound|4317||c.x.svc.cluster.local', headers: {x-api-key: {environment: OTLP_KEY}}}}";

#[test]
fn a_variable_that_the_vm_will_not_have_is_an_error() {
    for (kind, open, close, at) in [
        ("WasmPlugin", "", "", "$.spec"),
        ("TrafficExtension", "wasm: {", "}", "$.spec.wasm"),
    ] {
        let told_of = |vm: &str| {
            let fields =
                format!("{{{open}failStrategy: FAIL_OPEN, {vm}pluginConfig: {{{CONFIG}}}{close}}}");
            told("-", &plugin(kind, "spec: ", &fields))
        };
        let lacks = |name: &str| {
            format!(
                "1: error: {at}.vmConfig.env: the configuration asks for the environment variable {name}, \
                 which the VM will not have; add it there, with a value or with valueFrom: HOST"
            )
        };
        assert_eq!(told_of(""), [lacks("BUILD"), lacks("OTLP_KEY")], "{kind}");
        assert_eq!(
            told_of("vmConfig: {env: [{name: BUILD, value: '7'}]}, "),
            [lacks("OTLP_KEY")]
        );
        let both =
            "vmConfig: {env: [{name: BUILD, value: '7'}, {name: OTLP_KEY, valueFrom: HOST}]}, ";
        assert_eq!(told_of(both), [""; 0]);
    }
}

#[test]
fn a_variable_with_a_default_may_be_missing() {
    let fields = "{failStrategy: FAIL_OPEN, pluginConfig: {spans: {attributes: [{name: b, environment: BUILD, default: dev}]}}}";
    let told = told("-", &plugin("WasmPlugin", "spec: ", fields));
    assert!(
        told.len() == 1
            && told[0].starts_with("1: warning: $.spec.vmConfig.env: the configuration asks for"),
        "{told:?}"
    );
}

#[test]
fn nobody_knows_the_environment_of_a_configuration_by_itself() {
    assert_eq!(told("-", &format!("{{{CONFIG}}}")), [""; 0]);
}

#[test]
fn envoys_own_environment_is_that_of_its_vm() {
    let with = |vm: &str| {
        let config =
            r#"{\"spans\": {\"attributes\": [{\"name\": \"b\", \"environment\": \"BUILD\"}]}}"#;
        let fields = format!(
            r#""failure_policy": "FAIL_OPEN", {vm}"configuration": {{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{config}"}}"#
        );
        told("envoy.json", &bootstrap(&wasm(&fields), ""))
    };
    let lacks = format!(
        "1: error: {AT}.config.vm_config.environment_variables: the configuration asks for the environment variable BUILD, \
         which the VM will not have; add it there, to host_env_keys or key_values"
    );
    assert_eq!(with(""), [lacks.as_str()]);
    for variables in [
        r#"{"host_env_keys": ["BUILD"]}"#,
        r#"{"key_values": {"BUILD": "7"}}"#,
        r#"{"keyValues": {"BUILD": "7"}}"#,
    ] {
        let vm = format!(
            r#""vm_config": {{"code": {{"local": {{"filename": "a"}}}}, "environment_variables": {variables}}}, "#
        );
        assert_eq!(with(&vm), [""; 0], "{variables}");
    }
}

#[test]
fn role_attempt_belongs_behind_the_router() {
    let fields = "{failStrategy: FAIL_OPEN, pluginConfig: {role: attempt, export: {otlp: {service: c.x.svc.cluster.local, port: 4317}}}}";
    let told_of = told("-", &plugin("WasmPlugin", "spec: ", fields));
    assert!(
        told_of.len() == 1
            && told_of[0].starts_with(
                "1: warning: $.spec.pluginConfig.role: Istio installs plugins in front"
            ),
        "{told_of:?}"
    );
    // Behind the router nothing of Envoy's own tracer comes after it.
    let attempt = wasm(
        r#""failure_policy": "FAIL_OPEN", "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{\"role\": \"attempt\"}"}"#,
    );
    let native = r#""tracing": {"provider": {"name": "envoy.tracers.zipkin"}},"#;
    assert_eq!(told("envoy.json", &bootstrap(&attempt, native)), [""; 0]);
}

#[test]
fn a_filter_in_front_that_keeps_the_route_is_warned_of() {
    let lua = |setting: &str| {
        format!(
            r#"{{"typed_config": {{"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"{setting}}}}}"#
        )
    };
    let processor = |setting: &str| {
        format!(
            r#"{{"typed_config": {{"@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"{setting}}}}}"#
        )
    };
    let ours = format!(
        r#"{{"typed_config": {}}}"#,
        wasm(r#""failure_policy": "FAIL_OPEN""#)
    );
    let chain = |filters: &[&str]| {
        let whole = bootstrap("{}", "");
        whole.replace(r#"{"typed_config": {}}"#, &filters.join(", "))
    };
    let manager = AT.trim_end_matches(".http_filters[0].typed_config");
    for (other, setting) in [
        (lua(r#", "clear_route_cache": false"#), "clear_route_cache"),
        (lua(r#", "clearRouteCache": false"#), "clearRouteCache"),
        (
            processor(r#", "route_cache_action": "RETAIN""#),
            "route_cache_action",
        ),
        (
            processor(r#", "disable_clear_route_cache": true"#),
            "disable_clear_route_cache",
        ),
    ] {
        let told_of = |filters: &[&str]| told("envoy.json", &chain(filters));
        assert_eq!(
            told_of(&[&other, &ours]),
            [format!(
                "1: warning: {manager}.http_filters[0].typed_config.{setting}: keeps the route that was chosen before, and the \
                 filter behind it makes Envoy choose anew by the changed request, for each header that it writes clears the \
                 route; put Sidespan in front of this filter"
            )],
            "{setting}"
        );
        assert_eq!(told_of(&[&ours, &other]), [""; 0], "{setting}");
    }
    for other in [
        lua(""),
        lua(r#", "clear_route_cache": true"#),
        processor(r#", "route_cache_action": "CLEAR""#),
    ] {
        assert_eq!(
            told("envoy.json", &chain(&[&other, &ours])),
            [""; 0],
            "{other}"
        );
    }
}
