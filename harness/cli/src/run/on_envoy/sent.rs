//! A request as the client sends it, and what the client gets for it.

use std::net::SocketAddr;
use std::time::Duration;

use sidespan_host::Headers;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::run::body::Body;
use crate::run::passed::Message;

/// A request to be sent.
pub(super) struct Sent<'a> {
    pub(super) headers: Headers,
    pub(super) chunks: Vec<&'a Body>,
    pub(super) trailers: Headers,
    /// The time before the request.
    pub(super) wait: Duration,
    /// Its place among those that are under way at once.
    pub(super) at: usize,
    /// True if the client goes away once the upstream has the request.
    pub(super) is_abandoned: bool,
}

/// The outcome for the client.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The address of the client's connection.
    pub(super) client: Option<SocketAddr>,
    pub(super) message: Option<Message>,
    pub(super) is_reset: bool,
}

/// The time that a client waits for its response.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// Waits for a response as long as a client does, and returns true if the stream breaks before its end.
pub(super) async fn breaks<E>(response: impl Future<Output = Result<(), E>>) -> bool {
    // Of a message that filters hold back for ever the client gives up.
    matches!(timeout(PATIENCE, response).await, Ok(Err(_)))
}

/// Waits until a request has come to the upstream.
pub(super) async fn arrival(mut arrivals: watch::Receiver<Vec<usize>>, at: usize) {
    let has_come = |counts: &Vec<usize>| counts.get(at).is_some_and(|count| *count > 0);
    let _ = timeout(PATIENCE, arrivals.wait_for(has_come)).await;
}
