//! Interruption by SIGINT or SIGTERM, so that a subcommand's processes and files do not outlive it.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM, which from now on end nothing by themselves.
#[derive(Debug)]
pub(crate) struct Signals {
    pressed: Signal,
    terminated: Signal,
}

impl Signals {
    /// Listens from now on. A program that tells others of its start does so before.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            pressed: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    /// Does the work, unless a signal comes first, or has come since the last one; then drops the work and returns the number
    /// of the signal.
    pub(crate) async fn unless_told<T>(&mut self, work: impl Future<Output = T>) -> Result<T, u8> {
        tokio::select! {
            done = work => Ok(done),
            _ = self.pressed.recv() => Err(2),
            _ = self.terminated.recv() => Err(15),
        }
    }
}

/// Does the work, unless SIGINT or SIGTERM comes first; then drops the work and returns the number of the signal.
pub(crate) async fn unless_told<T>(work: impl Future<Output = T>) -> io::Result<Result<T, u8>> {
    Ok(Signals::listen()?.unless_told(work).await)
}

/// Returns the exit code of a program that a signal ended, as shells count.
pub(crate) fn exit_code(signal: u8) -> ExitCode {
    const AS_SHELLS_COUNT: u8 = 128;
    ExitCode::from(AS_SHELLS_COUNT + signal)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    /// The test starts a process of its own, because the signals must not reach other tests.
    #[test]
    fn a_signal_leaves_no_folder_behind() {
        for (name, number) in [("INT", 2), ("TERM", 15)] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "interrupt::tests::is_told_to_end", "--ignored"])
                .args(["--nocapture", "--test-threads=1"])
                .env("SIGNAL", name)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{said}");
            assert!(said.contains(&format!("ended by {number}")), "{said}");
        }
    }

    #[tokio::test]
    #[ignore = "sends signals to its process; run by the test above"]
    async fn is_told_to_end() {
        let name = std::env::var("SIGNAL").unwrap_or_else(|_| "TERM".into());
        let mut folder = PathBuf::new();
        let outcome = unless_told(async {
            let temporary = tempfile::tempdir().unwrap();
            temporary.path().clone_into(&mut folder);
            let mut kill = Command::new("kill");
            let kill = kill.args([format!("-{name}"), std::process::id().to_string()]);
            assert!(kill.status().unwrap().success());
            std::future::pending::<()>().await;
            drop(temporary);
        })
        .await;
        let number = outcome.unwrap().unwrap_err();
        assert!(!folder.exists());
        anstream::println!("ended by {number}");
    }
}
