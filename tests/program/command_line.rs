//! The program as people and scripts start it: arguments in, text and an exit code out.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The end of a run: exit code and output.
struct Ended {
    code: Option<i32>,
    out: String,
    errors: String,
}

/// Runs the program in the root of the project, as the READMEs do.
fn sidespan(arguments: &[&str], input: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
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
    for command in ["demo", "check", "run", "sidecar", "bench"] {
        assert!(help.out.contains(&format!("  sidespan {command}")));
        let help = sidespan(&[command, "--help"], "");
        assert_eq!(help.code, Some(0), "{command}: {}", help.errors);
        let example = format!("sidespan {command} ");
        assert!(help.out.contains(&example), "{command}: {}", help.out);
    }
}

#[test]
fn check_ends_with_0_for_what_is_fine_1_for_what_is_not_and_2_for_wrong_use() {
    let fine = sidespan(&["check", "istio/envoyfilter.yaml"], "");
    assert_eq!(fine.code, Some(0), "{}{}", fine.out, fine.errors);
    assert!(fine.out.contains("fine, 2 configurations"), "{}", fine.out);
    // A warning is no error.
    let warned = sidespan(&["check", "istio/wasmplugin.yaml"], "");
    assert_eq!(warned.code, Some(0), "{}{}", warned.out, warned.errors);
    assert!(warned.out.contains("REGISTRY"), "{}", warned.out);

    let wrong = sidespan(&["check", "-"], r#"{"sampling": {"percentage": 101}}"#);
    assert_eq!(wrong.code, Some(1), "{}{}", wrong.out, wrong.errors);
    assert!(wrong.out.contains("$.sampling.percentage"), "{}", wrong.out);
    let wrong = sidespan(&["check", "--json", "-"], r#"{"sampling": 1}"#);
    assert_eq!(wrong.code, Some(1), "{}{}", wrong.out, wrong.errors);
    let report: Value = serde_json::from_str(&wrong.out).expect("one JSON object");
    assert_eq!(report["valid"], false);

    for arguments in [
        &["check"][..],
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
