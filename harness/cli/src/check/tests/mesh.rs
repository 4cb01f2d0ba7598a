//! Judgements that hang on the mesh around a configuration: other copies, the collector's service, the namespace.

use super::super::{Options, Results};

/// Returns `error` or `warning`, file, path and sentence of every finding about these files.
fn findings(files: &[&str]) -> Vec<String> {
    let read = files.iter().enumerate().map(|(index, text)| {
        let bytes = text.as_bytes().to_vec();
        (format!("{index}.yaml"), Ok(bytes))
    });
    let results = Results::of(read.collect(), Options::default());
    let mut all = Vec::new();
    for report in &results.reports {
        let errors = report.errors.iter().map(|found| ("error", found));
        let warnings = report.warnings.iter().map(|found| ("warning", found));
        for (word, found) in errors.chain(warnings) {
            if found.message.starts_with("no configuration of the filter") {
                continue;
            }
            all.push(format!(
                "{word}: {}: {}: {}",
                report.file, found.path, found.message
            ));
        }
    }
    all
}

/// Holds the files to the one finding that has all these parts; no part is for no finding.
fn expect(files: &[&str], parts: &[&str]) {
    let found = findings(files);
    match parts {
        [] => assert_eq!(found, [""; 0], "{files:#?}"),
        parts => {
            assert_eq!(found.len(), 1, "{found:#?} of {files:#?}");
            for part in parts {
                assert!(found[0].contains(part), "{part:?} in {found:#?}");
            }
        }
    }
}

fn wasm_plugin(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{url: 'oci://r.example/sidespan:1', failStrategy: FAIL_OPEN, {spec}}}\n"
    )
}

fn traffic_extension(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{{spec}, wasm: {{url: 'oci://r.example/sidespan:1', failStrategy: FAIL_OPEN}}}}\n"
    )
}

fn envoy_filter(context: &str, role: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{name: sidespan, namespace: istio-system}}\n\
         spec:\n  workloadSelector: {{labels: {{sidespan: enabled}}}}\n  configPatches:\n  - applyTo: HTTP_FILTER\n    \
         match: {{context: {context}}}\n    patch:\n      operation: INSERT_FIRST\n      value:\n        name: sidespan\n        \
         typed_config:\n          '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n          \
         config:\n            name: sidespan\n            fail_open: true\n            configuration:\n              \
         '@type': type.googleapis.com/google.protobuf.StringValue\n              value: '{{{role}}}'\n"
    )
}

const FIRST: &str = "phase: AUTHN, priority: 1000";

#[test]
fn of_two_copies_in_one_chain_the_one_that_stands_aside_is_named() {
    let mesh = &wasm_plugin("istio-system", "mesh", FIRST);
    let cart = |spec: &str| {
        wasm_plugin(
            "shop",
            "cart",
            &format!("selector: {{matchLabels: {{app: cart}}}}, {spec}"),
        )
    };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\n\
                      spec: {template: {metadata: {labels: {app: cart, tier: web}}}}\n";
    for (files, parts) in [
        // Different ways to install are alternatives, whatever their selectors.
        (
            vec![
                mesh.clone(),
                traffic_extension("istio-system", "mesh", FIRST),
            ],
            vec![
                "error: ",
                "stands aside wherever",
                "apply one of WasmPlugin and TrafficExtension",
            ],
        ),
        (
            vec![mesh.clone(), envoy_filter("SIDECAR_INBOUND", "")],
            vec![
                "error: 0.yaml: $.spec.pluginConfig: stands aside wherever EnvoyFilter istio-system/sidespan is installed",
            ],
        ),
        (
            vec![
                mesh.clone(),
                envoy_filter("SIDECAR_INBOUND", r#""role": "attempt""#),
            ],
            vec![],
        ),
        // Both for everyone.
        (
            vec![
                mesh.clone(),
                wasm_plugin("istio-system", "other", "phase: AUTHN, priority: 7"),
            ],
            vec![
                "error: 1.yaml",
                "stands aside wherever WasmPlugin istio-system/mesh is",
                "its priority is 1000, and here 7",
            ],
        ),
        (
            vec![mesh.clone(), wasm_plugin("shop", "shop", FIRST)],
            vec![
                "warning: 0.yaml",
                "stands aside wherever WasmPlugin shop/shop works",
                "workload's own namespace",
            ],
        ),
        (
            vec![
                mesh.clone(),
                wasm_plugin("shop", "shop", "phase: AUTHN, priority: 1001"),
            ],
            vec![],
        ),
        (
            vec![
                mesh.clone(),
                wasm_plugin("shop", "shop", "phase: AUTHN, priority: 999"),
            ],
            vec![
                "warning: 1.yaml",
                "never works, for WasmPlugin istio-system/mesh",
            ],
        ),
        (
            vec![
                wasm_plugin("shop", "one", FIRST),
                wasm_plugin("shop", "two", FIRST),
            ],
            vec![
                "error: 1.yaml",
                "stands aside wherever WasmPlugin shop/one is",
            ],
        ),
        // What it does not reach is left to the other.
        (
            vec![
                wasm_plugin("shop", "shop", "phase: AUTHN, priority: 1001"),
                wasm_plugin(
                    "istio-system",
                    "cart",
                    &format!("selector: {{matchLabels: {{app: cart}}}}, {FIRST}"),
                ),
            ],
            vec![],
        ),
        (
            vec![
                wasm_plugin("shop", "a", FIRST),
                wasm_plugin("payments", "b", FIRST),
            ],
            vec![],
        ),
        (vec![mesh.clone(), mesh.clone()], vec![]),
        // One for some workloads: fine where it comes first by its own words.
        (
            vec![mesh.clone(), cart("phase: AUTHN, priority: 1001")],
            vec![],
        ),
        (
            vec![mesh.clone(), cart(FIRST)],
            vec![
                "warning: 0.yaml",
                "stands aside wherever WasmPlugin shop/cart works",
            ],
        ),
        (
            vec![mesh.clone(), cart("phase: AUTHN, priority: 999")],
            vec![
                "warning: 1.yaml",
                "never works, for WasmPlugin istio-system/mesh",
            ],
        ),
        (
            vec![mesh.clone(), cart("phase: AUTHZ, priority: 1001")],
            vec![
                "warning: 1.yaml",
                "never works",
                "its phase is AUTHN, and here AUTHZ",
            ],
        ),
        // Other sides, and what waypoints take.
        (
            vec![
                wasm_plugin(
                    "istio-system",
                    "in",
                    &format!("match: [{{mode: SERVER}}], {FIRST}"),
                ),
                wasm_plugin(
                    "istio-system",
                    "out",
                    &format!("match: [{{mode: CLIENT}}], {FIRST}"),
                ),
            ],
            vec![],
        ),
        (
            vec![
                mesh.clone(),
                wasm_plugin(
                    "istio-system",
                    "waypoints",
                    &format!(
                        "targetRefs: [{{group: gateway.networking.k8s.io, kind: GatewayClass, name: istio-waypoint}}], {FIRST}"
                    ),
                ),
            ],
            vec![],
        ),
        // Two selectors: only a workload that both pick can tell.
        (
            vec![
                cart(FIRST),
                wasm_plugin(
                    "shop",
                    "web",
                    &format!("selector: {{matchLabels: {{tier: web}}}}, {FIRST}"),
                ),
            ],
            vec![],
        ),
        (
            vec![
                cart(FIRST),
                wasm_plugin(
                    "shop",
                    "web",
                    &format!("selector: {{matchLabels: {{tier: web}}}}, {FIRST}"),
                ),
                deployment.to_owned(),
            ],
            vec![
                "warning: 1.yaml",
                "has the phase and the priority of WasmPlugin shop/cart",
            ],
        ),
        (
            vec![
                cart(FIRST),
                wasm_plugin(
                    "shop",
                    "twice",
                    &format!("selector: {{matchLabels: {{app: cart}}}}, {FIRST}"),
                ),
            ],
            vec!["error: 1.yaml"],
        ),
    ] {
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        let found = findings(&files);
        // Each of three ways to say it in a list of one.
        let found: Vec<_> = found
            .iter()
            .filter(|found| !found.contains("match mode"))
            .collect();
        assert_eq!(
            found.is_empty(),
            parts.is_empty(),
            "{found:#?} of {files:#?}"
        );
        for part in parts {
            assert!(found[0].contains(part), "{part:?} in {found:#?}");
        }
        assert!(found.len() <= 1, "{found:#?}");
    }
}

#[test]
fn two_copies_in_one_list_of_an_envoy_are_one_too_many() {
    let filter = |name: &str| {
        format!(
            "{{name: {name}, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, \
             config: {{name: {name}, fail_open: true}}}}}}"
        )
    };
    let chain = |filters: &[&str]| {
        format!(
            "{{http_filters: [{}, {{name: envoy.filters.http.router}}]}}",
            filters.join(", ")
        )
    };
    let (one, two) = (filter("sidespan"), filter("sidespan-2"));
    let bootstrap =
        |chains: &[String]| format!("static_resources: {{listeners: [{}]}}\n", chains.join(", "));
    expect(&[&bootstrap(&[chain(&[&one]), chain(&[&two])])], &[]);
    expect(
        &[&bootstrap(&[chain(&[&one, &two])])],
        &[
            "error: 0.yaml: $.static_resources.listeners[0].http_filters[1]",
            "a second copy",
        ],
    );
}

#[test]
fn an_exporter_that_cannot_work_is_told_of_by_the_files_around_it() {
    let plugin = |otlp: &str| {
        wasm_plugin(
            "istio-system",
            "mesh",
            &format!("{FIRST}, pluginConfig: {{export: {{otlp: {{{otlp}}}}}}}"),
        )
    };
    let service = |ports: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: otel, namespace: obs}}\nspec: {{ports: [{ports}]}}\n"
        )
    };
    let entry = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: otel, namespace: obs}\n\
                 spec: {hosts: [otel.example], ports: [{number: 4317, name: otlp, protocol: GRPC}]}\n";
    let cluster = "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: c, namespace: obs}\n\
                   spec: {configPatches: [{applyTo: CLUSTER, patch: {operation: ADD, value: {name: collector}}}]}\n";
    const FULL: &str = "service: otel.obs.svc.cluster.local, port: 4317";
    for (otlp, beside, parts) in [
        (FULL, None, vec![]),
        (
            "service: otel, port: 4317",
            None,
            vec![
                "error",
                ".otlp.service",
                "write otel.NAMESPACE.svc.cluster.local",
            ],
        ),
        (
            "service: otel.obs, port: 4317",
            None,
            vec!["error", "write otel.obs.svc.cluster.local"],
        ),
        (
            "service: otel.obs.svc, port: 4317",
            None,
            vec!["error", "write otel.obs.svc.cluster.local"],
        ),
        ("service: otel.obs.svc.my.domain, port: 4317", None, vec![]),
        ("service: api.collector.example, port: 443", None, vec![]),
        (
            "service: otel.example, port: 4317",
            Some(entry.to_owned()),
            vec![],
        ),
        (
            "service: otel.example, port: 4318",
            Some(entry.to_owned()),
            vec![
                "error",
                "ServiceEntry obs/otel has no port 4318",
                "it has 4317",
            ],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 4318",
            None,
            vec!["warning", ".otlp.port", "4318 is OTLP's port for HTTP"],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 4317, protocol: http/protobuf",
            None,
            vec!["warning", "4317 is OTLP's port for gRPC"],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 4318, protocol: http/protobuf",
            None,
            vec![],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 9411",
            None,
            vec!["warning", "9411 is Zipkin's port"],
        ),
        (
            "cluster: collector",
            None,
            vec![
                "warning",
                ".otlp.cluster",
                "none of the clusters that Istio makes",
            ],
        ),
        ("cluster: collector", Some(cluster.to_owned()), vec![]),
        (
            "cluster: 'outbound|4317||otel.obs.svc.cluster.local'",
            None,
            vec![],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 4317, headers: {x-api-key: '${SECRET}'}",
            None,
            vec![
                "warning",
                r#"headers["x-api-key"]"#,
                "sent as it is written",
            ],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 4317, headers: {authorization: 'Bearer $(SECRET)'}",
            None,
            vec!["warning", "{environment: NAME}"],
        ),
        (
            "service: otel.obs.svc.cluster.local, port: 4317, headers: {x-plan: gold$}",
            None,
            vec![],
        ),
        (FULL, Some(service("{name: grpc-otlp, port: 4317}")), vec![]),
        (FULL, Some(service("{name: grpc, port: 4317}")), vec![]),
        (
            FULL,
            Some(service("{name: http2-otlp, port: 4317}")),
            vec![],
        ),
        (
            FULL,
            Some(service("{name: otlp, port: 4317, appProtocol: grpc}")),
            vec![],
        ),
        (
            FULL,
            Some(service(
                "{name: otlp, port: 4317, appProtocol: kubernetes.io/h2c}",
            )),
            vec![],
        ),
        (
            FULL,
            Some(service("{name: otlp, port: 4317}")),
            vec![
                "error",
                "Istio speaks HTTP/1.1 to port 4317 of Service obs/otel",
                "grpc-otlp",
            ],
        ),
        (
            FULL,
            Some(service("{name: otlp-grpc, port: 4317}")),
            vec!["error", "HTTP/1.1"],
        ),
        (
            FULL,
            Some(service("{name: tcp-otlp, port: 4317}")),
            vec!["error", "HTTP/1.1"],
        ),
        (
            FULL,
            Some(service("{name: grpc, port: 4317, appProtocol: http}")),
            vec!["error", "HTTP/1.1"],
        ),
        (
            FULL,
            Some(service("{name: grpc, port: 9000}")),
            vec!["error", "has no port 4317", "it has 9000"],
        ),
    ] {
        let plugin = plugin(otlp);
        let files: Vec<&str> = [plugin.as_str()]
            .into_iter()
            .chain(beside.as_deref())
            .collect();
        expect(&files, &parts);
        assert!(
            !findings(&files)
                .iter()
                .any(|found| found.contains("SECRET"))
        );
    }
}

#[test]
fn every_address_is_held_to_the_same() {
    const FULL: &str = "service: a.obs.svc.cluster.local, port: 5778";
    let service = |protocol: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: obs}}\nspec: {{ports: [{{name: grpc, port: 5778{protocol}}}]}}\n"
        )
    };
    let at = |keys: [&str; 2], settings: &str| match keys {
        ["sampling", _] => format!(
            "{{sampling: {{remote: {{{settings}}}}}, export: {{otlp: {{service: b.obs.svc.cluster.local, port: 4317}}}}}}"
        ),
        _ => format!("{{export: {{otlp: {{{settings}}}}}}}"),
    };
    for keys in [["sampling", "remote"], ["export", "otlp"]] {
        for (settings, beside, parts) in [
            (FULL, None, &[][..]),
            (FULL, Some(service("")), &[]),
            (
                "service: a, port: 5778",
                None,
                &[
                    "error",
                    ".service",
                    "no proxy has a cluster of this name",
                    "a.NAMESPACE.svc",
                ],
            ),
            (
                "cluster: a",
                None,
                &[
                    "warning",
                    ".cluster",
                    "none of the clusters that Istio makes",
                ],
            ),
            (
                "service: a.obs.svc.cluster.local, port: 1",
                Some(service("")),
                &["error", ".port", "has no port 1"],
            ),
            (
                FULL,
                Some(service(", protocol: UDP")),
                &["error", ".port", "is UDP, for which Istio makes no cluster"],
            ),
            (
                "service: A.obs.svc.cluster.local, port: 5778",
                None,
                &["error", ".service", "write a.obs.svc.cluster.local"],
            ),
            (
                "cluster: 'outbound|5778||A.obs.svc.cluster.local'",
                None,
                &["error", ".cluster", "lower case"],
            ),
            (
                "service: Api.example, port: 5778",
                None,
                &["warning", ".service", "lower case"],
            ),
        ] {
            let plugin = wasm_plugin(
                "istio-system",
                "mesh",
                &format!("{FIRST}, pluginConfig: {}", at(keys, settings)),
            );
            let files: Vec<&str> = [plugin.as_str()]
                .into_iter()
                .chain(beside.as_deref())
                .collect();
            expect(&files, parts);
            if !parts.is_empty() {
                expect(&files, &[&keys.join(".")]);
            }
        }
    }
}

#[test]
fn an_envoy_without_the_cluster_of_a_remote_sampler_is_told_of() {
    let envoy = "static_resources:\n  clusters: [{name: app}]\n  listeners:\n  - http_filters:\n    - name: sidespan\n      typed_config:\n        \
         '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n        config:\n          fail_open: true\n          \
         configuration:\n            '@type': type.googleapis.com/google.protobuf.StringValue\n            \
         value: '{\"sampling\": {\"remote\": {\"cluster\": \"nope\"}}, \"export\": {\"otlp\": {\"cluster\": \"app\", \"protocol\": \"http/protobuf\"}}}'\n    \
         - name: envoy.filters.http.router\n";
    expect(
        &[envoy],
        &[
            "error",
            ".value.sampling.remote.cluster",
            "this Envoy has no cluster \"nope\", so no percentages",
        ],
    );
}

#[test]
fn an_envoy_says_itself_whether_it_has_the_collectors_cluster() {
    let envoy = |otlp: &str, clusters: &str, more: &str| {
        format!(
            "static_resources:\n  clusters: [{clusters}]\n  listeners:\n  - http_filters:\n    - name: sidespan\n      typed_config:\n        \
             '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n        config:\n          fail_open: true\n          \
             configuration:\n            '@type': type.googleapis.com/google.protobuf.StringValue\n            \
             value: '{{\"export\": {{\"otlp\": {{{otlp}}}}}}}'\n    - name: envoy.filters.http.router\n{more}"
        )
    };
    const GRPC: &str = r#""cluster": "collector""#;
    const HTTP: &str = r#""cluster": "collector", "protocol": "http/protobuf""#;
    let http2 = |options: &str| {
        format!(
            "{{name: collector, typed_extension_protocol_options: {{envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {{{options}}}}}}}"
        )
    };
    let missing = "this Envoy has no cluster \"collector\", so every span would be lost";
    for (text, parts) in [
        (
            envoy(GRPC, "", ""),
            vec![
                "error",
                ".value.export.otlp.cluster",
                missing,
                "there are none",
            ],
        ),
        (
            envoy(HTTP, "{name: app}", ""),
            vec![missing, "there are app"],
        ),
        (
            envoy(
                GRPC,
                "{name: app}",
                "dynamic_resources: {cds_config: {ads: {}}}\n",
            ),
            vec![],
        ),
        (envoy(HTTP, "{name: collector}", ""), vec![]),
        (
            envoy(GRPC, "{name: collector}", ""),
            vec!["error", "gRPC needs HTTP/2"],
        ),
        (
            envoy(GRPC, "{name: collector, http2_protocol_options: {}}", ""),
            vec![],
        ),
        (
            envoy(
                GRPC,
                &http2("explicit_http_config: {http2_protocol_options: {}}"),
                "",
            ),
            vec![],
        ),
        (
            envoy(
                GRPC,
                &http2("explicit_http_config: {http_protocol_options: {}}"),
                "",
            ),
            vec!["gRPC needs HTTP/2"],
        ),
        (envoy(GRPC, &http2("auto_config: {}"), ""), vec![]),
    ] {
        expect(&[&text], &parts);
    }
}

#[test]
fn settings_that_do_nothing_or_too_much_are_told_of() {
    let plugin = |namespace: &str, spec: &str, config: &str| {
        wasm_plugin(
            namespace,
            "p",
            &format!(
                "{FIRST}, {spec} pluginConfig: {{export: {{otlp: {{service: otel.obs.svc.cluster.local, port: 4317}}}}, {config}}}"
            ),
        )
    };
    let mesh = |config: &str| plugin("istio-system", "", config);
    for (file, parts) in [
        (
            mesh("trust: {context: restart}"),
            vec![
                ".trust.context",
                "new trace at every sidecar",
                "gateway.trust",
            ],
        ),
        (
            plugin(
                "shop",
                "selector: {matchLabels: {app: edge}},",
                "trust: {context: restart}",
            ),
            vec![],
        ),
        (mesh("gateway: {trust: {context: restart}}"), vec![]),
        (
            mesh("direction: inbound"),
            vec![".direction", "both sides", "match: [{mode: SERVER}]"],
        ),
        (
            plugin(
                "istio-system",
                "match: [{mode: SERVER}],",
                "direction: inbound",
            ),
            vec![],
        ),
        (
            plugin(
                "istio-system",
                "match: [{mode: SERVER}],",
                "direction: outbound",
            ),
            vec![".direction", "makes CLIENT ones"],
        ),
        (
            plugin(
                "istio-system",
                "match: [{mode: SERVER}],",
                "direction: inbound, gateway: {trust: {context: restart}}",
            ),
            vec![".gateway", "never used"],
        ),
        (
            mesh("direction: edge, gateway: {trust: {context: restart}}"),
            vec![],
        ),
        (
            mesh("sampling: {namespaces: {'team-.*': 10}}"),
            vec![r#"namespaces["team-.*"]"#, "no regular expression"],
        ),
        (
            mesh("sampling: {namespaces: {'^prod': 10}}"),
            vec!["never used"],
        ),
        (
            mesh("sampling: {namespaces: {Payments: 10}}"),
            vec!["never used"],
        ),
        (
            mesh("sampling: {namespaces: {payments/cart: 10}}"),
            vec!["never used"],
        ),
        (
            mesh("sampling: {namespaces: {app=cart: 10}}"),
            vec!["never used"],
        ),
        (
            mesh("sampling: {namespaces: {'team-*': 10, a1: 5}}"),
            vec![],
        ),
        (
            mesh("sampling: {percentage: 5, namespaces: {'*': 2}}"),
            vec![".sampling.percentage", "never used"],
        ),
        (
            mesh("sampling: {percentage: 1, namespaces: {'*': 2}}"),
            vec![".sampling.percentage", "never used"],
        ),
        (mesh("sampling: {namespaces: {'*': 2}}"), vec![]),
        (
            plugin("shop", "", "sampling: {namespaces: {payments: 50}}"),
            vec![
                r#"namespaces["payments"]"#,
                "this plugin is in namespace shop",
            ],
        ),
        (
            plugin("shop", "", "sampling: {namespaces: {'sh*': 50}}"),
            vec![],
        ),
        (
            mesh("sampling: {namespaces: {istio-system: 0}}"),
            vec![
                r#"namespaces["istio-system"]"#,
                "switches the ingress gateway",
            ],
        ),
        (
            mesh("sampling: {namespaces: {'istio-*': 0}}"),
            vec!["switches the ingress gateway"],
        ),
        (
            mesh("sampling: {namespaces: {'istio-*': 0, istio-system: 100}}"),
            vec![],
        ),
        (mesh("sampling: {namespaces: {kube-system: 0}}"), vec![]),
        (
            "sampling: {namespaces: {istio-system: 0}}\nexport: {otlp: {cluster: c}}\n".into(),
            vec!["switches the ingress gateway"],
        ),
        (
            mesh("sampling: {rules: [{match: {path: '/api/.*'}, percentage: 5}]}"),
            vec!["rules[0].match.path", "regular expression"],
        ),
        (
            mesh("sampling: {rules: [{match: {path: '/api/*'}, percentage: 5}]}"),
            vec![],
        ),
        (
            mesh("sampling: {rules: [{match: {path: '/v1.2/{id}'}, percentage: 5}]}"),
            vec![],
        ),
        (
            mesh("sampling: {exclude: [{path: '/health$'}]}"),
            vec!["exclude[0].path", "regular expression"],
        ),
        (
            mesh("gateway: {exclude: [{path: '/(a|b)'}]}"),
            vec!["gateway.exclude[0].path"],
        ),
    ] {
        expect(&[&file], &parts);
    }
}
