//! `sidespan demo`: a small mesh whose services speak different formats, and the one trace that comes out of it.
//!
//! Everything is real but the work: HTTP on loopback, a sidecar for each service, the filter in every sidecar, a
//! collector. No port is fixed, and nothing stays behind. The exit code is 0 only if the trace is whole and every hop
//! is in it.

mod call;
mod config;
mod format;
mod mesh;
mod print;
mod report;
mod service;
mod sidecar;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};

pub use format::{Format, Headers, Ids};
pub use mesh::{run_mesh, run_mesh_with};
pub use report::{Hop, Report, Sent};
pub use sidecar::Kind;

use sidespan_sink::waterfall::{Options, Paint};

use crate::interrupt::{exit_code, unless_told};
use crate::output;

/// Sends a request through a mesh of mixed trace-context formats and shows its one trace
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// Use real Envoys as sidecars instead of the built-in host; the first time, one is fetched
    #[arg(long)]
    envoy: bool,
    /// Print one JSON object: {"whole", "trace_id", "problems", "hops", "spans"}
    #[arg(long)]
    json: bool,
}

/// Runs the demo and prints its report; the exit code is 1 when the trace is not whole.
///
/// # Errors
/// When the mesh cannot be set up.
pub fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let kind = if args.envoy {
        Kind::Envoy
    } else {
        Kind::BuiltIn
    };
    let runtime = tokio::runtime::Runtime::new()?;
    // Dropping the mesh, as an interruption does, ends its Envoys and removes its files.
    let outcome = runtime.block_on(async { unless_told(run_mesh(kind)).await });
    // A task that still waits for an Envoy's start need not end, because Envoys end with this process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    let report = match outcome? {
        Ok(report) => report?,
        Err(signal) => return Ok(exit_code(signal)),
    };
    let text = if args.json {
        format!("{:#}\n", report.to_json())
    } else {
        print::text(&report, options())
    };
    output::print(text.as_bytes())?;
    Ok(if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Returns the drawing options for standard output, a terminal or a pipe.
fn options() -> Options {
    let stdout = std::io::stdout();
    let paint = match AutoStream::choice(&stdout) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Colour,
    };
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = terminal.filter(|_| stdout.is_terminal());
    Options {
        width: width.unwrap_or(WIDTH_OF_A_PIPE),
        paint,
    }
}

const WIDTH_OF_A_PIPE: usize = 120;

const EXAMPLES: &str = "\
Each service reads and forwards the headers of one format only (W3C, W3C without tracestate, B3 in several headers, B3 in \
one, Jaeger, Datadog) and knows nothing else of tracing. What is printed: the configuration of the filter in every \
sidecar, what each service was given and passed on, the trace that a collector got, and whether it is whole. Everything \
listens on free ports of this machine, and nothing stays behind.

Examples:
  sidespan demo                                  as quickly as possible
  sidespan demo --envoy                          as in a real mesh
  sidespan demo --json | jq '.hops[].received'   every header that a service was given

Exit codes: 0 one whole trace with every hop in it, 1 it broke (the last lines say where), 2 the mesh could not start.";
