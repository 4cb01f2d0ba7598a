//! The program as people and scripts start it: arguments in, text and an exit code out.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::manifests::{place, read};

/// The end of a run: exit code and output.
struct Ended {
    code: Option<i32>,
    out: String,
    errors: String,
}

/// Runs the program in the root of the project, as the READMEs do.
fn sidespan(arguments: &[&str], input: &str) -> Ended {
    sidespan_with(&[], arguments, input)
}

/// Runs it with variables of the environment, besides which it has none about colours.
fn sidespan_with(variables: &[(&str, &str)], arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidespan-program"));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "GITHUB_WORKSPACE"] {
        command.env_remove(variable);
    }
    let mut child = command
        .envs(variables.iter().copied())
        .args(arguments)
        .current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read its input may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("text"),
        errors: String::from_utf8(output.stderr).expect("text"),
    }
}

#[test]
fn help_teaches_by_example() {
    let help = sidespan(&["--help"], "");
    assert_eq!(help.code, Some(0), "{}", help.errors);
    for part in ["Examples:", "Exit codes: 0 fine, 1"] {
        assert!(help.out.contains(part), "{}", help.out);
    }
    for command in [
        "demo",
        "check",
        "run",
        "sidecar",
        "sink",
        "trace",
        "verify",
        "bench",
        "completions",
        "man",
    ] {
        assert!(help.out.contains(&format!("  sidespan {command}")));
        let help = sidespan(&[command, "--help"], "");
        assert_eq!(help.code, Some(0), "{command}: {}", help.errors);
        let example = format!("sidespan {command} ");
        assert!(help.out.contains(&example), "{command}: {}", help.out);
    }
}

#[test]
fn check_ends_with_0_for_what_is_fine_1_for_what_is_not_and_2_for_wrong_use() {
    let fine = sidespan(&["check", place("envoyfilter")], "");
    assert_eq!(fine.code, Some(0), "{}{}", fine.out, fine.errors);
    assert!(fine.out.contains("fine, 2 configurations"), "{}", fine.out);
    // A warning is no error.
    let warned = sidespan(&["check", place("wasmplugin")], "");
    assert_eq!(warned.code, Some(0), "{}{}", warned.out, warned.errors);
    assert!(warned.out.contains("REGISTRY"), "{}", warned.out);

    let wrong = sidespan(&["check", "-"], r#"{"sampling": {"percentage": 101}}"#);
    assert_eq!(wrong.code, Some(1), "{}{}", wrong.out, wrong.errors);
    assert!(wrong.out.contains("$.sampling.percentage"), "{}", wrong.out);
    let wrong = sidespan(&["check", "--json", "-"], r#"{"sampling": 1}"#);
    assert_eq!(wrong.code, Some(1), "{}{}", wrong.out, wrong.errors);
    let report: Value = serde_json::from_str(&wrong.out).expect("one JSON object");
    assert_eq!(report["valid"], false);

    // With --strict it is.
    let strict = sidespan(&["check", "--strict", place("wasmplugin")], "");
    assert_eq!(strict.code, Some(1), "{}{}", strict.out, strict.errors);
    let last = strict.out.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("not valid: with --strict "),
        "{}",
        strict.out
    );

    // What a failed command leaves in a pipe, and what has nothing to do with Sidespan.
    for (input, code, part) in [
        ("", 1, "nothing to check: standard input is empty"),
        ("# nothing\n", 1, "nothing to check: only comments"),
        ("a: {{ .Values.a }}\n", 1, "this is a template"),
        ("kind: Namespace\n", 0, "nothing of Sidespan's in this file"),
    ] {
        let ended = sidespan(&["check", "-"], input);
        assert_eq!(ended.code, Some(code), "{input}: {}", ended.out);
        assert!(ended.out.contains(part), "{}", ended.out);
    }

    for arguments in [
        &["check"][..],
        &["check", "--schema", "-"],
        &["check", "--json", "--format", "text", "-"],
        &["check", "--format", "xml", "-"],
        &["--color", "sometimes", "check", "-"],
        &["completions"],
        &["completions", "cmd"],
        &["man", "no-such-command"],
        &["check", "no-such-file.yaml"],
        &["check", "--no-such-option", "-"],
        &["no-such-command"],
        &[],
    ] {
        let ended = sidespan(arguments, "");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.out);
        let said = ended.out + &ended.errors;
        assert!(!said.is_empty(), "{arguments:?} ends without a word");
    }
}

#[test]
fn check_prints_a_schema_annotations_and_junit() {
    let schema = sidespan(&["check", "--schema"], "");
    assert_eq!(schema.code, Some(0), "{}", schema.errors);
    let schema: Value = serde_json::from_str(&schema.out).expect("JSON");
    assert_eq!(schema, sidespan::check::schema::schema());
    // A step in a folder below the repository's root; the file is named from the root.
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().expect("a folder");
    let workspace = [("GITHUB_WORKSPACE", root.to_str().expect("text"))];
    let below = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let below = below.canonicalize().expect("a folder");
    let below = below.file_name().expect("a name").to_string_lossy();
    let annotated = sidespan_with(
        &workspace,
        &["check", "--format", "github", place("wasmplugin")],
        "",
    );
    assert_eq!(annotated.code, Some(0), "{}", annotated.errors);
    let start = format!("::warning file={below}/{},", place("wasmplugin"));
    assert!(annotated.out.starts_with(&start), "{}", annotated.out);
    let junit = sidespan(&["check", "--format", "junit", "-"], "{\"sampling\": 1}");
    assert_eq!(junit.code, Some(1), "{}", junit.errors);
    assert!(junit.out.contains("<failure "), "{}", junit.out);
}

#[test]
fn shells_complete_subcommands_and_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sidespan(&["completions", shell], "");
        assert_eq!(script.code, Some(0), "{shell}: {}", script.errors);
        for word in ["check", "strict", "root-namespace"] {
            assert!(script.out.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_manual_has_a_page_of_the_program_and_of_each_subcommand() {
    let page = sidespan(&["man"], "");
    assert_eq!(page.code, Some(0), "{}", page.errors);
    assert!(page.out.contains(".TH sidespan 1"), "{}", page.out);
    for command in [
        "demo",
        "check",
        "run",
        "sidecar",
        "sink",
        "trace",
        "verify",
        "bench",
        "completions",
        "man",
    ] {
        let name = format!("sidespan\\-{command}");
        assert!(page.out.contains(&name), "{name}: {}", page.out);
        let page = sidespan(&["man", command], "");
        assert_eq!(page.code, Some(0), "{command}: {}", page.errors);
        let title = format!(".TH sidespan-{command} 1");
        assert!(page.out.contains(&title), "{command}: {}", page.out);
        assert!(page.out.contains("\"sidespan 0"), "{command}: {}", page.out);
    }
    let page = sidespan(&["man", "check"], "").out;
    for part in ["\\-\\-strict", "\\-\\-root\\-namespace", "Exit codes: 0"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let wrong = "{\"direction\": 1}";
    for (variables, arguments, expected) in [
        (&[][..], &["check", "-"][..], false),
        (&[], &["--color", "always", "check", "-"], true),
        (&[], &["check", "--color", "always", "-"], true),
        (&[], &["check", "--color", "auto", "-"], false),
        (&[("CLICOLOR_FORCE", "1")], &["check", "-"], true),
        (
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
            &["check", "-"],
            false,
        ),
        (
            &[("CLICOLOR_FORCE", "1")],
            &["--color", "never", "check", "-"],
            false,
        ),
        (
            &[("NO_COLOR", "1")],
            &["--color", "always", "check", "-"],
            true,
        ),
    ] {
        let ended = sidespan_with(variables, arguments, wrong);
        assert_eq!(ended.code, Some(1), "{}", ended.errors);
        let found = ended.out.contains('\u{1b}');
        assert_eq!(
            found, expected,
            "{variables:?} {arguments:?}: {:?}",
            ended.out
        );
    }
}

#[test]
fn the_version_names_the_filter_that_the_program_embeds() {
    let digest = hex::encode(Sha256::digest(sidespan::FILTER));
    let version = env!("CARGO_PKG_VERSION");
    let said = sidespan(&["--version"], "").out;
    assert_eq!(
        said,
        format!("sidespan {version}\nfilter sha256 {digest}\n")
    );
    assert_eq!(sidespan(&["-V"], "").out, format!("sidespan {version}\n"));
}

#[test]
fn the_demo_shows_one_whole_trace() {
    shows_one_whole_trace(&["demo", "--json"]);
}

pub(super) fn shows_one_whole_trace(arguments: &[&str]) {
    let ended = sidespan(arguments, "");
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.errors);
    let report: Value = serde_json::from_str(&ended.out).expect("one JSON object");
    assert_eq!(report["whole"], true, "{report:#}");
    assert_eq!(report["problems"], Value::Array(vec![]));
    let spans = report["spans"].as_array().expect("spans");
    let hops = report["hops"].as_array().expect("hops");
    assert!(hops.len() >= 7 && spans.len() > hops.len(), "{report:#}");
    for span in spans {
        assert_eq!(span["trace_id"], report["trace_id"], "{span:#}");
    }
}

#[test]
fn a_folder_is_answered_with_the_command_that_renders_it() {
    for (folder, cure) in [
        (
            "istio/overlays/canary",
            "kubectl kustomize istio/overlays/canary | sidespan check -",
        ),
        (
            "istio/chart",
            "helm template sidespan istio/chart | sidespan check -",
        ),
        ("istio/docs", "name the files in it"),
    ] {
        let said = sidespan(&["check", folder], "");
        assert_eq!(said.code, Some(2), "{}{}", said.out, said.errors);
        assert!(said.out.contains(cure), "{}", said.out);
    }
    let said = sidespan(&["check", "istio/base/kustomization.yaml"], "");
    assert_eq!(said.code, Some(0), "{}", said.errors);
    assert!(
        said.out.contains("kubectl kustomize FOLDER"),
        "{}",
        said.out
    );
}

#[test]
fn each_way_to_install_is_fine_under_strict_and_all_of_them_together_are_refused() {
    for files in [
        &["wasmplugin"][..],
        &["trafficextension"],
        &["envoyfilter"],
        &["telemetry"],
        &["telemetry-keep-spans"],
        &["wasmplugin", "telemetry"],
        &["wasmplugin", "attempts", "telemetry"],
        &[
            "wasmplugin",
            "waypoints",
            "waypoints-collector",
            "telemetry",
        ],
        &["envoyfilter", "attempts", "telemetry"],
    ] {
        let texts = files.iter().map(|file| read(place(file)));
        let text = texts.collect::<Vec<_>>().join("---\n");
        let filled_in = text.replace("oci://REGISTRY", "oci://registry.example.com/mesh");
        let said = sidespan(&["check", "--strict", "-"], &filled_in);
        assert_eq!(said.code, Some(0), "{files:?}: {}", said.out);
        let has_registry = filled_in != text;
        let as_it_is = sidespan(&["check", "--strict", "-"], &text);
        assert_eq!(as_it_is.code, Some(i32::from(has_registry)), "{files:?}");
    }
    for example in [
        "keep-errors",
        "one-span-a-try",
        "plain-envoy",
        "sample-by-namespace",
        "translate-b3-and-w3c",
    ] {
        for file in ["config.json", "envoy.yaml"] {
            let path = format!("examples/{example}/{file}");
            let said = sidespan(&["check", "--strict", &path], "");
            assert_eq!(said.code, Some(0), "{}", said.out);
        }
    }
    let all = [
        "attempts",
        "envoyfilter",
        "telemetry",
        "trafficextension",
        "wasmplugin",
    ];
    let arguments: Vec<_> = ["check"].into_iter().chain(all.map(place)).collect();
    let said = sidespan(&arguments, "");
    assert_eq!(said.code, Some(1), "{}", said.out);
    for (one, other) in [
        ("WasmPlugin", "TrafficExtension"),
        ("WasmPlugin", "EnvoyFilter"),
        ("TrafficExtension", "EnvoyFilter"),
    ] {
        let apply = format!("apply one of {one} and {other}, never both");
        assert!(said.out.contains(&apply), "{apply}: {}", said.out);
    }
}
