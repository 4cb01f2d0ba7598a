//! A collector's answer to one request, as the proxy hands it over.

/// An answer as it arrived.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// `:status`; `None` when no answer came.
    pub status: Option<&'a [u8]>,
    /// What gRPC says beside the body.
    pub grpc: Grpc<'a>,
    /// `retry-after`.
    pub retry_after: Option<&'a [u8]>,
    /// The body, or the beginning of a long one.
    pub body: &'a [u8],
    /// How long the body is.
    pub body_bytes: usize,
}

/// How a call went, from the trailers, or from the headers where there are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc<'a> {
    /// `grpc-status`.
    pub status: Option<&'a [u8]>,
    /// `grpc-message`.
    pub message: Option<&'a [u8]>,
    /// `grpc-status-details-bin`.
    pub details: Option<&'a [u8]>,
}
