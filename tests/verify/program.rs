//! `sidespan verify` as people and scripts start it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The end of a run.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) errors: String,
}

/// Runs `sidespan verify` with some input.
pub(super) fn verify_of(arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidespan-program"));
    command.arg("verify").args(arguments);
    for variable in ["RUST_LOG", "SIDESPAN_SINK_TOKEN", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    let mut child = command
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

/// Runs `sidespan verify --json` on lines of OTLP in JSON.
pub(super) fn json_of(arguments: &[&str], lines: &str) -> (Option<i32>, Value) {
    let ended = verify_of(&[&["--from", "-", "--json"], arguments].concat(), lines);
    let json = serde_json::from_str(&ended.out);
    (
        ended.code,
        json.unwrap_or_else(|error| panic!("{error}: {ended:?}")),
    )
}
