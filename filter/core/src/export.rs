//! The way of finished spans to a collector: the queue, the requests, their answers, and the next try.

pub mod exporter;
pub mod queue;
pub(crate) mod request;
pub mod response;
pub(crate) mod status_details;
pub(crate) mod urgency;
