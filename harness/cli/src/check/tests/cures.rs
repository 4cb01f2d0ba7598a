//! Mistakes that come from other products and other forms, and the cure that each is answered with.

use super::told;

const FORMATS: &str =
    "expected tracecontext, b3, b3multi, jaeger, xray, datadog, grpc-trace-bin, ottrace or gcp";

#[test]
fn each_known_mistake_is_answered_with_its_cure() {
    let percentage = "expected a percentage from 0 to 100, found";
    let istio = "unknown key; the percentage of new traces is sampling.percentage here";
    let host = "{service: otel-collector.observability.svc.cluster.local, port: 4317}";
    for (yaml, path, message) in [
        (
            "sampling: {percentage: 5%}",
            "sampling.percentage",
            format!("{percentage} \"5%\"; leave the % and any quotes out: 5"),
        ),
        (
            "sampling: {namespaces: {a.b: '0.5 %'}}",
            "sampling.namespaces[\"a.b\"]",
            format!("{percentage} \"0.5 %\"; leave the % and any quotes out: 0.5"),
        ),
        (
            "sampling: {percentage: five%}",
            "sampling.percentage",
            format!("{percentage} \"five%\""),
        ),
        ("tracing: {sampling: 10}", "tracing", istio.into()),
        ("percentage: 10", "percentage", istio.into()),
        (
            "sampling: {randomSamplingPercentage: 10}",
            "sampling.randomSamplingPercentage",
            istio.into(),
        ),
        (
            "sampling: {ratio: 0.1}",
            "sampling.ratio",
            "unknown key; here it is sampling.percentage, in percent: a ratio of 0.05 is 5".into(),
        ),
        (
            "propagation: {inject: [w3c]}",
            "propagation.inject[0]",
            format!("{FORMATS}, found \"w3c\"; did you mean `tracecontext`?"),
        ),
        (
            "propagation: {extract: [b3, AWS]}",
            "propagation.extract[1]",
            format!("{FORMATS}, found \"AWS\"; did you mean `xray`?"),
        ),
        // The parser's own guess stands.
        (
            "propagation: {inject: [b3mutli]}",
            "propagation.inject[0]",
            format!("{FORMATS}, found \"b3mutli\"; did you mean `b3multi`?"),
        ),
        (
            "propagation: {inject: [baggage]}",
            "propagation.inject[0]",
            format!("{FORMATS}, found \"baggage\"; baggage is no format and passes by itself; leave it out"),
        ),
        (
            "propagation: {inject: [none]}",
            "propagation.inject[0]",
            format!("{FORMATS}, found \"none\"; for none, write []"),
        ),
        (
            "propagation: {inject: ['tracecontext,b3multi']}",
            "propagation.inject[0]",
            format!("{FORMATS}, found \"tracecontext,b3multi\"; write each as an entry of its own"),
        ),
        (
            "propagation: {inject: 'tracecontext,b3multi'}",
            "propagation.inject",
            "expected a list of formats, found \"tracecontext,b3multi\"; write a list: [tracecontext, b3multi]".into(),
        ),
        (
            "spans: {omit: client.address}",
            "spans.omit",
            "expected a list of names of attributes, found \"client.address\"; write a list: [client.address]".into(),
        ),
        (
            "sampling: {exclude: [/health]}",
            "sampling.exclude[0]",
            "expected an object, found \"/health\"; write {path: /health}".into(),
        ),
        (
            "gateway: {exclude: [/a, '/o/{id}', curl/*]}",
            "gateway.exclude[0]",
            "expected an object, found \"/a\"; write {path: /a}\n\
             gateway.exclude[1]: expected an object, found \"/o/{id}\"; write {path: \"/o/{id}\"}\n\
             gateway.exclude[2]: expected an object, found \"curl/*\"; write {userAgent: curl/*}"
                .into(),
        ),
        (
            "sampling: {exclude: /health}",
            "sampling.exclude",
            "expected a list of matches, found \"/health\"; write a list: [{path: /health}]".into(),
        ),
        (
            "sampling: {namespaces: [{name: payments, percentage: 50}]}",
            "sampling.namespaces",
            "expected an object, found a list; write names and percentages: {payments: 50}".into(),
        ),
        (
            "export: {otlp: {cluster: c, headers: [{name: x, value: s3cret}]}}",
            "export.otlp.headers",
            "expected an object, found a list; write names and values: {x-tenant: shop}".into(),
        ),
        (
            "sampling: 10",
            "sampling",
            "expected an object, found 10; write {percentage: 10}".into(),
        ),
        (
            "export: {otlp: 'http://collector:4317'}",
            "export.otlp",
            format!("expected an object, found a string; write {host}"),
        ),
        (
            "export: {endpoint: 'http://user:s3cret@collector:4317'}",
            "export.endpoint",
            "unknown key; the collector is export.otlp here: {service: HOST, port: 4317}".into(),
        ),
        (
            "export: {otlp: {cluster: c, endpoint: 'http://user:s3cret@collector'}}",
            "export.otlp.endpoint",
            "unknown key; the host alone is service here, and the port is port".into(),
        ),
        (
            "sampling: {rateLimit: 10}",
            "sampling.rateLimit",
            "expected an object, found 10; write {tracesPerSecond: 10}".into(),
        ),
        // A key that nobody else has keeps the list of those that there are.
        (
            "correlation: {strange: 1}",
            "correlation.strange",
            "unknown key; known here: requestId".into(),
        ),
    ] {
        let expected: Vec<_> = format!("{path}: {message}")
            .lines()
            .map(|line| format!("1: error: $.{line}"))
            .collect();
        assert_eq!(told("-", yaml), expected, "{yaml}");
        // The same within a resource, whose path stands in front.
        let plugin = format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: sidespan, namespace: a}}\n\
             spec:\n  url: oci://registry.example.com/sidespan:0.1.0\n  failStrategy: FAIL_OPEN\n  phase: AUTHN\n  \
             pluginConfig: {{{yaml}}}\n"
        );
        let inner: Vec<_> = expected
            .iter()
            .map(|line| line.replacen("$.", "$.spec.pluginConfig.", 1))
            .collect();
        let found = told("-", &plugin);
        let errors: Vec<_> = found
            .iter()
            .filter(|line| line.contains(": error: "))
            .collect();
        assert_eq!(errors, inner.iter().collect::<Vec<_>>(), "{plugin}");
        assert!(!found.join("\n").contains("s3cret"), "{found:?}");
    }
}
