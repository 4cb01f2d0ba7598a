//! The arguments of `sidespan trace`, and the search that they make.

use std::path::PathBuf;

use sidespan_sink::Query;

use super::client::Credentials;
use super::conditions::{CONDITIONS, ConditionArgs, count};
use crate::token::TokenArgs;

/// Finds traces and draws them
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct TraceArgs {
    /// The trace to draw: its id, or a beginning of it that no other trace has; without it traces are listed
    #[arg(conflicts_with_all = CONDITIONS)]
    pub id: Option<String>,
    /// Where traces are: the URL of a sink, a Jaeger or a Tempo, or a file: OTLP in JSON, a request a line, plain, gzip or zstd, or a
    /// database of `sidespan sink --data`; `-` for standard input
    #[arg(long, value_name = "URL|FILE", default_value = "http://127.0.0.1:4318")]
    pub from: String,
    /// The conditions
    #[command(flatten)]
    pub conditions: ConditionArgs,
    /// The most traces, those with the newest spans; 20 in a list, and all of them with --export
    #[arg(long, value_name = "COUNT", value_parser = count)]
    pub limit: Option<usize>,
    /// Print traces as their spans arrive in a sink, until Ctrl-C
    #[arg(long, conflicts_with_all = ["id", "limit"])]
    pub follow: bool,
    /// Write the traces as OTLP in JSON, a trace a line, as the Collector's file exporter does; compressed where the name ends in
    /// .gz or .zst, `-` for standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["follow", "json"])]
    pub export: Option<String>,
    /// Send the lines of such a file to the sink at --from; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "follow", "export", "limit"], conflicts_with_all = CONDITIONS)]
    pub import: Option<String>,
    /// Print a list as {"traces":[…]}, a trace as OTLP in JSON, and what is followed a summary a line
    #[arg(long)]
    pub json: bool,
    /// The width of what is drawn; by default the terminal's, and 120 without one
    #[arg(long, value_name = "COLUMNS", conflicts_with = "json")]
    pub width: Option<usize>,
    /// The token that the sink asks for
    #[command(flatten)]
    pub token: TokenArgs,
    /// The authorities to trust with https, in PEM, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  sidespan trace
      the 20 newest traces of the sink on this machine: start, duration, spans, errors, services, root, id
  sidespan trace 4bf92f35
      the waterfall of the trace whose id begins so; ! marks errors, * spans that were kept although not sampled
  sidespan trace --service cart --status error --min-duration 1.5s --since 15m
      those with a span of cart that failed, took 1.5 seconds or more, and began in the last quarter of an hour
  sidespan trace --attribute http.response.status_code=503 --json
      for scripts
  sidespan trace --follow --service cart
      each trace of cart as it changes
  sidespan trace --from spans.db
      of a file that `sidespan sink --data spans.db` writes or has written
  sidespan trace --from http://127.0.0.1:16686 --service cart
      of a Jaeger
  sidespan trace --export traces.jsonl.gz
      everything, as the OpenTelemetry Collector's file exporter writes it
  sidespan trace --import traces.jsonl.gz --from http://127.0.0.1:4318
      and into a sink again
  sidespan trace --from traces.jsonl 4bf92f35 --width 200
      without a sink

A Jaeger is asked for the last two days where --since is left out, and for whole ids alone. Its search knows service, name and \
duration; the other conditions are looked for among at most 1500 traces of a service.

Exit codes: 0 found, 1 nothing found, 2 wrong use, or the source is away.";

/// Returns the search.
pub(super) fn query(args: &TraceArgs) -> Query {
    let limit = args.limit.unwrap_or(Query::default().limit);
    args.conditions.query(limit)
}

/// Returns what the source asks for.
///
/// # Errors
/// When the file of the token cannot be read.
pub(super) fn credentials(args: &TraceArgs) -> anyhow::Result<Credentials<'_>> {
    Credentials::read(&args.token, args.ca.as_deref())
}
