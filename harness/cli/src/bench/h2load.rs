//! The load generator: `h2load` of the [nghttp2] project, one request after the other on each of its connections.
//!
//! `h2load` is a process of its own, so its CPU time is charged to no candidate; its figures are read from its summary
//! and its log. Its exit code is 0 whatever became of the requests, so the summary's status codes are checked.
//!
//! [nghttp2]: https://nghttp2.org/documentation/h2load-howto.html

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use super::statistics::percentile;

/// The requests of one load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load<'a> {
    pub(super) requests: u64,
    pub(super) connections: u32,
    /// A fixed rate; unset, each connection sends as soon as it has its answer.
    pub(super) pace: Option<Pace<'a>>,
}

/// A fixed rate, and the file for the latency of each request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'a> {
    pub(super) requests_per_second: f64,
    pub(super) log: &'a Path,
}

/// Latencies that half, nine tenths and 99 of a hundred requests took at most, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p90: u64,
    pub(super) p99: u64,
}

/// Returns the version of the installed `h2load`.
///
/// # Errors
/// When `h2load` is not installed, with the name of the package that has it.
pub(super) async fn version() -> anyhow::Result<String> {
    let output = command().arg("--version").output().await.map_err(missing)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(said.trim().trim_start_matches("h2load ").to_owned())
}

/// Sends a load and returns the number of answered requests a second.
///
/// # Errors
/// When a request was not answered with 2xx.
pub(super) async fn send(to: SocketAddr, load: Load<'_>) -> anyhow::Result<f64> {
    let mut command = command();
    command
        .args(["--h1", "-n", &load.requests.to_string()])
        .args(["-c", &load.connections.to_string()]);
    if let Some(pace) = load.pace {
        let each = pace.requests_per_second / f64::from(load.connections);
        command.arg(format!("--rps={each:.3}"));
        command.arg("--log-file").arg(pace.log);
    }
    for header in HEADERS {
        command.args(["-H", header]);
    }
    command.arg(format!("http://{to}{PATH}"));
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .with_context(|| format!("h2load has not ended within {PATIENCE:?}"))?
        .map_err(missing)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(summary) = Summary::parse(&said) else {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("h2load ended ({}) and said:\n{said}{errors}", output.status);
    };
    ensure!(
        summary.answered_well == load.requests,
        "{} of {} requests were answered with 2xx; h2load says:\n{}",
        summary.answered_well,
        load.requests,
        summary.outcome
    );
    Ok(summary.requests_per_second)
}

/// The parts of h2load's summary that are used.
#[derive(Debug, PartialEq)]
struct Summary {
    requests_per_second: f64,
    answered_well: u64,
    /// The summary's lines on the outcome of the requests.
    outcome: String,
}

impl Summary {
    fn parse(text: &str) -> Option<Self> {
        let line = |start: &str| text.lines().find(|line| line.starts_with(start));
        let (_, rate) = line("finished in ")?.split_once(", ")?;
        let (rate, _) = rate.split_once(" req/s")?;
        let (requests, codes) = (line("requests: ")?, line("status codes: ")?);
        let (answered_well, _) = codes
            .trim_start_matches("status codes: ")
            .split_once(" 2xx")?;
        Some(Self {
            requests_per_second: rate.parse().ok()?,
            answered_well: answered_well.parse().ok()?,
            outcome: format!("{requests}\n{codes}"),
        })
    }
}

impl Latency {
    /// Reads a log of h2load: start, status and duration of a request, one request a line.
    pub(super) fn parse(log: &str) -> Option<Self> {
        let taken = |line: &str| line.split('\t').nth(2)?.trim().parse().ok();
        let mut times: Vec<u64> = log.lines().map(taken).collect::<Option<_>>()?;
        times.sort_unstable();
        Some(Self {
            p50: percentile(&times, 50)?,
            p90: percentile(&times, 90)?,
            p99: percentile(&times, 99)?,
        })
    }
}

fn command() -> Command {
    let mut command = Command::new("h2load");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn missing(error: std::io::Error) -> anyhow::Error {
    if error.kind() == ErrorKind::NotFound {
        anyhow::anyhow!(
            "there is no `h2load`, which makes the load; install nghttp2-client (Debian, Ubuntu) or nghttp2 (Homebrew)"
        )
    } else {
        anyhow::Error::new(error).context("h2load does not run")
    }
}

/// Headers of a usual client of an API, without trace context, so that every request begins a trace.
const HEADERS: [&str; 6] = [
    "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept: application/json, text/plain, */*",
    "accept-language: en-GB,en;q=0.8,de;q=0.6",
    "accept-encoding: gzip, deflate, br",
    "cache-control: no-cache",
    "x-forwarded-proto: https",
];
const PATH: &str = "/api/orders/42?expand=items&currency=EUR";

/// Time limit of one load, after which something must be wrong because a round takes seconds.
const PATIENCE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
starting benchmark...
spawning thread #0: 10 total client(s). 300 total requests
Application protocol: http/1.1
progress: 100% done

finished in 27.20ms, 11029.41 req/s, 1.44MB/s
requests: 300 total, 300 started, 300 done, 299 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 299 2xx, 0 3xx, 0 4xx, 1 5xx
traffic: 40.14KB (41100) total, 24.02KB (24600) headers (space savings 0.00%), 600B (600) data
                     min         max         mean         sd        +/- sd
time for request:      279us      2.91ms       873us       318us    83.33%
req/s           :    1104.67     1117.03     1110.76        4.29    70.00%
";

    #[test]
    fn reads_the_rate_and_the_good_answers() {
        let summary = Summary::parse(SAID).unwrap();
        assert_eq!(summary.requests_per_second, 11029.41);
        assert_eq!(summary.answered_well, 299);
        assert!(summary.outcome.contains("1 failed"), "{}", summary.outcome);
    }

    #[test]
    fn a_summary_without_its_lines_is_none() {
        for gone in ["finished in", "requests:", "status codes:"] {
            let lines = SAID.lines().filter(|line| !line.starts_with(gone));
            let text: Vec<_> = lines.collect();
            assert_eq!(Summary::parse(&text.join("\n")), None, "{gone}");
        }
    }

    #[test]
    fn reads_the_times_of_a_log_in_any_order() {
        let log: String = (1..=100)
            .rev()
            .map(|taken| format!("1795180211017270\t200\t{taken}\n"))
            .collect();
        let expected = Latency {
            p50: 50,
            p90: 90,
            p99: 99,
        };
        assert_eq!(Latency::parse(&log), Some(expected));
    }

    #[test]
    fn a_log_that_was_cut_is_none() {
        for log in ["", "1795180211017270\t200\n", "1795180211017270\t200\tx\n"] {
            assert_eq!(Latency::parse(log), None, "{log:?}");
        }
    }
}
