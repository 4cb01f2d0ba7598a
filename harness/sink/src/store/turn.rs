//! The turns of long readings, which ask the store for a page at a time.

use rusqlite::Connection;

use super::database::StoreError;
use super::handle::Store;

impl Store {
    /// Reads a page of a long reading, of all of them one at a time. The store's thread reads before it writes, so pages of
    /// several that follow one another without a gap would keep senders waiting.
    pub(super) async fn read_page<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _turn = self.inner.turn.lock().await;
        self.read(work).await
    }
}
