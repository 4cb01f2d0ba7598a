//! The cores of sender and receiver: what a thread starts, threads and processes, has its core.
//!
//! A receiver is started on its core, not moved there later, because Go's runtime and tokio count the cores when they start.

use std::process::{self, Command};

/// The core of the sender.
pub(crate) const SENDER: &str = "0";
/// The core of the receiver.
pub(crate) const RECEIVER: &str = "1";

/// Moves this process's main thread to a core; the threads that it started before stay.
pub(crate) fn to(core: &str) {
    let output = Command::new("taskset")
        .args(["--cpu-list", "--pid", core])
        .arg(process::id().to_string())
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("taskset, of util-linux, is needed to give each side a core: {error}"),
    }
}
