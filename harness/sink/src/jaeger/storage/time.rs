//! Times and durations of protobuf.

/// `google.protobuf.Timestamp` and `google.protobuf.Duration`, which have the same fields.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Time {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Time {
    /// Returns a number of nanoseconds.
    pub(super) fn of_nanos(nanos: u64) -> Self {
        Self {
            seconds: i64::try_from(nanos / SECOND).unwrap_or(i64::MAX),
            nanos: i32::try_from(nanos % SECOND).unwrap_or_default(),
        }
    }

    /// Returns the nanoseconds, within the bounds of their type.
    pub(super) fn as_nanos(&self) -> i64 {
        let nanos = self.seconds.saturating_mul(1_000_000_000);
        nanos.saturating_add(i64::from(self.nanos))
    }

    /// Returns the nanoseconds since 1970; `None` for the zero of Go's times, which stands for none.
    pub(super) fn as_time(&self) -> Option<i64> {
        (self.seconds > ZERO_TIME).then(|| self.as_nanos())
    }
}

const SECOND: u64 = 1_000_000_000;
/// The seconds of Go's zero of a time, 0001-01-01.
const ZERO_TIME: i64 = -62_135_596_800;
