//! The handle of a running sink: start, stop, look, wait, and script.
//!
//! A sink lives on the tokio runtime that it was started on and ends with its handle. Nothing here polls.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::receive::{Ingest, Listener};
use crate::script::Reply;
use crate::store::{Counts, Limits, RequestRecord, StoredSpan};
use crate::wait::{Snapshot, Timeout, until};

/// Where a sink listens, and how much it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    /// For OTLP/gRPC; port 0 takes a free one.
    pub grpc: SocketAddr,
    /// For OTLP/HTTP; port 0 takes a free one.
    pub http: SocketAddr,
    /// How much is kept.
    pub limits: Limits,
}

impl Default for SinkConfig {
    /// Free ports of the loopback interface.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            grpc: any,
            http: any,
            limits: Limits::default(),
        }
    }
}

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for OTLP over {protocol}")]
pub struct StartError {
    /// The address.
    pub address: SocketAddr,
    /// `gRPC` or `HTTP`.
    pub protocol: &'static str,
    /// Why not.
    #[source]
    pub source: io::Error,
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
    /// [`StartError`] when an address cannot be bound.
    pub async fn start(config: SinkConfig) -> Result<Self, StartError> {
        let ingest = Arc::new(Ingest::new(config.limits));
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

    /// Goes away as a collector does that is restarted: connections break, new ones are refused. What was received stays.
    pub async fn pause(&self) {
        if let Some(listeners) = self.listeners.lock().await.take() {
            for listener in listeners {
                listener.close().await;
            }
        }
    }

    /// Comes back on the same addresses after [`Sink::pause`]; does nothing when it is not away.
    ///
    /// # Errors
    /// [`StartError`] when somebody else has taken an address.
    pub async fn resume(&self) -> Result<(), StartError> {
        let mut listeners = self.listeners.lock().await;
        if listeners.is_none() {
            *listeners = Some(listen(&self.ingest, self.grpc, self.http).await?);
        }
        Ok(())
    }

    /// Stops for good; when it returns the ports are free.
    pub async fn stop(self) {
        self.pause().await;
    }

    /// Answers the next requests as told, one reply each, after those that are still waiting for a request.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.ingest.script(replies);
    }

    /// Returns everything that is here now.
    pub fn snapshot(&self) -> Snapshot {
        self.ingest.snapshot()
    }

    /// Returns all spans: traces in the order of their arrival, spans in the order of theirs.
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

    /// Returns what has happened since the start.
    pub fn counts(&self) -> Counts {
        self.ingest.counts()
    }

    /// Forgets all spans and requests; counts and script stay.
    pub fn clear(&self) {
        self.ingest.clear();
    }

    /// Waits until `look` finds what it looks for; it is called now and after every change.
    ///
    /// # Errors
    /// [`Timeout`], with what did arrive, when it has found nothing by then.
    pub async fn wait_for<T>(
        &self,
        time: Duration,
        look: impl FnMut(&Snapshot) -> Option<T>,
    ) -> Result<T, Timeout> {
        until(self.ingest.changes(), time, || self.snapshot(), look).await
    }

    /// Waits until at least `count` spans are here, and returns all.
    ///
    /// # Errors
    /// [`Timeout`], with what did arrive.
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
    /// [`Timeout`], with what did arrive.
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
    /// [`Timeout`], with what did arrive.
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
        opened.map_err(|source| StartError {
            address,
            protocol,
            source,
        })
    };
    Ok([open(grpc, "gRPC").await?, open(http, "HTTP").await?])
}

#[cfg(test)]
mod tests;
