//! The receiver of OTLP: a listener, both transports, and the handling of a request that both transports share.

mod grpc;
mod http;
mod ingest;
mod listener;
mod rpc_status;
mod truncated_body;

pub(crate) use ingest::Ingest;
pub(crate) use listener::Listener;
