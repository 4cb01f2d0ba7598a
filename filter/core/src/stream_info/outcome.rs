//! The outcome of a response: status, Envoy's response flags, and the times of the stream.

use alloc::vec::Vec;

use super::source::{self, StreamInfo};
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
    /// Reads the status from the part of the response that has arrived.
    #[inline]
    pub(crate) fn of_response(exchange: &impl StreamInfo, is_grpc: bool) -> Self {
        Self {
            status_code: status_code(exchange),
            grpc_status: is_grpc.then(|| grpc_status(exchange)).flatten(),
            ..Self::default()
        }
    }

    /// Reads the status, and the flags that the proxy gives.
    #[inline]
    pub(crate) fn read(told: &Answers<'_, impl StreamInfo>, is_grpc: bool) -> Self {
        let exchange = told.exchange;
        Self {
            status_code: match told.answer(Attribute::StatusCode) {
                Some(_) => told
                    .number(Attribute::StatusCode)
                    .and_then(|code| u16::try_from(code).ok()),
                None => status_code(exchange),
            },
            grpc_status: is_grpc.then(|| grpc_status(exchange)).flatten(),
            response_flags: told.number(Attribute::Flags).unwrap_or(0),
            is_cut: false,
        }
    }
}

/// Returns `grpc-status`, from the headers where there are no trailers, because a response without a body has only headers.
#[inline]
fn grpc_status(exchange: &impl StreamInfo) -> Option<Vec<u8>> {
    exchange
        .response_trailer("grpc-status")
        .or_else(|| exchange.response_header("grpc-status"))
}

/// Returns the status code of the response; `None` where no response has started.
#[inline]
pub(crate) fn status_code(exchange: &impl StreamInfo) -> Option<u16> {
    number::parse(&exchange.response_header(":status")?)
}

/// Returns the start and the end of the stream. The proxy's duration is of a clock that never steps back, so the duration
/// goes before the difference of two times (EN-13). The duration also includes the time of the filters before this one,
/// because it counts from the proxy's own start. `begun` is zero where the clock was not read at the start.
#[inline]
pub(crate) fn times(
    told: &Answers<'_, impl StreamInfo>,
    begun: Nanos,
    ended: Nanos,
) -> (Nanos, Nanos) {
    let known = told
        .number(Attribute::Duration)
        .filter(|duration| i64::try_from(*duration).is_ok());
    if let Some(duration) = known {
        let Nanos(end) = ended;
        return (Nanos(end.saturating_sub(duration)), ended);
    }
    let begun = match source::number(told.exchange, "request\0time") {
        Some(time) if time > 0 => Nanos(time),
        _ if begun == Nanos(0) => ended,
        _ => begun,
    };
    (begun, ended.max(begun))
}
