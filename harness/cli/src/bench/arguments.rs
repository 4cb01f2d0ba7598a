//! The arguments of `sidespan bench`.

use std::path::PathBuf;

use clap::value_parser;

use super::candidate::OtherBuild;
use super::preset;

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
    /// Only these: a preset, a name, or how several begin; no tracing is always there
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Measure this build of the filter, too, in the configurations that are chosen of the one in here; its candidates' names
    /// begin with NAME, or `other`
    #[arg(long, value_name = "FILE[=NAME]", requires = "envoy")]
    pub(super) module: Vec<OtherBuild>,
    /// How often each has its turn
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    pub(super) rounds: u32,
    /// How many processes each has, one after the other, among which the rounds are divided
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    pub(super) processes: u32,
    /// Requests to each new process that do not count, until V8 has compiled the filter a second time
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = value_parser!(u64).range(1..))]
    pub(super) warm_up: u64,
    /// Requests to each in each round
    #[arg(long, value_name = "N", default_value_t = 15_360, value_parser = value_parser!(u64).range(1..))]
    pub(super) requests: u64,
    /// Connections that send them, one request at a time each
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    pub(super) connections: u32,
    /// How long a round of latency lasts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub(super) latency_seconds: u32,
    /// Leave latency out, as presets do
    #[arg(long)]
    pub(super) no_latency: bool,
    /// Draw what is added to a request, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Write claims and tables as Markdown; a file with a block for each processor gets that of this one
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
}

impl BenchArgs {
    /// Returns the number of rounds that each process lives for.
    pub(super) fn rounds_of_a_process(&self) -> u32 {
        self.rounds.div_ceil(self.processes)
    }

    /// Returns true if latency is measured: unless told otherwise, and for no preset, because presets are quick.
    pub(super) fn measures_latency(&self) -> bool {
        let is_preset = self.only.iter().any(|name| preset::named(name).is_some());
        !self.no_latency && !is_preset
    }

    /// Returns the number of rounds of latency.
    pub(super) fn latency_rounds(&self) -> u32 {
        self.rounds.min(LATENCY_ROUNDS)
    }
}

/// The most rounds of latency, which scatters less than cost does.
const LATENCY_ROUNDS: u32 = 4;

const EXAMPLES: &str = "\
Every candidate is an Envoy of its own with one worker, in front of one upstream. In each round each has a turn, in another \
order, and by default a new process, because where its memory happens to lie makes a process cheaper or dearer by up to 2 µs \
as long as it lives. What a request costs is the CPU time of the whole Envoy by the kernel's accounting, in nanoseconds, \
exported spans included; the tables give the least process, the mean of the lowest third, and the median. Spans are received \
outside of the measured processes, and counted. The load is made by h2load (Debian: nghttp2-client). Nothing is bound to a \
core: with two of them, let nothing else run. Figures are of this processor, which the tables name, and of no other.

Candidates, and how they begin:
  no-tracing  what all others are held against
  native-     Envoy's OpenTelemetry tracer: otel 100 %, otel-512 with full batches, otel-1 at 1 %;
              zipkin with B3 and W3C
  least-      a filter written by hand that does the least there is to do, without an SDK: sampled,
              unsampled, unsampled-by-name, keep
  no-op       a filter that does nothing, on proxy-wasm's SDK
  floor-      a filter on that SDK that knows nothing, reads, and writes what Sidespan writes;
              -keep: looks at the response, too; -span: asks for what a span says
  sidespan-   at 100, 0 or 1 %; writing W3C, the default or all formats; with or without keep; with
              its direction configured, or -auto

Presets, without latency, each about three minutes or less:
  sampled     every request a span: Envoy's tracers, the least filter, Sidespan
  unsampled   no request a span, failures not kept
  keep        no request a span, failures kept
  least       the least filter in all its kinds of work, beside one of the SDK that does nothing
  claims      all that the README claims, about six minutes

Examples:
  sidespan bench                                              instructions and calls, in the filter
  sidespan bench --envoy                                      all of them, about 20 minutes
  sidespan bench --envoy --only sampled                       how far from the least? who is cheaper?
  sidespan bench --envoy --only floor,no-op,least             what is Wasm's, and what the SDK's?
  sidespan bench --envoy --only claims --svg filter/cost.svg --markdown README.md
  sidespan bench --envoy --only keep --module old.wasm=before  what a change has gained
  sidespan bench --envoy --only keep --json | jq '.candidates[] | [.name, .added_low_us]'

Exit codes: 0 measured, 1 spans of Sidespan or of the least filter are missing (the last lines say where), 2 nothing could \
be measured.";
