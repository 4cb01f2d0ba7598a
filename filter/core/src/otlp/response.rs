//! The message `ExportTraceServiceResponse`: the number of spans that a receiver rejects, and its reason (OTLP, "Partial
//! Success").

use crate::codec::protobuf;

/// Reads the number of rejected spans from an `ExportTraceServiceResponse`. A message that cannot be read rejects nothing,
/// because the status said that the request was accepted.
#[inline]
pub fn rejected_spans(response: &[u8]) -> u64 {
    let rejected = partial_success(response).filter_map(|field| match field {
        (PARTIAL_SUCCESS_REJECTED_SPANS, protobuf::Field::Number(count)) => Some(count),
        _ => None,
    });
    // A negative number counts as zero.
    let rejected = rejected.last().and_then(|count| i64::try_from(count).ok());
    rejected.map_or(0, i64::unsigned_abs)
}

/// Reads the reason for rejected spans from an `ExportTraceServiceResponse`.
#[inline]
pub(crate) fn partial_success_message(response: &[u8]) -> Option<&[u8]> {
    partial_success(response).find_map(|field| match field {
        (PARTIAL_SUCCESS_ERROR_MESSAGE, protobuf::Field::Bytes(message)) => Some(message),
        _ => None,
    })
}

#[inline]
fn partial_success(response: &[u8]) -> impl Iterator<Item = (u64, protobuf::Field<'_>)> {
    let fields = |mut message| core::iter::from_fn(move || protobuf::read(&mut message));
    fields(response).flat_map(move |field| match field {
        (RESPONSE_PARTIAL_SUCCESS, protobuf::Field::Bytes(partial)) => fields(partial),
        _ => fields(&[]),
    })
}

const RESPONSE_PARTIAL_SUCCESS: u64 = 1;

const PARTIAL_SUCCESS_REJECTED_SPANS: u64 = 1;

const PARTIAL_SUCCESS_ERROR_MESSAGE: u64 = 2;
