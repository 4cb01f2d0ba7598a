//! Ends a child when this process ends without having done so: a panic in `main`, a signal, a value in a `static`,
//! which Rust never drops.
//!
//! A shell waits for the end of a pipe that only this process holds. The kernel closes it however this process ends. The
//! kernel's own means, a death signal to the child, is of no use: it comes when the *thread* that started the child ends.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Holds a child as long as this value, and this process, live.
#[derive(Debug)]
pub(crate) struct Leash(Child);

impl Leash {
    /// From now on, the end of this process kills `pid` and removes `folder`.
    pub(crate) fn new(pid: u32, folder: &Path) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", r#"read -r _; kill -9 "$0"; rm -rf "$1""#])
            .arg(pid.to_string())
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(shell))
    }
}

impl Drop for Leash {
    /// Lets go: the id may belong to somebody else as soon as the child has been collected.
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            log::warn!("the shell that watches an Envoy could not be ended: {error}");
        }
    }
}

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
        assert!(!child.wait().unwrap().success());
        leash.0.wait().unwrap();
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
