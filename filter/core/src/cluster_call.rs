//! Calls to a cluster of the proxy, whatever their purpose: the errors of sending, and the log throttle for failures.

pub mod failure_log;
pub mod send_error;
