//! The contents of a sink: a SQLite database, in memory or in a file, behind one thread that writes.
//!
//! ```text
//! SpanBatch ── jobs ──► writer ── keep ──► context, operation, trace, span     one transaction for the requests that wait
//!                         │        └─────► message, delivery                   what is forwarded, in the same transaction
//!                         ├── evict         whole traces, the oldest first
//! Query ───► search ◄─────┘                 in memory on the writer's connection, with a file on connections of their own
//! ```
//!
//! Attributes are in no index; `sieve` knows in memory which rows may have one.
//!
//! A database in memory has one connection, because SQLite's ways of sharing one between threads lock tables or the whole
//! of it anyway; a search then waits for a transaction at most, and a transaction for a search.

mod assemble;
mod attribute_match;
mod batch;
mod calls;
mod candidates;
mod conditions;
mod contents;
mod database;
mod decode;
mod dictionary;
mod evict;
mod forwarding;
mod gather;
#[cfg(test)]
pub(crate) mod golden;
mod handle;
mod jobs;
mod keep;
mod limits;
mod newest;
mod observed;
mod outbox;
mod outline;
mod query;
mod raw;
mod read;
mod reading;
mod recent;
mod recorded_headers;
pub(crate) mod request_log;
mod request_record;
mod rows;
#[cfg(test)]
pub(crate) mod samples;
mod search;
mod sieve;
mod span;
mod tags;
mod token;
mod turn;
mod value;
mod wire;
mod writer;

pub use batch::SpanBatch;
pub(crate) use candidates::{Candidate, ServiceShare};
pub use database::{Place, StoreError};
pub use handle::Store;
pub use jobs::Refused;
pub use keep::Inserted;
pub use limits::{Counts, Limits, Size};
pub use newest::Newest;
pub(crate) use observed::NewSpan;
pub use outbox::{Backlog, Message};
pub(crate) use outline::{Outline, Outlines};
pub use query::{Operation, Query, Root, TraceSummary};
pub(crate) use recent::SpanTest;
pub use recorded_headers::RecordedHeaders;
pub use request_record::{Answer, RequestRecord, Transport};
pub use span::{Event, Link, Resource, Scope, SpanKind, SpanStatus, StatusCode, StoredSpan};
pub(crate) use tags::{MAX_TAGS, SAMPLED_SPANS};
pub use tags::{Sample, TagNames, TagScope, TagValue, TagValues};
pub use value::{Attribute, Value};
pub use wire::MalformedRequest;

#[cfg(test)]
mod tests;
