//! An OTLP sink: it receives spans, keeps them, lets a test wait for them, and draws them.
//!
//! ```text
//! gRPC ─┐                                  ┌─ script   the answer that a test asks for, or the normal one
//! HTTP ─┼─ receive: listener ── exchange ──┼─ ingest   spans, or a reason to refuse them
//! Zipkin┘   └─ api, page                       └─ store    SQLite: bounded, a copy is kept once, evicts whole traces
//!               └── reads ─────────────────────┤
//!                                              ├───────────────────►  forward   other OTLP endpoints, a queue each
//!                                              │
//!                      Sink::wait_for  ◄───────┴───────►  view: trace_tree ── completeness, waterfall
//! ```
//!
//! The sink is for development, tests and small installations. It knows nothing of its senders. Its answers are those of
//! the OTLP specification (<https://opentelemetry.io/docs/specs/otlp/>), and where the specification is silent, those of
//! the OpenTelemetry Collector.
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

pub mod api;
mod forward;
mod jaeger;
mod map;
mod metrics;
pub mod otlp_json;
mod page;
mod receive;
mod script;
mod sink;
mod store;
mod tempo;
pub mod verify;
mod view;
mod wait;

pub use forward::{
    Destination, DestinationError, Forward, ForwardError, Forwarding, Retry, TrustError,
    client_tls, no_tls,
};
pub use receive::{Access, Origin, OriginError, Received, Tls, TlsError, Token, TokenError};
pub use script::{Faults, FaultsError, Reply};
pub use sink::{Sink, SinkConfig, StartError};
pub use store::{
    Answer, Attribute, Backlog, Counts, Event, Inserted, Limits, Link, MalformedRequest, Message,
    Newest, Operation, Place, Query, RecordedHeaders, Refused, RequestRecord, Resource, Root,
    Sample, Scope, Size, SpanBatch, SpanKind, SpanStatus, StatusCode, Store, StoreError,
    StoredSpan, TagNames, TagScope, TagValue, TagValues, TraceSummary, Transport, Value,
};
pub use view::{Incomplete, Reason, is_complete, listing, waterfall};
pub use wait::{Snapshot, Timeout};
