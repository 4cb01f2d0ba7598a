//! Settings in all resources that can hold them.

use super::*;

fn read(text: &str) -> Settings {
    let mut settings = Settings::default();
    for (index, tree) in Document::parse("-", text).unwrap().iter().enumerate() {
        settings.read(0, index + 1, tree);
    }
    settings
}

#[test]
fn a_mesh_config_is_found_in_all_its_wrappings() {
    let mesh = "{rootNamespace: r, enableTracing: false, defaultProviders: {tracing: [otel]}, \
        defaultConfig: {tracing: {sampling: 5, zipkin: {address: z}}}, \
        extensionProviders: [{name: otel, opentelemetry: {service: c}}, {name: dt, opentelemetry: {dynatraceSampler: {tenant: t}}}]}";
    let provider = |name: &str, kind: &str, has_sampler| Provider {
        name: name.into(),
        kind: kind.into(),
        has_sampler,
    };
    let expected = Mesh {
        place: Place::default(),
        root_namespace: Some("r".into()),
        enable_tracing: false,
        tracing: ProxyTracing {
            place: Place::default(),
            sampling: Some(5.0),
            has_tracer: true,
        },
        default_provider: Some("otel".into()),
        providers: vec![
            provider("prometheus", "prometheus", false),
            provider("stackdriver", "stackdriver", false),
            provider("envoy", "envoyFileAccessLog", false),
            provider("otel", "opentelemetry", false),
            provider("dt", "opentelemetry", true),
        ],
    };
    for (text, path) in [
        (mesh.to_owned(), "$"),
        (format!("meshConfig: {mesh}"), "$.meshConfig"),
        (
            format!("kind: IstioOperator\nspec: {{meshConfig: {mesh}}}"),
            "$.spec.meshConfig",
        ),
        (
            format!("kind: IstioOperator\nspec: {{values: {{meshConfig: {mesh}}}}}"),
            "$.spec.values.meshConfig",
        ),
        (
            format!("kind: Istio\nspec: {{values: {{meshConfig: {mesh}}}}}"),
            "$.spec.values.meshConfig",
        ),
        (
            format!(
                "kind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: |\n    {mesh}\n"
            ),
            "$.data.mesh",
        ),
        (
            format!(
                "kind: ConfigMap\nmetadata: {{name: istio-canary}}\ndata:\n  mesh: |\n    {mesh}\n"
            ),
            "$.data.mesh",
        ),
        (
            format!("kind: List\nitems:\n- kind: IstioOperator\n  spec: {{meshConfig: {mesh}}}"),
            "$.items[0].spec.meshConfig",
        ),
    ] {
        let mut settings = read(&text);
        assert_eq!(settings.notes, [], "{text}");
        let mut found = settings
            .meshes
            .pop()
            .unwrap_or_else(|| panic!("no mesh in {text}"));
        assert_eq!(std::mem::take(&mut found.place).path, path, "{text}");
        let tracing = std::mem::take(&mut found.tracing.place).path;
        assert_eq!(tracing, format!("{path}.defaultConfig.tracing"), "{text}");
        assert_eq!(found, expected, "{text}");
    }
    assert_eq!(
        read("kind: ConfigMap\nmetadata: {name: other}\ndata: {mesh: '{}'}").meshes,
        []
    );
}

#[test]
fn pilots_percentage_is_found_wherever_it_can_be_set() {
    let variable = "[{name: PILOT_TRACE_SAMPLING, value: '12.5'}]";
    for text in [
        format!(
            "kind: Deployment\nspec: {{template: {{spec: {{containers: [{{name: discovery, env: {variable}}}]}}}}}}"
        ),
        format!(
            "kind: IstioOperator\nspec: {{components: {{pilot: {{k8s: {{env: {variable}}}}}}}}}"
        ),
        "kind: IstioOperator\nspec: {values: {pilot: {traceSampling: 12.5}}}".into(),
        "pilot: {traceSampling: 12.5}".into(),
        "pilot: {env: {PILOT_TRACE_SAMPLING: '12.5'}, traceSampling: 0}".into(),
    ] {
        let found: Vec<_> = read(&text)
            .pilots
            .iter()
            .map(|pilot| pilot.percentage)
            .collect();
        assert_eq!(found, [12.5], "{text}");
    }
    let wrong = read("pilot: {traceSampling: '200'}");
    assert_eq!((wrong.pilots[0].percentage, wrong.notes.len()), (1.0, 1));
    assert_eq!(wrong.notes[0].weight, Weight::Error);
}

#[test]
fn a_percentage_that_istio_refuses_is_an_error_at_its_path() {
    for value in ["101", "-1", "'10'", "ten"] {
        let notes = read(&format!(
            "kind: Telemetry\nmetadata: {{namespace: shop}}\nspec: {{tracing: [{{randomSamplingPercentage: {value}}}]}}"
        ))
        .notes;
        assert_eq!(notes[0].weight, Weight::Error, "{value}");
        assert_eq!(
            notes[0].place.path,
            "$.spec.tracing[0].randomSamplingPercentage"
        );
    }
    assert_eq!(
        read("kind: Telemetry\nmetadata: {namespace: shop}\nspec: {tracing: [{randomSamplingPercentage: null}]}").notes,
        []
    );
}

#[test]
fn a_gateway_is_found_by_the_label_that_istio_finds_it_by() {
    let settings = read(
        "kind: Telemetry\nmetadata: {name: t, namespace: shop}\nspec:\n  targetRefs:\n  - {kind: Gateway, name: a}\n  \
         - {kind: Service, name: s}\n  - {kind: Gateway, name: b}\n",
    );
    let selectors: Vec<_> = settings
        .telemetries
        .iter()
        .map(|telemetry| telemetry.selector.clone().unwrap())
        .collect();
    assert_eq!(
        selectors,
        ["a", "b"].map(|name| Labels::from([(GATEWAY_NAME.into(), name.into())]))
    );
    assert_eq!(settings.notes.len(), 1);
    assert_eq!(settings.notes[0].weight, Weight::Skipped);
}

fn samplers(text: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let of = |sampler: Sampler| (sampler.place.path, sampler.kind, sampler.argument);
    read(text).samplers.into_iter().map(of).collect()
}

fn sampler(path: &str, kind: &str, argument: &str) -> (String, Option<String>, Option<String>) {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (path.into(), text(kind), text(argument))
}

#[test]
fn a_sampler_is_found_in_every_kind_of_workload() {
    let pod = "{containers: [{name: istio-proxy, env: [{name: OTEL_TRACES_SAMPLER, value: x}]}, \
        {name: app, env: [{name: A, value: b}, {name: OTEL_TRACES_SAMPLER, value: traceidratio}, {name: OTEL_TRACES_SAMPLER_ARG, value: '0.1'}]}]}";
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job"] {
        let text = format!(
            "kind: {kind}\nmetadata: {{name: a, namespace: shop}}\nspec: {{template: {{spec: {pod}}}}}"
        );
        let expected = sampler(
            "$.spec.template.spec.containers[1].env[1].value",
            "traceidratio",
            "0.1",
        );
        assert_eq!(samplers(&text), [expected], "{kind}");
        let settings = read(&text);
        assert_eq!(
            settings.samplers[0].place.name,
            format!("{kind} shop/a, container app")
        );
        assert_eq!(settings.samplers[0].namespace.as_deref(), Some("shop"));
    }
    let expected = |path: &str| [sampler(path, "traceidratio", "0.1")];
    assert_eq!(
        samplers(&format!("kind: Pod\nspec: {pod}")),
        expected("$.spec.containers[1].env[1].value")
    );
    assert_eq!(
        samplers(&format!(
            "kind: CronJob\nspec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}"
        )),
        expected("$.spec.jobTemplate.spec.template.spec.containers[1].env[1].value")
    );
    assert_eq!(
        samplers("kind: ConfigMap\ndata: {OTEL_TRACES_SAMPLER: always_on}"),
        [sampler("$.data.OTEL_TRACES_SAMPLER", "always_on", "")]
    );
}

#[test]
fn a_variable_whose_value_is_not_there_is_not_guessed() {
    let settings = read(
        "kind: Pod\nspec: {containers: [{name: a, env: [{name: OTEL_TRACES_SAMPLER, valueFrom: {configMapKeyRef: {name: c, key: k}}}, \
         {name: OTEL_TRACES_SAMPLER_ARG, value: 0.1}]}]}",
    );
    assert_eq!(settings.samplers, []);
    let said: Vec<_> = settings
        .notes
        .iter()
        .map(|note| note.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "OTEL_TRACES_SAMPLER: its value comes from elsewhere and is not known here",
            "OTEL_TRACES_SAMPLER_ARG: Kubernetes refuses 0.1, which is no text; quote it"
        ]
    );
}

#[test]
fn of_an_instrumentation_the_environment_comes_before_the_sampler() {
    let with = |spec: &str| {
        samplers(&format!(
            "kind: Instrumentation\nmetadata: {{namespace: shop}}\nspec: {spec}"
        ))
    };
    let own = "sampler: {type: parentbased_traceidratio, argument: '0.25'}";
    assert_eq!(
        with(&format!("{{{own}}}")),
        [sampler(
            "$.spec.sampler.type",
            "parentbased_traceidratio",
            "0.25"
        )]
    );
    assert_eq!(
        with(&format!(
            "{{{own}, env: [{{name: OTEL_TRACES_SAMPLER, value: always_off}}]}}"
        )),
        [sampler("$.spec.env[0].value", "always_off", "")]
    );
    assert_eq!(
        with(&format!(
            "{{{own}, java: {{env: [{{name: OTEL_TRACES_SAMPLER, value: always_on}}]}}}}"
        )),
        [
            sampler("$.spec.sampler.type", "parentbased_traceidratio", "0.25"),
            sampler("$.spec.java.env[0].value", "always_on", "")
        ]
    );
    assert_eq!(with("{exporter: {endpoint: e}}"), []);
}

#[test]
fn lines_of_an_environment_are_settings() {
    let text = "# ours\n\nexport OTEL_TRACES_SAMPLER=\"traceidratio\"\nOTEL_TRACES_SAMPLER_ARG='0.5'\r\nOTEL_TRACES_SAMPLER_ARG=0.1\nA=b=c\nPILOT_TRACE_SAMPLING=3\n";
    let lines = env_file::EnvFile::parse(text).unwrap().variables;
    let mut settings = Settings::default();
    assert_eq!(settings.read_variables(0, "a.env", &lines), 2);
    let found = &settings.samplers[0];
    assert_eq!(found.place.path, "line 3, OTEL_TRACES_SAMPLER");
    assert_eq!(
        (found.kind.as_deref(), found.argument.as_deref()),
        (Some("traceidratio"), Some("0.1"))
    );
    assert_eq!(settings.pilots[0].percentage, 3.0);
    for other in [
        "",
        "direction: auto",
        "OTEL_TRACES_SAMPLER: x",
        "OTEL_A=1\nsampling: {}",
        "{\"a\": \"OTEL_X=1\"}",
    ] {
        assert_eq!(env_file::EnvFile::parse(other), None, "{other}");
    }
}
