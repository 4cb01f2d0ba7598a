//! The percentages of single settings, as Istio has them, and the notes on those that are hardly meant so.

use super::{read, rows, told};
use crate::check::compatibility;
use crate::check::istio::settings::{Settings, Weight};

const SHOP: &str = "kind: Deployment\nmetadata: {name: cart, namespace: shop}\nspec: {template: {metadata: {labels: {app: cart}, \
    annotations: {proxy.istio.io/config: '{ANNOTATION}'}}}}";

/// Returns the first row's percentage, which is that of the mesh, and all notes of all files together.
fn mesh(text: &str) -> (String, Vec<String>) {
    let settings = read(text);
    let row = rows(&settings).into_iter().next().unwrap_or_default();
    (row, told(&compatibility::notes(&settings, &[])))
}

#[test]
fn a_percentage_of_the_chart_is_what_its_templates_make_of_it() {
    let zero = "leaves 0 out, so that istiod's default holds, 1 %";
    let behind = "without effect: Istio's chart writes PILOT_TRACE_SAMPLING once more behind it";
    for (text, expected, note) in [
        ("pilot: {traceSampling: 0}", ": 1", Some(zero)),
        ("traceSampling: 0", ": 1", Some(zero)),
        ("traceSampling: 0.0", ": 1", Some("leaves 0.0 out")),
        ("traceSampling: 25", ": 25", None),
        ("traceSampling: '25'", ": 25", None),
        // Text is true for a template's `if`, whatever it says.
        ("traceSampling: '0'", ": 0", None),
        (
            "traceSampling: 25\nmeshConfig: {enableTracing: true}",
            ": 25",
            None,
        ),
        (
            "_internal_defaults_do_not_set: {traceSampling: 1.0, env: {}}",
            ": 1",
            None,
        ),
        (
            "{kind: IstioOperator, spec: {values: {traceSampling: 25, pilot: {traceSampling: 30}}}}",
            ": 30",
            None,
        ),
        ("env: {PILOT_TRACE_SAMPLING: '25'}", ": 1", Some(behind)),
        (
            "env: {PILOT_TRACE_SAMPLING: '25'}\ntraceSampling: 30",
            ": 30",
            Some("set traceSampling: \"25\" instead"),
        ),
        (
            "env: {PILOT_TRACE_SAMPLING: '25'}\ntraceSampling: 0",
            ": 25",
            None,
        ),
        (
            "pilot: {env: {PILOT_TRACE_SAMPLING: 25}, traceSampling: 0}",
            ": 25",
            None,
        ),
        (
            "traceSampling: 101",
            ": 1",
            Some(
                "Error: $.traceSampling: PILOT_TRACE_SAMPLING: expected a percentage from 0 to 100, found \"101\"",
            ),
        ),
    ] {
        let (row, notes) = mesh(text);
        assert_eq!(row, expected, "{text}: {notes:?}");
        assert_eq!(
            notes.len(),
            usize::from(note.is_some()),
            "{text}: {notes:?}"
        );
        assert!(
            notes.iter().all(|told| told.contains(note.unwrap())),
            "{text}: {notes:?}"
        );
    }
}

#[test]
fn a_percentage_of_the_mesh_may_be_quoted_and_has_to_be_one() {
    for (sampling, expected, note) in [
        ("12", ": 12", None),
        ("'12'", ": 12", None),
        ("'1.5'", ": 1.5", None),
        ("null", ": 1", None),
        (
            "0",
            ": 1",
            Some(
                "Warning: $.defaultConfig.tracing.sampling: for Istio 0 here is the same as no value",
            ),
        ),
        (
            "'0'",
            ": 1",
            Some("for Istio 0 here is the same as no value"),
        ),
        (
            "-5",
            ": 1",
            Some(
                "Error: $.defaultConfig.tracing.sampling: expected a percentage from 0 to 100, found -5; Envoy refuses",
            ),
        ),
        (
            "'-5'",
            ": 1",
            Some("found \"-5\"; Envoy refuses every listener"),
        ),
        (
            "700",
            ": 1",
            Some(
                "Error: $.defaultConfig.tracing.sampling: expected a percentage from 0 to 100, found 700; Istio takes 1 instead",
            ),
        ),
        (
            "ten",
            ": 1",
            Some("found text that is no number; Istio refuses the whole text"),
        ),
        (
            "true",
            ": 1",
            Some("found true; Istio refuses the whole text"),
        ),
    ] {
        let (row, notes) = mesh(&format!(
            "{{defaultConfig: {{tracing: {{sampling: {sampling}}}}}}}"
        ));
        assert_eq!(row, expected, "{sampling}: {notes:?}");
        assert_eq!(
            notes.len(),
            usize::from(note.is_some()),
            "{sampling}: {notes:?}"
        );
        assert!(
            notes.iter().all(|told| told.contains(note.unwrap())),
            "{sampling}: {notes:?}"
        );
    }
    // 700 % count as 1 %, also where PILOT_TRACE_SAMPLING says something else.
    let (row, _) =
        mesh("meshConfig: {defaultConfig: {tracing: {sampling: 700}}}\ntraceSampling: 9");
    assert_eq!(row, ": 1");
}

#[test]
fn an_annotations_tracing_replaces_the_meshs_as_a_whole() {
    let mesh = |sampling: u8| {
        format!("meshConfig: {{defaultConfig: {{tracing: {{sampling: {sampling}}}}}}}\n")
    };
    let replaced = "Warning: $.spec.template.metadata.annotations[\"proxy.istio.io/config\"]: tracing here replaces";
    let zero = "Warning: $.spec.template.metadata.annotations[\"proxy.istio.io/config\"].sampling: for Istio 0 here";
    for (mesh, annotation, expected, notes) in [
        (String::new(), "tracing: {sampling: 7}", "7", &[][..]),
        (String::new(), "tracing: {sampling: \"7\"}", "7", &[]),
        (
            mesh(40),
            "tracing: {zipkin: {address: z}}",
            "1",
            &[replaced],
        ),
        (
            mesh(40) + "traceSampling: 3\n",
            "tracing: {}",
            "3",
            &[replaced],
        ),
        (mesh(15), "tracing: {sampling: 0}", "1", &[zero, replaced]),
        // As in the namespace, so that no row of its own is printed.
        (mesh(15), "tracing: null", "", &[]),
        (mesh(15), "concurrency: 2", "", &[]),
        (mesh(15), "tracing: {sampling: 7}", "7", &[]),
        (
            String::new(),
            "tracing: [",
            "",
            &[
                "Error: $.spec.template.metadata.annotations[\"proxy.istio.io/config\"]: expected a ProxyConfig",
            ],
        ),
    ] {
        let deployment = SHOP.replace("{ANNOTATION}", annotation);
        let settings = read(&format!("{mesh}---\n{deployment}"));
        let row = rows(&settings)
            .into_iter()
            .find(|row| row.contains("Deployment cart"));
        let expected = (!expected.is_empty()).then(|| format!("shop, Deployment cart: {expected}"));
        assert_eq!(row, expected, "{annotation}");
        let found = told(&compatibility::notes(&settings, &[]));
        assert_eq!(found.len(), notes.len(), "{annotation}: {found:?}");
        for (found, note) in found.iter().zip(notes) {
            assert!(found.starts_with(note), "{annotation}: {found}");
        }
    }
}

#[test]
fn an_annotation_alone_has_a_percentage_also_where_no_label_can_select_the_pods() {
    let unlabelled = "kind: Deployment\nmetadata: {name: cart, namespace: shop}\nspec: {template: {metadata: {annotations: \
        {proxy.istio.io/config: 'tracing: {sampling: 7}'}}}}";
    assert_eq!(
        rows(&read(unlabelled)),
        [": 1", "shop: 1", "shop, Deployment cart: 7"]
    );
    let nowhere = read(&unlabelled.replace(", namespace: shop", ""));
    assert_eq!(rows(&nowhere), [": 1", "Deployment cart: 7"]);
    let notes = told(&nowhere.notes);
    assert!(
        notes.len() == 1 && notes[0].starts_with("Warning: $.metadata.namespace: no namespace"),
        "{notes:?}"
    );
}

fn telemetry(metadata: &str, spec: &str) -> String {
    format!(
        "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: t{metadata}}}\nspec: {spec}\n"
    )
}

#[test]
fn a_telemetry_without_a_namespace_is_not_put_into_one() {
    let settings = read(&telemetry("", "{tracing: [{randomSamplingPercentage: 0}]}"));
    assert_eq!(rows(&settings), [""; 0]);
    let notes = told(&settings.notes);
    assert!(
        notes.len() == 1
            && notes[0].starts_with(
                "Warning: $.metadata.namespace: no namespace, so kubectl's -n decides"
            ),
        "{notes:?}"
    );
    let beside = telemetry("", "{tracing: [{randomSamplingPercentage: 0}]}")
        + "---\n{defaultConfig: {tracing: {sampling: 5}}}";
    assert_eq!(rows(&read(&beside)), [": 5"]);
}

#[test]
fn a_value_of_a_wrong_type_is_not_taken_for_another() {
    for (spec, expected) in [
        (
            "{tracing: [{randomSamplingPercentage: 50}]}",
            &[": 50", "istio-system: 50"][..],
        ),
        (
            "{tracing: [{match: {mode: server}, randomSamplingPercentage: 50}]}",
            &[": 1", "istio-system: 1"],
        ),
        (
            "{tracing: [{match: {mode: 1}, randomSamplingPercentage: 50}]}",
            &[": 1", "istio-system: 1"],
        ),
        (
            "{tracing: {randomSamplingPercentage: 50}}",
            &[": 1", "istio-system: 1"],
        ),
        (
            "{tracing: [{disableSpanReporting: 'true', randomSamplingPercentage: 50}]}",
            &[": 50", "istio-system: 50"],
        ),
        (
            "{tracing: [{randomSamplingPercent: 50}]}",
            &[": 1", "istio-system: 1"],
        ),
        (
            "{selector: {app: x}, tracing: [{randomSamplingPercentage: 50}]}",
            &[],
        ),
        (
            "{selector: {matchLabels: {version: 1}}, tracing: [{randomSamplingPercentage: 50}]}",
            &[],
        ),
        (
            "{selector: {matchLabels: {}}, tracing: [{randomSamplingPercentage: 50}]}",
            &[": 50", "istio-system: 50"],
        ),
    ] {
        let settings = read(&telemetry(", namespace: istio-system", spec));
        assert_eq!(rows(&settings), expected, "{spec}");
        // What is wrong with it is told where the whole resource is judged.
        assert_eq!(settings.notes, [], "{spec}");
    }
    let kyma = telemetry(
        ", namespace: istio-system",
        "{tracing: [{randomSamplingPercentage: 50}]}",
    )
    .replace("telemetry.istio.io/v1", "operator.kyma-project.io/v1alpha1");
    assert_eq!(read(&kyma), Settings::default());
}

#[test]
fn a_provider_that_traces_nothing_is_told_where_it_is_named() {
    let providers = "extensionProviders: [{name: otel, opentelemetry: {}}, {name: als, envoyOtelAls: {}}, {name: odd}]";
    let name = |provider: &str| {
        telemetry(
            ", namespace: shop",
            &format!("{{tracing: [{{providers: [{{name: {provider}}}]}}]}}"),
        )
    };
    let cure = "so Istio's own tracer does not run here; name otel, which can";
    for (text, expected) in [
        (name("otel"), None),
        (format!("{providers}\n---\n{}", name("otel")), None),
        (format!("{providers}\n---\n{}", name("OTEL")), None),
        (
            format!("{providers}\n---\n{}", name("jaeger")),
            Some(format!("Warning: $.spec.tracing[0].providers: MeshConfig's extensionProviders have no provider jaeger, {cure}")),
        ),
        (
            format!("{providers}\n---\n{}", name("als")),
            Some(format!("Warning: $.spec.tracing[0].providers: the provider als cannot trace, for its kind is envoyOtelAls, {cure}")),
        ),
        (
            format!("{providers}\n---\n{}", name("odd")),
            Some(format!("Warning: $.spec.tracing[0].providers: the provider odd cannot trace, for its kind is not given, {cure}")),
        ),
        (
            format!("{{enableTracing: true}}\n---\n{}", name("prometheus")),
            Some("Warning: $.spec.tracing[0].providers: the provider prometheus cannot trace, for its kind is prometheus, so Istio's \
                own tracer does not run here; add one there of kind opentelemetry, zipkin, datadog or skywalking".into()),
        ),
        (
            "{defaultProviders: {tracing: [jaeger]}}".into(),
            Some("Warning: $.defaultProviders.tracing: MeshConfig's extensionProviders have no provider jaeger, so Istio's own tracer \
                does not run here; add one there of kind opentelemetry, zipkin, datadog or skywalking".into()),
        ),
    ] {
        let (_, notes) = mesh(&text);
        assert_eq!(notes, expected.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn istios_own_tracer_runs_where_a_tracer_is_named_with_its_address() {
    let is_on = |text: &str| {
        let settings = read(text);
        let summary = crate::check::istio::summary::Summary::of(&settings).unwrap();
        summary
            .workloads
            .iter()
            .map(|row| row.client.native)
            .collect::<Vec<_>>()
    };
    let cart = SHOP.replace("{ANNOTATION}", "tracing: {zipkin: {address: z}}");
    for (text, expected) in [
        (
            "{enableTracing: true, defaultConfig: {tracing: {}}, extensionProviders: [{name: otel, opentelemetry: {}}]}",
            &[false][..],
        ),
        ("{enableTracing: true}", &[false]),
        (
            "{defaultConfig: {tracing: {zipkin: {address: z}}}}",
            &[true],
        ),
        ("{defaultConfig: {tracing: {zipkin: {}}}}", &[false]),
        (
            "{enableTracing: false, defaultConfig: {tracing: {zipkin: {address: z}}}}",
            &[false],
        ),
        ("global: {proxy: {tracer: zipkin}}", &[true]),
        (
            "global: {proxy: {tracer: zipkin}}\nmeshConfig: {defaultConfig: {tracing: {sampling: 3}}}",
            &[true],
        ),
        (
            "global: {proxy: {tracer: zipkin}}\nmeshConfig: {enableTracing: false}",
            &[false],
        ),
        ("global: {proxy: {tracer: datadog}}", &[true]),
        (
            "global: {proxy: {tracer: lightstep}, tracer: {lightstep: {address: a}}}",
            &[true],
        ),
        (
            "global: {proxy: {tracer: none}}\ntraceSampling: 3",
            &[false],
        ),
        (
            "kind: IstioOperator\nspec: {meshConfig: {accessLogFile: ''}, values: {global: {proxy: {tracer: zipkin}}}}",
            &[true],
        ),
        (&cart, &[false, false, true]),
        // The annotation's tracing has no tracer, and takes the mesh's away.
        (
            &format!(
                "{{defaultConfig: {{tracing: {{zipkin: {{address: z}}}}}}}}\n---\n{}",
                cart.replace("{zipkin: {address: z}}", "{sampling: 3}")
            ),
            &[true, true, false],
        ),
        (
            "{defaultProviders: {tracing: [als]}, extensionProviders: [{name: als, envoyOtelAls: {}}]}",
            &[false],
        ),
        (
            "{defaultProviders: {tracing: [z]}, extensionProviders: [{name: z, zipkin: {}}]}",
            &[true],
        ),
    ] {
        let found = is_on(text);
        assert!(found.starts_with(expected), "{text}: {found:?}");
    }
}

#[test]
fn what_kubernetes_wants_as_text_and_is_none_is_an_error() {
    let container =
        |env: &str| format!("kind: Pod\nspec: {{containers: [{{name: a, env: {env}}}]}}");
    for (text, at, name) in [
        (
            container("[{name: OTEL_TRACES_SAMPLER_ARG, value: 0.1}]"),
            "$.spec.containers[0].env[0].value",
            "OTEL_TRACES_SAMPLER_ARG",
        ),
        (
            container("[{name: OTEL_PROPAGATORS, value: 1}]"),
            "$.spec.containers[0].env[0].value",
            "OTEL_PROPAGATORS",
        ),
        (
            container("[{name: PILOT_TRACE_SAMPLING, value: 5}]"),
            "$.spec.containers[0].env[0].value",
            "PILOT_TRACE_SAMPLING",
        ),
        (
            "kind: Instrumentation\nspec: {sampler: {type: traceidratio, argument: 0.25}}".into(),
            "$.spec.sampler.argument",
            "argument",
        ),
        (
            "kind: ConfigMap\ndata: {OTEL_TRACES_SAMPLER_ARG: 0.1}".into(),
            "$.data.OTEL_TRACES_SAMPLER_ARG",
            "OTEL_TRACES_SAMPLER_ARG",
        ),
    ] {
        let notes = read(&text).notes;
        assert_eq!(notes.len(), 1, "{text}: {notes:?}");
        assert_eq!(
            (notes[0].weight, notes[0].place.path.as_str()),
            (Weight::Error, at),
            "{text}"
        );
        assert!(
            notes[0]
                .message
                .starts_with(&format!("{name}: Kubernetes refuses ")),
            "{notes:?}"
        );
    }
    // And it is not taken for the default then.
    let ratio =
        read("kind: Instrumentation\nspec: {sampler: {type: traceidratio, argument: 0.25}}");
    assert_eq!(ratio.samplers[0].argument.as_deref(), Some("0.25"));
    // Of two of one name the later counts, and what is not known here is not guessed.
    let twice = read(&container(
        "[{name: OTEL_TRACES_SAMPLER, value: always_on}, {name: OTEL_TRACES_SAMPLER, value: always_off}]",
    ));
    assert_eq!(twice.samplers[0].kind.as_deref(), Some("always_off"));
    let elsewhere = read(&container(
        "[{name: OTEL_TRACES_SAMPLER, value: traceidratio}, {name: OTEL_TRACES_SAMPLER_ARG, valueFrom: {configMapKeyRef: {name: c, key: k}}}]",
    ));
    assert_eq!(
        (elsewhere.samplers.len(), elsewhere.notes[0].weight),
        (0, Weight::Skipped)
    );
}
