//! The scenarios of `tests/parity`, each on the built-in host and on a real Envoy.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use sidespan::run::report::Report;
use sidespan::run::{On, Runner};
use sidespan_tests::guests;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_scenario_is_the_same_on_both() {
    let files = files();
    let runners = [On::Wasmtime, On::Envoy].map(runner);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !compare(file, &runners).is_empty() {
                wrong.lock().expect("no thread panics").push(file);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    // Once more and alone, because an Envoy that had no processor for a tenth of a second gets two pieces as one, or a tick too early.
    let wrong = wrong.into_inner().expect("no thread panics").into_iter();
    let wrong: Vec<_> = wrong.flat_map(|file| compare(file, &runners)).collect();
    assert!(
        wrong.is_empty(),
        "{} of the scenarios in {} files:\n{}",
        wrong.len(),
        files.len(),
        wrong.join("\n")
    );
}

/// Returns what is wrong with the scenarios of a file.
pub(super) fn compare(file: &Path, runners: &[Runner; 2]) -> Vec<String> {
    let place = file.strip_prefix(root()).unwrap_or(file).display();
    let runs = runners.each_ref().map(|runner| runner.run_file(file));
    let (host, envoy) = match runs {
        [Ok(host), Ok(envoy)] => (host, envoy),
        [host, envoy] => {
            let error = |on: &str, run: anyhow::Result<Vec<Report>>| {
                run.err().map(|error| format!("{place}: {on}: {error:#}"))
            };
            return [error("host", host), error("Envoy", envoy)]
                .into_iter()
                .flatten()
                .collect();
        }
    };
    let pairs = host.iter().zip(&envoy);
    let found = pairs.flat_map(|(host, envoy)| {
        let missed = [("host", host), ("Envoy", envoy)].map(|(on, report)| {
            let failures = report.failures.iter();
            let failures = failures.map(|it| match &it.diff {
                Some(diff) => format!("{}\n{diff}", it.at),
                None => format!("{}: expected {}, found {}", it.at, it.expected, it.found),
            });
            let failures: Vec<_> = failures.collect();
            let text = format!(
                "{place}: {}: {on}: {}",
                report.scenario,
                failures.join("\n")
            );
            (!failures.is_empty()).then_some(text)
        });
        let difference = host
            .difference(envoy)
            .map(|difference| format!("{place}: {}: - host, + Envoy\n{difference}", host.scenario));
        let found = missed.into_iter().chain([difference]).flatten();
        let found: Vec<_> = found.collect();
        match (host.scenario.starts_with(DIFFERS), found.is_empty()) {
            (true, true) => vec![format!(
                "{place}: {}: both do the same by now; take the word from its name",
                host.scenario
            )],
            (true, false) => Vec::new(),
            (false, _) => found,
        }
    });
    found.collect()
}

/// Returns a runner whose module is the guest of scripts, unless a scenario names another.
pub(super) fn runner(on: On) -> Runner {
    let runner = Runner::with_module(&guests::scripted());
    runner.expect("the guest of scripts").on(on)
}

/// Returns the scenarios of all groups, or those whose path contains `SIDESPAN_PARITY`.
fn files() -> Vec<PathBuf> {
    let wanted = env::var("SIDESPAN_PARITY").unwrap_or_default();
    let mut files = Vec::new();
    for group in fs::read_dir(root()).expect("the groups") {
        let group = group.expect("an entry").path();
        // One scenario for guests in several languages, which `languages.rs` names.
        if group.is_dir() && !group.ends_with("languages") {
            let entries = fs::read_dir(&group).expect("a group");
            files.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.retain(|file| file.display().to_string().contains(&wanted));
    files.sort();
    assert!(!files.is_empty(), "no scenario is like {wanted}");
    files
}

/// Returns the folder of the scenarios.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity")
}

/// The beginning of the names of scenarios that still differ, each with its reason in a comment of its file.
const DIFFERS: &str = "differs: ";

/// Scenarios that run at once: more than cores, because most of an Envoy's time is waiting.
const AT_ONCE: usize = 4;
