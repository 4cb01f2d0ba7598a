//! The arguments of `sidespan verify`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use sidespan_core::propagation::format::Format;
use sidespan_sink::Query;
use sidespan_sink::api::duration_of;

use crate::token::TokenArgs;
use crate::trace::client::Credentials;
use crate::trace::conditions::{CONDITIONS, ConditionArgs, count};

/// Says whether traces are whole, and if not, which hop broke them and why
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// The trace to look at: its id, or a beginning of it that no other trace has; without it, all that the conditions find
    #[arg(conflicts_with_all = CONDITIONS)]
    pub id: Option<String>,
    /// Where traces are: the URL of a sink, a Jaeger or a Tempo, or a file: OTLP in JSON, a request a line, plain, gzip or zstd,
    /// or a database of `sidespan sink --data`; `-` for standard input
    #[arg(long, value_name = "URL|FILE", default_value = "http://127.0.0.1:4318")]
    pub from: String,
    /// The conditions
    #[command(flatten)]
    pub conditions: ConditionArgs,
    /// The most traces, the newest
    #[arg(long, value_name = "COUNT", value_parser = count, default_value = "1000")]
    pub limit: usize,
    /// Warnings fail, too: clocks that differ, calls without a span of the callee, contexts that disagree
    #[arg(long)]
    pub strict: bool,
    /// Callers outside are traced by others: a request whose caller's span is missing is only a warning
    #[arg(long)]
    pub outside: bool,
    /// What must be there and what must not, in YAML
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// The time to wait until everything is as it must be
    #[arg(long, value_name = "DURATION", value_parser = duration_of)]
    pub wait: Option<Duration>,
    /// Send a request with a known context to this URL, and say how far the context came
    #[arg(long, value_name = "URL", conflicts_with_all = ["id", "expect"], conflicts_with_all = CONDITIONS)]
    pub probe: Option<String>,
    /// The formats that --probe sends, a request each; all where none is given. Can be repeated
    #[arg(long, value_name = "FORMAT", requires = "probe", value_delimiter = ',', value_parser = format)]
    pub format: Vec<Format>,
    /// A header of the requests of --probe; ${env:NAME} in it is the value of a variable. Never shown. Can be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "probe")]
    pub header: Vec<String>,
    /// The method of the requests of --probe
    #[arg(long, requires = "probe", default_value = "GET")]
    pub method: String,
    /// The time in which --probe must be answered
    #[arg(long, value_name = "DURATION", requires = "probe", value_parser = duration_of, default_value = "10s")]
    pub timeout: Duration,
    /// The authorities that --probe trusts with https, in PEM, in place of the system's
    #[arg(long, value_name = "FILE", requires = "probe")]
    pub probe_ca: Option<PathBuf>,
    /// Print one object
    #[arg(long)]
    pub json: bool,
    /// Also write JUnit XML: a case a trace, an expectation, a format
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// The token that the sink asks for
    #[command(flatten)]
    pub token: TokenArgs,
    /// The authorities to trust at --from with https, in PEM, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  sidespan verify
      the 1000 newest traces of the sink on this machine: which hops broke, why, and what to do
  sidespan verify 4bf92f35
      one trace, and the traces of its time, because a broken hop makes two of one
  sidespan verify --service cart --since 15m --strict
      those of cart in the last quarter of an hour; warnings fail, too
  sidespan verify --from traces.jsonl.gz --junit verify.xml
      of a file, for continuous integration
  sidespan verify --from http://127.0.0.1:3200
      of a Tempo; a Jaeger has port 16686
  sidespan verify --expect expect.yaml --wait 5s
      what must be there and what must not, as soon as it is so, in five seconds at most
  sidespan verify --probe https://shop.example/health --from http://sink:4318
      a request for each format through a gateway: how far does its context come?
  sidespan verify --probe http://10.0.0.7/ --format tracecontext,b3 --header 'authorization=Bearer ${env:TOKEN}'
      two formats, with a header that nobody sees

An expectation file:
  whole: true                                    # every trace is whole; the default
  traces:                                        # one trace has all of it
    - spans:
        - {service: front, kind: server, name: GET /checkout}
        - {service: pay, status: error, attributes: {http.response.status_code: 503}}
      hops: [front -> cart, front -> pay]
  absent:                                        # no span anywhere
    - {attributes: {url.query: \"*token=*\"}}

Exit codes: 0 all is whole and as expected, 1 something is not or nothing is there, 2 wrong use, or the source is away.";

/// Returns the search, and true where it has no conditions but the number.
pub(super) fn query(args: &VerifyArgs) -> (Query, bool) {
    let all = Query {
        limit: args.limit,
        ..Query::default()
    };
    let query = args.conditions.query(args.limit);
    let is_all = query == all;
    (query, is_all)
}

/// Returns what the source asks for.
///
/// # Errors
/// When the file of the token cannot be read.
pub(super) fn credentials(args: &VerifyArgs) -> anyhow::Result<Credentials<'_>> {
    Credentials::read(&args.token, args.ca.as_deref())
}

fn format(name: &str) -> anyhow::Result<Format> {
    let found = Format::ALL.iter().find(|format| format.name() == name);
    found.copied().with_context(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}
