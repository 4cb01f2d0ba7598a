//! The receiver of OTLP and of Zipkin's spans.
//!
//! ```text
//! listener ── service ─┬─ grpc ─┬─ exchange ── compression ── ingest ── store
//!   (tls)    (access)  └─ http ─┘     │  (memory)    (zipkin)
//!                      │              └─ dropped   logs and metrics
//!                      └─ readers   the API, and those of others
//! ```
//!
//! Every reason to refuse a request is a [`refusal`], which each transport tells in its own words, and a count in
//! [`Received`].

mod access;
mod body;
mod compression;
mod dropped;
mod exchange;
mod front;
mod grpc;
mod http;
mod ingest;
mod listener;
mod media;
mod memory;
mod message;
mod readers;
mod received;
mod refusal;
mod rpc_status;
mod service;
mod signal;
mod tls;
mod truncated_body;
mod zipkin;

pub use access::{Access, Origin, OriginError, Token, TokenError};
pub(crate) use ingest::Ingest;
pub(crate) use listener::Listener;
pub(crate) use readers::Dialect;
pub use received::Received;
pub(crate) use service::Service;
pub use tls::{Tls, TlsError};
