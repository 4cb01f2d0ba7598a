//! What a response said as it passed this filter: status code and `grpc-status`. Filters between the client and this one may
//! change both afterwards, so the end of the exchange cannot be asked for them.

use alloc::vec::Vec;

use super::outcome::{self, ResponseOutcome};
use super::source::StreamInfo;

/// The part of a response that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePart {
    /// The headers.
    Headers,
    /// The trailers.
    Trailers,
}

/// The response as it passed this filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeardResponse {
    /// The status code; `None` where no response has passed, or nobody asked.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status`, likewise.
    pub(crate) grpc_status: Option<Vec<u8>>,
}

impl ResponsePart {
    /// Returns the first line of this name.
    #[inline]
    pub(crate) fn line(self, stream_info: &impl StreamInfo, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Headers => stream_info.response_header(name),
            Self::Trailers => stream_info.response_trailer(name),
        }
    }
}

impl HeardResponse {
    /// Reads the part of the response that has arrived.
    #[inline]
    pub(crate) fn read(stream_info: &impl StreamInfo, is_rpc: bool) -> Self {
        Self {
            status_code: outcome::status_code(stream_info),
            grpc_status: is_rpc.then(|| outcome::grpc_status(stream_info)).flatten(),
        }
    }

    /// Adds what a later part of the response says.
    #[inline]
    pub(crate) fn add(&mut self, later: Self) {
        self.status_code = later.status_code.or(self.status_code);
        self.grpc_status = later.grpc_status.or(self.grpc_status.take());
    }

    /// Returns the outcome that a CLIENT span tells. It is about the upstream's side of the proxy: what has passed, and what
    /// was logged only where nothing has, because Envoy sends some answers of its own past the filters.
    #[inline]
    pub(crate) fn of_upstream(&self, logged: &ResponseOutcome) -> ResponseOutcome {
        let grpc_status = self.grpc_status.as_ref().or(logged.grpc_status.as_ref());
        ResponseOutcome {
            status_code: self.status_code.or(logged.status_code),
            grpc_status: grpc_status.cloned(),
            ..*logged
        }
    }

    /// Returns the outcome that a SERVER span tells. It is about the client: what was logged, and a `grpc-status` that has
    /// passed only where none is left, because filters that translate gRPC for browsers move it into the body.
    #[inline]
    pub(crate) fn of_client(&self, logged: &ResponseOutcome) -> ResponseOutcome {
        let grpc_status = logged.grpc_status.as_ref().or(self.grpc_status.as_ref());
        ResponseOutcome {
            grpc_status: grpc_status.cloned(),
            ..*logged
        }
    }
}
