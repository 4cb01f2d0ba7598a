//! All destinations of a sink.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::destination::Destination;
use super::destinations::Destinations;
use super::progress::{Forwarding, Progress};
use super::retry::{Backoff, Retry};
use super::sender::Sender;
use super::worker::Worker;
use crate::store::{Store, StoreError};

/// The destinations that a sink forwards new spans to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The destinations; each has a queue of its own, and none waits for another.
    pub destinations: Vec<Destination>,
    /// The times between attempts.
    pub retry: Retry,
    /// The size up to which what waits is joined to one request, in bytes; 0 sends each request as it came, as does one
    /// that is larger by itself.
    pub max_request_bytes: usize,
    /// The time for one request and its answer.
    pub timeout: Duration,
    /// The time in which a sink that stops sends what still waits.
    pub flush: Duration,
    /// True to begin with what the destinations have refused for good before, which is set aside in the file.
    pub resend_set_aside: bool,
}

impl Default for Forward {
    /// Returns no destination, requests of 1 MiB, 30 s for each, and 5 s to stop.
    fn default() -> Self {
        Self {
            destinations: vec![],
            retry: Retry::default(),
            max_request_bytes: 1 << 20,
            timeout: Duration::from_secs(30),
            flush: Duration::from_secs(5),
            resend_set_aside: false,
        }
    }
}

/// The error of destinations that cannot be forwarded to.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// A destination that is named twice.
    #[error("{0} is named twice")]
    Twice(String),
    /// A destination that no client can be made for.
    #[error("cannot forward to {url}")]
    Client {
        /// The destination.
        url: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A database that does not take the queues.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The running destinations. Dropping it stops them where they are.
#[derive(Debug)]
pub(crate) struct Forwarder {
    destinations: Destinations,
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
    flush: Duration,
    has_told: AtomicBool,
}

impl Forwarder {
    /// Begins to forward what waits from before, and what arrives from now on.
    pub(crate) async fn start(store: &Store, forward: Forward) -> Result<Self, ForwardError> {
        let mut senders = Vec::new();
        let mut names = BTreeSet::new();
        for destination in forward.destinations {
            let url = destination.url();
            if !names.insert(url.clone()) {
                return Err(ForwardError::Twice(url));
            }
            let sender = Sender::new(destination, forward.timeout);
            let sender = sender.map_err(|source| ForwardError::Client {
                url: url.clone(),
                source: source.into(),
            })?;
            senders.push((Arc::new(Progress::new(url)), sender));
        }
        if !names.is_empty() {
            store.set_destinations(names.into_iter().collect()).await?;
        }
        if forward.resend_set_aside {
            for (progress, _) in &senders {
                let (messages, spans) = store.resend(progress.url()).await?;
                if messages > 0 {
                    let url = progress.url();
                    log::warn!(
                        "{messages} requests with {spans} spans that {url} has refused are sent again"
                    );
                }
            }
        }
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut destinations = Vec::new();
        for (progress, sender) in senders {
            destinations.push(Arc::clone(&progress));
            let worker = Worker {
                store: store.clone(),
                sender,
                backoff: Backoff::new(forward.retry),
                progress,
                max_request_bytes: forward.max_request_bytes,
                one_by_one: 0,
                stopping: stopping.clone(),
            };
            tasks.spawn(worker.run());
        }
        Ok(Self {
            destinations: Destinations::new(destinations),
            stop,
            tasks: Mutex::new(tasks),
            flush: forward.flush,
            has_told: AtomicBool::new(false),
        })
    }

    /// Sends what the destinations take at once and within the time for it, then stops. What is left stays in the database.
    pub(crate) async fn stop(&self, store: &Store) {
        self.stop.send_replace(true);
        let mut tasks = self.tasks.lock().await;
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(self.flush, all).await.is_err() {
            tasks.shutdown().await;
        }
        drop(tasks);
        match self.destinations.state(store).await {
            Ok(state) => self.tell_what_is_left(&state, store.is_in_memory()),
            Err(error) => log::error!("cannot read what waits to be forwarded: {error}"),
        }
    }

    /// Logs once what is left at the end.
    fn tell_what_is_left(&self, state: &[Forwarding], is_lost: bool) {
        if self.has_told.swap(true, Ordering::Relaxed) {
            return;
        }
        for Forwarding {
            destination,
            backlog,
            ..
        } in state
        {
            let (spans, aside) = (backlog.spans, backlog.set_aside);
            if spans == 0 && (aside == 0 || !is_lost) {
                continue;
            }
            match is_lost {
                true => log::warn!(
                    "lost, because they are in memory alone: {spans} spans for {destination}, and {aside} requests that it has \
                     refused; a sink with a file keeps them"
                ),
                false => {
                    log::warn!("{spans} spans for {destination} wait in the file for the next sink")
                }
            }
        }
    }

    /// Returns the destinations for readers.
    pub(crate) fn destinations(&self) -> &Destinations {
        &self.destinations
    }
}
