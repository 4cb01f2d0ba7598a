//! The newest spans by arrival, a page at a time.
//!
//! Whoever looks for names and values needs a good sample and no more, and looks while spans arrive: a page is as long as
//! the store's thread may be kept from a request, and is decoded elsewhere.

use super::database::StoreError;
use super::handle::Store;
use super::raw::RawSpans;
use super::span::StoredSpan;

/// The number of spans that are read at once.
const PAGE: usize = 1_000;

/// The way from the newest span back. A clone of the store's handle.
#[derive(Debug)]
pub struct Newest {
    store: Store,
    before: i64,
    left: usize,
}

impl Store {
    /// Returns the way from the newest span back, over at most `max` spans.
    pub fn newest(&self, max: usize) -> Newest {
        Newest {
            store: self.clone(),
            before: i64::MAX,
            left: max,
        }
    }
}

impl Newest {
    /// Returns the next spans, the newest first; none at the end.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn page(&mut self) -> Result<Vec<StoredSpan>, StoreError> {
        let (before, limit) = (self.before, self.left.min(PAGE));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let read = self.store.read_page(move |connection| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let (mut last, mut spans, mut count) = (before, RawSpans::default(), 0);
            let mut select = connection.prepare_cached(
                "SELECT id, context, body FROM span WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let mut rows = select.query([before, limit])?;
            while let Some(row) = rows.next()? {
                last = row.get(0)?;
                count += 1;
                spans.push(connection, row.get(1)?, row.get(2)?)?;
            }
            Ok((last, count, spans))
        });
        let (last, count, spans) = read.await?;
        self.before = last;
        self.left = if count < limit { 0 } else { self.left - count };
        let decoded = tokio::task::spawn_blocking(move || spans.decode_if(|_, _| true));
        // It fails only with its runtime.
        decoded.await.map_err(|_| StoreError::Stopped)
    }
}
