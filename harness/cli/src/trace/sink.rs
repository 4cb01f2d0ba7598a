//! A sink as a source: its own API does the search.

use std::io::Write;

use anyhow::{Context, bail};
use sidespan_sink::api::{PREFIX, read_summaries, write_query};
use sidespan_sink::{Query, TraceSummary};

use super::client::Client;

/// A sink behind a URL.
#[derive(Debug)]
pub(crate) struct SinkSource {
    client: Client,
}

impl SinkSource {
    /// Returns the sink behind a URL; `None` if something else is there.
    ///
    /// # Errors
    /// When nothing is there, or it asks for a token.
    pub(super) async fn find(client: &Client) -> anyhow::Result<Option<Self>> {
        let answer = client.get(&format!("{PREFIX}status")).await?;
        if matches!(answer.status, 401 | 403) {
            return Err(client.unexpected(&answer));
        }
        let json = serde_json::from_slice::<serde_json::Value>(&answer.body).ok();
        // Jaeger's query service answers every unknown path with its page and 200.
        let is_sink = json.is_some_and(|json| json.get("version").is_some());
        Ok((answer.is_success() && is_sink).then(|| Self {
            client: client.clone(),
        }))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) async fn search(&self, query: &Query) -> anyhow::Result<Vec<TraceSummary>> {
        let path = format!("{PREFIX}traces?{}", write_query(query));
        let answer = self.client.get(&path).await?;
        match answer.is_success() {
            true => Ok(read_summaries(&answer.body).context(self.client.base().to_owned())?),
            false => Err(self.client.unexpected(&answer)),
        }
    }

    pub(super) async fn trace(&self, digits: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let answer = self.client.get(&format!("{PREFIX}traces/{digits}")).await?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            409 => {
                let json: serde_json::Value = serde_json::from_slice(&answer.body)?;
                let ids = json.get("traceIds").and_then(|ids| ids.as_array());
                let ids = ids.into_iter().flatten().filter_map(|id| id.as_str());
                let ids: Vec<&str> = ids.collect();
                bail!("{}, as of {}", answer.cause(), ids.join(", "))
            }
            _ => Err(self.client.unexpected(&answer)),
        }
    }

    /// Writes the traces that a query finds, a line each, and returns their number.
    pub(super) async fn export(
        &self,
        query: &Query,
        out: &mut (impl Write + Send),
    ) -> anyhow::Result<u64> {
        let path = format!("{PREFIX}export?{}", write_query(query));
        let mut response = self.client.open(&path).await?;
        if !response.status().is_success() {
            let answer = self.client.whole(response).await?;
            return Err(self.client.unexpected(&answer));
        }
        let mut traces = 0;
        loop {
            let piece = response.chunk().await;
            let Some(piece) = piece.map_err(|error| self.client.broke(error))? else {
                return Ok(traces);
            };
            let ends = piece.iter().filter(|byte| **byte == b'\n').count();
            traces += u64::try_from(ends).unwrap_or(u64::MAX);
            out.write_all(&piece)?;
        }
    }
}
