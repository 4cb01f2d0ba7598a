//! The outcome of a response: status, Envoy's response flags, and the times of the stream.

use alloc::vec::Vec;

use super::source::StreamInfo;
use crate::stream_info::answers::Answers;
use crate::stream_info::attributes::Attribute;
use crate::time::Nanos;

/// The outcome of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResponseOutcome {
    /// The status code; `None` where no response has started.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status` as it passed; `None` where the request is no gRPC call or the response had none.
    pub(crate) grpc_status: Option<Vec<u8>>,
    /// Envoy's response flags as one number.
    pub(crate) response_flags: u64,
    /// True if a response has started and not ended, and no flag gives a reason.
    pub(crate) is_cut: bool,
}

impl ResponseOutcome {
    /// Reads the code that the client got, and the flags.
    #[inline]
    pub(crate) fn read(answers: &Answers<'_, impl StreamInfo>) -> Self {
        Self {
            status_code: status_code(answers.number(Attribute::StatusCode)),
            grpc_status: None,
            response_flags: answers.number(Attribute::Flags).unwrap_or(0),
            is_cut: false,
        }
    }
}

/// Returns the status code of `response.code`, which is missing or 0 where no response has started.
#[inline]
pub(crate) fn status_code(number: Option<u64>) -> Option<u16> {
    u16::try_from(number?).ok().filter(|code| *code > 0)
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
