//! Durations, times, statuses and kinds as people write them in a search.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};

use crate::store::{SpanKind, StatusCode};

/// The error of a text that is none of what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct TextError {
    /// The texts that are accepted, in words.
    pub expected: &'static str,
    /// The text.
    pub found: String,
}

fn wrong(expected: &'static str, found: &str) -> TextError {
    TextError {
        expected,
        found: found.to_owned(),
    }
}

/// Reads a duration: `100ms`, `1.5s`, `15m`.
///
/// # Errors
/// [`TextError`] for anything else, a number without a unit included.
pub fn duration_of(text: &str) -> Result<Duration, TextError> {
    let read: Option<SignedDuration> = text.trim().parse().ok();
    read.and_then(|read| Duration::try_from(read).ok())
        .ok_or_else(|| wrong("a duration such as 100ms, 1.5s or 15m", text))
}

/// Reads a time, in nanoseconds since 1970: RFC 3339, or a duration before `now`.
///
/// # Errors
/// [`TextError`] for anything else, and for times before 1970.
pub fn time_of(text: &str, now: SystemTime) -> Result<u64, TextError> {
    let expected = "a time such as 2026-11-30T12:00:00Z, or 15m for as long ago";
    let now = || now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = match text.trim().parse::<Timestamp>() {
        Ok(time) => u64::try_from(time.as_nanosecond()).ok(),
        Err(_) => duration_of(text)
            .ok()
            .and_then(|ago| u64::try_from(now().saturating_sub(ago).as_nanos()).ok()),
    };
    nanos.ok_or_else(|| wrong(expected, text))
}

/// Reads the status of a span: `unset`, `ok` or `error`, in any case.
///
/// # Errors
/// [`TextError`] for anything else.
pub fn status_of(text: &str) -> Result<StatusCode, TextError> {
    match text.to_ascii_lowercase().as_str() {
        "unset" => Ok(StatusCode::Unset),
        "ok" => Ok(StatusCode::Ok),
        "error" => Ok(StatusCode::Error),
        _ => Err(wrong("unset, ok or error", text)),
    }
}

/// Reads the kind of a span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`, in any case.
///
/// # Errors
/// [`TextError`] for anything else.
pub fn kind_of(text: &str) -> Result<SpanKind, TextError> {
    let kinds = [
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
        SpanKind::Unspecified,
    ];
    let mut kinds = kinds.into_iter();
    kinds
        .find(|kind| kind.to_string().eq_ignore_ascii_case(text))
        .ok_or_else(|| {
            let expected = "internal, server, client, producer, consumer or unspecified";
            wrong(expected, text)
        })
}

/// Writes a duration so that [`duration_of`] reads the same.
pub fn write_duration(duration: Duration) -> String {
    format!("{}ns", duration.as_nanos())
}

/// Writes a time in nanoseconds since 1970 as RFC 3339 in UTC.
pub fn write_time(unix_nanos: u64) -> String {
    timestamp(unix_nanos).to_string()
}

/// Writes a time to the millisecond, always in as many digits.
pub(crate) fn write_millis(unix_nanos: u64) -> String {
    format!("{:.3}", timestamp(unix_nanos))
}

fn timestamp(unix_nanos: u64) -> Timestamp {
    // Every u64 lies before the year 2555, which is far inside of a timestamp's range.
    Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or_default()
}
