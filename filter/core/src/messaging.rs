//! Trace contexts over messages of Kafka, RabbitMQ, SQS and others, for applications: no filter sees these headers, because a
//! proxy forwards a broker's protocol as bytes.
//!
//! A [`Propagator`] reads and writes the headers of a message in the formats of the filter and by its rules, and translates
//! between them without a span. A [`MessageTracer`] makes PRODUCER and CONSUMER spans besides, and a [`SpanBatch`] the OTLP
//! request with them. Headers are a [`Carrier`]: a list of names and bytes, Amazon's [`MessageAttributes`], or one's own.
//!
//! Spans follow OpenTelemetry's conventions for messaging (1.44.0, in development; rules MQ-1 to MQ-8 of `filter/RULES.md`):
//!
//! - a PRODUCER span is of one message, its parent is the current context, and its own context travels with the message;
//! - a CONSUMER span of one message continues the message's trace, as the conventions allow for single messages, and links to
//!   the message's context, as they ask for;
//! - a CONSUMER span of several messages, or within another span, only links, because it can have but one parent.
//!
//! ```
//! use sidespan_core::id_generator::SequentialBytes;
//! use sidespan_core::messaging::{MessageTracer, Operation, Propagator, SpanBatch};
//! use sidespan_core::propagation::format::Format;
//! use sidespan_core::sampling::threshold::Threshold;
//! use sidespan_core::time::Nanos;
//!
//! let formats = Propagator::new(&[Format::TraceContext, Format::B3]);
//! // An application gives randomness of its operating system, for which `Random` is a trait.
//! let mut tracer = MessageTracer::new(formats, Threshold::of_percentage(10.0), SequentialBytes(1));
//! let mut ended = SpanBatch::new("shop", &[]);
//!
//! // The request in whose course the message is sent came with B3.
//! let request = vec![("b3".to_owned(), b"4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1".to_vec())];
//! let current = tracer.extract(&request);
//! let send = Operation { system: "kafka", name: "send", destination: "orders" };
//! let span = tracer.produce(send, &current, Nanos(1_000)).unwrap();
//! let mut headers = Vec::new();
//! assert!(tracer.inject(&span, &mut headers).is_empty());
//! ended.end(span, Nanos(2_000));
//!
//! // The consumer reads either.
//! let message = tracer.extract(&headers);
//! let process = Operation { name: "process", ..send };
//! let span = tracer.process(process, &message, Nanos(3_000)).unwrap();
//! assert_eq!(&span.trace_id().to_hex(), b"4bf92f3577b34da6a3ce929d0e0e4736");
//! ended.end(span, Nanos(4_000));
//! let body = ended.take_request().unwrap();
//! # assert_eq!(headers.len(), 2);
//! # assert!(!body.is_empty());
//! ```
//!
//! Time and randomness are arguments, as in the whole crate, and nothing is sent: `examples/messages` in the repository has
//! these with `rdkafka` and `amqprs`.

mod batch;
mod carrier;
mod context;
mod message_attributes;
mod propagator;
mod span;
mod tracer;

pub use batch::SpanBatch;
pub use carrier::Carrier;
pub use context::{Context, Received};
pub use message_attributes::MessageAttributes;
pub use propagator::{Propagator, Spelling};
pub use span::{MessageKind, MessageSpan, Operation};
pub use tracer::MessageTracer;
