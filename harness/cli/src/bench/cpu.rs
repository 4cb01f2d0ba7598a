//! The CPU time that a process has used, from the kernel's own accounting: `schedstat` of each thread, in nanoseconds,
//! where the kernel was built with it, else `stat` of the whole process, in hundredths of a second ([proc_pid_stat]).
//!
//! A thread that has ended has no `schedstat` any more, and Envoy's threads live as long as Envoy.
//!
//! Written here because only two lines of two files below `/proc` are read.
//!
//! [proc_pid_stat]: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// Returns the CPU time that a process has used since its start.
///
/// # Errors
/// When there is no process with this id, or the kernel's files have another form than expected.
pub fn used(pid: u32) -> io::Result<Duration> {
    used_in(&Path::new("/proc").join(pid.to_string()))
}

fn used_in(process: &Path) -> io::Result<Duration> {
    match of_threads(process) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let stat = fs::read_to_string(process.join("stat"))?;
            of_stat(&stat).ok_or_else(|| unreadable("stat"))
        }
        found => found,
    }
}

fn of_threads(process: &Path) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(process.join("task"))? {
        let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += of_schedstat(&schedstat).ok_or_else(|| unreadable("schedstat"))?;
    }
    Ok(sum)
}

/// Reads `<ns on a CPU> <ns waiting for one> <time slices>`.
fn of_schedstat(text: &str) -> Option<Duration> {
    let nanos = text.split_ascii_whitespace().next()?;
    Some(Duration::from_nanos(nanos.parse().ok()?))
}

/// Reads the fields 14 and 15 of `<id> (<name>) <state> …`; the name may hold anything.
fn of_stat(text: &str) -> Option<Duration> {
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + system) * MILLIS_OF_A_CLOCK_TICK,
    ))
}

fn unreadable(file: &str) -> io::Error {
    let text = format!("the kernel's {file} is not as it was known");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Clock tick of the kernel's figures for programs (`USER_HZ`), the same on every architecture that Envoy is built for.
const MILLIS_OF_A_CLOCK_TICK: u64 = 10;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn adds_up_the_threads_to_the_nanosecond() {
        let process = tempfile::tempdir().unwrap();
        for (thread, text) in [("7", "1000000001 500 3\n"), ("8", "2 9 1\n")] {
            let folder = process.path().join("task").join(thread);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("schedstat"), text).unwrap();
        }
        let used = used_in(process.path()).unwrap();
        assert_eq!(used, Duration::from_nanos(1_000_000_003));
    }

    #[test]
    fn without_it_takes_what_every_kernel_has() {
        let process = tempfile::tempdir().unwrap();
        fs::create_dir_all(process.path().join("task/7")).unwrap();
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 2 0 0 0 150 25 0 0 20 0 1 0 5 6 7 8\n";
        fs::write(process.path().join("stat"), stat).unwrap();
        assert_eq!(
            used_in(process.path()).unwrap(),
            Duration::from_millis(1750)
        );
    }

    #[test]
    fn says_so_where_the_kernel_says_something_else() {
        let process = tempfile::tempdir().unwrap();
        let thread = process.path().join("task/7");
        fs::create_dir_all(&thread).unwrap();
        fs::write(thread.join("schedstat"), "none\n").unwrap();
        assert!(
            used_in(process.path())
                .unwrap_err()
                .to_string()
                .contains("schedstat")
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_used_some() {
        assert!(used(std::process::id()).unwrap() > Duration::ZERO);
    }
}
