//! The timing of requests to the sampling server, and the reading of its answers.
//!
//! A worker asks once an interval, a tenth more or less, because all workers of a mesh have started together. Until
//! there is a first document the next request comes sooner, after one second and then doubling, because a cluster may
//! reach the proxy after the filter's configuration, and the configured percentages hold until then (JR-4).

use alloc::string::{String, ToString};
use core::fmt;
use core::time::Duration;

use super::document::Document;
use crate::cluster_call::failure_log::{FailureLog, LogEvent};
use crate::cluster_call::send_error::SendError;
use crate::codec::{number, percent};
use crate::time::Nanos;

/// The state of the requests to a sampling server.
#[derive(Debug)]
pub struct Poll {
    interval: Duration,
    state: State,
    // Requests in a row without a first document.
    first_tries: u32,
    has_document: bool,
    failure_log: FailureLog<Failure>,
}

#[derive(Debug)]
enum State {
    Waiting { since: Nanos, delay: Duration },
    UnderWay { since: Nanos },
}

/// The kinds of failure of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A request that the proxy did not send.
    SendError(SendError),
    /// A request without an answer.
    NoAnswer,
    /// An HTTP status that is not 200.
    HttpStatus(u16),
    /// An answer that is longer than any document.
    TooLong,
    /// An answer that is no document.
    Document,
}

/// A failure with its explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of failure.
    pub failure: Failure,
    /// The flaw of the document.
    pub detail: Option<String>,
}

/// An answer of the sampling server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer<'a> {
    /// The `:status`; `None` without an answer.
    pub status: Option<&'a [u8]>,
    /// The body, or the beginning of a long one.
    pub body: &'a [u8],
    /// The length of the whole body.
    pub body_bytes: usize,
}

impl Poll {
    /// Returns the state before the first request, which is due at the first tick.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            state: State::Waiting {
                since: Nanos::default(),
                delay: Duration::ZERO,
            },
            first_tries: 0,
            has_document: false,
            failure_log: FailureLog::default(),
        }
    }

    /// Returns true if a request is due, and notes it as under way.
    pub fn begins(&mut self, now: Nanos) -> bool {
        let is_due =
            matches!(self.state, State::Waiting { since, delay } if now.is_past(since, delay));
        if is_due {
            self.state = State::UnderWay { since: now };
        }
        is_due
    }

    /// Returns true if the request under way has waited so long that its answer must be lost; the proxy ends a call by
    /// itself much earlier.
    pub fn is_overdue(&self, now: Nanos) -> bool {
        let patience = Self::TIMEOUT.saturating_mul(2);
        matches!(self.state, State::UnderWay { since } if now.has_taken(since, patience))
    }

    /// Notes the end of the request under way; returns the event if it is worth a line in the log. `jitter` is a random
    /// byte.
    pub fn ended(
        &mut self,
        failure: Option<Failure>,
        now: Nanos,
        jitter: u8,
    ) -> Option<LogEvent<Failure>> {
        self.has_document |= failure.is_none();
        self.state = State::Waiting {
            since: now,
            delay: self.delay(jitter),
        };
        match failure {
            None => self.failure_log.record_success(),
            Some(failure) => self.failure_log.record_failure(failure, now),
        }
    }

    fn delay(&mut self, jitter: u8) -> Duration {
        let delay = if self.has_document {
            self.interval
        } else {
            let doublings = self.first_tries.min(12);
            self.first_tries = self.first_tries.saturating_add(1);
            FIRST_DELAY
                .saturating_mul(1_u32.wrapping_shl(doublings))
                .min(self.interval)
        };
        let percent = 90_u32.saturating_add(u32::from(jitter % 21));
        delay
            .saturating_mul(percent)
            .checked_div(100)
            .unwrap_or(delay)
    }

    /// The longest time that a request may take.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
}

impl Answer<'_> {
    /// The longest body that is read, which leaves half a KiB for each of 2,000 operations.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// Returns the document in the answer.
    ///
    /// # Errors
    /// The reason why the answer is no document.
    pub fn document(&self) -> Result<Document, Fault> {
        match self.status.and_then(number::parse) {
            None => Err(Failure::NoAnswer.into()),
            Some(200) if self.body_bytes > Self::MAX_BYTES => Err(Failure::TooLong.into()),
            Some(200) => Document::parse(self.body).map_err(|error| Fault {
                failure: Failure::Document,
                detail: Some(error.to_string().chars().take(MAX_DETAIL).collect()),
            }),
            Some(status) => Err(Failure::HttpStatus(status).into()),
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            detail: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure {
            Failure::SendError(error) => error.fmt(f),
            Failure::NoAnswer => f.write_str("no answer"),
            Failure::HttpStatus(status) => write!(f, "HTTP status {status}"),
            Failure::TooLong => f.write_str("an answer of more than 1 MiB"),
            Failure::Document => f.write_str("the answer is no strategy document"),
        }?;
        match &self.detail {
            // The parser has escaped the parts of the document that it repeats.
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// Returns the request target: the configured path, with the service name as a parameter (JR-1).
pub fn target(path: &str, service: &str) -> String {
    let mut target = String::from(path);
    target.push(if path.contains('?') { '&' } else { '?' });
    target.push_str("service=");
    let service = percent::encoded(service.as_bytes(), percent::is_unreserved);
    target.extend(service.map(char::from));
    target
}

/// Characters of an error that are logged, because the parser repeats text of any length.
const MAX_DETAIL: usize = 160;
/// The time between the first request and the second.
const FIRST_DELAY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn after(poll: &mut Poll, start: u64) -> u64 {
        let milliseconds = (start..).find(|time| poll.begins(Nanos(time * SECOND / 1000)));
        milliseconds.unwrap() - start
    }

    #[test]
    fn jr_4_asks_with_the_first_tick_and_once_an_interval_a_tenth_more_or_less() {
        for (jitter, expected) in [(0, 54_000), (10, 60_000), (20, 66_000)] {
            let mut poll = Poll::new(Duration::from_secs(60));
            let now = Nanos(1_000 * SECOND);
            assert!(poll.begins(now), "the first tick");
            assert!(!poll.begins(now), "one is under way");
            assert_eq!(poll.ended(None, now, jitter), None);
            assert_eq!(after(&mut poll, 1_000_000), expected);
            let failure = Some(Failure::NoAnswer);
            poll.ended(failure, Nanos(2_000 * SECOND), jitter);
            assert_eq!(after(&mut poll, 2_000_000), expected, "a failure");
        }
    }

    #[test]
    fn tries_sooner_until_there_is_a_first_document_but_not_more_often_than_asked_to() {
        let mut poll = Poll::new(Duration::from_secs(10));
        let mut start = 1_000_000;
        assert!(poll.begins(Nanos(1_000 * SECOND)));
        for expected in [1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
            poll.ended(
                Some(Failure::SendError(SendError::UnknownCluster)),
                Nanos(start * SECOND / 1000),
                10,
            );
            assert_eq!(after(&mut poll, start), expected);
            start += expected;
        }
        poll.ended(None, Nanos(start * SECOND / 1000), 10);
        assert_eq!(after(&mut poll, start), 10_000);
    }

    #[test]
    fn an_answer_that_is_lost_is_not_waited_for_for_ever() {
        let mut poll = Poll::new(Duration::from_secs(60));
        assert!(!poll.is_overdue(Nanos(0)));
        poll.begins(Nanos(SECOND));
        assert!(!poll.is_overdue(Nanos(10 * SECOND)));
        assert!(poll.is_overdue(Nanos(11 * SECOND)));
    }

    #[test]
    fn tells_each_kind_of_failure_once_and_its_end() {
        let mut poll = Poll::new(Duration::from_secs(60));
        let [away, bad] = [Failure::NoAnswer, Failure::Document];
        let mut ended = |failure| poll.ended(failure, Nanos(SECOND), 0);
        assert_eq!(ended(Some(away)), Some(LogEvent::Failing(away)));
        assert_eq!(ended(Some(away)), None);
        assert_eq!(ended(Some(bad)), Some(LogEvent::Failing(bad)));
        assert_eq!(ended(None), Some(LogEvent::Recovered));
        assert_eq!(ended(None), None);
    }

    #[test]
    fn an_answer_is_a_document_with_status_200() {
        let body = br#"{"probabilisticSampling": {"samplingRate": 1}}"#;
        let answer = |status: Option<&'static str>, body: &'static [u8], body_bytes| {
            let answer = Answer {
                status: status.map(str::as_bytes),
                body,
                body_bytes,
            };
            answer.document().map_err(|fault| fault.failure)
        };
        let good = Ok(Document::Probability(1.0));
        assert_eq!(answer(Some("200"), body, body.len()), good);
        assert_eq!(answer(Some("200"), body, Answer::MAX_BYTES), good);
        for (status, bytes, expected) in [
            (None, 0, Failure::NoAnswer),
            (Some("OK"), 0, Failure::NoAnswer),
            (Some("404"), 0, Failure::HttpStatus(404)),
            (Some("204"), 0, Failure::HttpStatus(204)),
            (Some("200"), Answer::MAX_BYTES + 1, Failure::TooLong),
        ] {
            assert_eq!(answer(status, body, bytes), Err(expected), "{status:?}");
        }
        assert_eq!(answer(Some("200"), b"{", 1), Err(Failure::Document));
    }

    #[test]
    fn says_what_is_wrong_and_repeats_no_control_character() {
        let fault = Answer {
            status: Some(b"200"),
            body: b"{\"probabilisticSampling\": \"\\n\\u001b[31m\"}",
            body_bytes: 40,
        };
        let line = fault.document().unwrap_err().to_string();
        assert!(line.starts_with("the answer is no strategy document: "));
        assert!(!line.contains(char::is_control), "{line}");
        let long = format!(r#"{{"probabilisticSampling": "{}"}}"#, "x".repeat(10_000));
        let fault = Answer {
            body: long.as_bytes(),
            ..fault
        };
        assert!(fault.document().unwrap_err().to_string().len() < 300);
        let unknown = Fault::from(Failure::SendError(SendError::UnknownCluster)).to_string();
        assert!(unknown.contains("egress hosts"), "{unknown}");
    }

    #[test]
    fn jr_1_asks_for_the_service_by_its_name_percent_encoded() {
        for (path, service, expected) in [
            ("/sampling", "cart", "/sampling?service=cart"),
            (
                "/api/sampling",
                "a b&c=ü",
                "/api/sampling?service=a%20b%26c%3D%C3%BC",
            ),
            ("/s?token=1", "a-b._~", "/s?token=1&service=a-b._~"),
        ] {
            assert_eq!(target(path, service), expected);
        }
    }
}
