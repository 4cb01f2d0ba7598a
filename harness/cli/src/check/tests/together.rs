//! Warnings that need several files.

use serde_json::Value;

use sidespan_core::direction::Direction;

use super::super::{CheckArgs, Options, Results, run_to};
use super::plugin;
use crate::check::decision::Question;

fn results(files: &[&str]) -> Results {
    let files = files.iter().enumerate();
    let read =
        |(index, text): (usize, &&str)| (format!("{index}.yaml"), Ok(text.as_bytes().to_vec()));
    Results::of(files.map(read).collect(), Options::default())
}

/// Returns file and sentence of every warning.
fn warned(files: &[&str]) -> Vec<String> {
    let results = results(files);
    assert!(results.valid, "{results:#?}");
    let of = |report: super::Report| {
        let file = report.file;
        let findings = report.warnings.into_iter();
        findings
            .map(move |found| format!("{file}: {}: {}", found.path, found.message))
            .collect::<Vec<_>>()
    };
    results.reports.into_iter().flat_map(of).collect()
}

fn ours(config: &str) -> String {
    plugin(
        "WasmPlugin",
        "spec: ",
        &format!("{{failStrategy: FAIL_OPEN, pluginConfig: {config}}}"),
    )
}

const EXPORT: &str = "export: {otlp: {cluster: c}}";

fn telemetry(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

#[test]
fn a_share_where_percent_are_meant_is_told_with_both_readings() {
    let config = format!(
        "{{sampling: {{percentage: 0.1, namespaces: {{shop: 0.07, \"a*\": 1, b: 0}}}}, {EXPORT}}}"
    );
    assert_eq!(
        warned(&[&config]),
        [
            "0.yaml: $.sampling.percentage: 0.1 % is one trace in 1000, for percentages go from 0 to 100; \
             OTEL_TRACES_SAMPLER_ARG=0.1 would be 10 %: if that is meant, write 10",
            "0.yaml: $.sampling.namespaces[\"shop\"]: 0.07 % is one trace in 1429, for percentages go from 0 to 100; \
             OTEL_TRACES_SAMPLER_ARG=0.07 would be 7 %: if that is meant, write 7",
        ]
    );
    let both = warned(&[
        &config,
        "OTEL_TRACES_SAMPLER=parentbased_traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.1\n",
    ]);
    assert!(
        both[0].ends_with("the same number in OTEL_TRACES_SAMPLER_ARG of 1.yaml is 10 %: if that is meant, write 10"),
        "{both:?}"
    );
    let istio = telemetry(
        "t",
        "istio-system",
        "{tracing: [{randomSamplingPercentage: 0.5}]}",
    );
    let told = warned(&[&istio]);
    assert!(
        told.len() == 1
            && told[0].starts_with(
                "0.yaml: $.spec.tracing[0].randomSamplingPercentage: 0.5 % is one trace in 200,"
            ),
        "{told:?}"
    );
}

const NATIVE: &str = "Istio's own tracer stays on beside Sidespan";

#[test]
fn istios_own_tracer_is_warned_of_where_it_is_turned_on_and_only_beside_the_filter() {
    let ours = ours(&format!("{{{EXPORT}}}"));
    let provider = "{tracing: [{providers: [{name: otel}]}]}";
    let mesh = telemetry("m", "istio-system", provider);
    let off = telemetry(
        "quiet",
        "istio-system",
        "{tracing: [{disableSpanReporting: true}]}",
    );
    let shop = telemetry("s", "shop", provider);
    let again = telemetry(
        "s",
        "shop",
        "{tracing: [{providers: [{name: otel}], disableSpanReporting: false}]}",
    );
    let silent = telemetry(
        "m",
        "istio-system",
        "{tracing: [{providers: [{name: otel}], disableContextPropagation: true}]}",
    );
    let default =
        "{defaultProviders: {tracing: [otel]}, extensionProviders: [{name: otel, zipkin: {}}]}";
    let unknown =
        "{defaultProviders: {tracing: [otel]}, extensionProviders: [{name: other, zipkin: {}}]}";
    let attempt = format!("{{role: attempt, {EXPORT}}}");
    for (files, expected) in [
        (&[mesh.as_str()][..], None),
        (&[&ours, &mesh], Some("1.yaml: $.spec.tracing[0].providers")),
        (&[&mesh, &ours], Some("0.yaml: $.spec.tracing[0].providers")),
        (&[&ours, &off], None),
        // A child that names a provider does not undo what its parent switched off.
        (&[&ours, &off, &shop], None),
        (
            &[&ours, &off, &again],
            Some("2.yaml: $.spec.tracing[0].providers"),
        ),
        (&[&ours, &shop], Some("1.yaml: $.spec.tracing[0].providers")),
        (&[&ours, &silent], None),
        (
            &[&ours, default],
            Some("1.yaml: $.defaultProviders.tracing"),
        ),
        (&[&ours, unknown], None),
        (&[&ours, "{enableTracing: true}"], None),
        (&[&ours, "{enableTracing: true}", &off], None),
        (
            &[&ours, "{defaultConfig: {tracing: {zipkin: {address: a}}}}"],
            Some("1.yaml: $.defaultConfig.tracing"),
        ),
        (&[&ours, "{defaultConfig: {tracing: {sampling: 3}}}"], None),
        (
            &[
                &ours,
                "{enableTracing: false, defaultConfig: {tracing: {zipkin: {}}}}",
            ],
            None,
        ),
        (&[&ours, &mesh, &attempt], None),
    ] {
        let told: Vec<_> = warned(files)
            .into_iter()
            .filter(|told| told.contains(NATIVE))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|at| format!("{at}: {NATIVE}"))
            .collect();
        assert_eq!(told.len(), expected.len(), "{files:?}: {told:?}");
        assert!(
            told.iter()
                .zip(&expected)
                .all(|(told, expected)| told.starts_with(expected)),
            "{told:?}"
        );
    }
}

#[test]
fn each_sampler_is_told_by_what_it_does_beside_a_sidecar() {
    let tens = format!("{{sampling: {{percentage: 10}}, {EXPORT}}}");
    let rare = format!("{{sampling: {{percentage: 1}}, {EXPORT}}}");
    for (config, kind, argument, expected) in [
        (&tens, "parentbased_always_on", "", None),
        (&tens, "parentbased_always_off", "", None),
        (&tens, "parentbased_traceidratio", "0.5", None),
        (
            &tens,
            "parentbased_jaeger_remote",
            "endpoint=http://a",
            None,
        ),
        (
            &tens,
            "traceidratio",
            "0.5",
            Some("10 % x 50 % = 5 % of the traces are whole, and 50 % have holes"),
        ),
        (
            &tens,
            "traceidratio",
            "",
            Some("10 % x 100 % = 10 % of the traces are whole, and 90 % have holes"),
        ),
        (
            &rare,
            "traceidratio",
            "0.001",
            Some("no trace is whole with the SDKs of Go, Rust and Python"),
        ),
        (
            &rare,
            "traceidratio",
            "0.01",
            Some("1 % x 1 % = 0.01 % of the traces are whole"),
        ),
        (
            &tens,
            "always_on",
            "",
            Some("records every request, also those that its sidecar drops (90 % of new traces)"),
        ),
        (&tens, "always_off", "", Some("every trace ends here")),
        (
            &tens,
            "jaeger_remote",
            "endpoint=http://a",
            Some("take parentbased_jaeger_remote"),
        ),
        (&tens, "xray", "", Some("asks AWS X-Ray for its rules")),
        (
            &tens,
            "TraceIdRatio",
            "0.5",
            Some("did you mean traceidratio?"),
        ),
        (
            &tens,
            "sometimes",
            "",
            Some("known are always_on, always_off"),
        ),
        (
            &tens,
            "parentbased_traceidratio",
            "10",
            Some("and SDKs keep every trace or do not start; for 10 % write 0.1"),
        ),
        (
            &tens,
            "parentbased_traceidratio",
            "most",
            Some("expected a ratio from 0 to 1"),
        ),
        (
            &tens,
            "parentbased_always_on",
            "0.5",
            Some("takes no argument"),
        ),
        (
            &tens,
            "",
            "0.5",
            Some("does nothing without OTEL_TRACES_SAMPLER"),
        ),
    ] {
        let of = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("{name}={value}\n"),
        };
        let lines = of("OTEL_TRACES_SAMPLER", kind) + &of("OTEL_TRACES_SAMPLER_ARG", argument);
        let told = warned(&[config, &lines]);
        let Some(expected) = expected else {
            assert_eq!(told, [""; 0], "{kind}");
            continue;
        };
        assert!(
            told.len() == 1 && told[0].contains(expected),
            "{kind} {argument}: {told:?}"
        );
    }
}

#[test]
fn a_sampler_is_compared_with_the_percentage_of_its_own_namespace() {
    let sdk = "kind: Instrumentation\nmetadata: {name: i, namespace: payments}\nspec: {sampler: {type: traceidratio, argument: '0.5'}}";
    let config = format!("{{sampling: {{percentage: 1, namespaces: {{payments: 40}}}}, {EXPORT}}}");
    let told = warned(&[&config, sdk]);
    assert!(
        told.len() == 1 && told[0].contains("40 % x 50 % = 20 %"),
        "{told:?}"
    );
    // Without a configuration of ours, with Istio's.
    let told = warned(&[
        &telemetry(
            "t",
            "payments",
            "{tracing: [{randomSamplingPercentage: 20}]}",
        ),
        sdk,
    ]);
    assert!(
        told.len() == 1 && told[0].contains("20 % x 50 % = 10 %"),
        "{told:?}"
    );
    // And with nobody's.
    let told = warned(&[sdk]);
    assert!(
        told.len() == 1 && told[0].contains("what only one of the two keeps is a trace with holes"),
        "{told:?}"
    );
    let jaeger = sdk.replace("traceidratio", "jaeger_remote");
    let told = warned(&[&jaeger]);
    assert!(
        told.len() == 1 && told[0].ends_with("for the Operator does not know it as a sampler.type"),
        "{told:?}"
    );
    // A sidecar that only translates decides nothing.
    let told = warned(&["{}", sdk]);
    assert!(
        told.len() == 1 && told[0].contains("the sidecar, which only translates here"),
        "{told:?}"
    );
}

#[test]
fn what_istio_passes_over_is_told() {
    let whole = |name: &str| telemetry(name, "shop", "{tracing: [{randomSamplingPercentage: 5}]}");
    let told = warned(&[&whole("b"), &whole("a")]);
    assert!(
        told.len() == 1
            && told[0].starts_with("0.yaml: $: without effect")
            && told[0].contains("here Telemetry shop/a by its name"),
        "{told:?}"
    );
    let picked = |name: &str, namespace: &str| {
        telemetry(
            name,
            namespace,
            "{selector: {matchLabels: {app: cart}}, tracing: [{randomSamplingPercentage: 5}]}",
        )
    };
    let cart = "kind: Deployment\nmetadata: {name: cart, namespace: shop}\nspec: {template: {metadata: {labels: {app: cart}}}}";
    let told = warned(&[&picked("a", "shop"), &picked("b", "shop"), cart]);
    assert!(
        told.len() == 1
            && told[0].contains(
                "Deployment shop/cart is selected by Telemetry shop/a and Telemetry shop/b"
            ),
        "{told:?}"
    );
    let told = warned(&[&picked("a", "istio-system"), cart]);
    assert!(
        told.len() == 1 && told[0].contains("Deployment shop/cart does not get this"),
        "{told:?}"
    );
    let told = warned(&["{rootNamespace: a}", "{rootNamespace: b}"]);
    assert!(
        told.len() == 1 && told[0].contains("a second MeshConfig"),
        "{told:?}"
    );
    let told = warned(&["{defaultConfig: {tracing: {sampling: 0}}}"]);
    assert!(
        told.len() == 1 && told[0].contains("for Istio 0 here is the same as no value"),
        "{told:?}"
    );
    let own = "{defaultProviders: {tracing: [dt]}, extensionProviders: [{name: dt, opentelemetry: {dynatraceSampler: {}}}]}";
    let told = warned(&[own]);
    assert!(
        told.len() == 1 && told[0].contains("the provider dt samples by itself"),
        "{told:?}"
    );
}

#[test]
fn a_percentage_that_istio_refuses_ends_with_1_and_a_warning_with_0() {
    let wrong = telemetry("t", "shop", "{tracing: [{randomSamplingPercentage: 101}]}");
    let found = results(&[&wrong]);
    assert!(
        !found.valid && found.reports[0].errors.len() == 1,
        "{found:#?}"
    );
    assert!(results(&["OTEL_TRACES_SAMPLER=always_on"]).valid);
}

fn printed(args: CheckArgs) -> String {
    let mut printed = Vec::new();
    let code = run_to(&args, &mut anstream::StripStream::new(&mut printed)).unwrap();
    assert_eq!(
        format!("{code:?}"),
        format!("{:?}", std::process::ExitCode::from(0))
    );
    String::from_utf8(printed).unwrap()
}

const MESH: &str = "\
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec: {tracing: [{randomSamplingPercentage: 2}]}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: payments, namespace: payments}
spec: {tracing: [{randomSamplingPercentage: 50}]}
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  tracing: [{match: {mode: SERVER}, randomSamplingPercentage: 20}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {template: {metadata: {labels: {app: cart, version: v1}}}}
";

#[test]
fn istios_percentages_and_ours_are_printed_to_be_copied() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mesh.yaml");
    std::fs::write(&file, MESH).unwrap();
    let text = printed(CheckArgs {
        files: vec![file.clone()],
        ..CheckArgs::default()
    });
    let (_, text) = text.split_once("fine, 4 settings of others\n").unwrap();
    assert_eq!(
        text,
        "
New traces, as Istio resolves its settings (root namespace istio-system):
  the mesh: 2 % by Telemetry istio-system/mesh
  namespace istio-system: 2 % by Telemetry istio-system/mesh
  namespace payments: 50 % by Telemetry payments/payments
  namespace shop: 2 % by Telemetry istio-system/mesh
  namespace shop, app=cart, what it sends: 2 % by Telemetry istio-system/mesh
  namespace shop, app=cart, what it receives: 20 % by Telemetry shop/cart
  namespace shop, Deployment cart, what it sends: 2 % by Telemetry istio-system/mesh
  namespace shop, Deployment cart, what it receives: 20 % by Telemetry shop/cart

The same in Sidespan:
  # WasmPlugin istio-system/sidespan
  pluginName: sidespan
  phase: AUTHN
  priority: 1000
  failStrategy: FAIL_OPEN
  pluginConfig:
    sampling:
      percentage: 2
      namespaces: {\"payments\": 50}
  # WasmPlugin shop/sidespan-cart-server
  pluginName: sidespan-cart-server
  phase: AUTHN
  priority: 1001
  failStrategy: FAIL_OPEN
  selector: {matchLabels: {\"app\": \"cart\"}}
  match: [{mode: SERVER}]
  pluginConfig:
    sampling:
      percentage: 20
"
    );
    let json: Value = serde_json::from_str(&printed(CheckArgs {
        files: vec![file],
        json: true,
        ..CheckArgs::default()
    }))
    .unwrap();
    assert_eq!(json["istio"]["root"], "istio-system");
    assert_eq!(json["istio"]["workloads"][2]["client"]["percentage"], 50.0);
    assert_eq!(
        json["istio"]["workloads"][2]["client"]["by"],
        "Telemetry payments/payments"
    );
    assert_eq!(
        json["istio"]["plugins"][1],
        serde_json::json!({
            "name": "sidespan-cart-server", "namespace": "shop", "selector": {"app": "cart"}, "mode": "SERVER",
            "phase": "AUTHN", "priority": 1001, "failStrategy": "FAIL_OPEN", "sampling": {"percentage": 20.0}
        })
    );
    assert_eq!(json["files"][0]["settings"], 4);
}

#[test]
fn a_question_is_answered_by_every_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(
        &file,
        format!("sampling: {{percentage: 3, exclude: []}}\n{EXPORT}\n"),
    )
    .unwrap();
    let name = file.display().to_string();
    let args = || CheckArgs {
        files: vec![file.clone()],
        request: Some("POST /checkout".into()),
        namespace: Some("shop".into()),
        direction: Some(super::super::Way::Outbound),
        ..CheckArgs::default()
    };
    let answer = "a request POST /checkout, outbound, in namespace shop: 3 % by sampling.percentage; errors kept";
    assert_eq!(
        printed(args()),
        format!("{name}: fine, 1 configuration\n{name}: {answer}\n")
    );
    let explained = printed(CheckArgs {
        explain: true,
        ..args()
    });
    assert!(
        explained.contains(
            ": $: the first that fits decides:\n  1. a request with a decision: followed"
        ) && explained.contains("\n  3. a new trace: 3 %, by sampling.percentage\n"),
        "{explained}"
    );
    let json: Value = serde_json::from_str(&printed(CheckArgs {
        json: true,
        ..args()
    }))
    .unwrap();
    let explanation = &json["files"][0]["explanations"][0];
    assert_eq!(
        explanation["answer"],
        serde_json::json!({
            "decision": "percentage", "percentage": 3.0, "reason": "default", "key": "sampling.percentage", "sentence": answer
        })
    );
    assert_eq!(
        explanation["steps"][2],
        serde_json::json!({"key": "sampling.percentage", "percentage": 3.0, "sentence": "a new trace: 3 %, by sampling.percentage"})
    );
}

fn plugin_at(namespace: &str, spec: &str, percentage: u8) -> String {
    ours(&format!(
        "{{sampling: {{percentage: {percentage}}}, {EXPORT}}}"
    ))
    .replace(
        "metadata: {name: sidespan}",
        &format!("metadata: {{name: sidespan, namespace: {namespace}}}"),
    )
    .replace("spec: {", &format!("spec: {{{spec}, "))
}

#[test]
fn only_the_plugin_that_works_there_answers() {
    let mesh = plugin_at("istio-system", "priority: 1000", 1);
    let cart = plugin_at(
        "shop",
        "priority: 1001, selector: {matchLabels: {app: cart}}, match: [{mode: SERVER}]",
        20,
    );
    let answers = |namespace: &str, label: &str, direction| {
        let files =
            [&mesh, &cart].map(|text| ("file.yaml".to_owned(), Ok(text.as_bytes().to_vec())));
        let question =
            Question::parse("GET /", Some(namespace), &[], &[label.into()], direction).unwrap();
        let options = Options {
            question: Some(&question),
            ..Options::default()
        };
        let reports = Results::of(files.into(), options).reports;
        let of = |report: super::Report| report.explanations[0].answer.clone().unwrap();
        reports
            .into_iter()
            .map(of)
            .map(|answer| (answer.percentage, answer.sentence))
            .collect::<Vec<_>>()
    };
    let told = answers("shop", "app=cart", Direction::Inbound);
    assert_eq!([told[0].0, told[1].0], [None, Some(20.0)]);
    assert!(
        told[0].1.ends_with(
            "stands aside, for WasmPlugin shop/sidespan comes first in the same chain: its priority is 1001, and here 1000"
        ),
        "{told:?}"
    );
    let told = answers("shop", "app=cart", Direction::Outbound);
    assert_eq!([told[0].0, told[1].0], [Some(1.0), None]);
    let why = "not here, this plugin is for namespace shop, workloads with app=cart, what a workload receives";
    assert!(told[1].1.ends_with(why), "{told:?}");
    let told = answers("payments", "app=cart", Direction::Inbound);
    assert_eq!([told[0].0, told[1].0], [Some(1.0), None]);
    // And it is the one that a sampler there is compared with.
    let sdk = "kind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: cart}}\nspec: {containers: [{name: a, env: \
        [{name: OTEL_TRACES_SAMPLER, value: traceidratio}, {name: OTEL_TRACES_SAMPLER_ARG, value: '0.5'}]}]}";
    let told = warned(&[&mesh, &cart, sdk]);
    assert!(
        told.iter().any(|told| told.contains("20 % x 50 % = 10 %")),
        "{told:?}"
    );
    let elsewhere = warned(&[&mesh, &cart, &sdk.replace("app: cart", "app: web")]);
    assert!(
        elsewhere
            .iter()
            .any(|told| told.contains("1 % x 50 % = 0.5 %")),
        "{elsewhere:?}"
    );
}

#[test]
fn turning_istios_tracer_off_is_no_percentage_to_print() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("telemetry.yaml");
    let text = |entry: &str| telemetry("quiet", "istio-system", &format!("{{tracing: [{entry}]}}"));
    std::fs::write(&file, text("{disableSpanReporting: true}")).unwrap();
    let args = || CheckArgs {
        files: vec![file.clone()],
        ..CheckArgs::default()
    };
    assert_eq!(
        printed(args()),
        format!("{}: fine, 1 setting of others\n", file.display())
    );
    std::fs::write(
        &file,
        text("{disableSpanReporting: true, randomSamplingPercentage: 3}"),
    )
    .unwrap();
    let told = printed(args());
    assert!(
        told.contains("the mesh: 3 % by Telemetry istio-system/quiet")
            && told.contains("Istio's own tracing is off everywhere; these are the percentages that it would have.")
            && told.contains("percentage: 3"),
        "{told}"
    );
}

#[test]
fn turning_it_off_where_the_filter_comes_in_is_none_either() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("canary.yaml");
    let plugin = |namespace: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: sidespan, namespace: {namespace}}}\n\
             spec: {{url: 'oci://r.example/sidespan:1', failStrategy: FAIL_OPEN, phase: AUTHN}}\n"
        )
    };
    let off = telemetry(
        "sidespan",
        "shop",
        "{tracing: [{disableSpanReporting: true}]}",
    );
    for (namespace, is_printed) in [("shop", false), ("payments", true)] {
        std::fs::write(&file, format!("{}---\n{off}", plugin(namespace))).unwrap();
        let told = printed(CheckArgs {
            files: vec![file.clone()],
            ..CheckArgs::default()
        });
        assert_eq!(
            told.contains("namespace shop: 0 % by disableSpanReporting"),
            is_printed,
            "{told}"
        );
    }
}
