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
use sidespan_sink::{Sink, SinkConfig};

use crate::interrupt::{Signals, exit_code};
use crate::output;

/// Sends a request through a mesh of mixed trace-context formats and shows its one trace
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// Use real Envoys as sidecars instead of the built-in host; the first time, one is fetched
    #[arg(long)]
    envoy: bool,
    /// Print one JSON object: {"whole", "trace_id", "problems", "hops", "spans"}, and "page" with --ui
    #[arg(long)]
    json: bool,
    /// Leave the sink and its page open on the trace, until Ctrl-C
    #[arg(long)]
    ui: bool,
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
    let ended = runtime.block_on(shown(args, kind));
    // A task that still waits for an Envoy's start need not end, because Envoys end with this process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn shown(args: DemoArgs, kind: Kind) -> anyhow::Result<ExitCode> {
    // Whoever reads the address of the page may end it at once.
    let mut signals = Signals::listen()?;
    let sink = Sink::start(SinkConfig::default()).await?;
    let mesh = mesh::run_mesh_into(&sink, kind, config::plugin());
    let report = match signals.unless_told(mesh).await {
        Ok(report) => report?,
        Err(signal) => return Ok(exit_code(signal)),
    };
    let page = args.ui.then(|| page(&sink, &report));
    let text = match (args.json, &page) {
        (true, _) => {
            let mut json = report.to_json();
            if let Some(page) = &page {
                json["page"] = page.as_str().into();
            }
            format!("{json:#}\n")
        }
        (false, None) => print::text(&report, options()),
        (false, Some(page)) => {
            print::text(&report, options()) + &format!("\nits page: {page} (Ctrl-C ends it)\n")
        }
    };
    output::print(text.as_bytes())?;
    if args.ui {
        // Either signal is how it ends.
        let _ = signals.unless_told(std::future::pending::<()>()).await;
    }
    sink.stop().await;
    Ok(if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Returns the address of the page on the demo's trace, or of the list when there is not one trace.
fn page(sink: &Sink, report: &Report) -> String {
    let view = report.trace_id.as_ref();
    let view = view.map_or_else(|| "traces".into(), |id| format!("trace/{id}"));
    format!("http://{}/#/{view}", sink.http_addr())
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
  sidespan demo --ui                             and the trace in a browser, at the address that it prints
  sidespan demo --json | jq '.hops[].received'   every header that a service was given

Exit codes: 0 one whole trace with every hop in it, 1 it broke (the last lines say where), 2 the mesh could not start.";
