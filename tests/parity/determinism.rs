//! Determinism of the built-in host: the same scenario gives the same bytes, alone and among a thousand at once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sidespan::run::Runner;

#[test]
fn a_thousand_runs_at_once_give_the_bytes_of_one() {
    let runner = Runner::new(sidespan::FILTER).expect("the filter");
    let runner = runner.transcript(true);
    let files = ["plain-envoy", "keep-errors", "translate-b3-and-w3c"].map(scenario);
    let first = files.each_ref().map(|file| transcript(&runner, file));
    for (file, first) in files.iter().zip(&first) {
        assert_eq!(transcript(&runner, file), *first, "{}", file.display());
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let at @ ..RUNS = next.fetch_add(1, Ordering::Relaxed) {
                    let which = at % files.len();
                    let now = transcript(&runner, &files[which]);
                    assert!(
                        now == first[which],
                        "run {at} differs:\n{now}\n{}",
                        first[which]
                    );
                }
            });
        }
    });
}

/// Returns everything that a run has observed: messages, spans with their ids and times, logs, counters, calls, and each
/// callback and host call with its arguments and its answer.
fn transcript(runner: &Runner, file: &Path) -> String {
    let reports = runner.run_file(file);
    let reports = reports.unwrap_or_else(|error| panic!("{error:#}"));
    let mut reports = reports.iter().peekable();
    assert!(reports.peek().is_some());
    let reports: Vec<_> = reports
        .inspect(|report| {
            let has = |part: &str| report.transcript.iter().any(|line| line.contains(part));
            assert!(has("proxy_on_request_headers(") && has("  proxy_") && has(" -> OK"));
        })
        .collect();
    serde_json::to_string(&reports).expect("JSON")
}

fn scenario(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("../examples").join(name).join("scenario.yaml")
}

const RUNS: usize = 1000;
