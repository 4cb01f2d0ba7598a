//! `sidespan bench`: what tracing a request costs, inside the filter by count, and on a real Envoy by the clock, beside
//! Envoy's own tracers and beside the least that a filter can do.
//!
//! Figures of two runs on a noisy machine cannot be compared, so all that are compared come from one.

mod awaited;
pub mod builtin;
mod candidate;
mod cpu;
mod envoy;
mod h2load;
mod inside;
pub mod kind;
mod machine;
mod markdown;
mod plot;
mod print;
mod receiver;
mod report;
mod runner;
mod statistics;
mod table;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::value_parser;

use report::Report;

use crate::interrupt::{exit_code, unless_told};
use crate::output;

/// Measures what tracing costs a request: inside the filter, or beside Envoy's own tracers
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    /// Measure real Envoys under the load of h2load; the first time, an Envoy is fetched
    #[arg(long)]
    envoy: bool,
    /// Print one JSON object: {"machine", "versions", "candidates": [{"name", "cpu_us", "added_us", "ratios", …}], "problems", …}
    #[arg(long)]
    json: bool,
    /// Only these: a name, or how several begin; no tracing is always there
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// How often each has its turn
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = value_parser!(u32).range(1..))]
    rounds: u32,
    /// How many processes each has, one after the other, among which the rounds are divided
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    processes: u32,
    /// Requests to each new process that do not count
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u64).range(1..))]
    warm_up: u64,
    /// Requests to each in each round
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..))]
    requests: u64,
    /// Connections that send them, one request at a time each
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    connections: u32,
    /// How long a round of latency lasts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    latency_seconds: u32,
    /// Leave latency out
    #[arg(long)]
    no_latency: bool,
    /// Draw what is added to a request, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the tables as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

impl BenchArgs {
    /// How many rounds a process lives for.
    fn rounds_of_a_process(&self) -> u32 {
        self.rounds.div_ceil(self.processes)
    }
}

/// Measures and prints what came of it; the code is 1 when spans of the filter are missing.
///
/// # Errors
/// When nothing can be measured.
pub fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if !args.envoy {
        let costs = inside::measure()?;
        let text = match args.json {
            true => inside::json(&costs)?,
            false => inside::text(&costs),
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
    // What still waits for an Envoy that is starting need not end: Envoys go with this process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match outcome? {
        Ok(report) => tell(args, &report?),
        Err(signal) => Ok(exit_code(signal)),
    }
}

fn tell(args: &BenchArgs, report: &Report) -> anyhow::Result<ExitCode> {
    // First, so that a file that cannot be written does not take the figures with it.
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
        write(file, &markdown::text(report))?;
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

const EXAMPLES: &str = "\
Every candidate is an Envoy of its own with one worker; all are alive at once, in front of one upstream, and have their \
turns in each round. What a request costs is the CPU time of the whole Envoy by the kernel's accounting, exported spans \
included, and the least of the rounds counts: a busy machine only adds. Where its memory happens to lie makes a process \
cheaper or dearer by up to 1 µs as long as it lives, so each has several, one after the other. Spans are received outside of \
the measured processes, and counted. The load is made by h2load (Debian: nghttp2-client).

Candidates, and how they begin:
  no-tracing  what all others are held against
  native-     Envoy's OpenTelemetry tracer: otel 100 %, otel-512 with full batches, otel-1 at 1 %;
              zipkin with B3 and W3C
  no-op       a filter that does nothing
  floor-      a filter that knows nothing, reads, and writes what Sidespan writes; -keep: looks at
              the response, too; -span: asks for what a span says
  sidespan-   at 100, 0 or 1 %; writing W3C, the default or all formats; with or without keep; with
              its direction configured, or -auto

Examples:
  sidespan bench                                                   instructions and calls, in the filter
  sidespan bench --envoy                                           all of them, about 13 minutes
  sidespan bench --envoy --no-latency --only native,sidespan-100   who is cheaper?
  sidespan bench --envoy --only floor,sidespan-0 --rounds 12       what is ours, and what Wasm's?
  sidespan bench --envoy --svg cost.svg --markdown cost.md         for a README
  sidespan bench --envoy --json | jq '.candidates[] | [.name, .added_us]'

Exit codes: 0 measured, 1 spans of Sidespan are missing (the last lines say where), 2 nothing could be measured.";
