//! `sidespan sidecar` as a process beside a test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The filter that marks every message with `x-version: 1`.
pub(super) const FILTER: &str = include_str!("filter.wat");

/// A running sidecar, which is ended when it is dropped.
pub(super) struct Program {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts a sidecar on a free port in front of a server, with more arguments.
    pub(super) fn start(upstream: SocketAddr, arguments: &[&str]) -> Self {
        let upstream = upstream.to_string();
        let arguments = [&["sidecar", "--upstream", &upstream], arguments].concat();
        Self::start_in(Path::new("."), &arguments)
    }

    /// Starts the program in a folder.
    pub(super) fn start_in(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidespan-program"))
            .current_dir(folder)
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&said);
        let reader = thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                lock(&lines).push(line);
            }
        });
        let mut program = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            said,
            reader: Some(reader),
        };
        let line = program.wait_for("listening on ");
        let address = line.trim_start_matches("listening on ");
        program.address = address.parse().expect("an address");
        program
    }

    /// Returns the address that it listens on.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a line with this in it, and returns the line.
    pub(super) fn wait_for(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = lock(&self.said).clone();
            if let Some(line) = said.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            assert!(Instant::now() < deadline, "no {part:?} in {said:#?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the most memory that it has used so far, in KiB; `None` where the system does not tell.
    pub(super) fn peak_kib(&self) -> Option<u64> {
        let file = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(file).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Asks it to end, and returns everything that it has said.
    pub(super) fn stop(mut self) -> String {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), Signal::TERM).expect("a signal");
        let status = self.child.wait().expect("its end");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its last line");
        }
        let said = lock(&self.said).join("\n");
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A program that has already ended is only collected.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the filter with another version into a folder, at once as `cp` and `mv` would, and returns its file.
pub(super) fn module(folder: &Path, version: u8) -> PathBuf {
    let text = FILTER.replace(
        "(i32.const 32) \"1\")",
        &format!("(i32.const 32) \"{version}\")"),
    );
    let (file, new) = (folder.join("filter.wat"), folder.join("new"));
    fs::write(&new, text).expect("a file");
    fs::rename(new, &file).expect("a file");
    file
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PATIENCE: Duration = Duration::from_secs(60);
