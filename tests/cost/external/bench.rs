//! `sidespan bench --envoy`, small: every figure exists and every span is accounted for. The size of the figures does not
//! matter here, because a test does not have the machine for itself.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
#[cfg_attr(
    any(no_envoy, no_h2load),
    ignore = "Envoy 1.40.0 and h2load (Debian: nghttp2-client) are needed"
)]
fn measures_each_candidate_and_accounts_for_every_span() {
    let folder = tempfile::tempdir().expect("a folder");
    let [svg, markdown] = ["cost.svg", "cost.md"].map(|name| folder.path().join(name));
    let before = folder.path().join("before.wasm");
    std::fs::write(&before, sidespan::FILTER).expect("a file");
    let chosen = "native-otel,native-zipkin,least-sampled,least-unsampled,floor-w3c,sidespan-100-w3c,sidespan-0-w3c-no-keep";
    let output = bench()
        .args(["--envoy", "--json", "--rounds", "2", "--requests", "300"])
        .args(["--processes", "2", "--warm-up", "400"])
        .args(["--latency-seconds", "1", "--only", chosen])
        .arg("--module")
        .arg(format!("{}=before", before.display()))
        .arg("--svg")
        .arg(&svg)
        .arg("--markdown")
        .arg(&markdown)
        .output()
        .expect("the program");
    let (said, errors) = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}{errors}");
    let report: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!(report["problems"], Value::Array(vec![]));
    for part in ["machine", "versions", "date", "command"] {
        assert!(!report[part].is_null(), "{part}: {report:#}");
    }
    let found = report["candidates"].as_array().expect("candidates");
    let names: Vec<_> = found.iter().filter_map(|it| it["name"].as_str()).collect();
    // `native-otel` is a name, and a prefix of two others that must not be chosen.
    let expected: Vec<_> = std::iter::once("no-tracing")
        .chain(chosen.split(','))
        .chain(["before-100-w3c", "before-0-w3c-no-keep"])
        .collect();
    assert_eq!(names, expected);
    for candidate in found {
        let positive = |pointer: &str| {
            let value = candidate.pointer(pointer).and_then(Value::as_f64);
            assert!(
                value.is_some_and(|value| value > 0.0),
                "{pointer}: {candidate:#}"
            );
        };
        for pointer in [
            "/cpu_us/least",
            "/cpu_us/rounds/1",
            "/cpu_us/low",
            "/cpu_us/median",
            "/cpu_us/processes/1",
            "/requests_per_second/best",
            "/latency_us/p99",
            "/resident_bytes/before",
            "/resident_bytes/after",
            "/anonymous_bytes/after",
        ] {
            positive(pointer);
        }
        let ratios = candidate["ratios"].as_object().expect("ratios");
        for peer in ["native-otel", "native-zipkin"] {
            assert!(ratios.contains_key(peer), "{candidate:#}");
        }
    }
    let of = |name: &str| {
        found
            .iter()
            .find(|it| it["name"] == name)
            .expect("it took part")
    };
    for name in [
        "native-otel",
        "native-zipkin",
        "least-sampled",
        "sidespan-100-w3c",
        "before-100-w3c",
    ] {
        let spans = &of(name)["spans"];
        assert_eq!(spans["missing"], 0, "{name}: {spans:#}");
        // Two processes, each with requests that count, requests that do not, and rounds for latency.
        assert!(spans["due"].as_u64() > Some(1400), "{name}: {spans:#}");
    }
    let ours = of("sidespan-100-w3c");
    assert_eq!(
        ours["spans"]["counters"]["wasmcustom.sidespan.spans.finished"],
        ours["spans"]["due"]
    );
    assert!(
        of("sidespan-0-w3c-no-keep")["ratios"]
            .get("least-unsampled")
            .is_some()
    );
    assert_eq!(of("sidespan-0-w3c-no-keep")["spans"]["received"], 0);
    let before = of("before-0-w3c-no-keep");
    assert_eq!(before["own"], "sidespan-0-w3c-no-keep");
    assert!(before["ratios"].get("sidespan-0-w3c-no-keep").is_some());
    for (file, part) in [(svg, "<svg"), (markdown, "| OpenTelemetry tracer, 100 % |")] {
        let written = std::fs::read_to_string(&file).expect("a file");
        assert!(written.contains(part), "{written}");
    }
}

#[test]
fn wrong_use_is_told_what_is_right() {
    for (arguments, part) in [
        (&["--envoy", "--requests", "5"][..], "--requests"),
        (&["--envoy", "--warm-up", "5"], "--warm-up"),
        (&["--envoy", "--processes", "0"], "--processes"),
        (&["--envoy", "--rounds", "0"], "--rounds"),
        (&["--envoy", "--only", "nobody"], "sidespan-100-w3c"),
        (
            &["--envoy", "--module", "nowhere.wasm"],
            "cannot read nowhere.wasm",
        ),
        (
            &["--envoy", "--module", "a.wasm=least"],
            "another one is `before`",
        ),
        (&["--module", "a.wasm"], "--envoy"),
    ] {
        let output = bench().args(arguments).output().expect("the program");
        let (said, errors) = text(&output);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {said}{errors}"
        );
        assert!(errors.contains(part), "{arguments:?}: {errors}");
    }
}

/// Shows figures without a bound, because the bounds are those of `tests/cost/budget.rs`.
#[test]
fn without_an_envoy_the_cost_inside_the_filter_is_told() {
    let output = bench().output().expect("the program");
    let (said, errors) = text(&output);
    assert!(output.status.success(), "{said}{errors}");
    assert!(
        said.contains("sampled, SERVER, nine formats go out")
            && said.contains("the least filter: sampled"),
        "{said}"
    );
    let output = bench().arg("--json").output().expect("the program");
    let (said, _) = text(&output);
    let costs: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!(costs["excluded"]["calls"]["proxy_get_header_map_pairs"], 1);
}

#[test]
fn without_h2load_the_package_is_named() {
    let output = bench()
        .args(["--envoy", "--only", "no-op"])
        .env("PATH", "")
        .output()
        .expect("the program");
    let (said, errors) = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}{errors}");
    assert!(errors.contains("nghttp2-client"), "{errors}");
}

fn bench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidespan-program"));
    // Started in the root of the project, as the READMEs do.
    command
        .arg("bench")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env_remove("RUST_LOG");
    command
}

fn text(output: &std::process::Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
