//! The waiting until traces are as they must be.
//!
//! A sink tells of every change (`GET follow`); any other source is asked again after a while. What a later span can break,
//! as the absence of one, counts only once nothing has come for [`QUIET`]: a test that looks at half a trace is worse than
//! none.

use std::time::Duration;

use anyhow::bail;
use reqwest::Response;
use sidespan_sink::api::PREFIX;
use tokio::time::{Instant, sleep, timeout_at};

use crate::trace::source::Source;

/// The time without a span after which no more are expected: exporters send after a second as a rule.
const QUIET: Duration = Duration::from_secs(2);
/// The pause between two looks at a source that tells nothing.
const PAUSE: Duration = Duration::from_millis(500);

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Something is missing or wrong.
    NotYet,
    /// All is well, as long as nothing else comes.
    ForNow,
    /// All is well, whatever else comes.
    Settled,
}

/// A wait for changes of a source.
#[derive(Debug)]
pub(super) struct Watch {
    stream: Option<Response>,
    until: Instant,
    changed: Instant,
}

impl Watch {
    /// Begins to listen, before the first look, so that nothing that comes in between is missed.
    ///
    /// # Errors
    /// When the sink is away.
    pub(super) async fn begin(source: &Source, limit: Duration) -> anyhow::Result<Self> {
        let mut stream = None;
        if let Source::Sink(sink) = source
            && !limit.is_zero()
        {
            let client = sink.client();
            let response = client.open(&format!("{PREFIX}follow")).await?;
            if !response.status().is_success() {
                let answer = client.whole(response).await?;
                return Err(client.unexpected(&answer));
            }
            stream = Some(response);
        }
        let now = Instant::now();
        Ok(Self {
            stream,
            until: now + limit,
            changed: now,
        })
    }

    /// Waits for the next look; `false` when there is nothing to wait for any more.
    ///
    /// # Errors
    /// When the sink has ended.
    pub(super) async fn goes_on(&mut self, standing: Standing) -> anyhow::Result<bool> {
        let now = Instant::now();
        let quiet = self.changed + QUIET;
        let until = match standing {
            Standing::Settled => return Ok(false),
            Standing::ForNow if quiet <= now => return Ok(false),
            Standing::ForNow => quiet.min(self.until),
            Standing::NotYet => self.until,
        };
        if self.until <= now {
            return Ok(false);
        }
        match &mut self.stream {
            None => sleep(PAUSE.min(until - now)).await,
            Some(stream) => {
                if !changes(stream, until).await? {
                    // Quiet, or the end of the wait; either is seen at the next look.
                    return Ok(standing == Standing::NotYet);
                }
                self.changed = Instant::now();
            }
        }
        Ok(true)
    }
}

/// Waits for a change of a sink; `false` if none comes in time.
async fn changes(stream: &mut Response, until: Instant) -> anyhow::Result<bool> {
    loop {
        match timeout_at(until, stream.chunk()).await {
            Err(_) => return Ok(false),
            Ok(Ok(Some(piece))) if piece.starts_with(b":") => {}
            Ok(Ok(Some(_))) => return Ok(true),
            Ok(Ok(None)) => bail!("the sink has ended"),
            Ok(Err(error)) => return Err(anyhow::Error::new(error.without_url())),
        }
    }
}
