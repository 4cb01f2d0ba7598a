//! `sidespan bench`: the cost of tracing a request, counted inside the filter, and measured on a real Envoy beside
//! Envoy's own tracers and beside the least that a filter can do.
//!
//! Figures of two runs on a noisy machine cannot be compared, so all figures that are compared come from one run.

mod arguments;
mod candidate;
mod claims;
pub mod cpu;
mod environment;
mod envoy;
pub mod guest_cost;
mod guest_table;
mod h2load;
pub mod least;
mod markdown;
mod plot;
mod preset;
mod print;
mod receiver;
mod report;
pub mod request_kind;
mod runner;
mod span_wait;
mod statistics;
mod table;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

pub use arguments::BenchArgs;
use report::Report;

use crate::interrupt::{exit_code, unless_told};
use crate::output;

/// Measures and prints the figures; the exit code is 1 when spans of the filter are missing.
///
/// # Errors
/// When nothing can be measured.
pub fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if !args.envoy {
        let costs = guest_table::measure()?;
        let text = match args.json {
            true => guest_table::json(&costs)?,
            false => guest_table::text(&costs),
        };
        output::print(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    for (flag, requests) in [("--requests", args.requests), ("--warm-up", args.warm_up)] {
        if requests < args.connections.into() {
            bail!(
                "{flag}: each of the {} connections sends at least one",
                args.connections
            );
        }
    }
    let runtime = tokio::runtime::Runtime::new()?;
    // Dropping the run, as an interruption does, ends its Envoys and removes its files.
    let outcome = runtime.block_on(async { unless_told(envoy::run(args)).await });
    // A task that still waits for an Envoy's start need not end, because Envoys end with this process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match outcome? {
        Ok(report) => tell(args, &report?),
        Err(signal) => Ok(exit_code(signal)),
    }
}

fn tell(args: &BenchArgs, report: &Report) -> anyhow::Result<ExitCode> {
    // Printing comes first, so that the figures are not lost when a file cannot be written.
    let text = if args.json {
        format!("{:#}\n", report.to_json())
    } else {
        print::text(report)
    };
    output::print(text.as_bytes())?;
    if let Some(file) = &args.svg {
        write(file, &plot::svg(report)?)?;
    }
    if let Some(file) = &args.markdown {
        let existing = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read {}", file.display()))?,
        };
        write(file, &markdown::placed(&existing, report))?;
    }
    let problems = report.problems();
    for problem in &problems {
        output::tell(format_args!("error: {problem}"));
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write(file: &PathBuf, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
