//! A process's use of CPU and memory, from the kernel's own accounting ([proc_pid_stat], [proc_pid_status]).
//!
//! [proc_pid_stat]: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
//! [proc_pid_status]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Waits until the process has used no CPU for [`REST`], at most for [`LIMIT`], and returns the CPU time since its start.
pub(crate) fn at_rest(pid: u32) -> Duration {
    let mut used = cpu(pid);
    let start = Instant::now();
    let mut since = start;
    while since.elapsed() < REST && start.elapsed() < LIMIT {
        thread::park_timeout(LOOK);
        let now = cpu(pid);
        if now > used {
            (used, since) = (now, Instant::now());
        }
    }
    used
}

/// Returns the CPU time of all threads since the start, those that have ended too.
fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(") ").expect("the kernel's fields");
    let ticks: u64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * MILLIS_OF_A_CLOCK_TICK)
}

/// Returns the bytes of memory that the process has now.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("the kernel's figure") * 1024
}

/// Longer than any batch waits for more spans, and than a file's buffer waits to be written.
const REST: Duration = Duration::from_millis(1_500);
/// A process that never rests has work of its own.
const LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);
/// Clock tick of the kernel's figures for programs (`USER_HZ`), the same on every architecture.
const MILLIS_OF_A_CLOCK_TICK: u64 = 10;
