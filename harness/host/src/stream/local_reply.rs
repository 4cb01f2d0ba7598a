//! A local reply: a response that the proxy makes in place of the upstream.

use crate::headers::Headers;

/// A response that the proxy makes in place of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u32,
    /// Header fields in addition to those that Envoy writes.
    pub headers: Headers,
    /// The body; `text/plain` unless a field says otherwise.
    pub body: Vec<u8>,
    /// The value of `response.code_details`, without spaces.
    pub details: String,
    /// The gRPC status, 0 to 16, for a gRPC request.
    pub grpc_status: Option<u32>,
    /// The maker of the reply.
    pub origin: Origin,
}

/// The maker of a local reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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

    /// Returns headers and body as Envoy writes them (`Utility::prepareLocalReply`): gRPC requests get trailers only.
    pub fn to_response(&self, is_grpc: bool) -> (Headers, Vec<u8>) {
        if is_grpc {
            let grpc_status = self
                .grpc_status
                .unwrap_or_else(|| grpc_status_of(self.status));
            let mut headers = Headers::from([(":status", "200")]);
            for (name, value) in self.headers.iter() {
                headers.add(name, value);
            }
            headers.replace(":status", "200");
            headers.replace("content-type", "application/grpc");
            headers.replace("grpc-status", grpc_status.to_string());
            if !self.body.is_empty() {
                headers.replace("grpc-message", percent_encode(&self.body));
            }
            return (headers, Vec::new());
        }
        let mut headers = Headers::from([(":status", self.status.to_string())]);
        for (name, value) in self.headers.iter() {
            headers.add(name, value);
        }
        headers.replace(":status", self.status.to_string());
        if !self.body.is_empty() {
            headers.replace("content-length", self.body.len().to_string());
            if headers.get("content-type").is_none() {
                headers.add("content-type", "text/plain");
            }
        }
        (headers, self.body.clone())
    }
}

/// Returns the gRPC status of an HTTP status (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>).
pub(super) fn grpc_status_of(status: u32) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

fn percent_encode(text: &[u8]) -> String {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'%';
    let encode = |byte: &u8| {
        if plain(*byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.iter().map(encode).collect()
}
