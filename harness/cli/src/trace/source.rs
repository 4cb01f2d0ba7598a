//! The source of traces that `--from` names.

use std::io::Write;

use anyhow::{anyhow, bail};
use sidespan_sink::otlp_json::{export, export_found, import};
use sidespan_sink::{Limits, Place, Query, Store, TraceSummary};

use super::client::{Client, Credentials};
use super::files::{self, Contents};
use super::jaeger::Jaeger;
use super::loaded;
use super::sink::SinkSource;
use super::tempo::Tempo;
use crate::output;

/// A source.
#[derive(Debug)]
pub(crate) enum Source {
    /// A running sink.
    Sink(SinkSource),
    /// A file, in a store.
    Store(Store),
    /// A Jaeger.
    Jaeger(Jaeger),
    /// A Tempo.
    Tempo(Tempo),
}

/// Returns true if a place is a URL.
pub(crate) fn is_url(from: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| from.starts_with(scheme))
}

/// Opens a place: a URL or a file.
///
/// # Errors
/// When nothing is there, or nothing that this program can read.
pub(crate) async fn open(from: &str, credentials: &Credentials<'_>) -> anyhow::Result<Source> {
    if !is_url(from) {
        return file(from).await.map(Source::Store);
    }
    let client = Client::new(from, credentials)?;
    if let Some(sink) = SinkSource::find(&client).await? {
        return Ok(Source::Sink(sink));
    }
    if let Some(jaeger) = Jaeger::find(&client).await? {
        return Ok(Source::Jaeger(jaeger));
    }
    match Tempo::find(&client).await? {
        Some(tempo) => Ok(Source::Tempo(tempo)),
        None => bail!(
            "{from} answers, and is neither a sink of this version nor Jaeger's query service nor Tempo, which have ports 16686 and 3200 as a rule"
        ),
    }
}

async fn file(name: &str) -> anyhow::Result<Store> {
    let mut lines = match files::open(name)? {
        Contents::Database(path) => {
            return Ok(Store::open(Place::ReadOnly(path), Limits::default())?);
        }
        Contents::Lines(lines) => lines,
    };
    let store = loaded::empty()?;
    let read = import(&store, &mut lines).await;
    // As text, because the error names its cause itself.
    let read = read.map_err(|error| {
        anyhow!("{name}: {error}: expected OTLP in JSON, a request a line, or a database of `sidespan sink --data`")
    })?;
    if read.rejected > 0 {
        output::tell(format_args!(
            "warning: {} spans of {name} without valid ids are left out",
            read.rejected
        ));
    }
    Ok(store)
}

impl Source {
    /// Finds traces, the newest first.
    pub(crate) async fn search(&self, query: &Query) -> anyhow::Result<Vec<TraceSummary>> {
        match self {
            Self::Sink(sink) => sink.search(query).await,
            Self::Store(store) => Ok(store.search(query.clone()).await?),
            Self::Jaeger(jaeger) => Ok(jaeger.fetch(query).await?.search(query.clone()).await?),
            Self::Tempo(tempo) => Ok(tempo.fetch(query).await?.search(query.clone()).await?),
        }
    }

    /// Returns the trace that begins with these digits, as OTLP in JSON; `None` if there is none.
    pub(crate) async fn trace(&self, digits: &str) -> anyhow::Result<Option<Vec<u8>>> {
        match self {
            Self::Sink(sink) => sink.trace(digits).await,
            Self::Store(store) => loaded::trace(store, digits).await,
            Self::Jaeger(jaeger) => jaeger.trace(digits).await,
            Self::Tempo(tempo) => tempo.trace(digits).await,
        }
    }

    /// Writes the traces that a query finds, a line each, and returns their number; `is_all` says that the query has no
    /// condition.
    pub(crate) async fn export(
        &self,
        query: &Query,
        is_all: bool,
        out: &mut (impl Write + Send),
    ) -> anyhow::Result<u64> {
        let exported = match self {
            Self::Sink(sink) => return sink.export(query, out).await,
            Self::Store(store) if is_all => export(store, out).await?,
            Self::Store(store) => export_found(store, query.clone(), out).await?,
            Self::Jaeger(jaeger) => {
                let store = jaeger.fetch(query).await?;
                export_found(&store, query.clone(), out).await?
            }
            Self::Tempo(tempo) => {
                let store = tempo.fetch(query).await?;
                export_found(&store, query.clone(), out).await?
            }
        };
        Ok(exported.traces)
    }
}
