//! What has arrived at a server, and what it does next: one for all of its connections.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::script::{Act, Script, Source};
use crate::run::passed::{Fields, Message};
use crate::run::scenario::Fault;

/// The state that all connections of a server share.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) source: Mutex<Source>,
    pub(super) arrived: Mutex<Vec<Arrival>>,
    pub(super) count: watch::Sender<usize>,
}

/// A request, as far as it has come.
pub(super) struct Arrival {
    /// Its place among those of all servers.
    pub(super) order: u64,
    pub(super) message: Message,
    pub(super) is_complete: bool,
}

impl Shared {
    /// Notes a request of which the headers have come, and returns its place among those of all servers.
    pub(super) fn begin(&self, headers: Fields) -> u64 {
        let order = ORDER.fetch_add(1, Ordering::Relaxed);
        let message = Message {
            headers,
            ..Message::default()
        };
        lock(&self.arrived).push(Arrival {
            order,
            message,
            is_complete: false,
        });
        self.count.send_modify(|count| *count += 1);
        order
    }

    /// Changes a request as more of it comes.
    pub(super) fn with(&self, order: u64, change: impl FnOnce(&mut Arrival)) {
        let mut arrived = lock(&self.arrived);
        let found = arrived.iter_mut().find(|arrival| arrival.order == order);
        if let Some(arrival) = found {
            change(arrival);
        }
    }

    /// Returns the reaction to the next request.
    pub(super) fn next(&self) -> Script {
        match &mut *lock(&self.source) {
            Source::Script(script) => script.clone(),
            Source::Answers(answers) => match answers.next(&self.name) {
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
            },
        }
    }
}

/// Locks what no panic can leave half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the requests to all servers, for their order.
static ORDER: AtomicU64 = AtomicU64::new(0);
