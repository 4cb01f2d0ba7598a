//! The handle of a store.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use super::batch::SpanBatch;
use super::contents::Contents;
use super::database::{self, Place, StoreError};
use super::jobs::{Insert, Jobs, Refused};
use super::keep::{Inserted, Keeper, TraceIds, count};
use super::limits::{Counts, Limits, Size};
use super::observed::Observer;
use super::outbox::Outbox;
use super::sieve::SharedSieve;
use super::span::StoredSpan;
use super::writer::{Arrivals, Numbers, Writer};

/// The spans of one sink. A clone is another handle of the same store; the store ends with its last handle.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) jobs: Arc<Jobs<Writer>>,
    limits: Limits,
    pub(super) place: Place,
    pub(super) ids: TraceIds,
    pub(super) sieve: SharedSieve,
    numbers: Numbers,
    arrivals: Arrivals,
    /// Held by the long reading whose turn it is.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Connections that read and have nothing to do.
    readers: Mutex<Vec<Connection>>,
    thread: Option<JoinHandle<()>>,
    /// Held locked as long as the store is open.
    pub(super) lock: Option<File>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store")
            .field("place", &self.inner.place)
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.jobs.close();
        if let Some(thread) = self.thread.take() {
            // The file is whole and free when the handle is gone; a panic there was printed there. A job that holds the last
            // handle ends on the thread itself, which cannot wait for its own end.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
        // Closing is not enough: a process that is just being started has the descriptor, too, until its program begins.
        if let Some(lock) = &self.lock {
            let _ = lock.unlock();
        }
    }
}

impl Store {
    /// Opens a store, with what its file has.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened, is in use, or is not a sink's.
    pub fn open(place: Place, limits: Limits) -> Result<Self, StoreError> {
        let lock = match &place {
            Place::Memory | Place::ReadOnly(_) => None,
            Place::File(path) => Some(lock_file(path)?),
        };
        let connection = database::open(&place)?;
        let ids = TraceIds::default();
        let keeper = Keeper::load(&connection, limits, Arc::clone(&ids))?;
        let sieve = Arc::clone(&keeper.sieve);
        let numbers = Numbers::default();
        numbers.set(keeper.size(), |_| ());
        let arrivals = broadcast::Sender::new(ARRIVALS);
        let jobs = Arc::new(Jobs::new());
        let writer = Writer {
            connection,
            keeper,
            outbox: Outbox::default(),
            contents: Contents::default(),
            numbers: numbers.clone(),
            arrivals: arrivals.clone(),
            observer: None,
        };
        let thread = std::thread::Builder::new()
            .name("sink-store".to_owned())
            .spawn({
                let jobs = Arc::clone(&jobs);
                move || writer.run(&jobs)
            });
        let thread = thread.map_err(|source| StoreError::File {
            path: PathBuf::from("a thread for the store"),
            source,
        })?;
        let inner = Inner {
            jobs,
            limits,
            place,
            ids,
            sieve,
            numbers,
            arrivals,
            turn: tokio::sync::Mutex::default(),
            readers: Mutex::default(),
            thread: Some(thread),
            lock,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Keeps the spans of a request. When `insert` returns, they are committed, and with a file they are on the disk.
    /// `committed` runs with the answer before anything else is read.
    ///
    /// # Errors
    /// [`Refused`] when nothing of the request is kept.
    pub async fn insert(
        &self,
        batch: SpanBatch,
        committed: impl FnOnce(&Result<Inserted, Refused>) + Send + 'static,
    ) -> Result<Inserted, Refused> {
        let spans = batch.len();
        let (answer, answered) = oneshot::channel();
        let insert = Insert {
            batch,
            committed: Box::new(committed),
            answer,
        };
        let waiting = self
            .inner
            .jobs
            .insert(insert, self.inner.limits.max_waiting_bytes);
        if let Err(back) = waiting {
            let (insert, refused) = *back;
            self.count(|counts| counts.refused += count(spans));
            let refused = Err(refused);
            (insert.committed)(&refused);
            return refused;
        }
        let stopped = |_| Err(Refused::Storage(StoreError::Stopped.to_string()));
        answered.await.unwrap_or_else(stopped)
    }

    /// Returns a receiver of the ids of traces that get spans, an item for each request.
    pub fn arrivals(&self) -> broadcast::Receiver<Arc<[[u8; 16]]>> {
        self.inner.arrivals.subscribe()
    }

    /// Tells an observer of the new spans of each request from now on.
    pub(crate) fn observe(&self, observer: Observer) {
        let task = move |writer: &mut Writer| writer.observer = Some(observer);
        self.inner.jobs.add(Box::new(task));
    }

    /// Returns the contents in numbers.
    pub fn size(&self) -> Size {
        self.inner.numbers.size()
    }

    /// Returns the counts since the start and the contents, both of one moment.
    pub fn counts_and_size(&self) -> (Counts, Size) {
        self.inner.numbers.get()
    }

    /// Returns the counts since the start.
    pub fn counts(&self) -> Counts {
        self.inner.numbers.counts()
    }

    /// Returns the numbers as a handle that does not keep the store open.
    pub(crate) fn numbers(&self) -> Numbers {
        self.inner.numbers.clone()
    }

    /// Changes the counts that the store does not know by itself.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.inner.numbers.count(change);
    }

    /// Removes all spans; counts and what waits to be forwarded stay. Blocks until it is done.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub fn clear(&self) -> Result<(), StoreError> {
        let cleared = self.blocking(|writer| {
            writer.transact(|connection, keeper, _| keeper.clear(connection), |(), _| ())
        });
        Ok(cleared??)
    }

    /// Returns all spans, and what `with` returns at the same moment: traces in the order of arrival, and within a trace
    /// spans in the order of arrival. For tests: everything is decoded, and the call blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub(crate) fn all<T: Send + 'static>(
        &self,
        with: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(Vec<Arc<StoredSpan>>, T), StoreError> {
        let all = self.blocking(move |writer| {
            let removals = writer.keeper.removals;
            let spans = writer.contents.all(&writer.connection, removals);
            (spans, with())
        });
        let (spans, with) = all?;
        Ok((spans?, with))
    }

    /// Runs one transaction.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Outbox) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.inner.jobs.add(Box::new(move |writer| {
            let result =
                writer.transact(|connection, _, outbox| work(connection, outbox), |_, _| ());
            let _ = answer.send(result);
        }));
        Ok(answered.await.map_err(|_| StoreError::Stopped)??)
    }

    /// Reads, in memory between two transactions and with a file beside them.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        if !matches!(self.inner.place, Place::File(_)) {
            self.inner.jobs.add(Box::new(move |writer| {
                let _ = answer.send(work(&writer.connection));
            }));
        } else {
            let store = self.clone();
            tokio::task::spawn_blocking(move || {
                let result = store.read_beside(work);
                // First, so that whoever has the answer and closes the store finds its file free.
                drop(store);
                let _ = answer.send(result);
            });
        }
        Ok(answered.await.map_err(|_| StoreError::Stopped)??)
    }

    /// Reads on a connection of its own, while the writer goes on.
    fn read_beside<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let readers = || {
            self.inner
                .readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let idle = readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                database::open_reader(&self.inner.place)?.ok_or(rusqlite::Error::InvalidQuery)?
            }
        };
        // One transaction, because a summary read after an eviction must not speak of another moment than the search.
        let transaction = connection.unchecked_transaction()?;
        let result = work(&transaction);
        drop(transaction);
        readers().push(connection);
        result
    }

    pub(super) fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = std::sync::mpsc::channel();
        self.inner.jobs.add(Box::new(move |writer| {
            let _ = answer.send(work(writer));
        }));
        answered.recv().map_err(|_| StoreError::Stopped)
    }
}

/// Locks the file that stands beside a database, because two sinks with one file would not see each other's traces.
fn lock_file(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let path_of_lock = PathBuf::from(name);
    let failed = |source| StoreError::File {
        path: path_of_lock.clone(),
        source,
    };
    let file = File::create(&path_of_lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The number of announcements that a slow listener may lag behind.
const ARRIVALS: usize = 1_024;
