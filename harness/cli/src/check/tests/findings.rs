//! The line and the resource of findings, in YAML, JSON, lists and documents, and of notes on all files together.

use super::{plugin, told};
use crate::check::{Finding, Options, Results, check_file};

fn place(finding: &Finding) -> (Option<usize>, Option<&str>) {
    (finding.line, finding.resource.as_deref())
}

#[test]
fn a_finding_names_its_line_and_its_resource() {
    let bad = plugin(
        "WasmPlugin",
        "spec:\n",
        "  url: oci://here/sidespan:1\n  phase: AUTHN\n  failStrategy: FAIL_OPEN\n  pluginConfig:\n    direction: up\n",
    )
    .replace("{name: sidespan}", "{name: sidespan-cart, namespace: shop}");
    let cart = Some("WasmPlugin shop/sidespan-cart");
    let indented = bad.replace('\n', "\n  ");
    let json = r#"{"kind": "List", "items": [
      {"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {"name": "sidespan-cart", "namespace": "shop"}, "spec":
        {"url": "oci://here/sidespan:1", "phase": "AUTHN", "failStrategy": "FAIL_OPEN", "pluginConfig": {
          "direction": "up"}}}]}"#;
    for (file, text, line, resource) in [
        ("a.yaml", bad.clone(), 9, cart),
        ("a.yaml", format!("kind: Namespace\n---\n{bad}"), 11, cart),
        (
            "-",
            format!("kind: List\nitems:\n- kind: Namespace\n- {indented}"),
            12,
            cart,
        ),
        ("a.json", json.to_owned(), 4, cart),
        ("-", json.to_owned(), 4, cart),
        ("a.yaml", "spans: {}\ndirection: up\n".to_owned(), 2, None),
        (
            "a.json",
            "{\"spans\": {},\n\"direction\": \"up\"}".to_owned(),
            2,
            None,
        ),
    ] {
        let errors = check_file(file, text.as_bytes()).errors;
        assert_eq!(errors.len(), 1, "{:?}", told(file, &text));
        assert_eq!(place(&errors[0]), (Some(line), resource), "{text}");
    }
}

#[test]
fn a_note_on_all_files_has_its_place_in_its_own_file() {
    let telemetry = |name: &str| {
        format!(
            "kind: Telemetry\nmetadata: {{name: {name}, namespace: shop, creationTimestamp: '2024-01-0{}'}}\nspec:\n  tracing:\n  - randomSamplingPercentage: 5\n",
            name.len()
        )
    };
    let files = [
        ("one.yaml", telemetry("a")),
        ("two.yaml", format!("kind: Role\n---\n{}", telemetry("bb"))),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), Ok(text.into_bytes())));
    let reports = Results::of(files.into(), Options::default()).reports;
    let told = reports[1]
        .warnings
        .iter()
        .find(|finding| finding.message.starts_with("without effect"))
        .expect("a warning");
    assert_eq!(place(told), (Some(3), Some("Telemetry shop/bb")));
    let variables = "OTEL_TRACES_SAMPLER=parentbased_always_on\n\nOTEL_TRACES_SAMPLER_ARG=5\n";
    let reports = Results::of(
        vec![("a.env".into(), Ok(variables.into()))],
        Options::default(),
    )
    .reports;
    assert_eq!(
        place(&reports[0].warnings[0]).0,
        Some(1),
        "{:?}",
        reports[0].warnings
    );
}
