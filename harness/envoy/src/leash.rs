//! Ends a child when this process ends without having done so: a panic in `main`, a signal, a value in a `static`,
//! which Rust never drops.
//!
//! A shell waits for the end of a pipe that only this process holds. The kernel closes it however this process ends. The
//! kernel's own means, a death signal to the child, is of no use: it comes when the *thread* that started the child ends.
//!
//! The shell is in the same process group, so what ends this process from a terminal or a supervisor reaches it as well:
//! it hears only the pipe, and SIGKILL.
//!
//! Written here because what ends a child in its `Drop` does not run when this process is killed.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Holds a child as long as this value, and this process, live. Letting go of it does not end the child.
#[derive(Debug)]
pub struct Leash(Child);

impl Leash {
    /// From now on, the end of this process kills `pid` and removes `folder`. Waits until the shell is deaf to signals.
    ///
    /// # Errors
    /// When there is no shell.
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
    /// Lets go: the id may belong to somebody else as soon as the child has been collected.
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            log::warn!("the shell that watches a child could not be ended: {error}");
        }
    }
}

/// What is ignored here is so in `rm` too.
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
