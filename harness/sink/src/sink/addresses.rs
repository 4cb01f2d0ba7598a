//! The addresses of a sink, and what each is for.

use std::net::SocketAddr;

use super::config::{SinkConfig, StartError};
use crate::receive::{Dialect, Listener, Service, Tls};

/// The addresses of a sink.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) grpc: SocketAddr,
    pub(super) http: SocketAddr,
    pub(super) zipkin: Option<SocketAddr>,
    pub(super) jaeger: Option<SocketAddr>,
    pub(super) tempo: Option<SocketAddr>,
}

impl Addresses {
    /// Returns those that a configuration asks for, whose ports may be 0.
    pub(super) fn asked(config: &SinkConfig) -> Self {
        Self {
            grpc: config.grpc,
            http: config.http,
            zipkin: config.zipkin,
            jaeger: config.jaeger,
            tempo: config.tempo,
        }
    }
}

/// Listens on all addresses, and puts the real ports in their places.
pub(super) async fn listen(
    service: &Service,
    tls: Option<&Tls>,
    addresses: &mut Addresses,
) -> Result<Vec<Listener>, StartError> {
    let Addresses {
        grpc,
        http,
        zipkin,
        jaeger,
        tempo,
    } = addresses;
    let mut listeners = Vec::new();
    for (address, protocol, dialect) in [
        (Some(grpc), "OTLP over gRPC", Dialect::Jaeger),
        (Some(http), "OTLP over HTTP", Dialect::Jaeger),
        (zipkin.as_mut(), "Zipkin", Dialect::Jaeger),
        (jaeger.as_mut(), "Jaeger", Dialect::Jaeger),
        (tempo.as_mut(), "Tempo", Dialect::Tempo),
    ] {
        let Some(address) = address else { continue };
        let opened = Listener::open(
            *address,
            service.speaking(dialect, address.ip().is_loopback()),
            tls,
        )
        .await;
        let listener = opened.map_err(|source| StartError::Listen {
            address: *address,
            protocol,
            source,
        })?;
        *address = listener.address();
        listeners.push(listener);
    }
    Ok(listeners)
}
