//! The libraries, installed below `target` at pinned versions, and the programs that ask them.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use super::answer::{Headers, Library, Theirs};

const REQUIREMENTS: &str = include_str!("requirements.txt");
const PACKAGE: &str = include_str!("package.json");

/// What a library answers to each header set.
pub(crate) fn ask(library: Library, asked: &[(&'static str, Headers)]) -> Vec<Option<Theirs>> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential");
    let mut command = match library {
        Library::Python => {
            let mut command = Command::new(python().join("bin/python"));
            command
                .args(["-X", "utf8"])
                .arg(scripts.join("propagators.py"));
            command
        }
        Library::JavaScript => {
            let mut command = Command::new("node");
            command.arg(scripts.join("propagators.cjs"));
            command.env("NODE_PATH", javascript().join("node_modules"));
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
    // By another thread, for it answers before it has read all, and a pipe holds little.
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
    // `b3` and `b3multi` differ in what is generated, not in how it is read.
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

fn python() -> PathBuf {
    installed("python", REQUIREMENTS, |folder| {
        run(Command::new("python3").args([
            OsStr::new("-m"),
            OsStr::new("venv"),
            folder.as_os_str(),
        ]));
        let requirements = folder.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).expect("a file below target");
        run(Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "-r"])
            .arg(requirements));
    })
}

fn javascript() -> PathBuf {
    installed("javascript", PACKAGE, |folder| {
        fs::write(folder.join("package.json"), PACKAGE).expect("a file below target");
        // The packages name disjoint ranges of one API and work with any of them.
        run(Command::new("npm").current_dir(folder).args([
            "install",
            "--silent",
            "--legacy-peer-deps",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
        ]));
    })
}

/// The folder, filled once for these pins; half of an installation is thrown away.
fn installed(name: &str, pins: &str, fill: impl Fn(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("differential")
        .join(name);
    let mark = folder.join("complete");
    if fs::read_to_string(&mark).is_ok_and(|done| done == pins) {
        return folder;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old installation goes");
    }
    fs::create_dir_all(&folder).expect("a folder below target");
    fill(&folder);
    fs::write(mark, pins).expect("a file below target");
    folder
}

fn run(command: &mut Command) {
    let output = command.output();
    let ended = output.map(|output| {
        (
            output.status,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    });
    match ended {
        Ok((status, _)) if status.success() => {}
        Ok((_, errors)) => panic!("{command:?}: {errors}{HELP}"),
        Err(error) => panic!("{command:?}: {error}{HELP}"),
    }
}

const HELP: &str = "\nThis test needs python3 with venv, node and npm, and what they install from; \
                    SIDESPAN_DIFFERENTIAL=0 leaves it out.";
