//! The carrying of traces: into a file, and from a file into a sink.

use std::io::{BufRead, ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use sidespan_sink::Query;
use sidespan_sink::otlp_json::read_request;

use super::client::{Client, Credentials};
use super::files::{self, Contents, Out};
use super::source::{Source, is_url};
use crate::output;

/// The most tries for a line while the sink asks for patience.
const TRIES: usize = 20;
/// The pause before another try where the sink names none.
const PAUSE: Duration = Duration::from_secs(1);

/// Exports the traces that a query finds, or the one with an id.
pub(super) async fn export(
    source: &Source,
    id: Option<&str>,
    (query, is_all): (&Query, bool),
    name: &str,
) -> anyhow::Result<ExitCode> {
    let mut out = Out::create(name)?;
    let written = match id {
        None => source.export(query, is_all, &mut out).await,
        Some(id) => match source.trace(id).await? {
            None => Ok(0),
            Some(mut line) => {
                line.push(b'\n');
                out.write_all(&line).map(|()| 1).map_err(Into::into)
            }
        },
    };
    let done = written.and_then(|traces| {
        out.finish()?;
        Ok(traces)
    });
    let traces = match done {
        // A reader that has seen enough, as `head`, is no error.
        Err(error) if is_closed_pipe(&error) => return Ok(ExitCode::SUCCESS),
        done => done.with_context(|| format!("exporting to {name}"))?,
    };
    output::tell(format_args!("exported {}", counted(traces, "trace")));
    Ok(match traces {
        0 => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    })
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)
    })
}

/// The result of an import.
#[derive(Debug, Default)]
struct Sent {
    lines: u64,
    spans: u64,
    rejected: u64,
}

/// Sends the lines of a file to a sink.
pub(super) async fn import(
    name: &str,
    to: &str,
    credentials: &Credentials<'_>,
    is_json: bool,
) -> anyhow::Result<ExitCode> {
    if !is_url(to) {
        bail!("--import sends to a running sink: give its URL with --from, found {to:?}");
    }
    let client = Client::new(to, credentials)?;
    let Contents::Lines(mut lines) = files::open(name)? else {
        bail!(
            "{name} is a database: go on with it by `sidespan sink --data {name}`, or export it first: sidespan trace --from {name} --export -"
        );
    };
    let mut sent = Sent::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        if read.with_context(|| format!("reading {name}"))? == 0 {
            break;
        }
        sent.lines += 1;
        if !line.trim_ascii().is_empty() {
            let number = sent.lines;
            send(&client, &line, &mut sent).await.with_context(|| {
                format!("{name}, line {number} (the lines before it were sent)")
            })?;
        }
    }
    let Sent {
        spans, rejected, ..
    } = sent;
    if is_json {
        let json = serde_json::json!({"lines": sent.lines, "spans": spans, "rejected": rejected});
        output::print(format!("{json}\n").as_bytes())?;
    } else {
        let also = match rejected {
            0 => String::new(),
            rejected => format!("; {rejected} of them rejected"),
        };
        output::tell(format_args!(
            "sent {} to {to}{also}",
            counted(spans, "span")
        ));
    }
    Ok(match (spans, rejected) {
        (1.., 0) => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    })
}

async fn send(client: &Client, line: &[u8], sent: &mut Sent) -> anyhow::Result<()> {
    let (request, _) = read_request(line)?;
    let scopes = request.resource_spans.iter().flat_map(|it| &it.scope_spans);
    let spans: usize = scopes.map(|scope| scope.spans.len()).sum();
    if spans == 0 {
        // The Collector's exporter writes logs and metrics into the same file.
        return Ok(());
    }
    let body = request.encode_to_vec();
    for _ in 0..TRIES {
        let answer = client.post("/v1/traces", body.clone()).await?;
        match answer.status {
            429 | 502 | 503 | 504 => tokio::time::sleep(answer.retry_after.unwrap_or(PAUSE)).await,
            _ if answer.is_success() => {
                let told = ExportTraceServiceResponse::decode(&answer.body[..])?;
                let partial = told.partial_success.unwrap_or_default();
                sent.spans += u64::try_from(spans).unwrap_or(u64::MAX);
                sent.rejected += u64::try_from(partial.rejected_spans).unwrap_or(0);
                return Ok(());
            }
            _ => return Err(client.unexpected(&answer)),
        }
    }
    bail!("{} asks for patience again and again", client.base())
}
