//! A request of one's own with a known context, and how far the context came.
//!
//! Each format has a request and a trace id of its own, so that what arrives tells which format did. The request stands among
//! the traces as a call by `probe`, and what the verdict finds of it is the answer.

mod context;
mod judge;
mod request;

use std::time::Duration;

use sidespan_core::propagation::format::Format;
use sidespan_sink::Query;

use self::judge::judge;
use self::request::{Requester, Sent};
use super::arguments::VerifyArgs;
use super::gather::found;
use super::report::Report;
use super::watch::{Standing, Watch};
use crate::trace::source::Source;

/// Sends the requests, and looks for their contexts.
///
/// # Errors
/// When the source is away, or the use is wrong.
pub(super) async fn run(args: &VerifyArgs, url: &str, source: &Source) -> anyhow::Result<Report> {
    let requester = Requester::new(args, url)?;
    let formats = match args.format.as_slice() {
        [] => &Format::ALL,
        some => some,
    };
    let mut watch = Watch::begin(source, args.wait.unwrap_or(WAIT)).await?;
    let mut sent: Vec<Sent> = Vec::new();
    for format in formats {
        sent.push(requester.send(*format).await);
    }
    let first = sent.iter().map(|sent| sent.span.start_unix_nanos).min();
    let query = Query {
        from_unix_nanos: first.map(|first| first.saturating_sub(BEFORE_NANOS)),
        limit: MOST,
        ..Query::default()
    };
    loop {
        let traces = found(source, &query).await?;
        let standing = match traces.is_empty() {
            true => Standing::NotYet,
            false => Standing::ForNow,
        };
        if !watch.goes_on(standing).await? {
            return Ok(Report {
                probes: judge(&sent, traces),
                asks_for_every_probe: !args.format.is_empty(),
                ..Report::default()
            });
        }
    }
}

/// The time to wait for spans where nothing is said.
const WAIT: Duration = Duration::from_secs(10);
/// The time before the first request in which its trace may begin by another clock.
const BEFORE_NANOS: u64 = 1_000_000_000;
/// The traces that are looked at: far more than nine requests make, because others go on.
const MOST: usize = 2_000;
