//! What a sink is started with, and why it may not start.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use crate::forward::{Forward, ForwardError};
use crate::receive::{Access, Tls};
use crate::script::Faults;
use crate::store::{Limits, Place, StoreError};

/// The addresses and bounds of a sink, and who may send to it.
///
/// Every address takes every protocol.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// The address for OTLP/gRPC; port 0 takes a free port.
    pub grpc: SocketAddr,
    /// The address for OTLP/HTTP; port 0 takes a free port.
    pub http: SocketAddr,
    /// The address for Zipkin's spans; port 0 takes a free port. By default there is none.
    pub zipkin: Option<SocketAddr>,
    /// The address for Jaeger's readers and the page; port 0 takes a free port. By default there is none.
    pub jaeger: Option<SocketAddr>,
    /// The address for Tempo's readers; port 0 takes a free port. By default there is none.
    pub tempo: Option<SocketAddr>,
    /// The place of the spans.
    pub place: Place,
    /// The bounds of the store.
    pub limits: Limits,
    /// The senders that requests are taken from; by default all.
    pub access: Access,
    /// TLS on every address; by default there is none.
    pub tls: Option<Tls>,
    /// The faults of a bad collector, after every scripted reply; by default there are none.
    pub faults: Faults,
    /// The destinations that new spans are forwarded to; by default there are none.
    pub forward: Forward,
}

impl Default for SinkConfig {
    /// Returns free ports of the loopback interface, and the default bounds.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            grpc: any,
            http: any,
            zipkin: None,
            jaeger: None,
            tempo: None,
            place: Place::default(),
            limits: Limits::default(),
            access: Access::default(),
            tls: None,
            faults: Faults::default(),
            forward: Forward::default(),
        }
    }
}

/// The error of a sink that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address that the sink cannot listen on.
    #[error("cannot listen on {address} for {protocol}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The protocol: `OTLP over gRPC`, `OTLP over HTTP`, `Zipkin`, `Jaeger` or `Tempo`.
        protocol: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A database that cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Destinations that cannot be forwarded to.
    #[error(transparent)]
    Forward(#[from] ForwardError),
}
