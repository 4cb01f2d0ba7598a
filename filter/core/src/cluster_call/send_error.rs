//! The error of a call to a cluster that the proxy did not send, whatever the purpose of the call.

use core::fmt;

/// The reason why a call was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The proxy knows no cluster of this name.
    UnknownCluster,
    /// The proxy could not send the request.
    NotSent,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCluster => {
                "the proxy knows no such cluster; check the name, that the service exists, \
                 and that the Sidecar resource's egress hosts include it"
            }
            Self::NotSent => {
                "the proxy would not send the request: the cluster has no healthy endpoint, or its circuit breaker is open"
            }
        })
    }
}
