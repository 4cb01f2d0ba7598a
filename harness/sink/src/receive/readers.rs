//! The readers of what the sink has: which API a path belongs to.
//!
//! Every port answers every reader, so that a wrong port is no riddle. Jaeger and Tempo share one path, `/api/traces/{id}`,
//! and there the port decides: its [`Dialect`].

use http::Response;
use http::request::Parts;
use tonic::body::Body;

use super::front::front;
use super::ingest::Shared;
use crate::{api, jaeger, metrics, page, tempo};

/// The API that a port means by a path that several have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Jaeger's query API.
    #[default]
    Jaeger,
    /// Tempo's API.
    Tempo,
}

/// The API that a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// The page's own part of the sink's.
    States,
    /// The sink's own.
    Sidespan,
    /// Jaeger's.
    Jaeger,
    /// Tempo's.
    Tempo,
    /// Prometheus', and a cluster's probes.
    Metrics,
}

impl Reader {
    /// Returns the API of a path on a port, unless the path is no reader's.
    pub(super) fn of(path: &str, dialect: Dialect) -> Option<Self> {
        match path {
            page::STATES => Some(Self::States),
            _ if api::is_of_api(path) => Some(Self::Sidespan),
            _ if metrics::is_of_api(path) => Some(Self::Metrics),
            _ if tempo::is_of_api(path, dialect == Dialect::Tempo) => Some(Self::Tempo),
            _ if jaeger::is_of_api(path) => Some(Self::Jaeger),
            _ => None,
        }
    }

    /// Answers a request.
    pub(super) async fn answer(self, ingest: &Shared, request: &Parts) -> Response<Body> {
        match self {
            Self::States => page::states(ingest.store(), request).await,
            Self::Metrics => {
                let front = front(&ingest.received());
                let metrics = ingest.metrics();
                metrics.serve(ingest.store(), request, front).await
            }
            Self::Tempo => tempo::serve(ingest.store(), request).await,
            Self::Sidespan => {
                let to_clear = Shared::clone(ingest);
                let destinations = ingest.destinations();
                api::serve(ingest.store(), destinations, request, move || {
                    to_clear.clear();
                })
                .await
            }
            Self::Jaeger => jaeger::serve(ingest.store(), request).await,
        }
    }
}
