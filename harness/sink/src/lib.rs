//! An OTLP sink: it receives spans, keeps them, lets a test wait for them, and draws them.
//!
//! ```text
//! gRPC ─┐                                ┌─ script   the answer a test asked for, or the right one
//!       ├─ receive: listener ── ingest ──┼─ decode   protobuf to StoredSpan, or a reason to refuse the span
//! HTTP ─┘                                └─ store    bounded, one span an id, whole traces leave
//!                                              │
//!                      Sink::wait_for  ◄───────┴───────►  view: trace_tree ── completeness, waterfall
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

mod receive;
mod script;
mod sink;
mod store;
mod view;
mod wait;

pub use script::Reply;
pub use sink::{Sink, SinkConfig, StartError};
pub use store::{
    Answer, Attribute, Counts, Event, Limits, Link, RequestRecord, Resource, Scope, SpanKind,
    SpanStatus, StatusCode, StoredSpan, Transport, Value,
};
pub use view::{Incomplete, Reason, is_complete, waterfall};
pub use wait::{Snapshot, Timeout};
