//! A shell that ends a child when this process ends without having ended it: by a panic in `main`, by a signal, or with the
//! child in a `static`, which Rust never drops.
//!
//! The shell waits for the end of a pipe that only this process has open, and which the kernel closes however this process
//! ends. The kernel's own means, a death signal to the child, is of no use, because it comes when the *thread* that started
//! the child ends.
//!
//! The shell is in the same process group, so that a signal from a terminal or a supervisor to this process reaches the
//! shell as well. The shell ignores signals for that reason; only the pipe and SIGKILL end it.
//!
//! The leash is needed because a `Drop` that ends a child does not run when this process is killed.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The shell that watches a child, as long as this value and this process live. Dropping the value does not end the child.
#[derive(Debug)]
pub struct Leash(Child);

impl Leash {
    /// Starts the shell: from now on, the end of this process kills `pid` and removes `folder`. Waits until the shell
    /// ignores signals.
    ///
    /// # Errors
    /// [`io::Error`] when no shell can be started.
    pub fn new(pid: u32, folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(pid.to_string())
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let ready = shell.stdout.take();
        let leash = Self(shell);
        if let Some(mut ready) = ready {
            ready.read_exact(&mut [0])?;
        }
        Ok(leash)
    }
}

impl Drop for Leash {
    /// Ends the shell, because `pid` may belong to another process as soon as the child has been collected.
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            log::warn!("the shell that watches a child could not be ended: {error}");
        }
    }
}

/// The shell's script. A signal that it ignores is ignored by its `rm` too.
const SCRIPT: &str = r#"trap '' INT TERM HUP QUIT; echo; read -r _; kill -9 "$0"; rm -rf "$1""#;

#[cfg(test)]
mod tests {
    use super::Leash;
    use std::path::Path;
    use std::process::{Command, Stdio};

    #[test]
    fn the_end_of_this_process_is_the_end_of_the_child() {
        let folder = tempfile::tempdir().unwrap().keep();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let mut leash = Leash::new(child.id(), &folder).unwrap();
        assert!(child.try_wait().unwrap().is_none());
        // What the kernel does when this process ends.
        drop(leash.0.stdin.take());
        leash.0.wait().unwrap();
        // Waiting for it closes its input, at which it would end by itself.
        assert!(!child.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn signals_to_the_group_do_not_keep_it_from_cleaning_up() {
        let folder = tempfile::tempdir().unwrap().keep();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let mut leash = Leash::new(child.id(), &folder).unwrap();
        for signal in ["-INT", "-TERM", "-HUP", "-QUIT"] {
            let mut kill = Command::new("kill");
            let sent = kill.arg(signal).arg(leash.0.id().to_string()).status();
            assert!(sent.unwrap().success());
        }
        drop(leash.0.stdin.take());
        leash.0.wait().unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn letting_go_leaves_the_child_alone() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        drop(Leash::new(child.id(), Path::new("/nonexistent")).unwrap());
        assert!(child.try_wait().unwrap().is_none());
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}
