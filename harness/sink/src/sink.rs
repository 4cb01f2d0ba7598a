//! The handle of a running sink: start, stop, read, wait, and script.
//!
//! A sink lives on the tokio runtime that starts it and ends with its handle. Nothing here polls.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::receive::{Ingest, Listener};
use crate::script::Reply;
use crate::store::{Counts, Limits, Place, RequestRecord, Store, StoreError, StoredSpan};
use crate::wait::{Snapshot, Timeout, until};

/// The addresses and bounds of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    /// The address for OTLP/gRPC; port 0 takes a free port.
    pub grpc: SocketAddr,
    /// The address for OTLP/HTTP; port 0 takes a free port.
    pub http: SocketAddr,
    /// The place of the spans.
    pub place: Place,
    /// The bounds of the store.
    pub limits: Limits,
}

impl Default for SinkConfig {
    /// Returns free ports of the loopback interface, a store in memory, and the default bounds.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            grpc: any,
            http: any,
            place: Place::default(),
            limits: Limits::default(),
        }
    }
}

/// The error of a sink that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address that the sink cannot listen on.
    #[error("cannot listen on {address} for OTLP over {protocol}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The protocol, `gRPC` or `HTTP`.
        protocol: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A database that cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A running sink. Dropping it stops it.
#[derive(Debug)]
pub struct Sink {
    ingest: Arc<Ingest>,
    grpc: SocketAddr,
    http: SocketAddr,
    listeners: Mutex<Option<[Listener; 2]>>,
}

impl Sink {
    /// Listens on both addresses and serves them on the current runtime.
    ///
    /// # Errors
    /// [`StartError`] when the database cannot be opened or an address cannot be bound.
    pub async fn start(config: SinkConfig) -> Result<Self, StartError> {
        let store = Store::open(config.place, config.limits)?;
        let ingest = Arc::new(Ingest::new(store, config.limits));
        let listeners = listen(&ingest, config.grpc, config.http).await?;
        let [grpc, http] = listeners.each_ref().map(Listener::address);
        Ok(Self {
            ingest,
            grpc,
            http,
            listeners: Mutex::new(Some(listeners)),
        })
    }

    /// Returns the address for OTLP/gRPC, with its real port.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc
    }

    /// Returns the address for OTLP/HTTP, with its real port.
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Closes both addresses, as a collector does that restarts: connections break, new ones are refused. Received spans
    /// stay.
    pub async fn pause(&self) {
        if let Some(listeners) = self.listeners.lock().await.take() {
            for listener in listeners {
                listener.close().await;
            }
        }
    }

    /// Opens the same addresses again after [`Sink::pause`]; does nothing if they are open.
    ///
    /// # Errors
    /// [`StartError`] when another process has taken an address.
    pub async fn resume(&self) -> Result<(), StartError> {
        let mut listeners = self.listeners.lock().await;
        if listeners.is_none() {
            *listeners = Some(listen(&self.ingest, self.grpc, self.http).await?);
        }
        Ok(())
    }

    /// Stops the sink for good; when `stop` returns, the ports are free.
    pub async fn stop(self) {
        self.pause().await;
    }

    /// Adds replies to the script, one for each of the next requests, after the replies that still wait for a request.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.ingest.script(replies);
    }

    /// Returns the spans, requests and counts of this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.ingest.snapshot()
    }

    /// Returns all spans: traces in the order of arrival, and within a trace spans in the order of arrival.
    pub fn spans(&self) -> Vec<Arc<StoredSpan>> {
        self.snapshot().spans
    }

    /// Returns the spans of one trace, in the order of their arrival.
    pub fn trace(&self, trace_id: &str) -> Vec<StoredSpan> {
        self.snapshot().trace(trace_id)
    }

    /// Returns the last requests, the oldest first.
    pub fn requests(&self) -> Vec<Arc<RequestRecord>> {
        self.snapshot().requests
    }

    /// Returns the counts since the start.
    pub fn counts(&self) -> Counts {
        self.ingest.counts()
    }

    /// Returns the store: searches, traces, and the queues for forwarding.
    pub fn store(&self) -> &Store {
        self.ingest.store()
    }

    /// Removes all spans and requests; counts and script stay.
    pub fn clear(&self) {
        self.ingest.clear();
    }

    /// Waits until `look` returns a value; `look` is called now and after every change.
    ///
    /// # Errors
    /// [`Timeout`], with everything that has arrived, when `look` has returned no value in time.
    pub async fn wait_for<T>(
        &self,
        time: Duration,
        look: impl FnMut(&Snapshot) -> Option<T>,
    ) -> Result<T, Timeout> {
        until(self.ingest.changes(), time, || self.snapshot(), look).await
    }

    /// Waits until the sink has at least `count` spans, and returns all.
    ///
    /// # Errors
    /// [`Timeout`], with everything that has arrived.
    pub async fn wait_for_spans(
        &self,
        count: usize,
        time: Duration,
    ) -> Result<Vec<Arc<StoredSpan>>, Timeout> {
        let enough = |now: &Snapshot| (now.spans.len() >= count).then(|| now.spans.clone());
        self.wait_for(time, enough).await
    }

    /// Waits until a trace has at least `count` spans, and returns all of them.
    ///
    /// # Errors
    /// [`Timeout`], with everything that has arrived.
    pub async fn wait_for_trace(
        &self,
        trace_id: &str,
        count: usize,
        time: Duration,
    ) -> Result<Vec<StoredSpan>, Timeout> {
        self.wait_for(time, |now| {
            let trace = now.trace(trace_id);
            (trace.len() >= count).then_some(trace)
        })
        .await
    }

    /// Waits until at least `count` requests are recorded, answered or not, and returns all.
    ///
    /// # Errors
    /// [`Timeout`], with everything that has arrived.
    pub async fn wait_for_requests(
        &self,
        count: usize,
        time: Duration,
    ) -> Result<Vec<Arc<RequestRecord>>, Timeout> {
        let enough = |now: &Snapshot| (now.requests.len() >= count).then(|| now.requests.clone());
        self.wait_for(time, enough).await
    }
}

async fn listen(
    ingest: &Arc<Ingest>,
    grpc: SocketAddr,
    http: SocketAddr,
) -> Result<[Listener; 2], StartError> {
    let open = async |address, protocol| {
        let opened = Listener::open(address, Arc::clone(ingest)).await;
        opened.map_err(|source| StartError::Listen {
            address,
            protocol,
            source,
        })
    };
    Ok([open(grpc, "gRPC").await?, open(http, "HTTP").await?])
}

#[cfg(test)]
mod tests;
