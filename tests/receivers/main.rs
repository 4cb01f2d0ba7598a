//! Receivers of spans side by side: what a span costs the sink, Jaeger's store in memory and the Collector's file exporter,
//! by gRPC and by HTTP, in one run.
//!
//! ```text
//! cargo receivers
//! ```
//!
//! A receiver has one core, this sender another. Each request has 100 spans of about 512 bytes with new ids; four
//! connections have one request each on its way. The CPU time is all that the receiver takes from the first request until it
//! rests again, so that what is written late counts too. A busy machine only adds to it: of several rounds the least
//! counts.

mod candidate;
mod pin;
mod process;
mod requests;
mod sender;
mod table;

use std::process::ExitCode;

use candidate::Candidate;
use clap::Parser;
use sender::Protocol;
use sidespan_tests::peers;
use table::{Measured, Row};

/// Measures what a span costs the sink and its peers.
#[derive(Debug, Parser)]
struct Arguments {
    /// Spans of a measurement; a tenth more goes ahead of them
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    spans: u64,
    /// Measurements of each receiver and protocol
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// The receivers: all, or those whose names contain this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Serves as the sink until standard input ends, and keeps so many spans
    #[arg(long, value_name = "N", hide = true)]
    serve: Option<usize>,
    /// Keeps them in a file
    #[arg(long, requires = "serve", hide = true)]
    in_file: bool,
    /// Ignored: `cargo bench` says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(max_spans) = arguments.serve {
        candidate::serve(max_spans, arguments.in_file);
        return ExitCode::SUCCESS;
    }
    let candidates: Vec<_> = Candidate::ALL
        .into_iter()
        .filter(|it| it.name().contains(&arguments.only))
        .collect();
    let mut rows: Vec<_> = candidates
        .iter()
        .flat_map(|it| Protocol::ALL.map(|protocol| Row::new(*it, protocol)))
        .collect();
    peers::build();
    for round in 1..=arguments.rounds {
        for row in &mut rows {
            eprintln!("round {round}: {}, {}", row.candidate.name(), row.protocol);
            row.measured.push(measure(row, arguments.spans));
        }
    }
    print!("{}", table::print(&rows, arguments.spans));
    let is_refused = rows.iter().any(|row| row.refused() > 0);
    ExitCode::from(u8::from(is_refused))
}

/// Starts a receiver of its own for one measurement.
fn measure(row: &Row, spans: u64) -> Measured {
    pin::to(pin::RECEIVER);
    let receiver = row.candidate.start();
    pin::to(pin::SENDER);
    // Made here, because its threads have the core of the thread that makes it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let address = receiver.address(row.protocol);
    let send = |spans| runtime.block_on(sender::send(address, row.protocol, spans));
    let early = send(spans / 10);
    let before = process::at_rest(receiver.pid());
    let sent = send(spans);
    let after = process::at_rest(receiver.pid());
    Measured {
        spans: sent.spans,
        refused: early.refused + sent.refused,
        cpu: after.saturating_sub(before),
        took: sent.took,
        resident_bytes: process::resident_bytes(receiver.pid()),
    }
}
