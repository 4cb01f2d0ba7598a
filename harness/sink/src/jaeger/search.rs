//! The search that all of Jaeger's APIs share, and the reading of what it found.

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, TracesData};
use prost::Message as _;
use std::time::Duration;

use super::tag_match;
use crate::store::{Query, Store, StoreError};

/// The most traces that one search answers with; Jaeger's bound is the size of its store.
pub(super) const MOST_TRACES: i64 = 100_000;

/// The conditions of a search: a trace is found by one span that meets all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Search {
    /// The service; any if empty.
    pub(super) service: String,
    /// The name of the span; any if empty.
    pub(super) operation: String,
    /// Tags, with their values as text.
    pub(super) tags: Vec<(String, String)>,
    /// The earliest start, in nanoseconds since 1970.
    pub(super) from: Option<i64>,
    /// The latest start, in nanoseconds since 1970.
    pub(super) to: Option<i64>,
    /// The least duration, in nanoseconds; any if 0.
    pub(super) shortest: i64,
    /// The greatest duration, in nanoseconds; any if 0.
    pub(super) longest: i64,
    /// The most traces.
    pub(super) limit: i64,
}

/// The error of a search.
#[derive(Debug, thiserror::Error)]
pub(super) enum SearchError {
    /// A limit that is not within the bounds. The words are Jaeger's.
    #[error("search depth must be greater than 0 and less than max traces")]
    Depth,
    /// A store that cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Search {
    /// Returns the ids of the traces that are found, the last to arrive first.
    pub(super) async fn run(self, store: &Store) -> Result<Vec<[u8; 16]>, SearchError> {
        if !(1..=MOST_TRACES).contains(&self.limit) {
            return Err(SearchError::Depth);
        }
        let Some(query) = self.query() else {
            return Ok(Vec::new());
        };
        let test = (!self.tags.is_empty()).then(|| tag_match::all(self.tags));
        Ok(store.recent(query, test).await?)
    }

    /// Returns the part that the store has indexes for; `None` if nothing can meet it.
    fn query(&self) -> Option<Query> {
        let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let from = self
            .from
            .map(|from| u64::try_from(from).unwrap_or_default());
        let to = self.to.map(u64::try_from).transpose().ok()?;
        let longest = u64::try_from(self.longest).ok()?;
        let shortest = u64::try_from(self.shortest).unwrap_or_default();
        let lasting = |nanos: u64| (nanos != 0).then(|| Duration::from_nanos(nanos));
        Some(Query {
            service: named(&self.service),
            name: named(&self.operation),
            min_duration: lasting(shortest),
            max_duration: lasting(longest),
            from_unix_nanos: from,
            to_unix_nanos: to,
            limit: usize::try_from(self.limit).ok()?,
            ..Query::default()
        })
    }
}

/// Returns the spans of a trace; `None` if it is not here.
pub(super) async fn read(
    store: &Store,
    id: [u8; 16],
) -> Result<Option<Vec<ResourceSpans>>, StoreError> {
    let data = store.trace_data(id).await?;
    // Stored bytes were checked; what a damaged file holds is read as empty.
    Ok(data.map(|data| TracesData::decode(data).unwrap_or_default().resource_spans))
}
