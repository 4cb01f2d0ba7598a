//! The outcome of a response: status, flags, times.

use alloc::vec::Vec;

use super::source::{self, StreamInfo};
use crate::codec::number;
use crate::stream_info::answers::Answers;
use crate::stream_info::attributes::Attribute;
use crate::time::Nanos;

/// How an exchange ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResponseOutcome {
    /// The status code of the response, if one was begun.
    pub(crate) status_code: Option<u16>,
    /// `grpc-status`, where it was asked for and is there.
    pub(crate) grpc_status: Option<Vec<u8>>,
    /// Envoy's response flags as one number.
    pub(crate) response_flags: u64,
    /// A response was begun, not ended, and no flag says why.
    pub(crate) is_cut: bool,
}

impl ResponseOutcome {
    /// What the response says, as far as it has come.
    #[inline]
    pub(crate) fn of_response(exchange: &impl StreamInfo, is_grpc: bool) -> Self {
        Self {
            status_code: status_code(exchange),
            grpc_status: is_grpc.then(|| grpc_status(exchange)).flatten(),
            ..Self::default()
        }
    }

    /// The same, and what the proxy says of it.
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

/// `grpc-status`; a response without a body has it among its headers.
#[inline]
fn grpc_status(exchange: &impl StreamInfo) -> Option<Vec<u8>> {
    exchange
        .response_trailer("grpc-status")
        .or_else(|| exchange.response_header("grpc-status"))
}

/// The status code of the response, if one was begun.
#[inline]
pub(crate) fn status_code(exchange: &impl StreamInfo) -> Option<u16> {
    number::parse(&exchange.response_header(":status")?)
}

/// When the exchange began, and when it ended. The proxy's duration is of a clock that never steps back, so it is
/// preferred to the difference of two times (EN-13), and it counts from the proxy's own beginning: what other filters took
/// before this one is in it. `begun` is zero where nobody has looked at the clock then.
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
