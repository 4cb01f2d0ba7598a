//! The handle of a running sink: start, stop, read, wait, and script.
//!
//! A sink lives on the tokio runtime that starts it and ends with its handle. Nothing here polls.

mod addresses;
mod config;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use self::addresses::{Addresses, listen};
pub use self::config::{SinkConfig, StartError};
use crate::forward::{Forwarder, Forwarding};
use crate::metrics::Metrics;
use crate::receive::{Ingest, Listener, Received, Service, Tls};
use crate::script::Reply;
use crate::store::{Counts, RequestRecord, Store, StoreError, StoredSpan};
use crate::wait::{Snapshot, Timeout, until};

/// A running sink. Dropping it stops it.
#[derive(Debug)]
pub struct Sink {
    service: Service,
    tls: Option<Tls>,
    addresses: Addresses,
    listeners: Mutex<Option<Vec<Listener>>>,
    forwarder: Forwarder,
}

impl Sink {
    /// Listens on both addresses and serves them on the current runtime.
    ///
    /// # Errors
    /// [`StartError`] when the database cannot be opened, an address cannot be bound, or a destination is none.
    pub async fn start(config: SinkConfig) -> Result<Self, StartError> {
        let mut addresses = Addresses::asked(&config);
        let store = Store::open(config.place, config.limits)?;
        // Before the first span arrives, or it would not be forwarded.
        let forwarder = Forwarder::start(&store, config.forward).await?;
        let destinations = forwarder.destinations().clone();
        let metrics = Metrics::of(&store, destinations.clone(), config.limits);
        let ingest = Arc::new(Ingest::new(
            store,
            destinations,
            config.limits,
            config.faults,
            metrics,
        ));
        let service = Service::new(ingest, config.access);
        let listeners = listen(&service, config.tls.as_ref(), &mut addresses).await?;
        Ok(Self {
            service,
            tls: config.tls,
            addresses,
            listeners: Mutex::new(Some(listeners)),
            forwarder,
        })
    }

    /// Returns the address for OTLP/gRPC, with its real port.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.addresses.grpc
    }

    /// Returns the address for OTLP/HTTP, with its real port.
    pub fn http_addr(&self) -> SocketAddr {
        self.addresses.http
    }

    /// Returns the address for Zipkin's spans, with its real port, if there is one.
    pub fn zipkin_addr(&self) -> Option<SocketAddr> {
        self.addresses.zipkin
    }

    /// Returns the address for Jaeger's readers and the page, with its real port, if there is one.
    pub fn jaeger_addr(&self) -> Option<SocketAddr> {
        self.addresses.jaeger
    }

    /// Returns the address for Tempo's readers, with its real port, if there is one.
    pub fn tempo_addr(&self) -> Option<SocketAddr> {
        self.addresses.tempo
    }

    fn ingest(&self) -> &Ingest {
        self.service.ingest()
    }

    /// Closes all addresses, as a collector does that restarts: connections break, new ones are refused. Received spans
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
            let mut same = self.addresses;
            *listeners = Some(listen(&self.service, self.tls.as_ref(), &mut same).await?);
        }
        Ok(())
    }

    /// Stops the sink for good, after [`Sink::stop_forwarding`]; when `stop` returns, the ports are free.
    pub async fn stop(self) {
        self.pause().await;
        self.stop_forwarding().await;
    }

    /// Stops forwarding: what a destination takes at once goes out within [`Forward::flush`](crate::Forward::flush), and the rest waits in the file
    /// for the next sink. Where there is none, it is lost, and the log says so.
    pub async fn stop_forwarding(&self) {
        self.forwarder.stop(self.store()).await;
    }

    /// Returns the state of each destination that spans are forwarded to.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn forwarding(&self) -> Result<Vec<Forwarding>, StoreError> {
        self.ingest().destinations().state(self.store()).await
    }

    /// Sends again what a destination has refused for good, in front of what waits, and returns the numbers of requests and
    /// spans; `None` if spans are not forwarded to this URL.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be written.
    pub async fn resend(&self, destination: &str) -> Result<Option<(u64, u64)>, StoreError> {
        let destinations = self.ingest().destinations();
        destinations.resend(self.store(), destination).await
    }

    /// Adds replies to the script, one for each of the next requests, after the replies that still wait for a request.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.ingest().script(replies);
    }

    /// Returns the spans, requests and counts of this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.ingest().snapshot()
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
        self.ingest().counts()
    }

    /// Returns the counts of what is refused or dropped before it reaches the store, since the start.
    pub fn received(&self) -> Received {
        self.ingest().received()
    }

    /// Returns the store: searches, traces, and the queues for forwarding.
    pub fn store(&self) -> &Store {
        self.ingest().store()
    }

    /// Removes all spans and requests; counts and script stay.
    pub fn clear(&self) {
        self.ingest().clear();
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
        until(self.ingest().changes(), time, || self.snapshot(), look).await
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

#[cfg(test)]
mod tests;
