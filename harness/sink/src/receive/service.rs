//! The answer to one request of a connection: the browser's question first, then the token, then the transport.
//!
//! The content type of a request decides its transport, not the port, so that an exporter with the wrong port works instead
//! of failing with a riddle.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response};
use tonic::body::Body;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

use super::access::Access;
use super::ingest::{Ingest, Reset, Shared};
use super::readers::{Dialect, Reader};
use super::refusal::Refusal;
use super::{grpc, http};
use crate::{jaeger, metrics, page};

/// The service of all connections of a sink.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    ingest: Shared,
    access: Arc<Access>,
    cors: Option<CorsLayer>,
    dialect: Dialect,
    guard: page::Guard,
}

impl Service {
    pub(crate) fn new(ingest: Shared, access: Access) -> Self {
        Self {
            ingest,
            cors: access.cors(),
            guard: access.guard(false),
            access: Arc::new(access),
            dialect: Dialect::default(),
        }
    }

    /// Returns the same service for a port that means this API where several have a path, on loopback or beyond.
    pub(crate) fn speaking(&self, dialect: Dialect, is_loopback: bool) -> Self {
        Self {
            dialect,
            guard: self.access.guard(is_loopback),
            ..self.clone()
        }
    }

    /// Returns the part that all connections of a sink share.
    pub(crate) fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
        match &self.cors {
            None => self.dispatch(request).await,
            Some(cors) => {
                let inner = service_fn(|request| self.dispatch(request));
                cors.layer(inner).oneshot(request).await
            }
        }
    }

    async fn dispatch(&self, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
        let is_grpc = is_grpc(&request);
        let (parts, body) = request.into_parts();
        if !is_grpc && let Some(answer) = page::serve(&parts) {
            return Ok(answer);
        }
        let request = Request::from_parts(parts, body);
        let is_open = metrics::is_open(request.uri().path());
        if !is_open && !self.access.allows(request.headers()) {
            let refusal = Refusal::unauthenticated();
            self.ingest.counters().refusal(&refusal);
            return Ok(match is_grpc {
                true => grpc::refused(&refusal),
                false => http::unauthenticated(request.headers()),
            });
        }
        if !is_grpc && let Some(reader) = Reader::of(request.uri().path(), self.dialect) {
            let (parts, _) = request.into_parts();
            let answer = match self.guard.refusal(&parts) {
                Some(refused) => refused,
                None => reader.answer(&self.ingest, &parts).await,
            };
            self.ingest.counters().answered(answer.status());
            return Ok(answer);
        }
        match is_grpc {
            true if jaeger::is_of_storage(request.uri().path()) => {
                let ingest = Shared::clone(&self.ingest);
                let kept = move || ingest.announce();
                Ok(jaeger::serve_storage(self.ingest.store(), request, kept).await)
            }
            true => grpc::serve(&self.ingest, request).await,
            false => http::serve(&self.ingest, request).await,
        }
    }
}

fn is_grpc(request: &Request<Incoming>) -> bool {
    let media = request.headers().get(CONTENT_TYPE);
    let media = media.map_or(&b""[..], |value| value.as_bytes());
    // Not `application/grpc-web`, which is another protocol.
    matches!(
        media.strip_prefix(b"application/grpc"),
        Some([] | [b'+' | b';', ..])
    )
}
