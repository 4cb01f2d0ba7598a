//! Every place that a configuration is found in, and every warning.

use std::process::ExitCode;
use std::{fs, io};

use super::{CheckArgs, Report, check_file, run_to};

mod cures;
mod envoy_chain;
mod envoy_gateway;
mod findings;
mod formats;
mod installs;
mod mesh;
mod secrets;
mod shapes;
mod together;

fn check(file: &str, text: &str) -> Report {
    check_file(file, text.as_bytes())
}

/// Returns errors and warnings, one a line.
fn told(file: &str, text: &str) -> Vec<String> {
    let report = check(file, text);
    let errors = report.errors.iter().map(|finding| ("error", finding));
    let warnings = report.warnings.iter().map(|finding| ("warning", finding));
    errors
        .chain(warnings)
        .map(|(word, finding)| {
            format!(
                "{}: {word}: {}: {}",
                finding.document, finding.path, finding.message
            )
        })
        .collect()
}

const GOOD: &str =
    r#"{"sampling": {"percentage": 50}, "export": {"otlp": {"cluster": "collector"}}}"#;

#[test]
fn a_configuration_by_itself_is_json_or_yaml() {
    for (file, text) in [
        ("config.json", GOOD),
        ("config.yaml", GOOD),
        ("-", GOOD),
        (
            "-",
            "export: {otlp: {cluster: collector}}\nsampling: {percentage: 50.0, namespaces: {\"team-*\": 10}}\n",
        ),
        ("-", "{export: {otlp: {cluster: collector}}}"),
        (
            "-",
            "export:\n  otlp:\n    service: collector.observability\n    port: 4317.0\n",
        ),
        ("-", "{}"),
        ("-", "# all defaults\n{}\n"),
    ] {
        assert_eq!(told(file, text), [""; 0], "{text}");
        assert_eq!(check(file, text).configurations, 1, "{text}");
    }
}

#[test]
fn errors_come_in_the_order_of_the_text() {
    assert_eq!(
        told(
            "-",
            "spans: {serviceName: 5}\ndirection: up\nexport: {batch: {maxSpans: 0}}\n"
        ),
        [
            "1: error: $.spans.serviceName: expected a string, found 5; quote it",
            "1: error: $.direction: expected auto, inbound, outbound or edge, found \"up\"",
            "1: error: $.export.batch.maxSpans: expected an integer from 1 to 8192, found 0",
        ]
    );
}

#[test]
fn repeated_keys_are_errors_in_json_and_yaml() {
    assert_eq!(
        told("a.json", r#"{"direction": "auto", "direction": "auto"}"#),
        ["1: error: $.direction: repeated key"]
    );
    let yaml = check("-", "direction: auto\ndirection: auto\n").errors;
    assert_eq!(yaml.len(), 1, "{yaml:?}");
    assert_eq!(
        (&*yaml[0].path, &*yaml[0].message, yaml[0].line),
        ("$.direction", "repeated key", Some(2))
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    assert_eq!(
        told("a.json", "{\n\"a\": }"),
        ["1: error: $: expected JSON: expected value at line 2 column 6"]
    );
    let yaml = told("a.yaml", "a: [1\nb: 2\n");
    assert!(yaml.len() == 1 && yaml[0].contains("line 2"), "{yaml:?}");
    let bytes = check_file("a.yaml", b"a: \xff");
    assert!(
        bytes.errors[0]
            .message
            .starts_with("expected UTF-8, found another encoding in line 1"),
        "{bytes:?}"
    );
    let number = told("a.yaml", "sampling: {percentage: .inf}");
    assert!(
        number.len() == 1 && number[0].contains("finite"),
        "{number:?}"
    );
}

/// Returns a plugin that an API server takes, with these fields beside a URL and a phase.
fn plugin(kind: &str, before: &str, fields: &str) -> String {
    let (around, inside) = match kind {
        "TrafficExtension" => ("{", "wasm: {"),
        _ => ("{", "{"),
    };
    let url = match fields.contains("url:") {
        true => "",
        false => "url: \"oci://here/filter:1\", ",
    };
    let fields = fields
        .replacen(inside, &format!("{inside}{url}"), 1)
        .replacen(around, &format!("{around}phase: AUTHN, "), 1);
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {{name: sidespan}}\n{before}{fields}"
    )
}

#[test]
fn finds_the_configuration_of_istio_resources() {
    let config = "pluginConfig: {sampling: {percentage: 101}, export: {otlp: {cluster: c}}}";
    for (text, path) in [
        (
            plugin(
                "WasmPlugin",
                "spec: ",
                &format!("{{failStrategy: FAIL_OPEN, {config}}}"),
            ),
            "$.spec.pluginConfig",
        ),
        (
            plugin(
                "TrafficExtension",
                "spec: ",
                &format!("{{wasm: {{failStrategy: FAIL_OPEN, {config}}}}}"),
            ),
            "$.spec.wasm.pluginConfig",
        ),
    ] {
        let expected = format!(
            "1: error: {path}.sampling.percentage: expected a percentage from 0 to 100, found 101"
        );
        assert_eq!(told("-", &text), [expected]);
        // As one of several documents, and inside of a list as kubectl prints it.
        let several = told("-", &format!("kind: Namespace\n---\n{text}"));
        assert!(
            several.len() == 1 && several[0].starts_with("2: error: $.spec"),
            "{several:?}"
        );
        let list = told(
            "-",
            &format!("kind: List\nitems:\n- {}", text.replace('\n', "\n  ")),
        );
        assert!(
            list.len() == 1 && list[0].starts_with("1: error: $.items[0].spec"),
            "{list:?}"
        );
    }
}

#[test]
fn an_istio_resource_that_fails_closed_is_warned_of() {
    for (fields, strategy) in [
        ("{}", "FAIL_CLOSE"),
        ("{failStrategy: FAIL_RELOAD, pluginConfig: }", "FAIL_RELOAD"),
    ] {
        let expected = format!(
            "1: warning: $.spec.failStrategy: with {strategy} a registry that is down takes the traffic down; set FAIL_OPEN"
        );
        assert_eq!(
            told("-", &plugin("WasmPlugin", "spec: ", fields)),
            [expected]
        );
    }
}

#[test]
fn a_registry_that_nobody_has_filled_in_is_warned_of() {
    let told_of = |kind: &str, open: &str, url: &str, close: &str| {
        let fields = format!("{{{open}failStrategy: FAIL_OPEN, url: \"{url}\"{close}}}");
        told("-", &plugin(kind, "spec: ", &fields))
    };
    for (kind, open, close, at) in [
        ("WasmPlugin", "", "", "$.spec"),
        ("TrafficExtension", "wasm: {", "}", "$.spec.wasm"),
    ] {
        let expected = format!(
            "1: warning: {at}.url: REGISTRY stands for a registry of yours; put the one there that the image was pushed to"
        );
        assert_eq!(
            told_of(kind, open, "oci://REGISTRY/sidespan-filter:0.1.0", close),
            [expected]
        );
        for url in [
            "oci://ghcr.io/team/sidespan-filter:0.1.0",
            "oci://MY-REGISTRY:5000/a",
        ] {
            assert_eq!(told_of(kind, open, url, close), [""; 0]);
        }
    }
}

#[test]
fn of_a_file_that_fails_closed_no_more_is_promised_than_a_policy_can_do() {
    let local = r#""vm_config": {"code": {"local": {"filename": "sidespan_filter.wasm"}}}"#;
    assert_eq!(
        told("envoy.json", &bootstrap(&wasm(local), "")),
        [format!(
            "1: warning: {AT}.config.fail_open: a filter that traps takes the traffic down; set fail_open: true"
        )]
    );
    let open = wasm(&format!(r#"{local}, "failure_policy": "FAIL_OPEN""#));
    assert_eq!(told("envoy.json", &bootstrap(&open, "")), [""; 0]);
}

const NETWORK: &str = "as a network filter the module traps at the first connection and takes its HTTP filters with it; \
    install it as an HTTP filter (Istio: leave `type` out; Envoy: envoy.filters.http.wasm)";

#[test]
fn an_istio_resource_that_installs_a_network_filter_is_refused() {
    for (kind, open, close, at) in [
        ("WasmPlugin", "", "", "$.spec"),
        ("TrafficExtension", "wasm: {", "}", "$.spec.wasm"),
    ] {
        let told_of = |kind_of_filter: &str, direction: &str| {
            let fields = format!(
                "{{{open}failStrategy: FAIL_OPEN, {kind_of_filter}pluginConfig: {{direction: {direction}}}{close}}}"
            );
            told("-", &plugin(kind, "spec: ", &fields))
        };
        let refused = format!("1: error: {at}.type: {NETWORK}");
        assert_eq!(told_of("type: NETWORK, ", "auto"), [refused.as_str()]);
        assert_eq!(told_of("type: HTTP, ", "auto"), [""; 0]);
        assert_eq!(told_of("", "auto"), [""; 0]);
        // What else is wrong is told as well.
        let both = told_of("type: NETWORK, ", "up");
        assert_eq!(both.len(), 2, "{both:?}");
        assert_eq!(both[0], refused);
    }
}

#[test]
fn an_envoy_that_installs_a_network_filter_is_refused() {
    let network = wasm(r#""fail_open": true"#).replace("filters.http.wasm", "filters.network.wasm");
    let filters =
        format!(r#"[{{"name": "envoy.filters.network.wasm", "typed_config": {network}}}]"#);
    let envoy = format!(
        r#"{{"static_resources": {{"listeners": [{{"filter_chains": [{{"filters": {filters}}}]}}]}}}}"#
    );
    let at = "$.static_resources.listeners[0].filter_chains[0].filters[0].typed_config";
    assert_eq!(
        told("envoy.json", &envoy),
        [format!("1: error: {at}[\"@type\"]: {NETWORK}")]
    );
    let wrapped = envoy.replace(
        &network,
        r#"{"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "value": {"config": {"root_id": "sidespan", "fail_open": true}},
          "type_url": "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm"}"#,
    );
    assert_eq!(
        told("envoy.json", &wrapped),
        [format!("1: error: {at}.type_url: {NETWORK}")]
    );
    let patch = format!(
        r#"{{"applyTo": "NETWORK_FILTER", "patch": {{"operation": "INSERT_FIRST", "value": {}}}}}"#,
        filters.trim_matches(['[', ']'])
    );
    let istio = format!(
        r#"{{"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "spec": {{"configPatches": [{patch}]}}}}"#
    );
    assert_eq!(
        told("-", &istio),
        [format!(
            "1: error: $.spec.configPatches[0].patch.value.typed_config[\"@type\"]: {NETWORK}"
        )]
    );
}

fn bootstrap(config: &str, manager: &str) -> String {
    format!(
        r#"{{"static_resources": {{"listeners": [{{"filter_chains": [{{"filters": [{{"typed_config": {{
          "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
          {manager}
          "http_filters": [{{"typed_config": {config}}}, {{"name": "envoy.filters.http.router"}}]
        }}}}]}}]}}]}}}}"#
    )
}

fn wasm(fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { ", " };
    format!(
        r#"{{"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {{"root_id": "sidespan"{comma}{fields}}}}}"#
    )
}

const AT: &str = "$.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config";

#[test]
fn finds_the_configuration_of_an_envoy() {
    let text = r#"{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{\"direction\": 1}"}"#;
    let error = "direction: expected auto, inbound, outbound or edge, found 1; quote it";
    for policy in [
        r#""failure_policy": "FAIL_OPEN""#,
        r#""failurePolicy": "FAIL_OPEN""#,
        r#""fail_open": true"#,
    ] {
        let filter = wasm(&format!(r#""configuration": {text}, {policy}"#));
        let expected = format!("1: error: {AT}.config.configuration.value.{error}");
        assert_eq!(told("envoy.json", &bootstrap(&filter, "")), [expected]);
        let wrapped = format!(
            r#"{{"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "value": {},
              "type_url": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"}}"#,
            filter.replacen("\"@type\"", "\"note\"", 1)
        );
        let expected = format!("1: error: {AT}.value.config.configuration.value.{error}");
        assert_eq!(told("envoy.json", &bootstrap(&wrapped, "")), [expected]);
    }
    let other = wasm(
        r#""fail_open": true, "configuration": {"@type": "type.googleapis.com/google.protobuf.BytesValue", "value": "e30="}"#,
    );
    assert_eq!(
        told("envoy.json", &bootstrap(&other, "")),
        [format!(
            "1: error: {AT}.config.configuration.value: expected google.protobuf.StringValue with the JSON as text"
        )]
    );
}

#[test]
fn an_envoy_that_fails_closed_or_traces_itself_is_warned_of() {
    for (policy, key, cure) in [
        ("", "fail_open", "set fail_open: true"),
        (
            r#""failure_policy": "FAIL_CLOSED""#,
            "failure_policy",
            "write fail_open: true in its place",
        ),
        (
            r#""failurePolicy": "UNSPECIFIED""#,
            "failurePolicy",
            "write fail_open: true in its place",
        ),
        (r#""fail_open": false"#, "fail_open", "set fail_open: true"),
    ] {
        let closed = format!(
            "1: warning: {AT}.config.{key}: a filter that cannot be loaded takes the traffic down; {cure}"
        );
        assert_eq!(
            told("envoy.json", &bootstrap(&wasm(policy), "")),
            [closed.as_str()],
            "{policy}"
        );
    }
    let open = wasm(r#""failure_policy": "FAIL_OPEN""#);
    let native = format!(
        "1: warning: {}.tracing: Envoy's own tracer overwrites the headers that the filter writes; remove it, set no_context_propagation: true, or install the filter with role attempt as well",
        AT.trim_end_matches(".http_filters[0].typed_config")
    );
    for (manager, expected) in [
        (
            r#""tracing": {"provider": {"name": "envoy.tracers.zipkin"}},"#,
            &[native.as_str()][..],
        ),
        (
            r#""tracing": {"provider": {"name": "envoy.tracers.zipkin"}, "no_context_propagation": true},"#,
            &[],
        ),
        (r#""tracing": {},"#, &[]),
    ] {
        assert_eq!(
            told("envoy.json", &bootstrap(&open, manager)),
            expected,
            "{manager}"
        );
    }
    // A connection manager without a provider takes the tracer of the bootstrap.
    let with_tracer = |manager: &str| {
        bootstrap(&open, manager).replacen(
            '{',
            r#"{"tracing": {"http": {"name": "envoy.tracers.zipkin"}}, "#,
            1,
        )
    };
    let quiet = r#""tracing": {"no_context_propagation": true},"#;
    for (manager, expected) in [
        (r#""tracing": {},"#, &[native.as_str()][..]),
        (quiet, &[]),
        (r#""tracing": null,"#, &[]),
        ("", &[]),
    ] {
        let bootstrap = with_tracer(manager);
        assert_eq!(told("envoy.json", &bootstrap), expected, "{manager}");
        let dump = format!(r#"{{"configs": [{{"bootstrap": {bootstrap}}}]}}"#);
        assert_eq!(told("-", &dump).len(), expected.len(), "{manager}");
    }
}

#[test]
fn a_valid_configuration_that_is_hardly_meant_so_is_warned_of() {
    for (text, expected) in [
        (
            "sampling: {percentage: 5}",
            &[
                "$.sampling: traces are decided here, and spans are exported nowhere; set export.otlp",
            ][..],
        ),
        (
            "propagation: {mirror: false, inject: [tracecontext]}",
            &[
                "$.propagation.inject: read but never written: with mirror false, the headers of b3, b3multi, jaeger, xray, datadog, grpc-trace-bin, ottrace, gcp are removed; add those that a service here reads",
            ],
        ),
        (
            "propagation: {mirror: false, extract: [b3, tracecontext], inject: [tracecontext, b3, b3multi]}",
            &[],
        ),
        ("propagation: {mirror: true, inject: []}", &[]),
        (
            "{export: {otlp: {cluster: c}}, sampling: {keep: {}, exclude: [], consistent: true}, gateway: {exclude: []}}",
            &[],
        ),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|warning| format!("1: warning: {warning}"))
            .collect();
        assert_eq!(told("-", text), expected, "{text}");
    }
}

#[test]
fn a_file_without_a_configuration_is_not_silently_fine() {
    for text in [
        "apiVersion: v1\nkind: Namespace\n",
        "static_resources: {listeners: []}\n",
    ] {
        let report = check("-", text);
        assert_eq!(told("-", text), [""; 0]);
        assert_eq!(report.configurations, 0);
        let message = &report.skipped[0].message;
        assert!(
            message.starts_with("nothing of Sidespan's in this file; read are "),
            "{message}"
        );
    }
}

#[test]
fn the_exit_code_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    let code = |text: &str| {
        fs::write(&file, text).unwrap();
        format!(
            "{:?}",
            run_to(
                &CheckArgs {
                    files: vec![file.clone()],
                    ..CheckArgs::default()
                },
                &mut io::sink()
            )
            .unwrap()
        )
    };
    let of = |code: u8| format!("{:?}", ExitCode::from(code));
    assert_eq!(code("direction: auto"), of(0));
    assert_eq!(code("sampling: {}"), of(0), "a warning is no error");
    assert_eq!(code("direction: up"), of(1));
    assert_eq!(code("direction: ["), of(1));
    let missing = run_to(
        &CheckArgs {
            files: vec![file.clone(), "no/such.yaml".into()],
            json: true,
            ..CheckArgs::default()
        },
        &mut io::sink(),
    );
    assert_eq!(format!("{:?}", missing.unwrap()), of(2));
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    fs::write(&good, "direction: auto").unwrap();
    fs::write(&bad, "direction: up").unwrap();
    for json in [false, true] {
        let args = CheckArgs {
            files: vec![bad.clone(), "no/such.yaml".into(), good.clone()],
            json,
            ..CheckArgs::default()
        };
        let mut printed = Vec::new();
        let code = run_to(&args, &mut anstream::StripStream::new(&mut printed)).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
        let printed = String::from_utf8(printed).unwrap();
        if json {
            let object: serde_json::Value = serde_json::from_str(&printed).unwrap();
            assert_eq!(object["valid"], false);
            let message = object["files"][1]["errors"][0]["message"].as_str().unwrap();
            assert!(message.starts_with("cannot be read: "), "{message}");
            assert_eq!(object["files"][0]["errors"][0]["path"], "$.direction");
            assert_eq!(object["files"][2]["configurations"], 1);
        } else {
            for part in [
                "bad: not valid, 1 configuration, 1 error\nno/such.yaml: error: $: cannot be read: ",
                "good: fine, 1 configuration\n",
            ] {
                assert!(printed.contains(part), "{part:?} in\n{printed}");
            }
        }
    }
}

#[test]
fn the_mark_of_an_encoding_is_no_part_of_the_text() {
    for file in ["a.json", "a.yaml", "-"] {
        let text = format!("\u{feff}{GOOD}");
        assert_eq!(told(file, &text), [""; 0], "{file}");
    }
}

#[test]
fn plugins_of_others_are_skipped() {
    let foreign = plugin("WasmPlugin", "spec: ", "{pluginConfig: {users: [a]}}")
        .replace("name: sidespan", "name: basic-auth");
    assert_eq!(told("-", &foreign), [""; 0]);
    let report = check("-", &foreign);
    assert_eq!(report.configurations, 0);
    assert_eq!(report.skipped[0].path, "$.spec");
    assert_eq!(
        report.skipped[0].message,
        "not Sidespan's (basic-auth, oci://here/filter:1): none of its names contains \"sidespan\""
    );
    // Any of its names will do.
    for names in [
        "pluginName: sidespan-edge",
        "url: oci://here/sidespan-filter:1",
        "url: file:///Sidespan.wasm",
    ] {
        let ours = match names.starts_with("url") {
            true => foreign.replace("url: \"oci://here/filter:1\"", names),
            false => foreign.replace("pluginConfig", &format!("{names}, pluginConfig")),
        };
        let errors = check("-", &ours).errors;
        assert_eq!(errors[0].path, "$.spec.pluginConfig.users", "{names}");
    }
    let of_envoy = |names: &str| {
        let filter = wasm(r#""fail_open": true"#).replace(r#""root_id": "sidespan""#, names);
        bootstrap(&filter, "")
    };
    let skipped = check("-", &of_envoy(r#""root_id": "auth""#)).skipped;
    assert_eq!((skipped.len(), skipped[0].path.as_str()), (1, AT));
    let unnamed = check("-", &of_envoy(r#""note": 1"#)).skipped;
    assert!(
        unnamed[0].message.contains("(without a name)"),
        "{unnamed:?}"
    );
    for names in [
        r#""name": "sidespan""#,
        r#""vm_config": {"vm_id": "sidespan"}"#,
        r#""vmConfig": {"code": {"local": {"filename": "/a/sidespan_filter.wasm"}}}"#,
        r#""vm_config": {"code": {"remote": {"http_uri": {"uri": "http://a/sidespan.wasm"}}}}"#,
    ] {
        assert_eq!(check("-", &of_envoy(names)).configurations, 1, "{names}");
    }
    // The name of the entry in the list of filters, next to another's network filter.
    let entry = of_envoy(r#""note": 1"#).replace(
        r#"{"typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm"#,
        r#"{"name": "sidespan", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm"#,
    );
    assert_eq!(check("-", &entry).configurations, 1);
    let network = of_envoy(r#""root_id": "auth""#).replace("http.wasm", "network.wasm");
    assert_eq!(told("-", &network), [""; 0]);
}

#[test]
fn the_shape_of_the_json_is_a_promise() {
    let report = check("a.yaml", "direction: up\nspans: {}\n");
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        serde_json::json!({
            "file": "a.yaml",
            "configurations": 1,
            "errors": [{
                "document": 1,
                "path": "$.direction",
                "message": "expected auto, inbound, outbound or edge, found \"up\"",
                "line": 1
            }],
            "warnings": [],
            "skipped": [],
            "explanations": [],
            "settings": 0
        })
    );
}
