//! Answers of a collector in trouble.

use std::time::Duration;

use sidespan_sink::Reply;
use sidespan_tests::draw::Draw;
use tonic::Code;

/// The time that a collector in trouble asks for.
const PATIENCE: Duration = Duration::from_millis(100);
/// Longer than any timeout of the configurations.
const HANGING: Duration = Duration::from_secs(5);

/// Returns an answer of any kind but the right one; a slow one may be right.
pub(in crate::security) fn reply(draw: &mut Draw) -> Reply {
    match draw.below(16) {
        0 => Reply::Unavailable,
        1 => Reply::PartialSuccess {
            rejected: draw.below(3),
            message: "too old\nor too new".into(),
        },
        2 => Reply::Status(429, Some(PATIENCE)),
        3 => Reply::HttpStatus(503, Some(PATIENCE)),
        4 => Reply::GrpcStatus(Code::ResourceExhausted, Some(PATIENCE)),
        5 => Reply::GrpcStatus(Code::ResourceExhausted, None),
        6 => Reply::HttpStatus(404, None),
        7 => Reply::Status(400, None),
        8 => Reply::GrpcStatus(Code::Unimplemented, None),
        9 => Reply::Reset,
        10 => Reply::LostAnswer,
        11 => Reply::CutAnswer,
        12 => Reply::Delay(HANGING),
        13 => Reply::Delay(PATIENCE),
        14 => Reply::HttpStatus(302, None),
        _ => Reply::Status(504, None),
    }
}
