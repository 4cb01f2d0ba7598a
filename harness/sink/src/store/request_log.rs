//! The last requests, in memory: they are for a test and for a person who looks, and end with the sink.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::request_record::RequestRecord;

/// The records of the last requests.
#[derive(Debug)]
pub(crate) struct RequestLog {
    max_requests: usize,
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    last: VecDeque<Arc<RequestRecord>>,
    next: u64,
}

impl RequestLog {
    pub(crate) fn new(max_requests: usize) -> Self {
        Self {
            max_requests,
            records: Mutex::default(),
        }
    }

    /// Adds the record of a request and returns its number.
    pub(crate) fn open(&self, record: RequestRecord) -> u64 {
        let mut records = self.records();
        let number = records.next;
        records.next += 1;
        records
            .last
            .push_back(Arc::new(RequestRecord { number, ..record }));
        while records.last.len() > self.max_requests {
            records.last.pop_front();
        }
        number
    }

    /// Changes the record of a request, unless the record has left the log.
    pub(crate) fn amend(&self, number: u64, change: impl FnOnce(&mut RequestRecord)) {
        let mut records = self.records();
        let found = records.last.iter_mut().rev().find(|r| r.number == number);
        if let Some(record) = found {
            change(Arc::make_mut(record));
        }
    }

    /// Removes all records; numbers go on.
    pub(crate) fn clear(&self) {
        self.records().last.clear();
    }

    /// Returns all records, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<RequestRecord>> {
        self.records().last.iter().cloned().collect()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
