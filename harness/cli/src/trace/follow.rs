//! The stream of a sink's traces that change, a line each.

use std::process::ExitCode;

use anyhow::{Context, bail};
use sidespan_sink::api::{PREFIX, read_summary, write_query, write_summary};
use sidespan_sink::waterfall::Options;
use sidespan_sink::{Query, listing};

use super::source::Source;
use crate::terminal::harmless;
use crate::{interrupt, output};

/// Prints traces until a signal comes.
pub(super) async fn follow(
    source: &Source,
    query: &Query,
    is_json: bool,
    options: Options,
) -> anyhow::Result<ExitCode> {
    let Source::Sink(sink) = source else {
        bail!("--follow needs a running sink: give its URL with --from");
    };
    let client = sink.client();
    let work = async {
        let path = format!("{PREFIX}follow?{}", write_query(query));
        let mut response = client.open(&path).await?;
        if !response.status().is_success() {
            let answer = client.whole(response).await?;
            return Err(client.unexpected(&answer));
        }
        output::tell(format_args!("following {}: Ctrl-C ends it", client.base()));
        if !is_json {
            output::print(listing::head(options).as_bytes())?;
        }
        let mut events = Events::default();
        loop {
            let piece = response.chunk().await;
            let Some(piece) = piece.map_err(|error| client.broke(error))? else {
                bail!("{} has ended", client.base());
            };
            for event in events.add(&piece) {
                print(&event, is_json, options)?;
            }
        }
    };
    match interrupt::unless_told(work).await? {
        Ok(ended) => ended,
        // A signal is how following ends.
        Err(_) => Ok(ExitCode::SUCCESS),
    }
}

fn print(event: &Event, is_json: bool, options: Options) -> anyhow::Result<()> {
    if event.name == "lagged" {
        output::tell("warning: spans arrive faster than they are told; some changes are left out");
        return Ok(());
    }
    let summary = read_summary(event.data.as_bytes()).context("following")?;
    let line = match is_json {
        true => format!("{}\n", harmless(&write_summary(&summary))),
        false => listing::row(&summary, options),
    };
    output::print(line.as_bytes())?;
    Ok(())
}

/// The part of server-sent events that a sink sends: a name or none, and one line of data.
#[derive(Debug, Default)]
struct Events {
    rest: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    name: String,
    data: String,
}

impl Events {
    /// Adds a piece of the stream, and returns the events that it completes.
    fn add(&mut self, piece: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(piece);
        let mut found = Vec::new();
        while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = self.rest.drain(..end + 2).collect();
            let mut event = Event::default();
            for line in String::from_utf8_lossy(&block).lines() {
                match line.split_once(": ") {
                    Some(("event", name)) => name.clone_into(&mut event.name),
                    Some(("data", data)) => data.clone_into(&mut event.data),
                    // A comment, or a field of a later version.
                    _ => {}
                }
            }
            if !event.data.is_empty() {
                found.push(event);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_events_however_they_are_cut() {
        let stream = b": following\n\ndata: {\"a\":\"x: y\"}\n\nevent: lagged\ndata: {}\n\n: quiet\n\ndata: half";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let pieces = stream.chunks(size);
            let found: Vec<Event> = pieces.flat_map(|piece| events.add(piece)).collect();
            let expected = [("", "{\"a\":\"x: y\"}"), ("lagged", "{}")];
            let expected = expected.map(|(name, data)| Event {
                name: name.into(),
                data: data.into(),
            });
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
