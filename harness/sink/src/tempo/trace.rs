//! A trace by its id.

use http::request::Parts;
use http::{Response, StatusCode, header::ACCEPT};
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::json;
use tonic::body::Body;

use super::answer;
use super::json::resource_spans;
use crate::store::{Store, StoreError};

/// The versions of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// A trace, or 404.
    One,
    /// An answer with a trace in it, which is empty if there is none.
    Two,
}

/// Answers `/api/traces/{id}` and `/api/v2/traces/{id}`. An id may lack the zeros in front.
pub(super) async fn trace(
    store: &Store,
    request: &Parts,
    digits: &str,
    version: Version,
) -> Result<Response<Body>, StoreError> {
    let id = match trace_id(digits) {
        Ok(id) => id,
        Err(cause) => return Ok(answer::text(StatusCode::BAD_REQUEST, cause)),
    };
    let accept = request
        .headers
        .get(ACCEPT)
        .map_or(&b""[..], |it| it.as_bytes());
    let is_protobuf = memchr::memmem::find(accept, b"application/protobuf").is_some();
    let data = store.trace_data(id).await?;
    Ok(match (data, version, is_protobuf) {
        (None, Version::One, _) => answer::text(StatusCode::NOT_FOUND, ""),
        (data, Version::Two, true) => answer::protobuf(within(&data.unwrap_or_default())),
        (Some(data), Version::One, true) => answer::protobuf(data),
        (Some(data), _, false) => {
            let request = ExportTraceServiceRequest::decode(data).unwrap_or_default();
            let all = resource_spans(&request.resource_spans);
            answer::json(&match version {
                Version::One => json!({ "batches": all }),
                Version::Two => json!({ "trace": { "resourceSpans": all }, "metrics": {} }),
            })
        }
        (None, Version::Two, false) => answer::json(&json!({ "trace": {}, "metrics": {} })),
    })
}

/// Returns the answer of version 2 in protobuf: the trace is its field 1, and what it says beside it is all default.
fn within(trace: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(trace.len() + 8);
    encode_key(1, WireType::LengthDelimited, &mut out);
    encode_varint(u64::try_from(trace.len()).unwrap_or(u64::MAX), &mut out);
    out.extend_from_slice(trace);
    out.into()
}

/// Reads a trace id, which may lack the zeros in front.
pub(super) fn trace_id(digits: &str) -> Result<[u8; 16], String> {
    if let Some((place, wrong)) = digits
        .char_indices()
        .find(|(_, it)| !it.is_ascii_hexdigit())
    {
        return Err(format!(
            "trace IDs can only contain hex characters: invalid character {wrong:?} at position {}",
            place + 1
        ));
    }
    if digits.is_empty() || digits.len() > 32 {
        return Err(format!(
            "expected the 1 to 32 hexadecimal digits of a trace id, found {}",
            digits.len()
        ));
    }
    let mut id = [0; 16];
    // Both were checked: there are 32 digits now, and nothing else.
    let _ = hex::decode_to_slice(format!("{digits:0>32}"), &mut id);
    Ok(id)
}
