//! Why the proxy did not make a call to a cluster: the same for every call, whatever is asked or told in it.

use core::fmt;

/// Why a call was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The proxy knows no such cluster.
    UnknownCluster,
    /// The proxy could not send it.
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
