//! The run of `sidespan trace`.

use std::io::IsTerminal;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anyhow::bail;
use sidespan_sink::api::write_summaries;
use sidespan_sink::waterfall::{self, Options, Paint};
use sidespan_sink::{Query, listing};

use super::arguments::{TraceArgs, credentials, query};
use super::source::Source;
use super::{follow, loaded, source, transfer};
use crate::output;
use crate::terminal::harmless;

/// Finds traces and shows them.
///
/// # Errors
/// When the source is away, cannot be read, or the use is wrong.
pub fn run(args: &TraceArgs) -> anyhow::Result<ExitCode> {
    let id = args.id.as_deref().map(digits).transpose()?;
    let (query, credentials) = (query(args), credentials(args)?);
    let options = options(args);
    tokio::runtime::Runtime::new()?.block_on(async {
        if let Some(file) = &args.import {
            return transfer::import(file, &args.from, &credentials, args.json).await;
        }
        let source = source::open(&args.from, &credentials).await?;
        if let Some(file) = &args.export {
            let all = Query {
                limit: args.limit.unwrap_or(usize::MAX),
                ..query.clone()
            };
            let is_all = all == all_of_them();
            return transfer::export(&source, id.as_deref(), (&all, is_all), file).await;
        }
        if args.follow {
            return follow::follow(&source, &query, args.json, options).await;
        }
        match &id {
            Some(id) => one(&source, id, args.json, options).await,
            None => list(&source, &query, args.json, options).await,
        }
    })
}

fn all_of_them() -> Query {
    Query {
        limit: usize::MAX,
        ..Query::default()
    }
}

/// Returns the digits of a trace id, or of its beginning, in lower case.
fn digits(text: &str) -> anyhow::Result<String> {
    let is_id = (1..=32).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_hexdigit());
    if !is_id {
        bail!("expected a trace id of up to 32 hexadecimal digits, found {text:?}");
    }
    Ok(text.to_ascii_lowercase())
}

fn options(args: &TraceArgs) -> Options {
    let terminal = terminal_size::terminal_size()
        .filter(|_| std::io::stdout().is_terminal())
        .map(|(width, _)| usize::from(width.0));
    Options {
        width: args.width.or(terminal).unwrap_or(PIPE_WIDTH),
        paint: match AutoStream::choice(&std::io::stdout()) {
            ColorChoice::Never => Paint::Plain,
            _ => Paint::Colour,
        },
    }
}

async fn list(
    source: &Source,
    query: &Query,
    is_json: bool,
    options: Options,
) -> anyhow::Result<ExitCode> {
    let found = source.search(query).await?;
    if is_json {
        output::print(format!("{}\n", harmless(&write_summaries(&found))).as_bytes())?;
    } else if !found.is_empty() {
        output::print(listing::render(&found, options).as_bytes())?;
    }
    if found.is_empty() {
        return Ok(nothing("no trace is found"));
    }
    if !is_json && found.len() == query.limit {
        output::tell(format_args!(
            "the {} newest; --limit shows more, and an id the waterfall",
            query.limit
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn one(
    source: &Source,
    id: &str,
    is_json: bool,
    options: Options,
) -> anyhow::Result<ExitCode> {
    let Some(json) = source.trace(id).await? else {
        return Ok(nothing(&format!("no trace {id} is there")));
    };
    if is_json {
        let json = harmless(&String::from_utf8_lossy(&json));
        output::print(format!("{json}\n").as_bytes())?;
    } else {
        let spans = loaded::spans(&json).await?;
        output::print(waterfall::render(&spans, options).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing(what: &str) -> ExitCode {
    output::tell(what);
    ExitCode::from(1)
}

/// The width where there is no terminal.
const PIPE_WIDTH: usize = 120;
