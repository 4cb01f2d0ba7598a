//! `sidespan demo`: a small mesh whose services speak different formats, and the one trace that comes out of it.
//!
//! Everything is real but the work: HTTP on loopback, a sidecar a service, the filter in every sidecar, a collector. No port
//! is fixed, nothing stays behind. It ends with 0 only if the trace is whole and every hop is in it.

mod call;
mod config;
mod format;
mod mesh;
mod print;
mod report;
mod service;
mod sidecar;

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

pub use format::{Format, Headers};
pub use mesh::{run_mesh, run_mesh_with};
pub use report::{Hop, Report, Sent};
pub use sidecar::Kind;

use sidespan_sink::waterfall::{Options, Paint};

/// Arguments of `sidespan demo`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct DemoArgs {
    /// Use real Envoys as sidecars instead of the built-in host
    #[arg(long)]
    envoy: bool,
    /// Print JSON and nothing else: {"whole", "trace_id", "hops", "spans", …}
    #[arg(long)]
    json: bool,
}

/// Runs the demo and prints what came of it; the code is 1 when the trace is not whole.
///
/// # Errors
/// When the mesh could not be set up.
pub fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let kind = if args.envoy {
        Kind::Envoy
    } else {
        Kind::BuiltIn
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(run_mesh(kind))?;
    let text = if args.json {
        format!("{:#}\n", report.to_json())
    } else {
        print::text(&report, options())
    };
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        // `| head` has seen enough; the verdict stands all the same.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(if report.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Draws for the terminal that is there, or for a pipe.
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

/// Says on a terminal what takes so long; a pipe gets nothing.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{text}");
    }
}

const WIDTH_OF_A_PIPE: usize = 120;
