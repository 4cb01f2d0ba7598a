//! `sidespan sink` as a program beside a test.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A running sink, which is ended when it is dropped.
pub(super) struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    started: Value,
}

impl Program {
    /// Starts a sink on free ports, with more arguments.
    pub(super) fn start(arguments: &[&str]) -> Self {
        Self::start_with(command().stderr(Stdio::null()), arguments)
    }

    /// Starts a sink by a command that says where its log and its variables are.
    pub(super) fn start_with(command: &mut Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args([
                "sink", "--grpc", "0", "--http", "0", "--zipkin", "0", "--jaeger", "0", "--tempo",
                "0", "--json",
            ])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let started = line(&mut out);
        Self {
            child,
            out,
            started,
        }
    }

    /// Returns the line of its start.
    pub(super) fn started(&self) -> &Value {
        &self.started
    }

    /// Returns an address by its name in that line: `grpc`, `http`, `zipkin`, `jaeger` or `tempo`.
    pub(super) fn address(&self, name: &str) -> SocketAddr {
        let address = self.started[name].as_str().expect("an address");
        address.parse().expect("an address")
    }

    /// Returns the most memory that it has used so far, in KiB; `None` where the system does not tell.
    pub(super) fn peak_kib(&self) -> Option<u64> {
        let file = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(file).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Kills it, as a crash does.
    pub(super) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("its end");
    }

    /// Ends it by a signal, and returns the line of its end.
    pub(super) fn end(mut self) -> Value {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let id = rustix::process::Pid::from_raw(id).expect("a process id");
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        let ended = line(&mut self.out);
        assert!(self.child.wait().expect("its end").success());
        ended
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A program that has already ended is only collected.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the program, without this machine's variables that it reads.
pub(super) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidespan-program"));
    command
        .env_remove("RUST_LOG")
        .env_remove("SIDESPAN_SINK_TOKEN");
    command
}

/// Starts a program, and returns what it says on both outputs until it ends.
pub(super) fn output(arguments: &[&str]) -> (Option<i32>, String) {
    let output = command().args(arguments).output().expect("the program");
    let mut said = String::new();
    for bytes in [&output.stdout, &output.stderr] {
        let mut bytes = &bytes[..];
        bytes.read_to_string(&mut said).expect("text");
    }
    (output.status.code(), said)
}

fn line(out: &mut impl BufRead) -> Value {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}
