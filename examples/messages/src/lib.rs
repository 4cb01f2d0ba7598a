//! A shop whose services send orders to each other over Kafka and RabbitMQ, each order in the trace of the request that asked for
//! it.
//!
//! Each function is one that a service would have: it takes the client of its broker and the service's [`Telemetry`].

#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
pub mod telemetry;

pub use telemetry::{Headers, Telemetry};

/// An order that was processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processed {
    /// The message.
    pub order: String,
    /// The headers of requests that are made in the course of its processing.
    pub call: Headers,
}
