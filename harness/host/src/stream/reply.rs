//! A response that does not come from the upstream.

use crate::headers::Headers;

/// A response that the proxy makes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u32,
    /// Fields in addition to those that Envoy writes.
    pub headers: Headers,
    /// The body; `text/plain` unless a field says otherwise.
    pub body: Vec<u8>,
    /// What `response.code_details` says, without spaces.
    pub details: String,
    /// The gRPC status, 0 to 16, for a request that is gRPC.
    pub grpc_status: Option<u32>,
    /// Who made it.
    pub origin: Origin,
}

/// Who made a local reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The filter, by `proxy_send_local_response`.
    Filter,
    /// The proxy: no route, no upstream, a timeout.
    Proxy,
    /// The proxy, because the filter's VM has failed.
    FailedVm,
}

impl LocalReply {
    /// Returns a reply of the proxy itself, as for a missing route.
    pub fn new(status: u32, details: &str) -> Self {
        let details = details.replace(' ', "_");
        Self {
            status,
            headers: Headers::new(),
            body: Vec::new(),
            details,
            grpc_status: None,
            origin: Origin::Proxy,
        }
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}
