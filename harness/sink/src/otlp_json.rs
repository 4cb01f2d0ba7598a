//! OTLP in JSON: requests, responses, and files with a request a line.
//!
//! Written is what the specification says and no more (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>):
//! ids in hexadecimal, 64-bit numbers as text, enumerations as numbers, no field that has its default. Read is all that the
//! OpenTelemetry Collector reads, and `null` for every field; what the specification forbids is counted. A line of a file
//! is what the Collector's file exporter writes and its `otlpjsonfile` receiver reads.

mod lines;
mod read;
mod reader;
mod write;

pub(crate) use lines::line;
pub use lines::{Exported, Imported, LinesError, export, export_found, import};
pub use read::read_request;
pub use reader::{JsonError, Warnings};
pub use write::{write_request, write_response};

#[cfg(test)]
mod tests;
