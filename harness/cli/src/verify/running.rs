//! The run of `sidespan verify`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use sidespan_sink::verify::verify;

use super::arguments::{VerifyArgs, credentials, query};
use super::expect::{Expectations, load};
use super::gather::{Gathered, Wanted, gather, id};
use super::report::{Report, forgive_outside, title};
use super::watch::{Standing, Watch};
use super::{junit, print, probe};
use crate::terminal::harmless;
use crate::trace::source::{self, Source};
use crate::{interrupt, output};

/// Looks at traces, and says what broke them.
///
/// # Errors
/// When the source is away, cannot be read, or the use is wrong.
pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let wanted = wanted(args)?;
    let expected = args.expect.as_deref().map(load).transpose()?;
    let credentials = credentials(args)?;
    let work = async {
        let source = source::open(&args.from, &credentials).await?;
        match &args.probe {
            Some(url) => probe::run(args, url, &source).await,
            None => look(args, &source, &wanted, expected.as_ref()).await,
        }
    };
    let done = tokio::runtime::Runtime::new()?.block_on(interrupt::unless_told(work))?;
    let report = match done {
        Ok(report) => report?,
        Err(signal) => return Ok(interrupt::exit_code(signal)),
    };
    if let Some(file) = &args.junit {
        let made = File::create(file).map(BufWriter::new);
        let written =
            made.and_then(|mut out| junit::write(&report, &mut out).and_then(|()| out.flush()));
        written.with_context(|| format!("writing {}", file.display()))?;
    }
    match args.json {
        true => output::print(format!("{}\n", harmless(&report.json())).as_bytes())?,
        false => output::print(print::text(&report, args.limit).as_bytes())?,
    }
    Ok(match report.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

fn wanted(args: &VerifyArgs) -> anyhow::Result<Wanted> {
    let Some(text) = &args.id else {
        let (query, is_all) = query(args);
        return Ok(Wanted::All(query, is_all));
    };
    let is_id = (1..=32).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_hexdigit());
    if !is_id {
        bail!("expected a trace id of up to 32 hexadecimal digits, found {text:?}");
    }
    Ok(Wanted::One(text.to_ascii_lowercase()))
}

async fn look(
    args: &VerifyArgs,
    source: &Source,
    wanted: &Wanted,
    expected: Option<&Expectations>,
) -> anyhow::Result<Report> {
    let limit = args.wait.unwrap_or(Duration::ZERO);
    let mut watch = Watch::begin(source, limit).await?;
    loop {
        let gathered = gather(source, wanted).await?;
        let report = judge(args, &gathered, expected);
        let standing = match (report.holds(), report.is_settled()) {
            (false, _) => Standing::NotYet,
            (true, false) => Standing::ForNow,
            (true, true) => Standing::Settled,
        };
        if !watch.goes_on(standing).await? {
            return Ok(report);
        }
    }
}

fn judge(args: &VerifyArgs, gathered: &Gathered, expected: Option<&Expectations>) -> Report {
    let Gathered { traces, others } = gathered;
    let all: Vec<_> = traces.iter().chain(others).cloned().collect();
    let mut verdicts = verify(&all);
    verdicts.truncate(traces.len());
    if args.outside {
        forgive_outside(&mut verdicts, traces);
    }
    let titles = all
        .iter()
        .filter_map(|trace| Some((id(trace)?.to_owned(), title(trace))));
    Report {
        titles: titles.collect(),
        verdicts,
        outcomes: expected.map_or(Vec::new(), |it| it.compare(traces)),
        is_strict: args.strict,
        asks_for_whole: expected.is_none_or(|it| it.whole),
        asks_for_some: expected.is_none(),
        ..Report::default()
    }
}
