//! `sidespan trace --follow`: a line for each trace that changes.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;
use sidespan_sink::{Sink, SinkConfig};

use super::super::client::{JSON, TRACES, post};
use super::super::program::command;
use super::{line, span};

/// A running program, which is ended when it is dropped.
struct Follower {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Follower {
    /// Starts a program, and waits until it follows.
    fn start(from: &str, arguments: &[&str]) -> Self {
        let mut child = command()
            .args(["trace", "--follow", "--from", from])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        errors.read_line(&mut said).expect("a line");
        assert!(said.starts_with("following http://"), "{said}");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, out }
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // A program that has already ended is only collected.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_what_changes_until_it_is_told_to_end() {
    let started = Sink::start(SinkConfig::default()).await;
    let sink = started.expect("free ports");
    let from = format!("http://{}", sink.http_addr());
    let mut text = Follower::start(&from, &["--width", "120"]);
    let mut json = Follower::start(&from, &["--json", "--service", "web"]);
    assert!(text.next().starts_with("start "), "the head");
    for (digit, service) in [("a", "cart"), ("b", "web")] {
        let spans = [span(
            &digit.repeat(32),
            "1111111111111111",
            "",
            "GET /",
            (0, 5),
        )];
        post(sink.http_addr(), TRACES, &[JSON], line(service, &spans)).await;
        let said = text.next();
        assert!(said.contains(&format!("{service} GET /")), "{said}");
        assert!(said.ends_with(&format!("{}\n", digit.repeat(32))), "{said}");
    }
    let said: Value = serde_json::from_str(&json.next()).expect("JSON");
    assert_eq!(said["traceId"], "b".repeat(32), "{said}");
    let id = i32::try_from(json.child.id()).expect("a process id");
    let id = rustix::process::Pid::from_raw(id).expect("a process id");
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    assert_eq!(json.child.wait().expect("its end").code(), Some(0));
    // The end of the sink is not the end that the user asked for.
    sink.stop().await;
    assert_eq!(text.child.wait().expect("its end").code(), Some(2));
}
