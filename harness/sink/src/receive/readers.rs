//! The readers of what the sink has: which API a path belongs to.
//!
//! Every port answers every reader, so that a wrong port is no riddle. Jaeger and Tempo share some paths, `/api/traces/{id}` and
//! those below `/api/metrics/`, and there the port decides: its [`Dialect`].

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

impl Dialect {
    fn reader(self) -> Reader {
        match self {
            Self::Jaeger => Reader::Jaeger,
            Self::Tempo => Reader::Tempo,
        }
    }
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
            _ => match (jaeger::is_of_api(path), tempo::is_of_api(path)) {
                (true, true) => Some(dialect.reader()),
                (true, false) => Some(Self::Jaeger),
                (false, true) => Some(Self::Tempo),
                (false, false) => None,
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_jaeger_and_tempo_have_is_the_ports() {
        for shared in ["/api/traces/1", "/api/metrics/calls"] {
            let found = [Dialect::Jaeger, Dialect::Tempo].map(|it| Reader::of(shared, it));
            assert_eq!(
                found,
                [Some(Reader::Jaeger), Some(Reader::Tempo)],
                "{shared}"
            );
        }
    }

    #[test]
    fn every_other_path_is_answered_on_every_port() {
        for (path, reader) in [
            ("/api/services", Reader::Jaeger),
            ("/api/search", Reader::Tempo),
            ("/metrics", Reader::Metrics),
            ("/api/sidespan/v1/status", Reader::Sidespan),
        ] {
            for dialect in [Dialect::Jaeger, Dialect::Tempo] {
                assert_eq!(Reader::of(path, dialect), Some(reader), "{path}");
            }
        }
        assert_eq!(Reader::of("/v1/traces", Dialect::Jaeger), None);
    }
}
