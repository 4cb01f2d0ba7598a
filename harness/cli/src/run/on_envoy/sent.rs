//! A request as the client sends it, and what the client gets for it.

use std::time::Duration;

use sidespan_host::Headers;

use crate::run::body::Body;
use crate::run::passed::Message;

/// A request to be sent.
pub(super) struct Sent<'a> {
    pub(super) headers: Headers,
    pub(super) chunks: Vec<&'a Body>,
    pub(super) trailers: Headers,
    /// True if the client goes away once the upstream has the request.
    pub(super) is_abandoned: bool,
}

/// The outcome for the client.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) message: Option<Message>,
    pub(super) is_reset: bool,
}

/// The time that a client waits for its response.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);
