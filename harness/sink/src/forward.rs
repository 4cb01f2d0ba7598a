//! Forwarding: what the sink keeps goes on to other OTLP endpoints, each with a queue of its own in the database.
//!
//! ```text
//! store (outbox) ── worker ── sender ─┬─ grpc ─┐
//!                     │               └─ http ─┴─ answer   taken, to be sent again, or refused for good
//!                     └── retry, progress         Forwarding: counts, and a log line when a destination turns bad or well
//! ```
//!
//! A message leaves the queue when its destination has taken or refused it, so a sink that is killed in between sends it
//! again; spans have ids, and the destination sees a copy. The answers and their meaning are those of OTLP's specification
//! (<https://opentelemetry.io/docs/specs/otlp/#failures>).

mod answer;
mod destination;
mod destinations;
mod forwarder;
mod grpc;
mod http;
mod progress;
mod retry;
mod sender;
mod short_answer;
mod tls;
mod worker;

pub use destination::{Destination, DestinationError};
pub(crate) use destinations::Destinations;
pub(crate) use forwarder::Forwarder;
pub use forwarder::{Forward, ForwardError};
pub use progress::Forwarding;
pub use retry::Retry;
pub use tls::{TrustError, client_tls, no_tls};

#[cfg(test)]
mod tests;
