//! The spans of one request on their way to the store.

use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::{DecodeError, Message};

use super::decode::{Decoded, decode};
use crate::store::StoredSpan;

/// The checked spans of one request.
#[derive(Debug)]
pub(crate) struct SpanBatch {
    decoded: Decoded,
    withheld: usize,
}

impl SpanBatch {
    /// Reads a request in protobuf.
    ///
    /// # Errors
    /// When it is broken.
    pub(crate) fn from_protobuf(body: Bytes) -> Result<Self, DecodeError> {
        ExportTraceServiceRequest::decode(body).map(Self::from_request)
    }

    /// Reads a request.
    pub(crate) fn from_request(request: ExportTraceServiceRequest) -> Self {
        Self {
            decoded: decode(request),
            withheld: 0,
        }
    }

    /// Returns the number of spans with valid ids.
    pub(crate) fn len(&self) -> usize {
        self.decoded.spans.len()
    }

    /// Returns the number of all spans.
    pub(crate) fn found(&self) -> usize {
        self.decoded.spans.len() + self.decoded.refused.len() + self.withheld
    }

    /// Drops the last spans, as many as there are, and returns their number.
    pub(crate) fn withhold(&mut self, last: usize) -> usize {
        let withheld = last.min(self.len());
        self.decoded.spans.truncate(self.len() - withheld);
        self.withheld += withheld;
        withheld
    }

    /// Returns the spans with valid ids, and the reason for each refused span.
    pub(crate) fn into_parts(self) -> (Vec<StoredSpan>, Vec<&'static str>) {
        (self.decoded.spans, self.decoded.refused)
    }
}
