//! OTLP over the wire: listening, both transports, and what becomes of a request whichever way it came.

mod decode;
mod grpc;
mod http;
mod ingest;
mod listener;
mod rpc_status;
mod truncated_body;

pub(crate) use ingest::Ingest;
pub(crate) use listener::Listener;
