//! The destinations of a running sink, as readers see them.

use std::sync::Arc;

use super::progress::{Forwarding, Progress};
use crate::store::{Store, StoreError};

/// All destinations, in the order of their configuration. It keeps nothing running.
#[derive(Clone, Debug, Default)]
pub(crate) struct Destinations(Vec<Arc<Progress>>);

impl Destinations {
    pub(super) fn new(all: Vec<Arc<Progress>>) -> Self {
        Self(all)
    }

    /// Returns the state of each.
    pub(crate) async fn state(&self, store: &Store) -> Result<Vec<Forwarding>, StoreError> {
        let mut state = Vec::new();
        for progress in &self.0 {
            let url = progress.url();
            let _settling = progress.settling().await;
            let backlog = store.backlog(url).await?;
            let refusal = match backlog.set_aside {
                0 => None,
                _ => store.last_refusal(url).await?,
            };
            state.push(progress.with(backlog, refusal));
        }
        Ok(state)
    }

    /// Sends again what a destination has refused for good, and returns the numbers of requests and spans; `None` if there is no
    /// such destination.
    pub(crate) async fn resend(
        &self,
        store: &Store,
        url: &str,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        let Some(progress) = self.0.iter().find(|progress| progress.url() == url) else {
            return Ok(None);
        };
        let resent = store.resend(url).await?;
        progress.resend();
        Ok(Some(resent))
    }

    /// Returns the URL of each.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|progress| progress.url())
    }
}
