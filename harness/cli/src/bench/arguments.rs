//! The arguments of `sidespan bench`.

use std::path::PathBuf;

use clap::value_parser;

/// Measures what tracing costs a request: inside the filter, or beside Envoy's own tracers
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    /// Measure real Envoys under the load of h2load; the first time, an Envoy is fetched
    #[arg(long)]
    pub(super) envoy: bool,
    /// Print one JSON object: {"machine", "versions", "candidates": [{"name", "cpu_us", "added_us", "ratios", …}], "problems", …}
    #[arg(long)]
    pub(super) json: bool,
    /// Only these: a name, or how several begin; no tracing is always there
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// How often each has its turn
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = value_parser!(u32).range(1..))]
    pub(super) rounds: u32,
    /// How many processes each has, one after the other, among which the rounds are divided
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub(super) processes: u32,
    /// Requests to each new process that do not count
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u64).range(1..))]
    pub(super) warm_up: u64,
    /// Requests to each in each round
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u64).range(1..))]
    pub(super) requests: u64,
    /// Connections that send them, one request at a time each
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    pub(super) connections: u32,
    /// How long a round of latency lasts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub(super) latency_seconds: u32,
    /// Leave latency out
    #[arg(long)]
    pub(super) no_latency: bool,
    /// Draw what is added to a request, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Write the tables as Markdown
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
}

impl BenchArgs {
    /// Returns the number of rounds that each process lives for.
    pub(super) fn rounds_of_a_process(&self) -> u32 {
        self.rounds.div_ceil(self.processes)
    }
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
