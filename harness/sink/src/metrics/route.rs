//! `/metrics`, `/ready` and `/healthz`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use tokio::time::timeout;
use tonic::body::Body;

use super::exposition::{Format, write};
use super::health::{Front, Health};
use super::red::Red;
use crate::forward::Destinations;
use crate::store::{Limits, Store};

/// The time in which a store that works answers.
const PATIENCE: Duration = Duration::from_secs(1);

/// The metrics of a sink.
#[derive(Debug)]
pub(crate) struct Metrics {
    red: Arc<Mutex<Red>>,
    destinations: Destinations,
    limits: Limits,
    started: SystemTime,
}

impl Metrics {
    /// Counts the spans that a store gets from now on.
    pub(crate) fn of(store: &Store, destinations: Destinations, limits: Limits) -> Self {
        let red: Arc<Mutex<Red>> = Arc::default();
        let counted = Arc::clone(&red);
        store.observe(Box::new(move |spans| {
            counted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(spans);
        }));
        Self {
            red,
            destinations,
            limits,
            started: SystemTime::now(),
        }
    }

    /// Answers a request.
    pub(crate) async fn serve(
        &self,
        store: &Store,
        request: &Parts,
        front: Front,
    ) -> Response<Body> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let mut response = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path takes GET and HEAD\n",
            );
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        match request.uri.path() {
            HEALTHZ => text(StatusCode::OK, "ok\n"),
            READY => match timeout(PATIENCE, store.trace_ids(0, 1)).await {
                Ok(Ok(_)) => text(StatusCode::OK, "ready\n"),
                Ok(Err(error)) => {
                    log::error!("the sink is not ready: {error}");
                    text(
                        StatusCode::SERVICE_UNAVAILABLE,
                        format!("not ready: {error}\n"),
                    )
                }
                Err(_) => text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "not ready: the store is busy for more than a second\n",
                ),
            },
            _ => self.metrics(store, request, front).await,
        }
    }

    async fn metrics(&self, store: &Store, request: &Parts, front: Front) -> Response<Body> {
        let accept = request
            .headers
            .get(ACCEPT)
            .map_or(&b""[..], |it| it.as_bytes());
        let format = match memchr::memmem::find(accept, b"application/openmetrics-text") {
            Some(_) => Format::OpenMetrics,
            None => Format::Prometheus,
        };
        let forwarding = match self.destinations.state(store).await {
            Ok(forwarding) => forwarding,
            Err(error) => {
                log::error!("cannot read what waits to be forwarded: {error}");
                return text(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"));
            }
        };
        let red = self
            .red
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (counts, size) = store.counts_and_size();
        let health = Health {
            front,
            counts,
            size,
            limits: self.limits,
            forwarding,
            started: self.started,
            series: red.len(),
            overflowed: red.overflowed,
            kept: red.kept,
        };
        match write(format, red, health) {
            Ok(body) => respond(StatusCode::OK, format.media(), body),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }
}

/// Returns true if a path is one of these.
pub(crate) fn is_of_api(path: &str) -> bool {
    path == METRICS || is_open(path)
}

/// Returns true if a path needs no token: probes have none, and are told no more than that the sink works.
pub(crate) fn is_open(path: &str) -> bool {
    matches!(path, READY | HEALTHZ)
}

fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    respond(status, "text/plain; charset=utf-8", text.into())
}

fn respond(status: StatusCode, media: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

const METRICS: &str = "/metrics";
const READY: &str = "/ready";
const HEALTHZ: &str = "/healthz";
