//! A program of another language beside a test: its output goes into a file, and it ends when its value is dropped, at the
//! latest with this process.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Command, Stdio};

use sidespan_envoy::{Leash, wait_for};
use tempfile::TempDir;

use crate::envoy::LIMIT;

/// A running program.
#[derive(Debug)]
pub struct Program {
    child: Child,
    _leash: Leash,
    folder: TempDir,
}

impl Program {
    /// Starts a program in a folder of its own, without this machine's settings for OpenTelemetry's libraries and without
    /// an HTTP proxy.
    ///
    /// # Panics
    /// When there is no such program.
    pub fn start(command: &mut Command) -> Self {
        let folder = TempDir::with_prefix("sidespan-program-").expect("a folder for test files");
        let said = File::create(folder.path().join(SAID)).expect("a file for what it says");
        let errors = said.try_clone().expect("a second handle");
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("OTEL_") || text.starts_with("ROTEL_") {
                command.env_remove(&name);
            }
        }
        let mut child = command
            .envs(["no_proxy", "NO_PROXY"].map(|name| (name, "*")))
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(said)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let leash = Leash::new(child.id(), folder.path()).unwrap_or_else(|error| {
            // The leash that would end the child has failed.
            let _ = child.kill();
            panic!("{error}")
        });
        Self {
            child,
            _leash: leash,
            folder,
        }
    }

    /// Writes a line to the program's standard input.
    ///
    /// # Panics
    /// When the program does not read.
    pub fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{line}").expect("it reads");
    }

    /// Returns all output of the program.
    pub fn said(&self) -> String {
        let bytes = fs::read(self.folder.path().join(SAID)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until `look` returns a value from the program's output, or from elsewhere; a program that has ended is not
    /// waited for.
    ///
    /// # Panics
    /// With all output of the program.
    pub fn wait<T>(&mut self, what: &str, look: impl Fn(&str) -> Option<T>) -> T {
        let found = wait_for(LIMIT, || {
            // Asked first, because a program may write its last line and end between two questions.
            let has_ended = self.has_ended();
            let found = look(&self.said()).map(Some);
            found.or_else(|| has_ended.then_some(None))
        });
        let said = self.said();
        match found {
            Some(Some(found)) => found,
            Some(None) => panic!("it ended before {what}:\n{said}"),
            None => panic!("waited in vain for {what}:\n{said}"),
        }
    }

    /// Asks the program to end, as a termination signal does, and waits until it has ended.
    ///
    /// # Panics
    /// With all output of the program, when the program does not end.
    pub fn quit(mut self) {
        let mut kill = Command::new("kill");
        let sent = kill.arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal");
        let ended = wait_for(LIMIT, || self.has_ended().then_some(()));
        assert!(ended.is_some(), "it does not end:\n{}", self.said());
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns true if the program has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A program that has already ended is only collected.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SAID: &str = "said";
