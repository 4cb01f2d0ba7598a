//! The outcome of a response: status, Envoy's response flags, and the times of the stream.

use alloc::vec::Vec;

use super::source::StreamInfo;
use crate::codec::number;
use crate::stream_info::answers::Answers;
use crate::stream_info::attributes::Attribute;
use crate::time::Nanos;

/// The outcome of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResponseOutcome {
    /// The status code; `None` where no response has started.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status`; `None` where the request is no gRPC call or the response has none.
    pub(crate) grpc_status: Option<Vec<u8>>,
    /// Envoy's response flags as one number.
    pub(crate) response_flags: u64,
    /// True if a response has started and not ended, and no flag gives a reason.
    pub(crate) is_cut: bool,
}

impl ResponseOutcome {
    /// Reads the status, and the flags that the proxy gives.
    #[inline]
    pub(crate) fn read(answers: &Answers<'_, impl StreamInfo>, is_grpc: bool) -> Self {
        let stream_info = answers.stream_info;
        Self {
            status_code: match answers.answer(Attribute::StatusCode) {
                Some(_) => answers
                    .number(Attribute::StatusCode)
                    .and_then(|code| u16::try_from(code).ok()),
                None => status_code(stream_info),
            },
            grpc_status: is_grpc.then(|| grpc_status(stream_info)).flatten(),
            response_flags: answers.number(Attribute::Flags).unwrap_or(0),
            is_cut: false,
        }
    }
}

/// Returns `grpc-status`, from the headers where there are no trailers, because a response without a body has only headers.
#[inline]
pub(crate) fn grpc_status(stream_info: &impl StreamInfo) -> Option<Vec<u8>> {
    stream_info
        .response_trailer("grpc-status")
        .or_else(|| stream_info.response_header("grpc-status"))
}

/// Returns the status code of the response; `None` where no response has started.
#[inline]
pub(crate) fn status_code(stream_info: &impl StreamInfo) -> Option<u16> {
    number::parse(&stream_info.response_header(":status")?)
}

/// Returns the start and the end of the stream. Both are the proxy's own, so that a span neither moves by how late this
/// filter came to run nor begins before its parent on the same machine: the duration is of a clock that never steps back,
/// and includes the time of the filters before this one (EN-13). `start` is zero where the clock was not read at the start.
#[inline]
pub(crate) fn times(
    answers: &Answers<'_, impl StreamInfo>,
    start: Nanos,
    end: Nanos,
) -> (Nanos, Nanos) {
    let known = |attribute| {
        let number = answers.number(attribute);
        number.filter(|nanos| i64::try_from(*nanos).is_ok())
    };
    let began = known(Attribute::Start).filter(|nanos| *nanos > 0);
    match (began, known(Attribute::Duration)) {
        (Some(began), Some(duration)) => (Nanos(began), Nanos(began.saturating_add(duration))),
        (Some(began), None) => (Nanos(began), end.max(Nanos(began))),
        (None, Some(duration)) => (Nanos(end.0.saturating_sub(duration)), end),
        (None, None) if start == Nanos(0) => (end, end),
        (None, None) => (start, end.max(start)),
    }
}
