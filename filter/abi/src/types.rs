//! What callbacks and hostcalls answer.

use crate::traits::RootContext;

/// What the proxy is to do with a part of a request or a response.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Goes on.
    Continue = 0,
}

/// Why a call was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The proxy does not know the cluster, or takes the headers for none.
    BadArgument,
    /// Whatever else the proxy says.
    InternalFailure,
}

/// Makes the root context of this id.
pub type NewRootContext = fn(u32) -> Box<dyn RootContext>;
