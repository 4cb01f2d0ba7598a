//! What has arrived at a server, and what it does next: one for all of its connections.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::script::{Act, Script, Source};
use crate::run::answers::Answers;
use crate::run::passed::{Fields, Message};
use crate::run::scenario::Fault;

/// The state that all connections of a server share.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) source: Mutex<Source>,
    pub(super) arrived: Mutex<Vec<Arrival>>,
    /// The numbers of requests that have come for each script.
    pub(super) counts: watch::Sender<Vec<usize>>,
}

/// A request, as far as it has come.
pub(super) struct Arrival {
    /// Its place among those of all servers.
    pub(super) order: u64,
    /// The place of its script among those that are followed.
    pub(super) script: usize,
    pub(super) message: Message,
    pub(super) is_complete: bool,
}

impl Shared {
    /// Notes a request of which the headers have come, and returns its place among those of all servers, and the reaction.
    pub(super) fn begin(&self, headers: Fields) -> (u64, Script) {
        let order = ORDER.fetch_add(1, Ordering::Relaxed);
        let (at, script) = self.next(&headers);
        let message = Message {
            headers,
            ..Message::default()
        };
        lock(&self.arrived).push(Arrival {
            order,
            script: at,
            message,
            is_complete: false,
        });
        self.counts.send_modify(|counts| {
            if let Some(count) = counts.get_mut(at) {
                *count += 1;
            }
        });
        (order, script)
    }

    /// Changes a request as more of it comes.
    pub(super) fn with(&self, order: u64, change: impl FnOnce(&mut Arrival)) {
        let mut arrived = lock(&self.arrived);
        let found = arrived.iter_mut().find(|arrival| arrival.order == order);
        if let Some(arrival) = found {
            change(arrival);
        }
    }

    /// Returns the reaction to a request, and its place.
    fn next(&self, headers: &Fields) -> (usize, Script) {
        match &mut *lock(&self.source) {
            Source::Scripts(scripts) => {
                let path = headers.iter().find(|(name, _)| name == ":path");
                let path = path.map(|(_, value)| value.as_slice());
                let counts = self.counts.borrow();
                let by_path = |(other, _): &(Vec<u8>, Script)| path == Some(other.as_slice());
                let at = scripts.iter().position(by_path);
                let at = at.or_else(|| counts.iter().position(|count| *count == 0));
                let at = at.unwrap_or_else(|| scripts.len().saturating_sub(1));
                let script = scripts.get(at).map(|(_, script)| script.clone());
                (at, script.unwrap_or_else(Script::silence))
            }
            Source::Answers(answers) => (0, answer(answers, &self.name)),
        }
    }
}

/// Returns the reaction of a cluster to the next call.
fn answer(answers: &mut Answers, cluster: &str) -> Script {
    match answers.next(cluster) {
        Ok(Some(reply)) => Script {
            after: reply.after,
            act: match reply.outcome {
                Ok(parts) => Act::Respond {
                    is_early: parts.grpc.is_some(),
                    chunks: parts.chunks(),
                    headers: parts.headers,
                    trailers: parts.trailers,
                    breaks_off: false,
                },
                Err(Fault::Reset) => Act::Reset,
                Err(Fault::Unreachable | Fault::NoHosts | Fault::Silence) => Act::Silence,
            },
        },
        // Headers of a scenario's calls are filled in when it is read.
        Ok(None) | Err(_) => Script::silence(),
    }
}

/// Locks what no panic can leave half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the requests to all servers, for their order.
static ORDER: AtomicU64 = AtomicU64::new(0);
