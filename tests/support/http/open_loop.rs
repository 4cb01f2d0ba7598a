//! Load at a rate: a request is sent at its time, however long the others take, each on a connection of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Connection, Request};

/// The fate of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The time at which it was due, since the load began.
    pub due: Duration,
    /// The time from then until its answer was there.
    pub took: Duration,
    /// The status of the answer; none when there was no answer.
    pub status: Option<u16>,
}

/// Sends requests at a rate while `change` runs, and returns what became of each, in the order of their times. `make` makes the
/// request of a number.
///
/// # Panics
/// When `change` does.
pub fn open_loop(
    address: SocketAddr,
    rate: u32,
    make: impl Fn(u64) -> Request + Sync,
    change: impl FnOnce(&dyn Fn() -> Duration),
) -> Vec<Outcome> {
    let begin = Instant::now();
    let next = AtomicU64::new(0);
    let has_ended = AtomicBool::new(false);
    let outcomes = Mutex::new(Vec::new());
    let send = || {
        while !has_ended.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = Duration::from_secs(number) / rate;
            while let Some(early) = due
                .checked_sub(begin.elapsed())
                .filter(|time| !time.is_zero())
            {
                thread::park_timeout(early);
            }
            let answer = Connection::open(address)
                .and_then(|mut connection| connection.exchange(&make(number)));
            let outcome = Outcome {
                due,
                took: begin.elapsed().saturating_sub(due),
                status: answer.ok().map(|answer| answer.status),
            };
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push(outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(send);
        }
        // Also where the change panics, because the scope waits for the senders.
        let _end = End(&has_ended);
        change(&|| begin.elapsed());
    });
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|outcome| outcome.due);
    outcomes
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Threads that send: more than there are ever requests under way, of which one may wait for seconds.
const SENDERS: usize = 256;
