//! The libraries, installed below `target` at pinned versions, and the programs that ask them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};
use sidespan_tests::packages;

use super::answer::{Headers, Library, Theirs};

const REQUIREMENTS: &str = include_str!("requirements.txt");
const PACKAGE: &str = include_str!("package.json");

/// Returns a library's answers to header sets.
pub(crate) fn ask(library: Library, asked: &[(&'static str, Headers)]) -> Vec<Option<Theirs>> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("formats/external/differential");
    let mut command = match library {
        Library::Python => {
            let python = packages::python("differential-python", REQUIREMENTS);
            let mut command = Command::new(python.join("bin/python"));
            command
                .args(["-X", "utf8"])
                .arg(scripts.join("propagators.py"));
            command
        }
        Library::JavaScript => {
            let mut command = Command::new("node");
            command.arg(scripts.join("propagators.cjs"));
            command.env(
                "NODE_PATH",
                packages::node("differential-javascript", PACKAGE),
            );
            command
        }
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut input = child.stdin.take().expect("a pipe");
    let questions: String = asked.iter().map(question).collect();
    // Written by another thread, because the program answers before it has read all, and a pipe's buffer is small.
    let writer = thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{command:?}: {}", output.status);
    writer.join().expect("a writer").expect("it reads all");
    let answers: Vec<_> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| theirs(&serde_json::from_str(line).expect("JSON")))
        .collect();
    assert_eq!(answers.len(), asked.len(), "an answer to each");
    answers
}

fn question((format, headers): &(&str, Headers)) -> String {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            let value: String = value.iter().copied().map(char::from).collect();
            json!([name, value])
        })
        .collect();
    // `b3` and `b3multi` differ in the generated headers, not in how they are read.
    format!("{}\n", json!({"format": format, "headers": headers}))
}

fn theirs(answer: &Value) -> Option<Theirs> {
    let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    (!answer.is_null()).then(|| Theirs {
        trace_id: text("trace"),
        span_id: text("span"),
        flags: answer["flags"].as_u64().unwrap_or_default(),
        state: text("state"),
        debug: answer["debug"].as_bool(),
    })
}
