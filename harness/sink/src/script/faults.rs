//! Faults of a bad collector on purpose, as a command line writes them: `503:3,delay=2s,partial=10%`.
//!
//! | part | what happens |
//! |---|---|
//! | `503:3` | the next three requests are answered with this HTTP status; gRPC gets the code that stands for it |
//! | `503=20%` | a fifth of the requests are, spread evenly |
//! | `503` | all requests are |
//! | `reset`, `lost`, `cut` | in place of a status: the connection is reset before, or after the spans are kept, or amid the answer |
//! | `delay=2s` | every answer comes that much later |
//! | `partial=10%` | a tenth of the spans is rejected, in a partial success |
//! | `retry=5s` | the delay that comes with 429 and 503; without it, 429 has one second |
//!
//! Parts with a number are used up first, in their order; then shares count, then the rest.

use std::collections::VecDeque;
use std::str::FromStr;
use std::time::Duration;

use super::reply::Reply;

/// The faults of a sink; the default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    counted: VecDeque<(Reply, u64)>,
    shares: Vec<(Reply, Share)>,
    always: Option<Reply>,
    delay: Option<Duration>,
    partial: Share,
}

/// The error of a text that describes no faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part:?}: expected {expected}")]
pub struct FaultsError {
    part: String,
    expected: &'static str,
}

/// A percentage that is reached exactly over many: what is left of one goes to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    percent: usize,
    carried: usize,
}

impl Share {
    fn of(percent: usize) -> Self {
        Self {
            percent,
            carried: 0,
        }
    }

    /// Returns how many of the next `count` are meant.
    fn take(&mut self, count: usize) -> usize {
        let sum = count
            .saturating_mul(self.percent)
            .saturating_add(self.carried);
        self.carried = sum % 100;
        sum / 100
    }
}

impl Faults {
    /// Returns the reply to the next request.
    pub(super) fn take(&mut self) -> Reply {
        if let Some((reply, left)) = self.counted.front_mut() {
            let reply = reply.clone();
            *left -= 1;
            if *left == 0 {
                self.counted.pop_front();
            }
            return reply;
        }
        let shares = self.shares.iter_mut();
        let mut meant = shares.filter_map(|(reply, share)| {
            let is_meant = share.take(1) > 0;
            is_meant.then(|| reply.clone())
        });
        let meant = meant.next();
        meant.or_else(|| self.always.clone()).unwrap_or(Reply::Ok)
    }

    /// Returns the delay of every answer.
    pub(super) fn delay(&self) -> Option<Duration> {
        self.delay
    }

    /// Returns how many of the next `spans` are rejected.
    pub(super) fn reject(&mut self, spans: usize) -> usize {
        self.partial.take(spans)
    }
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        let mut retry = None;
        let parts = || text.split(',').map(str::trim);
        for part in parts() {
            if let Some(time) = part.strip_prefix("retry=") {
                retry = Some(duration(time).ok_or_else(|| error(part, DURATION))?);
            }
        }
        for part in parts() {
            if let Some(time) = part.strip_prefix("delay=") {
                faults.delay = Some(duration(time).ok_or_else(|| error(part, DURATION))?);
            } else if let Some(share) = part.strip_prefix("partial=") {
                faults.partial = percent(share).ok_or_else(|| error(part, PERCENT))?;
            } else if let Some((name, count)) = part.split_once(':') {
                let count = count.parse().ok().filter(|count| *count > 0);
                let count = count.ok_or_else(|| error(part, COUNT))?;
                let reply = reply(name, retry).ok_or_else(|| error(part, PART))?;
                faults.counted.push_back((reply, count));
            } else if !part.starts_with("retry=") {
                let (name, share) = match part.split_once('=') {
                    Some((name, share)) => (name, Some(share)),
                    None => (part, None),
                };
                let reply = reply(name, retry).ok_or_else(|| error(part, PART))?;
                match share {
                    Some(share) => {
                        let share = percent(share).ok_or_else(|| error(part, PERCENT))?;
                        faults.shares.push((reply, share));
                    }
                    None if faults.always.is_some() => return Err(error(part, ONE)),
                    None => faults.always = Some(reply),
                }
            }
        }
        Ok(faults)
    }
}

const PART: &str = "a status from 400 to 599, reset, lost or cut (each as it is, with :COUNT, or with =PERCENT%), or \
                    delay=TIME, partial=PERCENT% or retry=TIME, as in 503:3,delay=2s,partial=10%";
const COUNT: &str = "a number of requests above 0 behind the colon, as in 503:3";
const DURATION: &str = "a whole number and ms, s, m or h, as in delay=2s";
const PERCENT: &str = "a whole percentage from 0% to 100%, as in partial=10%";
const ONE: &str = "at most one part that answers every request";

fn error(part: &str, expected: &'static str) -> FaultsError {
    FaultsError {
        part: part.to_owned(),
        expected,
    }
}

fn reply(name: &str, retry: Option<Duration>) -> Option<Reply> {
    /// A client repeats gRPC's `RESOURCE_EXHAUSTED` only with a delay, and HTTP's 429 always.
    const RETRY_OF_429: Duration = Duration::from_secs(1);
    Some(match name {
        "reset" => Reply::Reset,
        "lost" => Reply::LostAnswer,
        "cut" => Reply::CutAnswer,
        _ => match name.parse() {
            Ok(429) => Reply::Status(429, Some(retry.unwrap_or(RETRY_OF_429))),
            Ok(503) => Reply::Status(503, retry),
            Ok(status @ 400..=599) => Reply::Status(status, None),
            _ => return None,
        },
    })
}

fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u32 = number.parse().ok()?;
    let one = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        _ => return None,
    };
    one.checked_mul(number)
}

fn percent(text: &str) -> Option<Share> {
    let number: usize = text.strip_suffix('%')?.parse().ok()?;
    (number <= 100).then(|| Share::of(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, count: usize) -> Vec<Reply> {
        let mut faults: Faults = text.parse().unwrap();
        (0..count).map(|_| faults.take()).collect()
    }

    #[test]
    fn counted_faults_are_used_up_in_order_before_shares_and_the_rest() {
        let seconds = |count| Some(Duration::from_secs(count));
        let (busy, away) = (Reply::Status(429, seconds(1)), Reply::Status(503, None));
        assert_eq!(
            taken("503:2,429:1", 4),
            [away.clone(), away.clone(), busy, Reply::Ok]
        );
        assert_eq!(
            taken("reset=50%,400,503:1", 5),
            [
                away.clone(),
                Reply::Status(400, None),
                Reply::Reset,
                Reply::Status(400, None),
                Reply::Reset
            ]
        );
        assert_eq!(
            taken("retry=5s,503:1,429:1,500:1,lost:1,cut:1", 5),
            [
                Reply::Status(503, seconds(5)),
                Reply::Status(429, seconds(5)),
                Reply::Status(500, None),
                Reply::LostAnswer,
                Reply::CutAnswer
            ]
        );
        assert_eq!(taken("503", 2), [away.clone(), away]);
    }

    #[test]
    fn a_share_is_reached_exactly_however_small_the_requests_are() {
        let mut faults: Faults = "delay=1500ms, partial=10%".parse().unwrap();
        assert_eq!(faults.delay(), Some(Duration::from_millis(1_500)));
        let rejected: usize = (0..100).map(|_| faults.reject(3)).sum();
        assert_eq!(rejected, 30);
        assert_eq!(faults.take(), Reply::Ok);
        let hits = taken("503=25%", 100)
            .into_iter()
            .filter(|it| *it != Reply::Ok);
        assert_eq!(hits.count(), 25);
    }

    #[test]
    fn says_which_part_is_wrong_and_how_it_is_written() {
        for (text, part, expected) in [
            ("", "", PART),
            ("503:3,wrong", "wrong", PART),
            ("200", "200", PART),
            ("600:1", "600:1", PART),
            ("503:0", "503:0", COUNT),
            ("503:x", "503:x", COUNT),
            ("delay=2", "delay=2", DURATION),
            ("delay=", "delay=", DURATION),
            ("delay=5000000000h", "delay=5000000000h", DURATION),
            ("retry=1d", "retry=1d", DURATION),
            ("partial=10", "partial=10", PERCENT),
            ("partial=101%", "partial=101%", PERCENT),
            ("503=x%", "503=x%", PERCENT),
            ("503,500", "500", ONE),
        ] {
            let found = text.parse::<Faults>().unwrap_err();
            assert_eq!(found, error(part, expected), "{text}");
        }
    }
}
