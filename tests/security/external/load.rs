//! Callers who send one request after the other, on connections that stay open, through all that happens meanwhile.

use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sidespan_envoy::wait_for;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::http::{Connection, Request};

use super::End;

const CALLERS: u64 = 3;

/// A load that goes on.
#[derive(Default)]
pub(super) struct Load {
    answered: AtomicU64,
    has_ended: AtomicBool,
}

/// The ends of a load's requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answers {
    /// The requests with an answer, each of them the upstream's.
    pub(super) answered: u64,
    /// The requests whose connection, on which others had been answered, was closed before an answer.
    pub(super) cut: u64,
    /// The callers who could not connect, or whose first request on a connection was not answered. They send no more.
    pub(super) refused: u64,
    /// The longest that an answer took.
    pub(super) slowest: Duration,
}

impl Load {
    /// Sends requests for as long as `act` runs; returns what it returns, and the ends of the requests.
    ///
    /// # Panics
    /// When one is answered by anybody but the upstream.
    pub(super) fn during<T>(address: SocketAddr, act: impl FnOnce(&Self) -> T) -> (T, Answers) {
        let load = Self::default();
        thread::scope(|scope| {
            let running: Vec<_> = (0..CALLERS)
                .map(|_| scope.spawn(|| load.call(address)))
                .collect();
            let made = {
                let _end = End(&load.has_ended);
                act(&load)
            };
            let ended = running.into_iter().map(|caller| caller.join());
            let all = ended
                .map(|answers| answers.unwrap_or_else(|panic| resume_unwind(panic)))
                .fold(Answers::default(), Answers::plus);
            (made, all)
        })
    }

    /// Waits until so many more requests are answered.
    ///
    /// # Panics
    /// When they are not.
    pub(super) fn goes_on(&self, more: u64) {
        let answered = || self.answered.load(Ordering::Relaxed);
        let wanted = answered() + more;
        let went_on = wait_for(LIMIT, || (answered() >= wanted).then_some(()));
        assert!(went_on.is_some(), "{more} more answers");
    }

    fn call(&self, address: SocketAddr) -> Answers {
        let mut all = Answers::default();
        let mut open = None;
        while !self.has_ended.load(Ordering::Relaxed) {
            let is_new = open.is_none();
            let begin = Instant::now();
            let answer = match open.take().map_or_else(|| Connection::open(address), Ok) {
                Ok(mut connection) => {
                    let answer = connection.exchange(&Request::get("/200"));
                    answer.map(|response| (connection, response))
                }
                Err(error) => Err(error),
            };
            let (connection, response) = match answer {
                Ok(answer) => answer,
                // The kernel lets callers connect for as long as a process is there.
                Err(_) if is_new => {
                    all.refused += 1;
                    break;
                }
                Err(_) => {
                    all.cut += 1;
                    continue;
                }
            };
            all.slowest = all.slowest.max(begin.elapsed());
            assert_eq!(response.status, 200);
            all.answered += 1;
            self.answered.fetch_add(1, Ordering::Relaxed);
            open = Some(connection).filter(|_| !response.headers.has("connection"));
        }
        all
    }
}

impl Answers {
    /// Checks that few requests were cut: a caller's connection may be closed with a request on its way, as the proxy drains and as it ends.
    pub(super) fn assert_few_cut(&self) {
        assert!(self.cut <= 2 * CALLERS, "{self:?}");
    }

    fn plus(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            cut: self.cut + other.cut,
            refused: self.refused + other.refused,
            slowest: self.slowest.max(other.slowest),
        }
    }
}
