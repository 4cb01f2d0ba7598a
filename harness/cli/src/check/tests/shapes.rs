//! Files of every shape: what there is to check in them, and what is said where there is nothing.

use super::check;
use crate::check::{Options, Report, Results, check_file};

/// A file's name, its bytes, the number of errors, and the line and a part of the one finding.
type Row<'a> = (&'a str, &'a [u8], usize, Option<usize>, &'a str);

fn only(report: &Report) -> &crate::check::Finding {
    let mut findings = report
        .errors
        .iter()
        .chain(&report.warnings)
        .chain(&report.skipped);
    let first = findings.next().expect("a finding");
    assert_eq!(findings.next(), None, "{report:?}");
    first
}

#[test]
fn what_is_no_configuration_is_told_by_its_shape() {
    const NOTHING: &str =
        "nothing of Sidespan's in this file; read are the filter's configuration, WasmPlugin,";
    let rows: &[Row<'_>] = &[
        ("-", b"", 1, None, "nothing to check: standard input is empty; did the command before the pipe fail"),
        ("a.yaml", b"", 1, None, "nothing to check: the file is empty; did the command that writes it fail?"),
        ("a.json", b"\n", 1, None, "nothing to check: the file is empty"),
        ("-", b"# one\n# two\n", 1, None, "nothing to check: only comments"),
        ("-", b"---\n", 1, Some(1), "nothing to check: only empty documents"),
        ("-", b"null\n", 1, Some(1), "nothing to check: only empty documents"),
        ("a.yaml", b"a: {{ .Values.a }}\n", 1, Some(1), "this is a template ({{ … }}); render it first: helm template"),
        ("a.yaml", b"x: 1\n{{- if .Values.b }}\na: 1\n{{- end }}\n", 1, Some(2), "this is a template"),
        ("a.yaml", b"\xff\xfea\0:\0", 1, None, "UTF-16, as PowerShell's > writes it; save it as UTF-8"),
        ("a.yaml", b"a: 1\nb: \xe4\n", 1, Some(2), "expected UTF-8, found another encoding in line 2"),
        ("a.json", b"{\n  // sampling\n  \"direction\": \"auto\"\n}", 1, Some(2), "JSON has no comments (line 2)"),
        ("-", b"{\"direction\": \"auto\" /* x */}", 1, Some(1), "JSON has no comments (line 1)"),
        ("a.yaml", b"sampling:\n\tpercentage: 5\n", 1, Some(2), "a tab in the indentation, where YAML takes spaces alone"),
        ("a.yaml", b"direction: auto\ndirection: edge\n", 1, Some(2), "repeated key"),
        ("a.yaml", b"direction: auto\n~: edge\n", 1, Some(2), "a key here is null"),
        ("a.yaml", b"just words\n", 1, Some(1), "expected an object, found a string"),
        ("-", b"apiVersion: v1\nkind: Namespace\n", 0, Some(1), NOTHING),
        ("-", b"# x\n---\nkind: Role\n", 0, Some(3), NOTHING),
        ("values.yaml", b"replicaCount: 2\nimage: {tag: x}\nautoscaling: {}\n", 0, Some(1), NOTHING),
        ("-", b"name: envoy.filters.http.rbac\ntypedConfig: {}\n", 0, Some(1), NOTHING),
        ("-", b"telemetry: {}\n", 1, Some(1), "unknown key; known here: propagation, sampling"),
        ("values.yaml", b"image: here/sidespan:1\nsampling: {percentage: 1}\nistioTracing: disabled\n", 0, Some(1), "values of Sidespan's chart"),
        ("values.yaml", b"collector: {service: a, port: 4317}\n", 0, Some(1), "values of Sidespan's chart"),
        ("settings.env", b"# x\nimage=here/sidespan:1\nport=4317\n", 0, Some(2), "lines of key=value, as kustomize takes them"),
        ("-", b"services: {cart: {image: cart:1}}\n", 0, Some(1), "a compose file, of which nothing is read"),
        ("-", b"apiVersion: argoproj.io/v1alpha1\nkind: Application\n", 0, Some(1), "an Argo CD application"),
        ("-", b"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n", 0, Some(1), "a HelmRelease of Flux"),
        ("-", b"{\"configs\": [{\"@type\": \"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\"}]}", 0, Some(1), "no filter of Sidespan in this dump of a proxy"),
        ("-", b"{\"bootstrap\": {\"node\": {\"id\": \"sidecar\"}}}", 0, Some(1), "no filter of Sidespan in this dump of a proxy"),
        ("a.env", b"DATABASE_HOST=db\nPORT=5\n", 0, Some(1), "an environment file without a variable of OpenTelemetry's"),
        ("a.env", b"OTEL_SERVICE_NAME=cart\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c\n", 0, Some(1), "an environment file with 2 OTEL_ variables and without OTEL_TRACES_SAMPLER"),
        ("a.env", b"\xef\xbb\xbfOTEL_TRACES_SAMPLER=parentbased_always_on\nbad line here\n", 0, Some(2), "no variable: expected NAME=value; the other lines are read"),
    ];
    for (file, bytes, errors, line, part) in rows {
        let report = check_file(file, bytes);
        let name = String::from_utf8_lossy(bytes);
        assert_eq!(report.errors.len(), *errors, "{name}: {report:?}");
        let finding = only(&report);
        assert!(finding.message.contains(part), "{name}: {finding:?}");
        assert_eq!(finding.line, *line, "{name}: {finding:?}");
    }
}

#[test]
fn the_number_of_an_environment_file_is_read_without_the_comment_behind_it() {
    let text = "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.1 # ten percent\n";
    let results = Results::of(vec![("a.env".into(), Ok(text.into()))], Options::default());
    assert_eq!(results.samplers[0].argument.as_deref(), Some("0.1"));
    assert!(
        results.samplers[0].meaning.starts_with("records 10 %"),
        "{:?}",
        results.samplers
    );
    let warnings = &results.reports[0].warnings;
    assert!(
        warnings.iter().any(|finding| finding.line == Some(2)
            && finding
                .message
                .starts_with("the comment is read as Compose")),
        "{warnings:?}"
    );
}

#[test]
fn a_key_that_kubernetes_reads_as_something_else_is_an_error_where_the_filter_compares_it() {
    for (key, kind, read) in [
        ("no", "boolean", "false"),
        ("on", "boolean", "true"),
        ("y", "boolean", "true"),
        ("yes", "boolean", "true"),
        ("off", "boolean", "false"),
        ("010", "number", "8"),
        ("1e3", "number", "1000"),
        ("0x10", "number", "16"),
    ] {
        let spec = |key: &str| {
            format!(
                "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: sidespan, namespace: shop}}\nspec:\n  \
                 url: oci://here/sidespan:1\n  phase: AUTHN\n  failStrategy: FAIL_OPEN\n  pluginConfig:\n    \
                 export: {{otlp: {{cluster: 'outbound|4317||c.o.svc.cluster.local'}}}}\n    sampling:\n      namespaces:\n        {key}: 5\n"
            )
        };
        let errors = check("-", &spec(key)).errors;
        assert_eq!(errors.len(), 1, "{key}: {errors:?}");
        assert_eq!(
            errors[0].message,
            format!("Kubernetes reads this key as the {kind} {read}; write \"{key}\" in quotes")
        );
        assert_eq!(
            errors[0].path,
            format!("$.spec.pluginConfig.sampling.namespaces.{key}")
        );
        assert_eq!(errors[0].line, Some(12), "{key}");
        assert_eq!(check("-", &spec(&format!("\"{key}\""))).errors, []);
    }
    // Elsewhere it is Kubernetes' own affair.
    assert_eq!(
        check("-", "kind: ConfigMap\nmetadata: {name: x}\ndata: {on: x}\n").errors,
        []
    );
    let octal = check(
        "-",
        "sampling: {percentage: 010}\nexport: {otlp: {cluster: c}}\n",
    );
    assert_eq!(
        octal.explanations[0]
            .config
            .sampling
            .as_ref()
            .map(|sampling| sampling.percentage),
        Some(8.0)
    );
}

#[test]
fn a_filter_in_the_place_of_ours_is_told_from_that_of_others() {
    let dump = |name: &str, prefix: &str| {
        format!(
            r#"{{"configs": [{{"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [{{"ecds_filter": {{
              "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": "{name}",
              "typed_config": {{"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "{prefix}"}}}}}}]}}]}}"#
        )
    };
    let ours = "extensions.istio.io/wasmplugin/istio-system.sidespan";
    let path = "$.configs[0].ecds_filters[0].ecds_filter.typed_config.rules_stat_prefix";
    let allowed = check(
        "-",
        &dump(ours, r#"rules_stat_prefix": "wasm-default-allow"#),
    );
    let finding = only(&allowed);
    assert_eq!(allowed.warnings.len(), 1);
    assert_eq!((&*finding.path, finding.line), (path, Some(3)));
    for part in [
        "in the place of the plugin extensions.istio.io/wasmplugin/istio-system.sidespan stands a filter of the agent's that does nothing",
        "it could not fetch the module",
        "istio_agent_wasm_remote_fetch_count at :15020/stats/prometheus",
    ] {
        assert!(finding.message.contains(part), "{finding:?}");
    }
    let denied = check(
        "-",
        &dump(ours, r#"rules_stat_prefix": "wasm-default-deny"#),
    );
    assert_eq!(denied.errors.len(), 1);
    assert!(
        only(&denied)
            .message
            .contains("refuses every request with 403")
    );
    let other = check(
        "-",
        &dump("shop.auth", r#"rules_stat_prefix": "wasm-default-deny"#),
    );
    assert_eq!((other.errors.len(), other.skipped.len()), (0, 1));
    let rules = check("-", &dump(ours, r#"rules_stat_prefix": "authz"#));
    assert!(
        only(&rules)
            .message
            .starts_with("no filter of Sidespan in this dump")
    );
}

#[test]
fn a_mistyped_configuration_is_not_taken_for_somebody_elses() {
    for text in [
        "smapling: {}\nreplicas: 2\nimage: x\ntag: y\n",
        "percentage: 1\nb: 2\n",
        "a: 1\nb: 2\nc: 3\ndirection: auto\n",
        "a: 1\nb: 2\nc: 3\ndirection: up\n",
    ] {
        assert!(!check("-", text).errors.is_empty(), "{text}");
    }
}

/// A Telemetry, which is fine in every stream.
const FINE: &str = "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: a, namespace: shop}\nspec: {tracing: [{randomSamplingPercentage: 5}]}\n---\n";

#[test]
fn an_installation_whose_kind_is_not_known_is_told_beside_other_resources() {
    let plugin = "metadata: {name: sidespan, namespace: shop}\nspec: {url: 'oci://here/sidespan:1', pluginConfig: {}}\n";
    let wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
    let filter = |of_type: &str| {
        format!(
            "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {{name: tracing, namespace: shop}}\n\
             spec: {{configPatches: [{{applyTo: HTTP_FILTER, match: {{context: GATEWAY}}, patch: {{operation: INSERT_FIRST, value: \
             {{name: sidespan, typed_config: {{{of_type}config: {{root_id: sidespan, fail_open: true}}}}}}}}}}]}}\n"
        )
    };
    let at = "$.spec.configPatches[0].patch.value.typed_config[\"@type\"]";
    let no_type = format!(
        "no type of Envoy's wasm filter, so that the module is not loaded as one; expected {wasm}"
    );
    for (text, path, message) in [
        (
            format!("apiVersion: extensions.istio.io/v1alpha1\n{plugin}"),
            "$.kind",
            "missing, so that no API server takes this resource; of extensions.istio.io expected WasmPlugin or TrafficExtension",
        ),
        (
            format!("apiVersion: extensions.istio.io/v1alpha1\nkind: Extension\n{plugin}"),
            "$.kind",
            "unknown kind, which no API server takes; of extensions.istio.io expected WasmPlugin or TrafficExtension",
        ),
        (
            filter("'@type': type.googleapis.com/envoy.extensions.filter.http.wasm.v3.Wasm, "),
            at,
            &no_type,
        ),
        (
            filter("'@type': type.googleapis.com/envoy.config.filter.http.wasm.v2.Wasm, "),
            at,
            &no_type,
        ),
        (
            filter("'@type': type.googleapis.com/envoy.extensions.filters.http.wsam.v3.Wsam, "),
            at,
            &no_type,
        ),
        (
            filter(""),
            at,
            &format!("missing, so that no proxy takes this filter; expected {wasm}"),
        ),
        (
            "kind: List\nitems: {a: {kind: WasmPlugin}}\n".to_owned(),
            "$.items",
            "expected a list of resources, each after a dash, found an object, of which nothing is applied",
        ),
        (
            "kind: List\nitems: [null, {kind: Namespace}]\n".to_owned(),
            "$.items[0]",
            "expected a resource, found null, of which nothing is applied",
        ),
        (
            "kind: List\nitems: [{kind: Namespace}, file.yaml]\n".to_owned(),
            "$.items[1]",
            "expected a resource, found text, of which nothing is applied",
        ),
    ] {
        let report = check("-", &format!("{FINE}{text}"));
        let errors: Vec<_> = report
            .errors
            .iter()
            .map(|error| (error.document, &*error.path, &*error.message))
            .collect();
        assert_eq!(errors, [(2, path, message)], "{text}");
        assert!(report.errors[0].line.is_some(), "{text}");
    }
}

#[test]
fn what_is_of_others_or_a_reference_is_no_installation_of_an_unknown_kind() {
    for text in [
        "apiVersion: extensions.istio.io/v1alpha1\nmetadata: {name: auth}\nspec: {url: 'oci://here/auth:1'}\n",
        "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: sidespan}\nspec: {}\n",
        "kind: Pod\nmetadata: {ownerReferences: [{apiVersion: extensions.istio.io/v1alpha1, kind: Other, name: sidespan}]}\n",
        "static_resources: {clusters: [{name: sidespan-collector, typed_extension_protocol_options: {a: {'@type': b}}}]}\n",
        "static_resources: {listeners: [{name: sidespan, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}}]}\n",
        "kind: List\nitems: []\n",
        "kind: List\nitems: null\n",
    ] {
        let report = check("-", &format!("{FINE}{text}"));
        assert_eq!(report.errors, [], "{text}");
    }
}
