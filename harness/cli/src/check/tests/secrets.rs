//! Secrets in every place that is read: none of them comes out again, in text or in JSON.

use std::fs;

use super::{CheckArgs, bootstrap, plugin, run_to, wasm};

/// The secret, which no key and no message has a part of.
const SECRET: &str = "hunter2correcthorse";

/// Returns what is printed about a file: the text with all explanations, and the JSON.
fn printed(file: &str, bytes: &[u8]) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    fs::write(&path, bytes).unwrap();
    [false, true].map(|json| {
        let args = CheckArgs {
            files: vec![path.clone()],
            explain: true,
            json,
            ..CheckArgs::default()
        };
        let mut out = Vec::new();
        run_to(&args, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    })
}

#[test]
fn no_secret_comes_out_again() {
    let places = [
        environments(),
        configurations(),
        plugins(),
        resources(),
        broken(),
    ]
    .concat();
    assert!(places.len() >= 50, "{}", places.len());
    for (file, text) in places {
        assert!(text.contains("SECRET"), "{text}");
        let [text_out, json_out] = printed(file, text.replace("SECRET", SECRET).as_bytes());
        for out in [text_out, json_out] {
            assert!(!out.is_empty(), "{text}");
            assert!(!out.contains("hunter2"), "{file}: {text}\n{out}");
        }
    }
    // A number can be one too, and so can bytes in another encoding.
    for text in [
        "export: {otlp: {cluster: c, headers: {x-api-key: 73519281}}}",
        "spans: {attributes: [{name: a, literal: 73519281}]}",
        "spans: {attributes: [{name: a, requestHeader: x, default: 73519281}]}",
        "spans: {resource: {token: 73519281}}",
        "sampling: {exclude: [{headers: {x-token: 73519281}}]}",
        "unknown: 73519281",
    ] {
        for out in printed("a.yaml", text.as_bytes()) {
            assert!(!out.contains("73519281"), "{text}\n{out}");
        }
    }
    for out in printed("a.yaml", format!("a: {SECRET}\u{0}\nb: ").as_bytes()) {
        assert!(!out.contains("hunter2"), "{out}");
    }
    for out in printed(
        "a.yaml",
        &[SECRET.as_bytes(), b": \xe4 ", SECRET.as_bytes()].concat(),
    ) {
        assert!(!out.contains("hunter2"), "{out}");
    }
}

fn rows<const N: usize>(file: &'static str, texts: [&str; N]) -> Vec<(&'static str, String)> {
    texts.map(|text| (file, text.to_owned())).into()
}

fn environments() -> Vec<(&'static str, String)> {
    rows(
        "a.env",
        [
            "DATABASE_URL=postgres://admin:SECRET@db:5432/app",
            "DATABASE_URL=postgres://admin:SECRET@db:5432/app\nOTEL_SERVICE_NAME=cart",
            "DATABASE_URL=postgres://admin:SECRET@db:5432/app\nAPI_KEY=SECRET\nnot a SECRET line",
            "OTEL_TRACES_SAMPLER=always_on\nbad line with SECRET",
            "OTEL_TRACES_SAMPLER=always_on\nPASSWORD = SECRET",
            "OTEL_TRACES_SAMPLER=always_on\nBAD-NAME=SECRET",
            "OTEL_TRACES_SAMPLER=always_on\nKEY=\"-----BEGIN\nSECRET\n-----END\"",
            "OTEL_TRACES_SAMPLER=always_on\nKEY=\"SECRET",
            "OTEL_EXPORTER_OTLP_HEADERS=authorization=SECRET # mine",
            "OTEL_TRACES_SAMPLER=jaeger_remote\nOTEL_TRACES_SAMPLER_ARG=endpoint=http://u:SECRET@c:14250",
            "OTEL_TRACES_SAMPLER_ARG=endpoint=http://u:SECRET@c:14250",
            "OTEL_TRACES_SAMPLER=always_on\nOTEL_TRACES_SAMPLER_ARG=http://u:SECRET@c",
            "password=SECRET",
            "password: SECRET",
        ],
    )
}

fn configurations() -> Vec<(&'static str, String)> {
    rows(
        "a.yaml",
        [
            "SECRET",
            "- SECRET",
            "\"token: SECRET\"",
            "apiKey: SECRET",
            "export: {apiKey: SECRET}",
            "export: SECRET",
            "export: 'https://u:SECRET@c'",
            "export: {otlp: 'https://u:SECRET@c'}",
            "export: {otlp: {service: 'https://u:SECRET@c'}}",
            "export: {otlp: {service: 'u:SECRET@c:4317'}}",
            "export: {otlp: {cluster: 'https://u:SECRET@c x'}}",
            "export: {otlp: {cluster: c, protocol: http/protobuf, path: 'v1/traces?key=SECRET'}}",
            "export: {otlp: {cluster: c, token: SECRET}}",
            "export: {otlp: {cluster: c, headers: SECRET}}",
            "export: {otlp: {cluster: c, headers: [SECRET]}}",
            "export: {otlp: {cluster: c, headers: {Authorization: SECRET}}}",
            "export: {otlp: {cluster: c, headers: {x-api-key: SECRET}}}",
            "export: {otlp: {cluster: c, headers: {x-api-key: \"SECRET\\n\"}}}",
            "export: {otlp: {cluster: c, headers: {x-api-key: [SECRET]}}}",
            "export: {otlp: {cluster: c, headers: {x-api-key: {value: SECRET}}}}",
            "export: {otlp: {cluster: c, headers: {x-api-key: SECRET, no: SECRET}}}",
            "spans: {attributes: [{name: a, literal: SECRET, environment: B}]}",
            "spans: {attributes: [{name: a, default: [SECRET]}]}",
            "spans: {attributes: [SECRET]}",
            "spans: {resource: {token: [SECRET]}}",
            "spans: {serviceName: {password: SECRET}}",
            "direction: {password: SECRET}",
            "sampling: {rules: [{match: {headers: {x-token: SECRET}}, percentage: x}]}",
            "sampling: {percentage: {token: SECRET}}",
            "sampling: {rules: [{match: {headers: {x-token: SECRET}}, percentage: 5}]}",
            "sampling: {exclude: [{headers: {x-token: SECRET}}]}",
            "sampling: {percentage: 'https://u:SECRET@c'}",
            "direction: 'token=SECRET'",
            "spans: {attributes: [{name: a, literal: SECRET, default: SECRET}], resource: {a: SECRET}}",
        ],
    )
}

fn plugins() -> Vec<(&'static str, String)> {
    let wanted = "pluginConfig: {export: {otlp: {cluster: c, headers: {a: {environment: KEY}}}}}";
    let specs = [
        format!("{{{wanted}, vmConfig: {{env: [{{name: OTHER, value: SECRET}}]}}}}"),
        format!("{{{wanted}, vmConfig: {{env: [{{name: KEY, value: {{secretKeyRef: SECRET}}}}]}}}}"),
        "{pluginConfig: SECRET}".to_owned(),
        "{pluginConfig: {environment: SECRET}}".to_owned(),
        "{pluginConfig: {export: {otlp: {cluster: c, headers: {a: {environment: Bearer SECRET}}}}}}".to_owned(),
        "{url: 'oci://u:SECRET@here/sidespan:1'}".to_owned(),
        "{imagePullSecret: {password: SECRET}}".to_owned(),
        "{verificationKey: SECRET}".to_owned(),
        "{pluginconfig: {token: SECRET}}".to_owned(),
    ];
    let mut rows: Vec<_> = specs
        .iter()
        .map(|spec| ("a.yaml", plugin("WasmPlugin", "spec: ", spec)))
        .collect();
    rows.push((
        "a.yaml",
        plugin(
            "WasmPlugin",
            "spec: ",
            "{url: 'oci://u:SECRET@here/auth:1?sig=SECRET'}",
        )
        .replace("name: sidespan", "name: auth"),
    ));
    rows.push((
        "a.yaml",
        plugin(
            "TrafficExtension",
            "spec: ",
            "{wasm: {pluginConfig: 'SECRET'}}",
        ),
    ));
    let text = r#""@type": "type.googleapis.com/google.protobuf.StringValue", "value""#;
    for fields in [
        format!(r#""configuration": {{{text}: "SECRET"}}"#),
        format!(r#""configuration": {{{text}: "{{\"a\": SECRET}}"}}"#),
        format!(r#""configuration": {{{text}: {{"token": "SECRET"}}}}"#),
        r#""configuration": {"@type": "type.googleapis.com/google.protobuf.BytesValue", "value": "SECRET"}"#.to_owned(),
        r#""configuration": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"token": "SECRET"}}"#.to_owned(),
        r#""vm_config": {"environment_variables": {"key_values": {"A": "SECRET"}}}"#.to_owned(),
        r#""vm_config": {"code": {"remote": {"http_uri": {"uri": "https://u:SECRET@here/a?sig=SECRET"}}}}"#.to_owned(),
    ] {
        rows.push(("envoy.json", bootstrap(&wasm(&fields), "")));
        let of_others = wasm(&fields).replace("sidespan", "auth");
        rows.push(("envoy.json", bootstrap(&of_others, "")));
    }
    rows
}

fn resources() -> Vec<(&'static str, String)> {
    let pod = |env: &str| {
        format!(
            "kind: Deployment\nmetadata: {{name: a}}\nspec: {{template: {{spec: {{containers: [{{name: a, env: {env}}}]}}}}}}"
        )
    };
    let mut texts = vec![
        "kind: Secret\nmetadata: {name: a}\ndata: {password: SECRET}".to_owned(),
        "kind: Secret\nmetadata: {name: a}\nstringData: {password: SECRET}\ndata: [SECRET]".to_owned(),
        "kind: ConfigMap\nmetadata: {name: a}\ndata: {OTEL_TRACES_SAMPLER: always_on, password: SECRET}".to_owned(),
        "kind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: 'SECRET'}".to_owned(),
        "kind: ConfigMap\nmetadata: {name: istio}\ndata:\n  mesh: |\n    password: [SECRET\n    b: }".to_owned(),
        pod("[{name: PASSWORD, value: SECRET}]"),
        pod("[{name: OTEL_TRACES_SAMPLER, value: {password: SECRET}}]"),
        pod("[{name: PILOT_TRACE_SAMPLING, value: {password: SECRET}}]"),
        pod("[{name: OTEL_TRACES_SAMPLER, value: jaeger_remote}, {name: OTEL_TRACES_SAMPLER_ARG, value: 'http://u:SECRET@c'}]"),
        "kind: Pod\nmetadata: {name: a, annotations: {proxy.istio.io/config: 'SECRET: [', password: SECRET}}\nspec: {containers: []}".to_owned(),
        "pilot: {env: {PASSWORD: SECRET}, traceSampling: {password: SECRET}}".to_owned(),
        "meshConfig: {extensionProviders: [{name: a, zipkin: {token: SECRET}}], defaultConfig: {tracing: SECRET}}".to_owned(),
        "kind: Telemetry\nmetadata: {name: a}\nspec: {tracing: [{randomSamplingPercentage: {token: SECRET}, providers: [{token: SECRET}]}]}".to_owned(),
        "kind: Telemetry\nmetadata: {name: a}\nspec: {tracing: [{customTags: {a: {literal: {value: SECRET}}}}]}".to_owned(),
        "kind: Instrumentation\nmetadata: {name: a}\nspec: {env: [{name: A, value: SECRET}], sampler: {type: SECRETS}}".replace("SECRETS", "always_on"),
        "kind: IstioOperator\nspec: {values: {global: {password: SECRET}}, meshConfig: [SECRET]}".to_owned(),
        "services: {cart: {image: a, environment: {PASSWORD: SECRET}}}".to_owned(),
        r#"{"configs": [{"@type": "a", "password": "SECRET"}]}"#.to_owned(),
    ];
    texts.push("replicas: 2\nimage: {password: SECRET}".to_owned());
    texts.into_iter().map(|text| ("a.yaml", text)).collect()
}

fn broken() -> Vec<(&'static str, String)> {
    let mut rows = rows(
        "a.yaml",
        [
            "password: SECRET\nb: [",
            "password: \"SECRET",
            "password: SECRET: SECRET",
            "a:\n\tpassword: SECRET",
            "password: SECRET\npassword: SECRET",
            "password: *SECRET",
            "? {password: SECRET}\n: SECRET",
            "password: !!int SECRET",
            "~: SECRET",
            "{{ .Values.a }}: SECRET\npassword: SECRET",
            "a: |1 SECRET\n  x",
            "%SECRET x\n--- a",
            "!<SECRET",
            "a: &a [&SECRET x, *a]",
        ],
    );
    rows.extend(self::rows(
        "a.json",
        [
            r#"{"password": "SECRET"#,
            r#"{"password": SECRET}"#,
            r#"{"password": "SECRET" // mine"#,
            r#"{"password": "SECRET", "password": "SECRET"}"#,
            r#"{"password": "SECRET"} "SECRET""#,
        ],
    ));
    rows
}
