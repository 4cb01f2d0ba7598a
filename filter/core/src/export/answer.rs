//! The collector's answer to one request, as the proxy gives it.

/// The collector's answer to one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// `:status`; `None` when no answer came.
    pub status: Option<&'a [u8]>,
    /// The fields of gRPC beside the body.
    pub grpc: Grpc<'a>,
    /// `content-type`.
    pub content_type: Option<&'a [u8]>,
    /// `retry-after`.
    pub retry_after: Option<&'a [u8]>,
    /// The body, or the first bytes of a long body.
    pub body: &'a [u8],
    /// The length of the whole body.
    pub body_bytes: usize,
}

/// The fields of gRPC, from the trailers, or from the headers where there are no trailers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grpc<'a> {
    /// `grpc-status`.
    pub status: Option<&'a [u8]>,
    /// `grpc-message`.
    pub message: Option<&'a [u8]>,
    /// `grpc-status-details-bin`.
    pub details: Option<&'a [u8]>,
}
