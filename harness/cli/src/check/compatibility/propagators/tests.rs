//! Propagators in all places that can set them, beside all that a sidecar may read and write.

use super::is_one_edit;
use crate::check::Results;
use crate::check::results::Options;

const EXPORT: &str = "export: {otlp: {cluster: c}}";

/// Returns place and sentence of every warning on propagators; a file is a text of its own.
fn warned(files: &[&str]) -> Vec<String> {
    let files = files.iter().enumerate().map(|(index, text)| {
        let name = format!("{index}.yaml");
        (name, Ok(text.as_bytes().to_vec()))
    });
    let reports = Results::of(files.collect(), Options::default()).reports;
    let findings = reports.into_iter().flat_map(|report| {
        assert_eq!(report.errors, []);
        report.warnings
    });
    findings
        .map(|finding| format!("{}: {}", finding.path, finding.message))
        .filter(|told| {
            told.contains("OTEL_PROPAGATORS")
                || told.contains("this service")
                || told.contains("propagators")
        })
        .collect()
}

fn config(propagation: &str) -> String {
    format!("{{propagation: {propagation}, {EXPORT}}}")
}

const BREAKS: &str = "every trace breaks at the service";
const BEGINS: &str = "traces that begin in the mesh do not reach the service";
const STALE: &str = "reaches the service not at all, or out of step";
const NEW: &str = "each of its calls begins a new trace";
const UNCHANGED: &str = "passes the sidecars unchanged";

#[test]
fn a_format_of_one_side_alone_is_told_with_what_the_other_has() {
    let default = config("{}");
    let strict = config("{mirror: false, inject: [tracecontext, b3multi]}");
    let w3c = config("{extract: [tracecontext], inject: [tracecontext]}");
    let b3 = config("{extract: [b3, tracecontext], inject: [b3]}");
    let multi = config("{extract: [b3multi], inject: [b3multi]}");
    let rewrites = config("{extract: [tracecontext], inject: [tracecontext, b3multi, xray]}");
    let none = config("{mirror: false, inject: []}");
    for (config, propagators, expected) in [
        (&default, "tracecontext,baggage", &[][..]),
        (&default, " tracecontext , baggage ", &[]),
        (&default, "b3", &[]),
        (&default, "b3multi", &[]),
        (&default, "tracecontext,baggage,b3,xray", &[]),
        // The case that a mesh on AWS has: written where it came, and unknown to what begins here.
        (
            &default,
            "xray",
            &[
                "this service reads xray, and its sidecar writes it only where the caller has (propagation.mirror), else tracecontext, \
               b3multi: traces that begin in the mesh do not reach the service; add xray to propagation.inject, or tracecontext to \
               OTEL_PROPAGATORS",
            ],
        ),
        (&default, "jaeger,baggage", &[BEGINS]),
        (&strict, "xray", &[BREAKS]),
        (&strict, "b3", &[]),
        (&strict, "tracecontext,jaeger", &[STALE]),
        (
            &w3c,
            "b3",
            &[
                BREAKS,
                "this service writes b3, and no sidecar here reads it, but tracecontext (propagation.extract): each of its \
               calls begins a new trace; add b3 to propagation.extract",
            ],
        ),
        (&w3c, "tracecontext,b3", &[STALE, UNCHANGED]),
        // An SDK reads both forms of B3, and writes the one that it is told.
        (&b3, "b3", &[]),
        (&b3, "b3multi", &[NEW]),
        (&multi, "b3multi", &[]),
        (&multi, "b3", &[NEW]),
        (&rewrites, "tracecontext,b3multi,xray", &[]),
        (&rewrites, "xray", &[NEW]),
        (
            &none,
            "tracecontext",
            &["and no sidecar here writes it, but none (propagation.inject)"],
        ),
        (
            &default,
            "none",
            &[
                "none is no format of trace contexts: the trace ends at this service, and what it calls begins new ones; add tracecontext",
            ],
        ),
        (
            &default,
            "baggage",
            &["baggage is no format of trace contexts"],
        ),
        (&default, "", &[]),
    ] {
        let found = warned(&[config, &format!("OTEL_PROPAGATORS={propagators}\n")]);
        assert_eq!(
            found.len(),
            expected.len(),
            "{config} {propagators}: {found:?}"
        );
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                found.starts_with("line 1, OTEL_PROPAGATORS: ") && found.contains(expected),
                "{config} {propagators}: {found}"
            );
        }
    }
    // Without a configuration there is nothing to compare with.
    assert_eq!(warned(&["OTEL_PROPAGATORS=xray\n"]), [""; 0]);
    assert_eq!(
        warned(&["{role: attempt}", "OTEL_PROPAGATORS=xray\n"]),
        [""; 0]
    );
}

#[test]
fn propagators_are_found_wherever_they_can_be_set() {
    let pod = "{containers: [{name: istio-proxy, env: [{name: OTEL_PROPAGATORS, value: jaeger}]}, \
        {name: app, env: [{name: OTEL_PROPAGATORS, value: xray}]}]}";
    let instrumentation =
        |spec: &str| format!("kind: Instrumentation\nmetadata: {{namespace: shop}}\nspec: {spec}");
    let list = "propagators: [xray, baggage]";
    for (text, paths) in [
        (
            "OTEL_SERVICE_NAME=a\nOTEL_PROPAGATORS=xray\n".to_owned(),
            &["line 2, OTEL_PROPAGATORS"][..],
        ),
        (
            "kind: ConfigMap\ndata: {OTEL_PROPAGATORS: xray}".into(),
            &["$.data.OTEL_PROPAGATORS"],
        ),
        (
            format!("kind: Deployment\nspec: {{template: {{spec: {pod}}}}}"),
            &["$.spec.template.spec.containers[1].env[0].value"],
        ),
        (
            format!(
                "kind: CronJob\nspec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}"
            ),
            &["$.spec.jobTemplate.spec.template.spec.containers[1].env[0].value"],
        ),
        (
            instrumentation(&format!("{{{list}}}")),
            &["$.spec.propagators"],
        ),
        (
            instrumentation(&format!(
                "{{{list}, env: [{{name: OTEL_PROPAGATORS, value: tracecontext}}]}}"
            )),
            &[],
        ),
        (
            instrumentation(&format!(
                "{{{list}, java: {{env: [{{name: OTEL_PROPAGATORS, value: jaeger}}]}}}}"
            )),
            &["$.spec.propagators", "$.spec.java.env[0].value"],
        ),
    ] {
        let found = warned(&[&config("{}"), &text]);
        assert_eq!(found.len(), paths.len(), "{text}: {found:?}");
        assert!(
            found
                .iter()
                .zip(paths)
                .all(|(found, path)| found.starts_with(&format!("{path}: "))),
            "{found:?}"
        );
    }
}

#[test]
fn the_plugin_that_works_at_the_service_is_the_one_that_counts() {
    let plugin = |namespace: &str, spec: &str, inject: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: sidespan, namespace: {namespace}}}\nspec: {{url: 'oci://r/sidespan:1', type: HTTP, phase: AUTHN, \
             failStrategy: FAIL_OPEN, {spec}, pluginConfig: {{propagation: {{mirror: false, inject: [{inject}]}}, {EXPORT}}}}}"
        )
    };
    let mesh = plugin("istio-system", "priority: 1000", "tracecontext");
    let cart = plugin(
        "shop",
        "priority: 1001, selector: {matchLabels: {app: cart}}",
        "xray",
    );
    let pod = |app: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: p, namespace: shop, labels: {{app: {app}}}}}\nspec: {{containers: [{{name: a, env: \
             [{{name: OTEL_PROPAGATORS, value: xray}}]}}]}}"
        )
    };
    assert_eq!(warned(&[&mesh, &cart, &pod("cart")]), [""; 0]);
    let web = warned(&[&mesh, &cart, &pod("web")]);
    assert!(
        web.len() == 1 && web[0].contains("but tracecontext (propagation.inject)"),
        "{web:?}"
    );
}

#[test]
fn a_name_that_no_sdk_knows_is_told_with_the_one_that_is_meant() {
    for (written, meant) in [
        ("w3c", Some("tracecontext")),
        ("TraceContext", Some("tracecontext")),
        ("trace-context", Some("tracecontext")),
        ("tracecontex", Some("tracecontext")),
        ("b3-multi", Some("b3multi")),
        ("b3mutli", Some("b3multi")),
        ("B3", Some("b3")),
        ("zipkin", Some("b3multi")),
        ("x-ray", Some("xray")),
        ("OTTrace", Some("ottrace")),
        ("bagage", Some("baggage")),
        ("gcp", None),
        ("b4", None),
    ] {
        let found = warned(&[&format!("OTEL_PROPAGATORS=tracecontext,{written}\n")]);
        let cure = meant.map_or_else(
            || "known are tracecontext, baggage".into(),
            |meant| format!("did you mean {meant}?"),
        );
        assert!(
            found.len() == 1
                && found[0].contains(&format!("{written:?} is none of OpenTelemetry's"))
                && found[0].contains(&cure),
            "{found:?}"
        );
    }
}

#[test]
fn one_edit_is_one() {
    for (one, other, expected) in [
        ("xray", "xray", true),
        ("xry", "xray", true),
        ("xrayy", "xray", true),
        ("xrax", "xray", true),
        ("xary", "xray", true),
        ("yarx", "xray", false),
        ("xr", "xray", false),
        ("", "x", true),
        ("", "xray", false),
        ("aa", "aaaa", false),
    ] {
        assert_eq!(is_one_edit(one, other), expected, "{one} {other}");
    }
}
