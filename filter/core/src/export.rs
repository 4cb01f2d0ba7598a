//! The export of finished spans to a collector by OTLP: the queue, the requests, their answers, and retries.

pub mod answer;
pub(crate) mod calls;
pub mod collector;
pub mod exporter;
pub mod grpc_frame;
pub(crate) mod http_body;
pub mod queue;
pub(crate) mod request;
pub mod response;
pub mod settings;
pub(crate) mod status_details;
