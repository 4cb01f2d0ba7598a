//! Calls to a cluster of the proxy, whatever they are for: why one is not sent, and how failures are logged.

pub mod failure_log;
pub mod send_error;
