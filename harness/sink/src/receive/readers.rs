//! The readers of what the sink has: which API a path belongs to.
//!
//! Every port answers every reader, so that a wrong port is no riddle. Jaeger and Tempo share one path, `/api/traces/{id}`,
//! and there the port decides: its [`Dialect`].

use http::Response;
use http::request::Parts;
use tonic::body::Body;

use super::ingest::Shared;
use crate::api;

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
    /// The sink's own.
    Sidespan,
}

impl Reader {
    /// Returns the API of a path on a port, unless the path is no reader's.
    pub(super) fn of(path: &str, _dialect: Dialect) -> Option<Self> {
        api::is_of_api(path).then_some(Self::Sidespan)
    }

    /// Answers a request.
    pub(super) async fn answer(self, ingest: &Shared, request: &Parts) -> Response<Body> {
        match self {
            Self::Sidespan => {
                let to_clear = Shared::clone(ingest);
                let destinations = ingest.destinations();
                api::serve(ingest.store(), destinations, request, move || {
                    to_clear.clear();
                })
                .await
            }
        }
    }
}
