//! An OTLP sink: it receives spans, keeps them, lets a test wait for them, and draws them.
//!
//! ```text
//! gRPC ─┐                    ┌─ script   the answer a test asked for, or the right one
//!       ├─ listen ─ intake ──┼─ decode   protobuf to StoredSpan, or a reason to refuse the span
//! HTTP ─┘                    └─ store    bounded, one span an id, whole traces leave
//!                                          │
//!                  Sink::wait_for  ◄───────┴───────►  tree ── whole, waterfall
//! ```
//!
//! It is a sink for development, tests and small installations. It knows nothing of who sends: what it
//! answers is what the OTLP specification says, and where that is silent, what the OpenTelemetry Collector does.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use sidespan_sink::{Sink, SinkConfig};
//! use std::time::Duration;
//!
//! let sink = Sink::start(SinkConfig::default()).await.unwrap();
//! println!("export to http://{}", sink.grpc_addr());
//! let nothing = sink.wait_for_spans(1, Duration::from_millis(1)).await;
//! assert!(nothing.unwrap_err().to_string().contains("0 spans in 0 requests"));
//! sink.stop().await;
//! # });
//! ```

mod cut;
mod decode;
mod grpc;
mod intake;
mod listen;
mod model;
mod record;
mod script;
mod sink;
mod status;
mod store;
mod tree;
mod value;
mod wait;
pub mod waterfall;
mod web;
mod whole;

pub use model::{Event, Link, Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan};
pub use record::{Answer, RequestRecord, Transport};
pub use script::Reply;
pub use sink::{Sink, SinkConfig, StartError};
pub use store::{Counts, Limits};
pub use value::{Attribute, Value};
pub use wait::{Snapshot, Timeout};
pub use whole::{Broken, Reason, is_whole};
